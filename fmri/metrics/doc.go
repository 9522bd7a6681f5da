// Package metrics compares decoded pictures with the pictures that were seen.
//
//	pictures ──► PixCorr, SSIM                      (low level: pixel for pixel)
//	features of pictures [pictures, values] ──► Similarity ──► two-way identification, retrieval
//
// Published numbers of one method differ by up to eight points between evaluations,
// because the definitions differ in resizing, in the layer and in the direction of the
// comparison. So every function here does one documented thing, and says whose it is.
//
// A value that does not exist, such as the correlation with a picture of one colour, is
// NaN; in a comparison it counts as a failure. Arithmetic is float64.
package metrics
