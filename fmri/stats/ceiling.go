package stats

import "math"

// NoiseCeiling returns the fraction of a voxel's variance, 0 to 1, that a perfect model of
// the responses to images can explain when repeats of an image are averaged:
// s² / (s² + 1/repeats), with s the noise-ceiling signal-to-noise ratio (NSD's ncsnr). NSD's
// manual gives it in percent. NaN stays NaN (a voxel without data, or no repeats); a ratio of
// 0 or less is a voxel without signal.
//
// Source: Allen et al. 2022, doi:10.1038/s41593-021-00962-x, and NSD's data manual.
func NoiseCeiling(ncsnr, repeats float64) float64 {
	switch {
	case !(repeats > 0):
		return math.NaN()
	case ncsnr <= 0:
		return 0
	}
	return ncsnr * ncsnr / (ncsnr*ncsnr + 1/repeats)
}

// EffectiveRepeats returns the number of repeats to give to NoiseCeiling where images were
// shown different numbers of times: the harmonic mean of the counts. Images with none are
// left out; without any the result is NaN.
func EffectiveRepeats(counts []int) float64 {
	images, noise := 0, 0.0
	for _, n := range counts {
		if n > 0 {
			images++
			noise += 1 / float64(n)
		}
	}
	return float64(images) / noise
}
