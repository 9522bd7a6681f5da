// Package ridge fits linear models from brain responses to features, or from
// features to brain responses, with an L2 penalty chosen by cross-validation.
//
// The model is Y ≈ X·W + b, with ‖Y − XW − b‖² + α‖W‖² as small as possible:
//
//	X  [samples, features]  voxels when decoding, image features when encoding
//	Y  [samples, targets]   latent or text features when decoding, voxels when encoding
//	α  one penalty, or one for each target
//
// Targets share one eigendecomposition per fold: that of X'X (primal) where there
// are more samples than features, that of XX' (dual) otherwise. All penalties and
// all targets are then products of matrices.
//
// Three things go wrong easily in published decoders, and are the other way round here
// by default: the intercept is fitted (without it the mean of Y is missing from every
// prediction), X is standardised with the statistics of the training rows alone, and
// repeats of one image never straddle a split when Options.Groups names the images.
//
// Arithmetic is float64; arrays are held in float32. The result is the same, bit for
// bit, for any number of threads (with one set of kernels, see tensor.KernelSet).
//
// Sources: Dupré la Tour et al. 2022, doi:10.1016/j.neuroimage.2022.119728 (himalaya:
// the solver, the scores and the rule for ties), scikit-learn (StandardScaler, KFold).
package ridge
