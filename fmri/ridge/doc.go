// Package ridge fits linear models from brain responses to features, or from
// features to brain responses, with an L2 penalty chosen by cross-validation.
//
// The model is Y ≈ X·W + b, with ‖Y − XW − b‖² + α‖W‖² as small as possible:
//
//	X  [samples, features]  voxels when decoding, image features when encoding
//	Y  [samples, targets]   latent or text features when decoding, voxels when encoding
//	α  one penalty, or one for each target
//
// All targets share a problem of the size of X'X (primal) where there are more samples than
// features, of XX' (dual) otherwise: its eigendecomposition where that is at most 512, else
// its reduction to a band matrix, once for each fold and once for the fit. Both are solved
// for any penalty in no time, so that with m = min(samples, features), h samples left out
// and t targets a fold costs
//
//	4/3·m³ + 2·m²·(h + t)    operations for the band and to turn what is left and right of it
//	2·h·m·t                  for each penalty: the prediction of the rows left out
//
// instead of a decomposition and 2·m²·t operations for each penalty. The Gram matrix of a
// fold is that of all rows without the fold's.
//
// Three things go wrong easily in published decoders, and are the other way round here
// by default: the intercept is fitted (without it the mean of Y is missing from every
// prediction), X is standardised with the statistics of the training rows alone, and
// repeats of one image never straddle a split when Options.Groups names the images.
//
// Gram matrices, factors, means and scores are float64; X, Y and the products with them are
// float64 for small problems and tiny penalties, else float32 (see Precision). The result is
// the same, bit for bit, for any number of threads and any Options.MaxMemory (with one set of
// kernels, see tensor.KernelSet).
//
// Sources: Dupré la Tour et al. 2022, doi:10.1016/j.neuroimage.2022.119728 (himalaya:
// the solver, the scores and the rule for ties), scikit-learn (StandardScaler, KFold).
package ridge
