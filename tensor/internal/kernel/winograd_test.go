package kernel

import (
	"fmt"
	"math"
	"testing"
)

// direct is the f×f piece of a 3×3 convolution that Winograd's form has to give, in float64.
func direct(f int, d []float32, g *[9]float64) []float64 {
	n := f + 2
	y := make([]float64, f*f)
	for i := range f {
		for j := range f {
			for a := range 3 {
				for b := range 3 {
					y[i*f+j] += float64(d[(i+a)*n+j+b]) * g[a*3+b]
				}
			}
		}
	}
	return y
}

// Transformed, multiplied and transformed back, a tile is the convolution of its pixels.
func TestWinogradIsAConvolution(t *testing.T) {
	r := newRand()
	each(t, func(t *testing.T, s *Set) {
		for _, f := range []int{2, 4} {
			side := f + 2
			for _, n := range []int{s.NR / 2, 3 * s.NR / 2} {
				// Pixels and rows lie apart, so that what is between them is seen if it is read or written.
				pix, step := n+5, n+3
				row := side*pix + 7
				x := guardedSlice(r, (side-1)*(row+pix)+n, 3)
				v := guardedSlice(r, (side*side-1)*step+n, 1)
				s.WinogradIn(f, n, x.x, row, pix, v.x, step)
				v.check(t, "WinogradIn")

				bias := guardedSlice(r, n, 2)
				m := guardedSlice(r, len(v.x), 2)
				filters := make([][9]float64, n)
				for c := range n {
					for i := range filters[c] {
						filters[c][i] = r.NormFloat64()
					}
					u := make([]float64, side*side)
					WinogradFilter(f, u, &filters[c])
					for i, w := range u {
						m.x[i*step+c] = v.x[i*step+c] * float32(w)
					}
				}
				for _, b := range [][]float32{nil, bias.x} {
					y := guardedSlice(r, (f-1)*(row+pix)+n, 5)
					before := append([]float32(nil), y.x...)
					s.WinogradOut(f, n, m.x, step, y.x, row, pix, b)
					y.check(t, "WinogradOut")
					written := make([]bool, len(y.x))
					for c := range n {
						d := make([]float32, side*side)
						for i := range side {
							for j := range side {
								d[i*side+j] = x.x[i*row+j*pix+c]
							}
						}
						for i, want := range direct(f, d, &filters[c]) {
							if b != nil {
								want += float64(b[c])
							}
							at := i/f*row + i%f*pix + c
							written[at] = true
							if got := float64(y.x[at]); !(math.Abs(got-want) < 3e-5*(1+math.Abs(want))) {
								t.Fatalf("F(%d×%d), %d channels: pixel %d of channel %d is %v, want %v", f, f, n, i, c, got, want)
							}
						}
					}
					for i, w := range written {
						if !w && y.x[i] != before[i] {
							t.Fatalf("F(%d×%d): element %d between the pixels was written", f, f, i)
						}
					}
				}
			}
		}
	})
}

func BenchmarkWinogradTransforms(b *testing.B) {
	const c, step = 320, 64*320 + 16
	for _, s := range Available() {
		for _, f := range []int{2, 4} {
			side := f + 2
			x, v := make([]float32, side*66*c), make([]float32, side*side*step)
			b.Run(fmt.Sprintf("%s/in%d", s.Name, f), func(b *testing.B) {
				for range b.N {
					s.WinogradIn(f, c, x, 66*c, c, v, step)
				}
			})
			b.Run(fmt.Sprintf("%s/out%d", s.Name, f), func(b *testing.B) {
				for range b.N {
					s.WinogradOut(f, c, v, step, x, 66*c, c, nil)
				}
			})
		}
	}
}
