package golden

import (
	"fmt"
	"math"
)

// Float32 errors of the reference libraries and RMS of the reference: what Tolerance is made of.
type Error struct {
	F32MaxAbs float64 `json:"f32_max_abs"`
	RMS       float64 `json:"rms"`
}

// Tolerance is what a correct float32 implementation with another order of summation stays below: ten times the error
// that the reference library itself has in float32, and a millionth of the RMS.
func (e Error) Tolerance() float64 { return 10*e.F32MaxAbs + 1e-6*e.RMS }

// Distance returns the largest absolute difference between a result and its reference and the place of it. NaN on either
// side is the largest there is, and equal infinities do not differ. Arrays of different lengths are an error.
func Distance[F float32 | float64](got, want []F) (largest float64, at int, err error) {
	if len(got) != len(want) {
		return math.Inf(1), 0, fmt.Errorf("%d values, the reference has %d", len(got), len(want))
	}
	for i, w := range want {
		d := math.Abs(float64(got[i]) - float64(w))
		switch {
		case got[i] == w: // also infinities
		case math.IsNaN(d):
			return d, i, nil
		case d > largest:
			largest, at = d, i
		}
	}
	return largest, at, nil
}

// Differ returns the first place where two arrays of one length have other bits, or -1. Any NaN equals any other.
func Differ(got, want []float32) int {
	for i, w := range want {
		if g := got[i]; math.Float32bits(g) != math.Float32bits(w) && !(g != g && w != w) {
			return i
		}
	}
	return -1
}

// sampleSize is how many values of a module's output are stored.
const sampleSize = 256

// Sample takes the values of a module's output that are stored: elements floor(j·n/256) of n, all of fewer.
func Sample(x []float32) []float32 {
	if len(x) <= sampleSize {
		return x
	}
	s := make([]float32, sampleSize)
	for j := range s {
		s[j] = x[j*len(x)/sampleSize]
	}
	return s
}
