package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// guard surrounds every slice that a kernel gets; a kernel that writes there, or lets what it reads there into a
// result, fails. NaN spreads through any arithmetic.
const guardWords = 40

var guard = float32(math.NaN())

// guarded is a slice in the middle of guard words.
type guarded struct {
	all, x []float32
	from   int // where x begins in all
}

// guardedSlice returns n random numbers at an odd offset between guards.
func guardedSlice(r *rand.Rand, n, offset int) guarded {
	g := guarded{all: make([]float32, 2*guardWords+n)}
	for i := range g.all {
		g.all[i] = guard
	}
	g.from = guardWords - offset
	g.x = g.all[g.from : g.from+n : g.from+n]
	for i := range g.x {
		g.x[i] = float32(r.NormFloat64())
	}
	return g
}

func (g guarded) check(t *testing.T, what string) {
	t.Helper()
	for i, v := range g.all {
		if outside := i < g.from || i >= g.from+len(g.x); outside && v == v {
			t.Fatalf("%s: guard word %d overwritten with %v", what, i-g.from, v)
		}
	}
}

func each(t *testing.T, f func(t *testing.T, s *Set)) {
	for _, s := range Available() {
		t.Run(s.Name, func(t *testing.T) { f(t, s) })
	}
}

func newRand() *rand.Rand { return rand.New(rand.NewPCG(3, 4)) }

func near(t *testing.T, what string, got, want []float32, tol float64) {
	t.Helper()
	for i, w := range want {
		if d := math.Abs(float64(got[i]) - float64(w)); !(d <= tol*math.Max(1, math.Abs(float64(w)))) {
			t.Fatalf("%s: [%d] = %v, want %v", what, i, got[i], w)
		}
	}
}

// Every count of rows up to three full tiles, every count of columns of a panel, depths around the unrolling.
func TestPanel(t *testing.T) {
	depths := []int{1, 2, 3, 4, 6, 7, 8, 12, 41}
	each(t, func(t *testing.T, s *Set) {
		r := newRand()
		for m := 1; m <= 37; m++ {
			for n := 1; n <= s.NR; n++ {
				kc := depths[(5*m+n)%len(depths)]
				lda, ldc, w := kc+m%3, n+n%4, s.Width(n)
				// Some rows in one piece, some in two or three runs; some overlapping, as in a convolution.
				left := Matrix(nil, m, kc, lda)
				if runs := 1 + (m+n)%3; kc%runs == 0 && runs > 1 {
					left = Left{M: m, Stride: 1 + n%(kc+2), Runs: runs, Run: kc / runs, Jump: kc/runs + m%4}
				}
				a := guardedSlice(r, left.extent(), m%5)
				left.X = a.x
				b := guardedSlice(r, kc*w, n%7)
				c := guardedSlice(r, (m-1)*ldc+n, (m+n)%9)
				bias := guardedSlice(r, w, 3)
				for mode := range 6 {
					left.Fold = mode > 2
					mode := mode % 3
					before := append([]float32(nil), c.x...)
					var h []float32
					if mode == 1 {
						h = bias.x
					}
					s.Panel(c.x, ldc, left, b.x, n, h, mode == 2)
					what := fmt.Sprintf("m %d n %d kc %d in %d runs, fold %t, mode %d", m, n, kc, left.Runs, left.Fold, mode)
					for i := range m {
						for j := range ldc {
							at := i*ldc + j
							if at >= len(c.x) {
								break
							}
							want := float64(before[at])
							if j < n {
								if mode != 2 {
									want = 0
								}
								if mode == 1 {
									want = float64(bias.x[j])
								}
								for k := range kc {
									want += float64(a.x[i*left.Stride+k/left.Run*left.Jump+k%left.Run]) * float64(b.x[k*w+j])
								}
							}
							if d := math.Abs(float64(c.x[at]) - want); !(d <= 2e-6*float64(4+kc)) {
								t.Fatalf("%s: [%d %d] = %v, want %v", what, i, j, c.x[at], want)
							}
						}
					}
					c.check(t, what)
				}
			}
		}
	})
}

