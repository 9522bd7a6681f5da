package kernel

import "testing"

func TestPeak(t *testing.T) {
	each(t, func(t *testing.T, s *Set) {
		r := newRand()
		for _, n := range []int{1, 2, 7} {
			y := guardedSlice(r, s.PeakWidth, n)
			want := make([]float32, s.PeakWidth)
			copy(want, y.x)
			for i := 0; i < len(want); i += Generic.PeakWidth {
				peakGeneric(want[i:], 0.75, -0.5, n)
			}
			s.Peak(y.x, 0.75, -0.5, n)
			y.check(t, "peak")
			near(t, "peak", y.x, want, 1e-6)
		}
	})
}
