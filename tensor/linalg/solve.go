package linalg

import (
	"percept/tensor"
	"percept/tensor/internal/kernel"
)

// SolveLower replaces B by the solution X of L·X = B.
//
//	l  [n, n]  lower triangular, not singular; what is above the diagonal is not read
//	b  [n, r]  a column is a right-hand side
//
// Other systems are views: X·Lᵀ = B is SolveLower(l, b.T()), and see SolveUpper. A zero on the diagonal gives Inf and
// NaN.
func SolveLower[E Float](l, b Matrix[E]) {
	l.need("SolveLower", "L", l.Rows, l.Rows)
	b.need("SolveLower", "B", l.Rows, b.Cols)
	n := l.Rows
	for k0 := 0; k0 < n; k0 += blockSize {
		k1 := min(k0+blockSize, n)
		x := b.Slice(k0, k1, 0, b.Cols)
		solveBlock(l.Slice(k0, k1, k0, k1), x, false)
		Mul(b.Slice(k1, n, 0, b.Cols), -1, l.Slice(k1, n, k0, k1), x, 1)
	}
}

// SolveUpper replaces B by the solution X of U·X = B.
//
//	u  [n, n]  upper triangular, not singular; what is below the diagonal is not read
//	b  [n, r]  a column is a right-hand side
//
// Lᵀ·X = B is SolveUpper(l.T(), b), and X·L = B is SolveUpper(l.T(), b.T()).
func SolveUpper[E Float](u, b Matrix[E]) {
	u.need("SolveUpper", "U", u.Rows, u.Rows)
	b.need("SolveUpper", "B", u.Rows, b.Cols)
	for k1 := u.Rows; k1 > 0; {
		k0 := (k1 - 1) / blockSize * blockSize
		x := b.Slice(k0, k1, 0, b.Cols)
		solveBlock(u.Slice(k0, k1, k0, k1), x, true)
		Mul(b.Slice(0, k0, 0, b.Cols), -1, u.Slice(0, k0, k0, k1), x, 1)
		k1 = k0
	}
}

// blockSize is the number of unknowns that are found before the other equations are rid of them by a product: a
// multiple of the rows of every Lower.
const blockSize = 252

// solve is the job of a triangular system of blockSize unknowns or fewer. A tile is one panel of right-hand sides.
//
//	for steps of a few unknowns      a panel of X stays in the first-level cache
//	  subtract the products with the unknowns found so far
//	  kernel: the small triangle
//
// An upper triangle is a lower one with rows and columns in reverse.
type solve[E Float] struct {
	kernels *kernel.Algebra[E]
	t       []E // [steps, ldt] the triangle L: 1/L[i,i] on the diagonal, -L[i,j] below it
	n, ldt  int
	reverse bool
	x       Matrix[E]
	tri     space[E]
}

// solveBlock solves for x in place. With reverse, t is an upper triangle, otherwise a lower one.
func solveBlock[E Float](t, x Matrix[E], reverse bool) {
	if x.Cols == 0 {
		return
	}
	free := &engineOf[E]().solves
	s := free.get()
	s.kernels, s.n, s.reverse, s.x = engineOf[E]().kernels(), t.Rows, reverse, x
	s.prepare(&t)
	tensor.Share(s, parts(x.Cols, s.kernels.NR), s.n*s.n*x.Cols)
	s.x, s.t = Matrix[E]{}, nil
	free.put(s)
}

// prepare brings the triangle into the form that the kernel wants, filled up with equations of zeros.
func (s *solve[E]) prepare(t *Matrix[E]) {
	steps := parts(s.n, s.kernels.Rows) * s.kernels.Rows
	s.ldt = steps + 4 // not a power of two
	s.t = s.tri.resized(steps * s.ldt)
	clear(s.t)
	for i := range s.n {
		row := s.t[i*s.ldt:]
		at := i
		if s.reverse {
			at = s.n - 1 - i
		}
		row[i] = 1 / t.At(at, at)
		for j := range i {
			if s.reverse {
				row[j] = -t.At(at, s.n-1-j)
			} else {
				row[j] = -t.At(at, j)
			}
		}
	}
}

func (s *solve[E]) Tile(i int) {
	k := s.kernels
	j0 := i * k.NR
	n := min(k.NR, s.x.Cols-j0)
	w := panelWidth(k, n)
	spaces := &engineOf[E]().spaces
	space := spaces.get()
	steps := parts(s.n, k.Rows)
	panel := space.resized(steps * k.Rows * w)
	clear(panel[s.n*w:])
	s.load(panel, w, j0, n)
	for i := range steps {
		at := i * k.Rows
		x, t := panel[at*w:][:k.Rows*w], s.t[at*s.ldt:]
		if i > 0 {
			k.Panel(x, w, t, k.Rows, at, s.ldt, panel[:at*w], w, true)
		}
		k.Lower(x, w, t[at:], s.ldt)
	}
	s.store(panel, w, j0, n)
	spaces.put(space)
}

// load copies columns j0 … j0+n-1 of x into a panel of width w, which begins with the last row if the order is
// reversed.
func (s *solve[E]) load(panel []E, w, j0, n int) {
	packRight(panel, w, &s.x, 0, s.n, j0, n, 1)
	if s.reverse {
		reverseRows(panel[:s.n*w], w)
	}
}

// store is load the other way.
func (s *solve[E]) store(panel []E, w, j0, n int) {
	if s.reverse {
		reverseRows(panel[:s.n*w], w)
	}
	if s.x.Trans {
		transpose(s.x.Data[j0*s.x.Stride:], s.x.Stride, panel, w, s.n, n, 1)
		return
	}
	for i := range s.n {
		copy(s.x.line(i, j0, j0+n), panel[i*w:])
	}
}

func reverseRows[E Float](x []E, w int) {
	for i, j := 0, len(x)-w; i < j; i, j = i+w, j-w {
		a, b := x[i:i+w], x[j:j+w]
		for l, v := range a {
			a[l], b[l] = b[l], v
		}
	}
}