// An element must not depend on how many rows and columns are computed with it: callers cut products anywhere.
func TestPanelBits(t *testing.T) {
	each(t, func(t *testing.T, s *Set) {
		r := newRand()
		const kc = 53
		m, n := 40, s.NR
		a, b := guardedSlice(r, m*kc, 0).x, guardedSlice(r, kc*n, 0).x
		want := make([]float32, m*n)
		s.Panel(want, n, Matrix(a, m, kc, kc), b, n, nil, false)
		for i := range m {
			got := make([]float32, n)
			s.Panel(got, n, Matrix(a[i*kc:], 1, kc, kc), b, n, nil, false)
			for j := range n {
				if got[j] != want[i*n+j] {
					t.Fatalf("row %d alone: [%d] = %v, in the whole %v", i, j, got[j], want[i*n+j])
				}
			}
		}
	})
}

func TestElementwise(t *testing.T) {
	type operands struct{ y, x, a, b guarded }
	cases := []struct {
		name string
		tol  float64
		run  func(s *Set, o operands)
	}{
		{"Add", 0, func(s *Set, o operands) { s.Add(o.y.x, o.x.x, o.a.x) }},
		{"Scale", 0, func(s *Set, o operands) { copy(o.y.x, o.x.x); s.Scale(o.y.x, 1.7) }},
		{"Affine", 2e-7, func(s *Set, o operands) { s.Affine(o.y.x, o.x.x, o.a.x, o.b.x) }},
		{"Norm", 4e-7, func(s *Set, o operands) { s.Norm(o.y.x, o.x.x, o.a.x, o.b.x, 0.3, 1.9) }},
		{"SiLU", 2e-7, func(s *Set, o operands) { s.Sigmul(o.y.x, o.x.x, 1) }},
		{"QuickGELU", 2e-7, func(s *Set, o operands) { s.Sigmul(o.y.x, o.x.x, 1.702) }},
		{"GELU", 2e-7, func(s *Set, o operands) { s.GELU(o.y.x, o.x.x) }},
		{"MulGELU", 4e-7, func(s *Set, o operands) { s.MulGELU(o.y.x, o.x.x, o.a.x) }},
		{"ExpSum", 4e-7, func(s *Set, o operands) { copy(o.y.x, o.x.x); s.ExpSum(o.y.x, 1.5, 0.25) }},
	}
	each(t, func(t *testing.T, s *Set) {
		r := newRand()
		for n := range 131 {
			o := operands{guardedSlice(r, n, 1), guardedSlice(r, n, 2), guardedSlice(r, n, 3), guardedSlice(r, n, 5)}
			for i := range o.x.x {
				o.x.x[i] *= 4
			}
			ref := o
			for _, c := range cases {
				ref.y = guardedSlice(r, n, 0)
				c.run(Generic, ref)
				c.run(s, o)
				what := fmt.Sprintf("%s of %d", c.name, n)
				near(t, what, o.y.x, ref.y.x, c.tol)
				o.y.check(t, what)
			}
		}
	})
}

// A kernel that does two things gives the bits of the two kernels.
func TestAffineSiLUBits(t *testing.T) {
	each(t, func(t *testing.T, s *Set) {
		r := newRand()
		for n := range 67 {
			x, a, b := guardedSlice(r, n, 1).x, guardedSlice(r, n, 2).x, guardedSlice(r, n, 3).x
			got, want := guardedSlice(r, n, 5), make([]float32, n)
			s.Affine(want, x, a, b)
			s.Sigmul(want, want, 1)
			s.AffineSiLU(got.x, x, a, b)
			for i := range want {
				if math.Float32bits(got.x[i]) != math.Float32bits(want[i]) {
					t.Fatalf("%d elements: [%d] = %v, want the bits of %v", n, i, got.x[i], want[i])
				}
			}
			got.check(t, fmt.Sprintf("AffineSiLU of %d", n))
		}
	})
}

