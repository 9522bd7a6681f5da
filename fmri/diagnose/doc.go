// Package diagnose says what predicted features are worth: how well they correlate with the true ones, how much of the variance
// and of the dimensions is left, and whether they are more like a training image than like the truth.
//
//	truth      [images, targets] ──┐
//	predicted  [images, targets] ──┼──► Compare ──► Diagnosis: Pattern, Target, R2, Identified, Variance, Dimension, Nearest
//	training   [images, targets] ──┘
//
// It compares tables, of features that were decoded or of voxels that were encoded.
package diagnose
