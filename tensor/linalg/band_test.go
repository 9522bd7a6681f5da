package linalg

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"percept/tensor"
)

// sides of a matrix: less than a block, one, some with a rest, more than a group of panels.
var sides = []int{1, 2, 63, 64, 65, 127, 128, 129, 200, 330, 450}

func TestReduceToBand(t *testing.T) {
	each(t, func(t *testing.T) {
		t.Run("float64", testReduceToBand[float64])
		t.Run("float32", testReduceToBand[float32])
	})
}

func testReduceToBand[E Float](t *testing.T) {
	r := newRand()
	for _, n := range sides {
		g := positive[E](r, n, 1)
		Mirror(g)
		size := 0.0
		for i := range n {
			size = max(size, float64(g.At(i, i)))
		}
		b, q := ReduceToBand(clone(g))
		// Q·B·Qᵀ, its columns one by one rotated, then its rows.
		c := b.Dense()
		q.Mul(c, nil)
		back := New[E](n, n)
		for i := range n {
			for j := range n {
				back.Set(j, i, c.At(i, j))
			}
		}
		q.Mul(back, nil)
		tol := 40 * epsilon[E]() * size * math.Sqrt(float64(n))
		for i := range n {
			for j := range n {
				if d := math.Abs(float64(back.At(i, j) - g.At(i, j))); !(d <= tol) {
					t.Fatalf("n=%d: QBQᵀ is off by %g at (%d, %d), tolerance %g", n, d, i, j, tol)
				}
			}
		}
		sum := 0.0
		for i := range n {
			sum += float64(g.At(i, i))
		}
		if d := math.Abs(b.Trace() - sum); d > tol*float64(n) {
			t.Errorf("n=%d: trace %g, want %g", n, b.Trace(), sum)
		}
		// Qᵀ undoes Q.
		x := inside[E](r, n, 7, false)
		y := clone(x)
		q.Mul(y, nil)
		q.MulT(y, make([]E, WorkPerColumn*7))
		for i := range n {
			for j := range 7 {
				if d := math.Abs(float64(x.At(i, j) - y.At(i, j))); d > 100*epsilon[E]()*math.Sqrt(float64(n)) {
					t.Fatalf("n=%d: QᵀQx is off by %g", n, d)
				}
			}
		}
		outsideIntact(t, "Rotation", y)
	}
}

// A system solved by the band is that solved by Cholesky, for shifts of any size.
func TestBandSolves(t *testing.T) {
	each(t, func(t *testing.T) {
		r := newRand()
		for _, n := range sides {
			g := positive[float64](r, n, 0.5)
			b, q := ReduceToBand(clone(g))
			rhs := inside[float64](r, n, 5, false)
			var f BandFactor[float64]
			for _, shift := range []float64{0, 0.1, 100} {
				got, want := clone(rhs), clone(rhs)
				if err := b.Factor(&f, shift); err != nil {
					t.Fatal(err)
				}
				q.MulT(got, nil)
				f.Solve(got)
				q.Mul(got, nil)
				l := clone(g)
				for i := range n {
					l.Set(i, i, l.At(i, i)+shift)
				}
				if err := Cholesky(l); err != nil {
					t.Fatal(err)
				}
				SolveCholesky(l, want)
				for i := range n {
					for j := range 5 {
						if d := math.Abs(got.At(i, j) - want.At(i, j)); !(d <= 1e-10*(1+math.Abs(want.At(i, j)))) {
							t.Fatalf("n=%d, shift %g: off by %g", n, shift, d)
						}
					}
				}
				outsideIntact(t, "Solve", got)
			}
		}
	})
}

func TestBandRejects(t *testing.T) {
	g := New[float64](130, 130)
	for i := range 130 {
		g.Set(i, i, 1)
	}
	g.Set(100, 100, -2)
	b, _ := ReduceToBand(g)
	var f BandFactor[float64]
	var p *PivotError
	if err := b.Factor(&f, 1); !errors.As(err, &p) || p.Value != -1 {
		t.Errorf("an indefinite matrix: %v, want a pivot of -1", err)
	}
	if err := b.Factor(&f, 3); err != nil {
		t.Errorf("shifted to positive definite: %v", err)
	}
}

func TestMulLower(t *testing.T) {
	each(t, func(t *testing.T) {
		r := newRand()
		for _, n := range []int{1, 17, 70, 300} {
			a, b := inside[float32](r, n, 33, false), inside[float32](r, 33, n, true)
			c := inside[float32](r, n, n, false)
			before := clone(c)
			MulLower(c, -2, a, b, 1)
			checkProduct(t, fmt.Sprint("MulLower ", n), c, -2, a, b, 1, before, true)
			outsideIntact(t, "MulLower", c)
		}
	})
}

func TestBandSameBitsAtAnyThreadCount(t *testing.T) {
	g := positive[float64](newRand(), 400, 1)
	x := inside[float32](newRand(), 400, 50, false)
	run := func(threads int) []float32 {
		defer tensor.SetThreads(threads)()
		b, q := ReduceToBand(clone(g))
		y := clone(x)
		ConvertRotation[float32](q).MulT(y, nil)
		y.Data[0] += float32(b.Dense().At(399, 398))
		return y.Data
	}
	a, b := run(1), run(3)
	if !slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) }) {
		t.Error("the rotation depends on the number of threads")
	}
}
