// Package stats says how sure a score is: intervals over images, chance by permutation,
// significance of correlations, corrections for many voxels, noise ceilings.
//
// The unit that is resampled or permuted is the image (or the block of time), never the
// pair or the pixel: what depends on one another has to move together. Everything random
// takes a seed, and the same seed gives the same numbers.
package stats
