package kernel

import (
	"fmt"
	"math"
	"testing"
)

// Softmax over keys in blocks of every size, against the whole in float64.
func TestSoftmax(t *testing.T) {
	each(t, func(t *testing.T, s *Set) {
		r := newRand()
		for _, w := range []int{s.NR, s.NR / 2} {
			for n := 1; n <= 40; n++ {
				scale := float32(0.1 + r.Float64())
				state := guardedSlice(r, 3*w, n%7)
				for j := range w {
					state.x[j], state.x[w+j] = float32(math.Inf(-1)), 0
				}
				var scores, weights []float64 // of all blocks
				for block := range 3 {
					x := guardedSlice(r, n*w, (n+block)%9)
					for i := range x.x {
						x.x[i] *= 20
						scores = append(scores, float64(x.x[i]))
					}
					before := append([]float32(nil), state.x[:w]...)
					moved := s.Softmax(x.x, w, scale, state.x)
					what := fmt.Sprintf("%d keys of %d queries, block %d", n, w, block)
					x.check(t, what)
					state.check(t, what)
					change := false
					for j := range w {
						top := math.Inf(-1)
						for i := j; i < len(scores); i += w {
							top = math.Max(top, scores[i])
						}
						fade := math.Exp2((float64(before[j]) - top) * float64(scale))
						change = change || fade != 1
						if float64(state.x[j]) != top {
							t.Fatalf("%s: largest score %v, want %v", what, state.x[j], top)
						}
						if d := math.Abs(float64(state.x[2*w+j]) - fade); !(d <= fade*rounding(float64(before[j]), top)+1e-37 ||
							fade == 1 && d == 0) {
							t.Fatalf("%s: factor %v, want %v", what, state.x[2*w+j], fade)
						}
					}
					if moved != change {
						t.Fatalf("%s: factors other than 1: %v, want %v", what, moved, change)
					}
					for i := range weights {
						weights[i] *= float64(state.x[2*w+i%w])
					}
					for _, v := range x.x {
						weights = append(weights, float64(v))
					}
					for j := range w {
						sum := 0.0
						for i := j; i < len(scores); i += w {
							e := math.Exp2((scores[i] - float64(state.x[j])) * float64(scale))
							sum += e
							if d := math.Abs(weights[i] - e); !(d <= e*3*rounding(scores[i], float64(state.x[j]))+1e-37) {
								t.Fatalf("%s: exp2 %v, want %v", what, weights[i], e)
							}
						}
						if got := float64(state.x[w+j]); math.Abs(got-sum) > sum*3*rounding(0, float64(state.x[j])) {
							t.Fatalf("%s: sum %v, want %v", what, got, sum)
						}
					}
				}
			}
		}
	})
}

// rounding bounds the relative error of exp2(scale·(x - max)), scale about 1, where both or their difference are rounded.
func rounding(x, top float64) float64 {
	if math.IsInf(x, 0) {
		return 0
	}
	return 3e-7 + 1e-7*(math.Abs(x)+math.Abs(top))
}

// exp2 through Softmax: precise over its whole range, then zero, and NaN stays NaN.
func TestExp2(t *testing.T) {
	each(t, func(t *testing.T, s *Set) {
		w := s.NR
		x := make([]float32, 0, 4096*w)
		for v := float32(0); v > -126; v -= 0.00313 {
			x = append(x, v)
		}
		for len(x)%w != 0 {
			x = append(x, 0)
		}
		n := len(x)
		far := []float32{-127, -127.4, -128, -140, -1000, -1e10, -math.MaxFloat32, float32(math.Inf(-1))}
		for _, v := range far {
			for range w {
				x = append(x, v)
			}
		}
		y := append([]float32(nil), x...)
		state := make([]float32, 3*w) // largest so far: 0
		s.Softmax(y, w, 1, state)
		for i, v := range x[:n] {
			if want := math.Exp2(float64(v)); math.Abs(float64(y[i])-want) > 2e-7*want {
				t.Fatalf("exp2(%v) = %v, want %v", v, y[i], want)
			}
		}
		for i, v := range y[n:] {
			if v != 0 {
				t.Fatalf("exp2(%v) = %v, want 0", x[n+i], v)
			}
		}
		for _, bits := range []uint32{0x7fc00000, 0xffc00000, 0x7fc00001, 0xffc001ff, 0x7fffffff} {
			x[w/2-1] = math.Float32frombits(bits)
			clear(state)
			s.Softmax(x[:3*w], w, 1, state)
			if e, sum := x[w/2-1], state[w+w/2-1]; e == e || sum == sum {
				t.Fatalf("exp2(NaN) = %v, sum %v", e, sum)
			}
		}
	})
}

// A query's weights must not depend on the queries beside it, nor on the width of the panel.
func TestSoftmaxBits(t *testing.T) {
	each(t, func(t *testing.T, s *Set) {
		r := newRand()
		const n = 37
		w, h := s.NR, s.NR/2
		x := guardedSlice(r, n*w, 0).x
		part := make([]float32, 0, n*h)
		for i := range n {
			part = append(part, x[i*w+h:(i+1)*w]...)
		}
		state, half := guardedSlice(r, 3*w, 0).x, make([]float32, 3*h)
		for i := range 3 {
			copy(half[i*h:(i+1)*h], state[i*w+h:])
		}
		s.Softmax(x, w, 0.7, state)
		s.Softmax(part, h, 0.7, half)
		for i, v := range part {
			if want := x[i/h*w+h+i%h]; v != want {
				t.Fatalf("[%d] = %v, in the whole panel %v", i, v, want)
			}
		}
		for i, v := range half {
			if want := state[i/h*w+h+i%h]; v != want {
				t.Fatalf("state [%d] = %v, in the whole panel %v", i, v, want)
			}
		}
	})
}

func TestScaleColumns(t *testing.T) {
	each(t, func(t *testing.T, s *Set) {
		r := newRand()
		for _, w := range []int{s.NR, s.NR / 2} {
			for n := 1; n < 20; n++ {
				x, by := guardedSlice(r, n*w, n%5), guardedSlice(r, w, 3)
				want := append([]float32(nil), x.x...)
				scaleColumnsGeneric(want, by.x)
				s.ScaleColumns(x.x, by.x)
				what := fmt.Sprintf("%d rows of %d", n, w)
				near(t, what, x.x, want, 0)
				x.check(t, what)
			}
		}
	})
}

func TestTranspose(t *testing.T) {
	each(t, func(t *testing.T, s *Set) {
		r := newRand()
		for m := 1; m < 35; m++ {
			for n := 1; n < 35; n++ {
				ldx, ldy := n+m%4, m+n%3
				x, y := guardedSlice(r, (m-1)*ldx+n, m%5), guardedSlice(r, (n-1)*ldy+m, n%7)
				want := append([]float32(nil), y.x...)
				transposeGeneric(want, ldy, x.x, ldx, m, n)
				for i := range m {
					for j := range n {
						if want[j*ldy+i] != x.x[i*ldx+j] {
							t.Fatalf("%d×%d: the plain version is wrong at %d %d", m, n, i, j)
						}
					}
				}
				s.Transpose(y.x, ldy, x.x, ldx, m, n)
				what := fmt.Sprintf("%d×%d", m, n)
				near(t, what, y.x, want, 0)
				y.check(t, what)
			}
		}
	})
}