func TestReductions(t *testing.T) {
	each(t, func(t *testing.T, s *Set) {
		r := newRand()
		for n := 1; n <= 131; n++ {
			x := guardedSlice(r, n, n%11)
			if got, want := s.Max(x.x), maxGeneric(x.x); got != want {
				t.Fatalf("Max of %d: %v, want %v", n, got, want)
			}
			sum, square := s.Sums(x.x)
			wantSum, wantSquare := sumsGeneric(x.x)
			if math.Abs(sum-wantSum) > 1e-13*float64(n) || math.Abs(square-wantSquare) > 1e-13*float64(n) {
				t.Fatalf("Sums of %d: %v %v, want %v %v", n, sum, square, wantSum, wantSquare)
			}
			e := append([]float32(nil), x.x...)
			got := s.ExpSum(e, 1, 2)
			want := 0.0
			for _, v := range x.x {
				want += math.Exp(float64(v) - 2)
			}
			if math.Abs(float64(got)-want) > 1e-6*want {
				t.Fatalf("ExpSum of %d: %v, want %v", n, got, want)
			}
			rows := 3
			m := guardedSlice(r, rows*n, n%7)
			sums, wantSums := make([]float64, 2*n), make([]float64, 2*n)
			s.Moments(sums[:n], sums[n:], m.x, n)
			momentsGeneric(wantSums[:n], wantSums[n:], m.x, n)
			for i := range sums {
				if math.Abs(sums[i]-wantSums[i]) > 1e-13 {
					t.Fatalf("Moments of %d columns: [%d] = %v, want %v", n, i, sums[i], wantSums[i])
				}
			}
		}
	})
}

// exp through ExpSum, over its whole range and past it.
func TestExp(t *testing.T) {
	each(t, func(t *testing.T, s *Set) {
		var x []float32
		for v := float32(-87.3); v < 88; v += 0.00731 {
			x = append(x, v)
		}
		y := append([]float32(nil), x...)
		s.ExpSum(y, 1, 0)
		for i, v := range x {
			want := math.Exp(float64(v))
			if d := math.Abs(float64(y[i])-want) / want; d > 1.5e-7 {
				t.Fatalf("exp(%v) = %v, want %v: relative error %.3g", v, y[i], want, d)
			}
		}
		edges := []float32{-88, -1e30, float32(math.Inf(-1)), 89, 1e30, float32(math.Inf(1)), guard}
		s.ExpSum(edges, 1, 0)
		for i, v := range edges {
			switch {
			case i < 3 && v != 0:
				t.Errorf("far below: %v, want 0", v)
			case i >= 3 && i < 6 && !(v > 1e38 && v <= math.MaxFloat32):
				t.Errorf("far above: %v, want a large finite number", v)
			case i == 6 && v == v:
				t.Errorf("NaN: %v", v)
			}
		}
	})
}

// GELU keeps its relative precision where it is nearly x, and its absolute one where it is nearly zero.
func TestGELU(t *testing.T) {
	each(t, func(t *testing.T, s *Set) {
		for v := float32(-14); v < 14; v += 0.00113 {
			x, y := []float32{v}, make([]float32, 1)
			s.GELU(y, x)
			want := float64(v) * 0.5 * math.Erfc(-float64(v)/math.Sqrt2)
			if d := math.Abs(float64(y[0]) - want); d > 1e-7*math.Max(1, math.Abs(want)) {
				t.Fatalf("GELU(%v) = %v, want %v: off by %.3g", v, y[0], want, d)
			}
		}
		y := []float32{-1e30, 1e30, 0}
		s.GELU(y, y)
		if y[0] != 0 || y[1] != 1e30 || y[2] != 0 {
			t.Fatalf("GELU of -1e30, 1e30, 0 = %v", y)
		}
	})
}

func TestFind(t *testing.T) {
	for _, name := range []string{"", "generic"} {
		if _, err := Find(name); err != nil {
			t.Errorf("Find(%q): %v", name, err)
		}
	}
	if _, err := Find("sse9"); err == nil {
		t.Error("Find accepts an unknown set")
	}
}
