package linalg

import (
	"errors"
	"math"
)

// BandWidth is how far from the diagonal a Band has elements, and the size of its blocks. Narrower bands are solved
// faster; wider ones are reached faster, as each step of the reduction reads what is left of the matrix once.
const BandWidth = 64

// Band is a symmetric matrix [n, n] whose elements are zero further than BandWidth from the diagonal.
type Band[E Float] struct {
	N    int
	diag Matrix[E] // [n, BandWidth] the blocks on the diagonal, one below the other; their lower triangles count
	sub  Matrix[E] // [n, BandWidth] the block left of each
}

func newBand[E Float](n int) *Band[E] {
	return &Band[E]{n, New[E](n, BandWidth), New[E](n, BandWidth)}
}

// block returns the rows of block i: its first and the one after its last.
func (b *Band[E]) block(i int) (from, to int) { return i * BandWidth, min((i+1)*BandWidth, b.N) }

func (b *Band[E]) onDiagonal(i int) Matrix[E] {
	from, to := b.block(i)
	return b.diag.Slice(from, to, 0, to-from)
}

func (b *Band[E]) below(i int) Matrix[E] {
	from, to := b.block(i)
	return b.sub.Slice(from, to, 0, BandWidth)
}

// Trace returns the sum of the diagonal, which is that of the eigenvalues.
func (b *Band[E]) Trace() float64 {
	sum := 0.0
	for i := range b.N {
		sum += float64(b.diag.At(i, i%BandWidth))
	}
	return sum
}

// Dense returns the matrix with all its zeros.
func (b *Band[E]) Dense() Matrix[E] {
	a := New[E](b.N, b.N)
	for i := range parts(b.N, BandWidth) {
		from, to := b.block(i)
		d := b.onDiagonal(i)
		for r := range d.Rows {
			copy(a.line(from+r, from, from+r+1), d.line(r, 0, r+1))
		}
		if i > 0 {
			s := b.below(i)
			for r := range to - from {
				copy(a.line(from+r, from-BandWidth, from), s.line(r, 0, BandWidth))
			}
		}
	}
	Mirror(a)
	return a
}

// BandFactor is the Cholesky factor L of a Band plus a multiple of the identity. The zero value is ready for Factor.
type BandFactor[E Float] struct{ l *Band[E] }

// Factor sets f to the factor of B + shift·I. A matrix that is not positive definite is a *PivotError. It costs
// 7/3·n·BandWidth² operations; memory is allocated by the first call.
func (b *Band[E]) Factor(f *BandFactor[E], shift E) error {
	if f.l == nil || f.l.N != b.N {
		f.l = newBand[E](b.N)
	}
	l := f.l
	copy(l.diag.Data, b.diag.Data)
	copy(l.sub.Data, b.sub.Data)
	for i := range b.N {
		l.diag.Data[i*BandWidth+i%BandWidth] += shift
	}
	for i := range parts(b.N, BandWidth) {
		d := l.onDiagonal(i)
		if i > 0 {
			s := l.below(i)
			SolveLower(l.onDiagonal(i-1), s.T())
			GramLower(d, -1, s, 1)
		}
		if err := Cholesky(d); err != nil {
			var p *PivotError
			if errors.As(err, &p) {
				return &PivotError{i*BandWidth + p.Pivot, p.Value}
			}
			return err
		}
	}
	return nil
}

// Solve replaces x [n, r] by the solution X of (B + shift·I)·X = x. It costs 6·n·BandWidth·r operations.
func (f *BandFactor[E]) Solve(x Matrix[E]) {
	x.need("Solve", "X", f.l.N, x.Cols)
	l, blocks := f.l, parts(f.l.N, BandWidth)
	at := func(i int) Matrix[E] {
		from, to := l.block(i)
		return x.Slice(from, to, 0, x.Cols)
	}
	for i := range blocks {
		if i > 0 {
			Mul(at(i), -1, l.below(i), at(i-1), 1)
		}
		SolveLower(l.onDiagonal(i), at(i))
	}
	for i := blocks - 1; i >= 0; i-- {
		if i+1 < blocks {
			Mul(at(i), -1, l.below(i+1).T(), at(i+1), 1)
		}
		SolveUpper(l.onDiagonal(i).T(), at(i))
	}
}

