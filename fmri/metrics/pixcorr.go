package metrics

import "math"

// PixCorr returns Pearson's correlation of two pictures of one size over all pixels and
// colour channels. It does not change when one picture's intensities are scaled or shifted.
// NaN if a picture has a single value throughout.
//
// Published values are taken after resizing both to 425×425, NSD's size (MindEye:
// bilinear; brain-diffuser: Pillow's bicubic).
func PixCorr(seen, decoded Image) (float64, error) {
	if err := sameSize(seen, decoded); err != nil {
		return 0, err
	}
	return Pearson(seen.Pix, decoded.Pix), nil
}

// MeanSquaredError returns the mean of (seen − decoded)² over pixels and channels.
func MeanSquaredError(seen, decoded Image) (float64, error) {
	if err := sameSize(seen, decoded); err != nil {
		return 0, err
	}
	sum := 0.0
	for i, v := range seen.Pix {
		d := v - decoded.Pix[i]
		sum += d * d
	}
	return sum / float64(len(seen.Pix)), nil
}

// Pearson returns the correlation of two vectors of one length, NaN if one is constant.
func Pearson(a, b []float64) float64 {
	// Relative to the first value: so a constant vector has deviations of exactly 0, and
	// not the rounding of its mean.
	var ma, mb float64
	for i, v := range a {
		ma += v - a[0]
		mb += b[i] - b[0]
	}
	ma /= float64(len(a))
	mb /= float64(len(a))
	var aa, bb, ab float64
	for i, v := range a {
		da, db := v-a[0]-ma, b[i]-b[0]-mb
		aa += da * da
		bb += db * db
		ab += da * db
	}
	if flat(aa, a) || flat(bb, b) {
		return math.NaN()
	}
	return ab / math.Sqrt(aa*bb)
}

// flat says whether a sum of squared deviations of x is no more than rounding.
func flat(sum float64, x []float64) bool {
	largest := 0.0
	for _, v := range x {
		largest = max(largest, math.Abs(v))
	}
	noise := 8 * 0x1p-52 * largest
	return sum <= float64(len(x))*noise*noise
}
