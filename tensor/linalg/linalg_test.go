package linalg

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"percept/tensor"
)

// each runs f with every kernel set of this processor.
func each(t *testing.T, f func(t *testing.T)) {
	for _, name := range tensor.KernelSets() {
		t.Run(name, func(t *testing.T) {
			restore, err := tensor.UseKernels(name)
			if err != nil {
				t.Fatal(err)
			}
			defer restore()
			f(t)
		})
	}
}

func newRand() *rand.Rand { return rand.New(rand.NewPCG(5, 6)) }

// inside returns a random matrix, transposed or not, inside a slice whose other elements are NaN, so that reading or
// writing them shows.
func inside[E Float](r *rand.Rand, rows, cols int, trans bool) Matrix[E] {
	if trans {
		return inside[E](r, cols, rows, false).T()
	}
	m := Matrix[E]{Rows: rows, Cols: cols, Stride: cols + 1 + r.IntN(4)}
	m.Data = make([]E, rows*m.Stride)
	for i := range m.Data {
		m.Data[i] = E(math.NaN())
		if i%m.Stride < cols {
			m.Data[i] = E(r.NormFloat64())
		}
	}
	return m
}

// outsideIntact fails if an element between the rows of m is not NaN any more.
func outsideIntact[E Float](t *testing.T, what string, m Matrix[E]) {
	t.Helper()
	_, length := m.lines()
	for i, v := range m.Data {
		if i%m.Stride >= length && v == v {
			t.Fatalf("%s: wrote outside, at %d", what, i)
		}
	}
}

func clone[E Float](m Matrix[E]) Matrix[E] {
	m.Data = append([]E(nil), m.Data...)
	return m
}

// accurate is Σ x[i]·y[i] in twice the precision of float64 (Ogita, Rump & Oishi 2005, Dot2), and Σ |x[i]·y[i]|.
func accurate(n int, x, y func(i int) float64) (sum, size float64) {
	var rest float64
	for i := range n {
		a, b := x(i), y(i)
		p := a * b
		low := math.FMA(a, b, -p)
		s := sum + p
		z := s - sum
		rest += (sum - (s - z)) + (p - z) + low
		sum = s
		size += math.Abs(p)
	}
	return sum + rest, size
}

// chosen says whether a test looks at element (i, j) of rows × cols sums of k products: at all where that is quick, at
// some everywhere otherwise.
func chosen(i, j, rows, cols, k int) bool { return (i*31+j)%(1+rows*cols*k/200_000) == 0 }

func epsilon[E Float]() float64 {
	var e E
	if _, ok := any(e).(float32); ok {
		return 0x1p-23
	}
	return 0x1p-52
}

// checkProduct compares c with alpha·a·b + beta·before, with the bound of a sum of rounded products.
func checkProduct[E Float](t *testing.T, what string, c Matrix[E], alpha E, a, b Matrix[E], beta E, before Matrix[E], lower bool) {
	t.Helper()
	for i := range c.Rows {
		for j := range c.Cols {
			if lower && j > i {
				if c.At(i, j) != before.At(i, j) {
					t.Fatalf("%s: [%d %d] above the diagonal was written", what, i, j)
				}
				continue
			}
			if !chosen(i, j, c.Rows, c.Cols, a.Cols) {
				continue
			}
			want, size := accurate(a.Cols, func(k int) float64 { return float64(a.At(i, k)) },
				func(k int) float64 { return float64(b.At(k, j)) })
			want, size = want*float64(alpha), size*math.Abs(float64(alpha))
			if beta != 0 {
				want += float64(beta) * float64(before.At(i, j))
				size += math.Abs(float64(beta) * float64(before.At(i, j)))
			}
			if d := math.Abs(float64(c.At(i, j)) - want); !(d <= epsilon[E]()*(math.Sqrt(float64(a.Cols))+4)*size) {
				t.Fatalf("%s: [%d %d] = %v, want %v", what, i, j, c.At(i, j), want)
			}
		}
	}
	outsideIntact(t, what, c)
}

func TestMul(t *testing.T) {
	each(t, func(t *testing.T) {
		t.Run("float32", testMul[float32])
		t.Run("float64", testMul[float64])
	})
}

