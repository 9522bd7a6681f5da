package tensor

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

func TestGroupNorm(t *testing.T) {
	shapes := [][4]int{{1, 1, 4, 2}, {2, 9, 6, 3}, {2, 35, 32, 32}, {1, 600, 96, 32}, {2, 1000, 37, 1}, {1, 3, 20, 4}}
	eachSet(t, func(t *testing.T) {
		r := newRand()
		for _, s := range shapes {
			n, hw, c, groups := s[0], s[1], s[2], s[3]
			x, gamma, beta := random(r, n*hw*c), random(r, c), random(r, c)
			for i := range x {
				x[i] += 100 // a large mean must not cost digits of the variance
			}
			want := make([]float64, len(x))
			per := c / groups
			for i := range n {
				for g := range groups {
					var sum, square float64
					each := func(f func(at, ch int)) {
						for p := range hw {
							for ch := g * per; ch < (g+1)*per; ch++ {
								f((i*hw+p)*c+ch, ch)
							}
						}
					}
					each(func(at, _ int) { sum += float64(x[at]) })
					mean := sum / float64(hw*per)
					each(func(at, _ int) { square += (float64(x[at]) - mean) * (float64(x[at]) - mean) })
					rstd := 1 / math.Sqrt(square/float64(hw*per)+1e-5)
					each(func(at, ch int) { want[at] = (float64(x[at])-mean)*rstd*float64(gamma[ch]) + float64(beta[ch]) })
				}
			}
			y := make([]float32, len(x))
			for act, f := range activations {
				GroupNorm(y, x, gamma, beta, n, hw, c, groups, 1e-5)
				f(y, y)
				z := slices.Clone(x)
				GroupNormWith(z, z, gamma, beta, n, hw, c, groups, 1e-5, act)
				sameBits(t, fmt.Sprintf("%v, activation %d", s, act), z, y)
			}
			GroupNorm(x, x, gamma, beta, n, hw, c, groups, 1e-5)
			near(t, fmt.Sprint(s), x, want, 1e5*epsilon) // float32 around 100 has steps of 8e-6
		}
	})
}

func TestLayerNorm(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		r := newRand()
		for _, s := range [][2]int{{1, 1}, {3, 5}, {70, 320}, {9, 47}, {4, 768}} {
			rows, c := s[0], s[1]
			x, gamma, beta := random(r, rows*c), random(r, c), random(r, c)
			want := make([]float64, len(x))
			for i := range rows {
				var sum, square float64
				for _, v := range x[i*c : (i+1)*c] {
					sum += float64(v)
				}
				mean := sum / float64(c)
				for _, v := range x[i*c : (i+1)*c] {
					square += (float64(v) - mean) * (float64(v) - mean)
				}
				rstd := 1 / math.Sqrt(square/float64(c)+1e-5)
				for j, v := range x[i*c : (i+1)*c] {
					want[i*c+j] = (float64(v)-mean)*rstd*float64(gamma[j]) + float64(beta[j])
				}
			}
			LayerNorm(x, x, gamma, beta, rows, c, 1e-5)
			near(t, fmt.Sprint(s), x, want, 16*epsilon)
		}
	})
}
