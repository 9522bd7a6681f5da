package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// numbers returns n random numbers at an odd offset between guards that are NaN, and a check of the guards.
func numbers[T float32 | float64](r *rand.Rand, n, offset int) (x []T, check func(t *testing.T, what string)) {
	all := make([]T, 2*guardWords+n)
	from := guardWords - offset
	x = all[from : from+n : from+n]
	for i := range all {
		all[i] = T(math.NaN())
	}
	for i := range x {
		x[i] = T(r.NormFloat64())
	}
	return x, func(t *testing.T, what string) {
		t.Helper()
		for i, v := range all {
			if outside := i < from || i >= from+n; outside && v == v {
				t.Fatalf("%s: guard word %d overwritten with %v", what, i-from, v)
			}
		}
	}
}

func TestAlgebraPanel(t *testing.T) {
	each(t, func(t *testing.T, s *Set) {
		testAlgebraPanel(t, s.Algebra32, 1e-6)
		testAlgebraPanel(t, s.Algebra64, 1e-15)
	})
}

// Every count of rows up to three full tiles, every count of columns of a panel, depths around the unrolling.
func testAlgebraPanel[T float32 | float64](t *testing.T, g Algebra[T], tol float64) {
	r := newRand()
	depths := []int{1, 2, 3, 4, 5, 7, 8, 41}
	for m := 1; m <= 37; m++ {
		for n := 1; n <= g.NR; n++ {
			k := depths[(m+n)%len(depths)]
			lda, ldc, w := k+m%3, n+n%4, g.NR
			if n <= w/2 {
				w /= 2
			}
			a, _ := numbers[T](r, (m-1)*lda+k, m%5)
			b, _ := numbers[T](r, k*w, n%7)
			c, check := numbers[T](r, (m-1)*ldc+n, (m+n)%9)
			for _, add := range []bool{false, true} {
				before := append([]T(nil), c...)
				g.Panel(c, ldc, a, m, k, lda, b, n, add)
				what := fmt.Sprintf("%v: m %d n %d k %d add %v", tol, m, n, k, add)
				for at := range c {
					i, j := at/ldc, at%ldc
					want := float64(before[at])
					if j < n {
						if !add {
							want = 0
						}
						for l := range k {
							want += float64(a[i*lda+l]) * float64(b[l*w+j])
						}
					}
					if d := math.Abs(float64(c[at]) - want); !(d <= tol*float64(8+2*k)) {
						t.Fatalf("%s: [%d %d] = %v, want %v", what, i, j, c[at], want)
					}
				}
				check(t, what)
			}
		}
	}
}

// An element must not depend on how many rows are computed with it: callers cut products anywhere.
func TestAlgebraPanelBits(t *testing.T) {
	each(t, func(t *testing.T, s *Set) {
		r := newRand()
		const m, k = 40, 53
		n := s.Algebra64.NR
		a, _ := numbers[float64](r, m*k, 0)
		b, _ := numbers[float64](r, k*n, 0)
		want, got := make([]float64, m*n), make([]float64, n)
		s.Algebra64.Panel(want, n, a, m, k, k, b, n, false)
		for i := range m {
			s.Algebra64.Panel(got, n, a[i*k:], 1, k, k, b, n, false)
			for j, v := range got {
				if v != want[i*n+j] {
					t.Fatalf("row %d alone: [%d] = %v, in the whole %v", i, j, v, want[i*n+j])
				}
			}
		}
	})
}

func TestLower(t *testing.T) {
	each(t, func(t *testing.T, s *Set) {
		testLower(t, s.Algebra32, 1e-6)
		testLower(t, s.Algebra64, 2e-15)
	})
}

func testLower[T float32 | float64](t *testing.T, g Algebra[T], tol float64) {
	r := newRand()
	for _, w := range []int{g.NR, g.NR / 2} {
		for ldt := g.Rows; ldt < g.Rows+4; ldt++ {
			what := fmt.Sprintf("%v: w %d ldt %d", tol, w, ldt)
			x, check := numbers[T](r, g.Rows*w, ldt)
			tri, checkT := numbers[T](r, (g.Rows-1)*ldt+g.Rows, 1)
			for i := range tri {
				tri[i] /= 4 // as well conditioned as a triangle wants to be
				if i%ldt > i/ldt {
					tri[i] = T(math.NaN()) // not of the triangle
				}
			}
			want := make([]float64, len(x))
			for i := range g.Rows {
				for j := range w {
					sum := float64(x[i*w+j])
					for l := range i {
						sum += float64(tri[i*ldt+l]) * want[l*w+j]
					}
					want[i*w+j] = sum * float64(tri[i*ldt+i])
				}
			}
			g.Lower(x, w, tri, ldt)
			for i, v := range x {
				if d := math.Abs(float64(v) - want[i]); !(d <= tol*(1+math.Abs(want[i]))) {
					t.Fatalf("%s: [%d %d] = %v, want %v", what, i/w, i%w, v, want[i])
				}
			}
			check(t, what)
			checkT(t, what)
		}
	}
}