// MulLower is Mul for the lower triangle of a square C alone; the rest of C is neither read nor written.
//
//	c  [n, n]
//	a  [n, k]
//	b  [k, n]
func MulLower[E Float](c Matrix[E], alpha E, a, b Matrix[E], beta E) {
	a.check("MulLower", "A")
	b.need("MulLower", "B", a.Cols, a.Rows)
	c.need("MulLower", "C", a.Rows, a.Rows)
	c.needPlain("MulLower", "C")
	multiply(c, alpha, a, b, beta, true)
}

// Rotation is an orthogonal matrix Q [n, n], kept as the Householder vectors whose product it is.
type Rotation[E Float] struct {
	N      int
	groups []reflectors[E]
}

// reflectors are some Householder vectors: Q = I − V·T·Vᵀ, which leaves the rows before from as they are.
type reflectors[E Float] struct {
	from int
	v    Matrix[E] // [k, n-from] Vᵀ: a vector is a row
	t    Matrix[E] // [k, k] upper triangular
}

// MulT replaces C [n, r] by Qᵀ·C, in 2·n²·r operations. work is memory for WorkPerColumn·r elements; with less, it
// allocates them.
func (q *Rotation[E]) MulT(c Matrix[E], work []E) {
	c.need("MulT", "C", q.N, c.Cols)
	work = q.space(c, work)
	for _, g := range q.groups {
		g.reflect(c, g.t.T(), work)
	}
}

// Mul replaces C [n, r] by Q·C, as MulT does.
func (q *Rotation[E]) Mul(c Matrix[E], work []E) {
	c.need("Mul", "C", q.N, c.Cols)
	work = q.space(c, work)
	for i := len(q.groups) - 1; i >= 0; i-- {
		q.groups[i].reflect(c, q.groups[i].t, work)
	}
}

func (q *Rotation[E]) space(c Matrix[E], work []E) []E {
	if need := WorkPerColumn * c.Cols; len(work) < need && len(q.groups) > 0 {
		return make([]E, need)
	}
	return work
}

// reflect replaces C by C − V·t·Vᵀ·C.
func (g *reflectors[E]) reflect(c, t Matrix[E], work []E) {
	k := g.v.Rows
	at := c.Slice(g.from, c.Rows, 0, c.Cols)
	vc, tvc := Of(work[:k*c.Cols], k, c.Cols), Of(work[k*c.Cols:2*k*c.Cols], k, c.Cols)
	Mul(vc, 1, g.v, at, 0)
	Mul(tvc, 1, t, vc, 0)
	Mul(at, -1, g.v.T(), tvc, 1)
}

// WorkPerColumn is how many elements of workspace Mul and MulT need for each column.
const WorkPerColumn = 2 * groupSize

// Bound returns the largest sum of absolute values in a row, which no eigenvalue exceeds.
func (b *Band[E]) Bound() float64 {
	sums := make([]float64, b.N)
	add := func(m Matrix[E], row, col int, lower bool) {
		for i := range m.Rows {
			for j, v := range m.line(i, 0, m.Cols) {
				if lower && j > i {
					break
				}
				size := math.Abs(float64(v))
				sums[row+i] += size
				if row+i != col+j {
					sums[col+j] += size
				}
			}
		}
	}
	for i := range parts(b.N, BandWidth) {
		from, _ := b.block(i)
		add(b.onDiagonal(i), from, from, true)
		if i > 0 {
			add(b.below(i), from, from-BandWidth, false)
		}
	}
	most := 0.0
	for _, s := range sums {
		most = max(most, s)
	}
	return most
}