// Sizes around the tiles, the panels, the blocks and their depth.
func testMul[E Float](t *testing.T) {
	r := newRand()
	for _, s := range [][3]int{
		{1, 1, 1}, {4, 4, 3}, {12, 32, 5}, {13, 33, 7}, {7, 31, 1}, {5, 13, 300}, {97, 31, 256}, {1, 300, 20}, {300, 1, 20},
		{30, 265, 385}, {245, 12, 40}, {250, 270, 16}, {3, 600, 2}, {20, 129, 769}, {0, 3, 4}, {3, 0, 4}, {3, 4, 0},
	} {
		m, n, k := s[0], s[1], s[2]
		for trans := range 8 {
			for i, scale := range [][2]E{{1, 0}, {-1, 1}, {0.5, 2}, {0, 3}, {1, -1}} {
				if m*n*k > 50_000 && i != (trans+k)%5 {
					continue // all of them with the small ones
				}
				a, b := inside[E](r, m, k, trans&1 > 0), inside[E](r, k, n, trans&2 > 0)
				c := inside[E](r, m, n, trans&4 > 0)
				before := clone(c)
				if scale[1] == 0 && m*n > 0 {
					c.Set(m-1, n-1, E(math.NaN())) // what C held does not matter
				}
				Mul(c, scale[0], a, b, scale[1])
				checkProduct(t, fmt.Sprint(s, trans, scale), c, scale[0], a, b, scale[1], before, false)
			}
		}
	}
}

func TestGram(t *testing.T) {
	each(t, func(t *testing.T) {
		t.Run("float32", testGram[float32])
		t.Run("float64", testGram[float64])
	})
}

func testGram[E Float](t *testing.T) {
	r := newRand()
	for _, s := range [][2]int{{1, 1}, {5, 3}, {16, 5}, {33, 40}, {64, 1}, {100, 500}, {251, 30}, {530, 9}, {0, 4}, {4, 0}} {
		n, k := s[0], s[1]
		for _, trans := range []bool{false, true} {
			for _, scale := range [][2]E{{1, 0}, {-1, 1}, {0.5, 2}} {
				x, c := inside[E](r, n, k, trans), inside[E](r, n, n, false)
				before := clone(c)
				what := fmt.Sprint(s, trans, scale)
				GramLower(c, scale[0], x, scale[1])
				checkProduct(t, what, c, scale[0], x, x.T(), scale[1], before, true)
				whole := clone(before)
				Gram(whole, scale[0], x, scale[1])
				for i := range n {
					for j := range n {
						if want := c.At(max(i, j), min(i, j)); whole.At(i, j) != want {
							t.Fatalf("%s: [%d %d] = %v, want %v as in the lower triangle", what, i, j, whole.At(i, j), want)
						}
					}
				}
				outsideIntact(t, what, whole)
			}
		}
	}
}

// Matrices that are not packed at once give the same bits.
func TestChunks(t *testing.T) {
	r := newRand()
	x, y := randomMatrix[float32](r, 150, 20), randomMatrix[float32](r, 20, 130)
	run := func() []float32 {
		c, g := New[float32](150, 130), New[float32](150, 150)
		Mul(c, 1, x, y, 0)
		Gram(g, 1, x, 0)
		return append(c.Data, g.Data...)
	}
	want := run()
	defer func(n int) { maxChunk = n }(maxChunk)
	maxChunk = 64
	if !slices.Equal(run(), want) {
		t.Error("the product depends on how much is packed at once")
	}
}

// triangular returns a well conditioned triangle with NaN in the other one.
func triangular[E Float](r *rand.Rand, n int, upper, trans bool) Matrix[E] {
	l := inside[E](r, n, n, trans)
	for i := range n {
		for j := range n {
			switch {
			case i == j:
				l.Set(i, j, E(1+r.Float64()))
			case upper != (j > i):
				l.Set(i, j, E(math.NaN()))
			default:
				l.Set(i, j, l.At(i, j)/E(math.Sqrt(float64(n))))
			}
		}
	}
	return l
}

func TestSolve(t *testing.T) {
	each(t, func(t *testing.T) {
		t.Run("float32", testSolve[float32])
		t.Run("float64", testSolve[float64])
	})
}

