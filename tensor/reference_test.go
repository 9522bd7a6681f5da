package tensor

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The tests compare with straightforward float64 loops; the bounds are in units of the float32 rounding error.

const epsilon = 1.0 / (1 << 24)

func random(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func newRand() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// near fails unless got equals want within tol times the larger of 1 and |want|.
func near(t *testing.T, what string, got []float32, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i, w := range want {
		if d := math.Abs(float64(got[i]) - w); !(d <= tol*math.Max(1, math.Abs(w))) {
			t.Fatalf("%s: [%d] = %v, want %v (off by %.3g, allowed %.3g)", what, i, got[i], w, d, tol*math.Max(1, math.Abs(w)))
		}
	}
}

// eachSet runs f once with every kernel set of this processor.
func eachSet(t *testing.T, f func(t *testing.T)) {
	for _, name := range KernelSets() {
		t.Run(name, func(t *testing.T) {
			restore, err := UseKernels(name)
			if err != nil {
				t.Fatal(err)
			}
			defer restore()
			f(t)
		})
	}
}

func refLinear(x, w, bias []float32, rows, out, in int) []float64 {
	y := make([]float64, rows*out)
	for r := range rows {
		for o := range out {
			s := 0.0
			for i := range in {
				s += float64(x[r*in+i]) * float64(w[o*in+i])
			}
			if bias != nil {
				s += float64(bias[o])
			}
			y[r*out+o] = s
		}
	}
	return y
}

// refConv is the definition: x [n, h, w, cin], weights [cout, cin, kh, kw].
func refConv(x, w, bias []float32, cout, cin, kh, kw int, g ConvGeometry, oh, ow int) []float64 {
	y := make([]float64, g.N*oh*ow*cout)
	for n := range g.N {
		for i := range oh {
			for j := range ow {
				for o := range cout {
					s := 0.0
					if bias != nil {
						s = float64(bias[o])
					}
					for u := range kh {
						for v := range kw {
							ih, iw := i*g.Stride+u-g.PadTop, j*g.Stride+v-g.PadLeft
							if ih < 0 || ih >= g.H || iw < 0 || iw >= g.W {
								continue
							}
							for c := range cin {
								s += float64(x[((n*g.H+ih)*g.W+iw)*cin+c]) * float64(w[((o*cin+c)*kh+u)*kw+v])
							}
						}
					}
					y[((n*oh+i)*ow+j)*cout+o] = s
				}
			}
		}
	}
	return y
}