// A solution put back into the equations: |B - T·X| is bounded by rounding times |T|·|X|, whatever the condition.
func testSolve[E Float](t *testing.T) {
	r := newRand()
	for _, s := range [][2]int{{1, 1}, {2, 3}, {12, 33}, {13, 5}, {24, 16}, {40, 1}, {100, 70}, {252, 20}, {253, 31}, {600, 9}, {0, 2},
		{3, 0}} {
		n, rhs := s[0], s[1]
		for form := range 8 {
			upper, transT, transB := form&1 > 0, form&2 > 0, form&4 > 0
			what := fmt.Sprintf("%v upper %v transposed %v %v", s, upper, transT, transB)
			tri, x := triangular[E](r, n, upper, transT), inside[E](r, n, rhs, transB)
			b := clone(x)
			if upper {
				SolveUpper(tri, x)
			} else {
				SolveLower(tri, x)
			}
			for i := range n {
				from, to := 0, i+1
				if upper {
					from, to = i, n
				}
				for j := range rhs {
					if !chosen(i, j, n, rhs, n) {
						continue
					}
					got, size := accurate(to-from, func(k int) float64 { return float64(tri.At(i, from+k)) },
						func(k int) float64 { return float64(x.At(from+k, j)) })
					if d := math.Abs(got - float64(b.At(i, j))); !(d <= epsilon[E]()*(math.Sqrt(float64(n))+4)*size) {
						t.Fatalf("%s: equation %d of column %d: %v, want %v", what, i, j, got, b.At(i, j))
					}
				}
			}
			outsideIntact(t, what, x)
		}
	}
}

// positive returns X·Xᵀ/n + shift·I in the lower triangle, with NaN above it.
func positive[E Float](r *rand.Rand, n int, shift E) Matrix[E] {
	x, a := randomMatrix[E](r, n, n+3), inside[E](r, n, n, false)
	GramLower(a, 1/E(n), x, 0)
	for i := range n {
		a.Set(i, i, a.At(i, i)+shift)
		for j := i + 1; j < n; j++ {
			a.Set(i, j, E(math.NaN()))
		}
	}
	return a
}

func TestCholesky(t *testing.T) {
	each(t, func(t *testing.T) {
		t.Run("float32", testCholesky[float32])
		t.Run("float64", testCholesky[float64])
	})
}

// L·Lᵀ is A again to rounding, and A·X = B is solved.
func testCholesky[E Float](t *testing.T) {
	r := newRand()
	for _, n := range []int{0, 1, 2, 11, 24, 25, 48, 70, 252, 253, 780} {
		a := positive[E](r, n, 0.1)
		l := clone(a)
		if err := Cholesky(l); err != nil {
			t.Fatalf("%d: %v", n, err)
		}
		for i := range n {
			for j := range n {
				if j > i {
					if v := l.At(i, j); v == v {
						t.Fatalf("%d: [%d %d] above the diagonal was written", n, i, j)
					}
					continue
				}
				if !chosen(i, j, n, n, n) {
					continue
				}
				got, size := accurate(j+1, func(k int) float64 { return float64(l.At(i, k)) },
					func(k int) float64 { return float64(l.At(j, k)) })
				if d := math.Abs(got - float64(a.At(i, j))); !(d <= 2*epsilon[E]()*(math.Sqrt(float64(n))+4)*size) {
					t.Fatalf("%d: [%d %d] of L·Lᵀ = %v, want %v", n, i, j, got, a.At(i, j))
				}
			}
		}
		outsideIntact(t, fmt.Sprint(n), l)

		b := randomMatrix[E](r, n, 3)
		x := clone(b)
		SolveCholesky(l, x)
		for i := range n {
			for j := range b.Cols {
				if !chosen(i, j, n, b.Cols, n) {
					continue
				}
				got, size := accurate(n, func(k int) float64 { return float64(a.At(max(i, k), min(i, k))) },
					func(k int) float64 { return float64(x.At(k, j)) })
				if d := math.Abs(got - float64(b.At(i, j))); !(d <= 8*epsilon[E]()*(math.Sqrt(float64(n))+4)*(size+1)) {
					t.Fatalf("%d: row %d of A·X = %v, want %v", n, i, got, b.At(i, j))
				}
			}
		}
	}
}

func TestCholeskyRejects(t *testing.T) {
	each(t, func(t *testing.T) {
		for _, n := range []int{1, 30, 300, 780} {
			for _, at := range []int{0, n / 3, n - 1} {
				for _, v := range []float64{-1, 0, math.NaN(), math.Inf(1)} {
					a := New[float64](n, n)
					for i := range n {
						a.Set(i, i, 2)
					}
					a.Set(at, at, v)
					err := Cholesky(a)
					var pivot *PivotError
					if !errors.As(err, &pivot) || pivot.Pivot != at || !(pivot.Value == v || v != v) {
						t.Fatalf("%d with %v at %d: %v", n, v, at, err)
					}
				}
			}
		}
		want := "linalg: the matrix is not positive definite: pivot 1 is -3, expected a positive finite number"
		if err := Cholesky(Of([]float32{1, 0, 2, 1}, 2, 2)); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	})
}

// A NaN or an Inf shows in all that depends on it, and nowhere else.
func TestNaNPropagates(t *testing.T) {
	each(t, func(t *testing.T) {
		r := newRand()
		a, b := randomMatrix[float32](r, 70, 50), randomMatrix[float32](r, 50, 90)
		a.Set(33, 7, float32(math.NaN()))
		b.Set(12, 81, float32(math.Inf(1)))
		c := New[float32](70, 90)
		Mul(c, 1, a, b, 0)
		for i := range c.Rows {
			for j := range c.Cols {
				v := float64(c.At(i, j))
				if finite := v-v == 0; finite == (i == 33 || j == 81) {
					t.Fatalf("[%d %d] = %v", i, j, v)
				}
			}
		}
		l, x := triangular[float64](r, 60, false, false), randomMatrix[float64](r, 60, 40)
		x.Set(20, 17, math.NaN())
		SolveLower(l, x)
		for i := range x.Rows {
			for j := range x.Cols {
				if v := x.At(i, j); (v != v) != (j == 17 && i >= 20) {
					t.Fatalf("solution: [%d %d] = %v", i, j, v)
				}
			}
		}
	})
}

// operations are calls of every kind, large enough to be shared between threads, over the same inputs each time.
func operations[E Float]() map[string]func() []E {
	r := newRand()
	const n = 300
	x, y, spd := randomMatrix[E](r, n, 420), randomMatrix[E](r, 420, 190), positive[E](r, n, 1)
	b, l := randomMatrix[E](r, n, 77), triangular[E](r, n, false, false)
	set := func(from Matrix[E], f func(m Matrix[E])) func() []E {
		m := clone(from)
		return func() []E { copy(m.Data, from.Data); f(m); return m.Data }
	}
	return map[string]func() []E{
		"Mul":        set(New[E](n, 190), func(c Matrix[E]) { Mul(c, 1, x, y, 0) }),
		"Mul Aᵀ":     set(New[E](420, 77), func(c Matrix[E]) { Mul(c, 2, x.T(), b, 0.5) }),
		"Gram":       set(New[E](n, n), func(c Matrix[E]) { Gram(c, 1, x, 0) }),
		"Gram Xᵀ":    set(New[E](420, 420), func(c Matrix[E]) { Gram(c, 1, x.T(), 1) }),
		"SolveLower": set(b, func(b Matrix[E]) { SolveLower(l, b) }),
		"SolveUpper": set(b, func(b Matrix[E]) { SolveUpper(l.T(), b) }),
		"Cholesky": set(spd, func(a Matrix[E]) {
			if err := Cholesky(a); err != nil {
				panic(err)
			}
		}),
	}
}

func TestSameBitsAtAnyThreadCount(t *testing.T) {
	each(t, func(t *testing.T) {
		t.Run("float32", testSameBits[float32])
		t.Run("float64", testSameBits[float64])
	})
}

func testSameBits[E Float](t *testing.T) {
	for name, op := range operations[E]() {
		restore := tensor.SetThreads(1)
		want := append([]E(nil), op()...)
		restore()
		for _, threads := range []int{2, 5} {
			restore := tensor.SetThreads(threads)
			for i, v := range op() {
				if v != want[i] && (v == v || want[i] == want[i]) {
					t.Fatalf("%s, %d threads: [%d] = %v, with one thread %v", name, threads, i, v, want[i])
				}
			}
			restore()
		}
	}
}

func TestNoAllocation(t *testing.T) {
	// What the tiles of two threads work in: on a busy machine one thread may do all of the first call.
	spaces := &engineOf[float64]().spaces
	one, two := spaces.get(), spaces.get()
	one.resized(1 << 16)
	two.resized(1 << 16)
	spaces.put(one)
	spaces.put(two)
	each(t, func(t *testing.T) {
		for name, op := range operations[float64]() {
			for _, threads := range []int{1, 2} {
				restore := tensor.SetThreads(threads)
				op()
				if n := testing.AllocsPerRun(3, func() { op() }); n > 0 {
					t.Errorf("%s, %d threads: %v allocations a call", name, threads, n)
				}
				restore()
			}
		}
	})
}

func TestShapesThatDoNotFit(t *testing.T) {
	m := func(rows, cols int) Matrix[float64] { return New[float64](rows, cols) }
	short := m(3, 3)
	short.Data = short.Data[:8]
	for want, f := range map[string]func(){
		"Mul: B is 2×3, expected 3×3":               func() { Mul(m(2, 3), 1, m(2, 3), m(2, 3), 0) },
		"Mul: C is 2×3, expected 2×4":               func() { Mul(m(2, 3), 1, m(2, 3), m(3, 4), 0) },
		"Mul: A is 3×3 with stride 3 in 8 elements": func() { Mul(m(3, 3), 1, short, m(3, 3), 0) },
		"Gram: C is 2×3, expected 2×2":              func() { Gram(m(2, 3), 1, m(2, 9), 0) },
		"Gram: C is a transposed view":              func() { Gram(m(2, 2).T(), 1, m(2, 9), 0) },
		"SolveLower: L is 2×3, expected 2×2":        func() { SolveLower(m(2, 3), m(2, 1)) },
		"SolveUpper: B is 3×1, expected 2×1":        func() { SolveUpper(m(2, 2), m(3, 1)) },
		"Cholesky: A is 2×3, expected 2×2":          func() { _ = Cholesky(m(2, 3)) },
		"Mirror: C is 2×3, expected 2×2":            func() { Mirror(m(2, 3)) },
		"Of: 5 elements, expected 6 for 2×3":        func() { Of(make([]float32, 5), 2, 3) },
		"Slice: rows 1 to 4, columns 0 to 2 of 3×2": func() { m(3, 2).Slice(1, 4, 0, 2) },
		"Row: a transposed view":                    func() { m(3, 2).T().Row(0) },
		"Clone: the matrix is 3×3 with stride 3":    func() { short.Clone() },
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.HasPrefix(got, "linalg: "+want) {
					t.Errorf("%s, expected linalg: %s", got, want)
				}
			}()
			f()
		}()
	}
}

// Rows are those of a view, copies are without gaps and their own.
func TestRowsAndCopies(t *testing.T) {
	all := New[float32](4, 5)
	for i := range all.Data {
		all.Data[i] = float32(i)
	}
	v := all.Slice(1, 4, 2, 4)
	for i, want := range [][]float32{{7, 8}, {12, 13}, {17, 18}} {
		if got := v.Row(i); !slices.Equal(got, want) {
			t.Errorf("row %d is %v, want %v", i, got, want)
		}
	}
	taken, clone, turned := v.Take([]int{2, 0, 2}), v.Clone(), v.T().Clone()
	v.Row(2)[0] = -1
	if all.At(3, 2) != -1 {
		t.Error("a row is not the matrix's own")
	}
	for name, c := range map[string]struct {
		got        Matrix[float32]
		rows, cols int
		want       []float32
	}{
		"Take":                       {taken, 3, 2, []float32{17, 18, 7, 8, 17, 18}},
		"Clone":                      {clone, 3, 2, []float32{7, 8, 12, 13, 17, 18}},
		"Clone of a transposed view": {turned, 2, 3, []float32{7, 12, 17, 8, 13, 18}},
	} {
		if c.got.Rows != c.rows || c.got.Cols != c.cols || c.got.Stride != c.cols || c.got.Trans || !slices.Equal(c.got.Data, c.want) {
			t.Errorf("%s: %+v, want %d×%d of %v", name, c.got, c.rows, c.cols, c.want)
		}
	}
	short := Matrix[float32]{Rows: 4, Cols: 5, Stride: 5, Data: all.Data[:19]}
	if !all.HasRows() || !v.HasRows() || v.T().HasRows() || short.HasRows() ||
		(Matrix[float32]{Rows: 4, Cols: 5, Data: all.Data}).HasRows() {
		t.Error("HasRows is wrong of a view, a transposed one, one of too few elements or one without stride")
	}
}
