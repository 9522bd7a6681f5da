package ridge

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"percept/tensor/linalg"
)

// A factor is S = Q·C·Qᵀ for a symmetric S [m, m] and a C that is easily solved with any
// penalty: (S + α)⁻¹ = Q·(C + α)⁻¹·Qᵀ.
type factor[E linalg.Float] interface {
	rotate(c linalg.Matrix[E], work []E)  // c = Qᵀ·c
	restore(c linalg.Matrix[E], work []E) // c = Q·c
	rotateDense(c dense)                  // c = Qᵀ·c
	restoreDense(c dense)                 // c = Q·c
	shrink(c dense, alpha ...float64)     // c = (C + α)⁻¹·c, with one penalty or one for each column
}

// exactSide, which tests change, is the number of unknowns up to which problems are decomposed into eigenvalues in
// float64. Of larger ones, only a band matrix is made.
var exactSide = 512

// rounding is the size of eigenvalues that are indistinguishable from 0, for a matrix with
// that largest eigenvalue and sums of side products.
func rounding(side int, largest float64) float64 { return 0x1p-52 * float64(side) * largest }

// decompose factors s, of which it reads the lower triangle and which it overwrites. side is
// the number of rows or columns of X, whichever is larger; spectral wants eigenvalues at all
// sizes, and E to be float64.
func decompose[E linalg.Float](s dense, side int, spectral bool) (factor[E], error) {
	if e, ok := any(eigenOf).(func(dense, int) (factor[E], error)); ok && (spectral || s.Rows <= exactSide) {
		return e(s, side)
	}
	b, q := linalg.ReduceToBand(s)
	f := &band[E]{b: b, q64: q, least: rounding(side, b.Bound())}
	var ok bool
	if f.q, ok = any(q).(*linalg.Rotation[E]); !ok {
		f.q = linalg.ConvertRotation[E](q)
	}
	return f, nil
}

func eigenOf(s dense, side int) (factor[float64], error) {
	linalg.Mirror(s)
	return eigen(s, side)
}

// A band is the factor of large problems: C is a band matrix.
type band[E linalg.Float] struct {
	b     *linalg.Band[float64]
	q64   *linalg.Rotation[float64]
	q     *linalg.Rotation[E]
	least float64 // penalties below the rounding of S count as this
	l     linalg.BandFactor[float64]
}

func (b *band[E]) rotate(c linalg.Matrix[E], work []E)  { b.q.MulT(c, work) }
func (b *band[E]) rotateDense(c dense)                  { b.q64.MulT(c, nil) }
func (b *band[E]) restoreDense(c dense)                 { b.q64.Mul(c, nil) }
func (b *band[E]) restore(c linalg.Matrix[E], work []E) { b.q.Mul(c, work) }

func (b *band[E]) shrink(c dense, alpha ...float64) {
	if len(alpha) == 1 {
		b.solve(c, alpha[0])
		return
	}
	// Columns of one penalty are solved together.
	order := make([]int, len(alpha))
	for j := range order {
		order[j] = j
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case alpha[i] < alpha[j]:
			return -1
		case alpha[i] > alpha[j]:
			return 1
		}
		return 0
	})
	for from := 0; from < len(order); {
		to := from + 1
		for to < len(order) && alpha[order[to]] == alpha[order[from]] {
			to++
		}
		part := newDense(c.Rows, to-from)
		for i := range c.Rows {
			row, of := part.Row(i), c.Row(i)
			for j := range row {
				row[j] = of[order[from+j]]
			}
		}
		b.solve(part, alpha[order[from]])
		for i := range c.Rows {
			row, of := part.Row(i), c.Row(i)
			for j, v := range row {
				of[order[from+j]] = v
			}
		}
		from = to
	}
}

// solve doubles a penalty that is too small for the rounding of S until the system can be
// solved.
func (b *band[E]) solve(c dense, alpha float64) {
	alpha = max(alpha, b.least)
	for b.b.Factor(&b.l, alpha) != nil {
		if alpha *= 2; alpha == 0 || math.IsInf(alpha, 1) { // S is zero, or not finite
			clearAll(c)
			return
		}
	}
	b.l.Solve(c)
}

func clearAll(c dense) {
	for i := range c.Rows {
		clear(c.Row(i))
	}
}

// A spectrum is the factor of small problems: Q are eigenvectors, C = diag(s).
type spectrum struct {
	s []float64 // eigenvalues; 0 where indistinguishable from 0
	q dense     // eigenvectors in columns
	// whole keeps directions without variance, which add nothing to a prediction but belong
	// to the weights of samples.
	whole bool
}

// eigen decomposes the symmetric gram. Eigenvalues below its rounding are set to 0 and drop
// out, as directions in which X has no variance.
func eigen(gram dense, side int) (*spectrum, error) {
	n := gram.Rows
	var e mat.EigenSym
	if !e.Factorize(mat.NewSymDense(n, gram.Data), true) {
		return nil, errors.New("ridge: the eigendecomposition of the Gram matrix did not converge")
	}
	var q mat.Dense
	e.VectorsTo(&q)
	s := e.Values(nil)
	least := rounding(side, s[n-1])
	for i, v := range s {
		if v <= least {
			s[i] = 0
		}
	}
	return &spectrum{s: s, q: asDense(q.RawMatrix())}, nil
}

// smallSide is the number of features up to which a primal fit decomposes X itself. That
// costs more than the Gram matrix and loses no digits by squaring, which shows where
// penalties are far below the eigenvalues.
const smallSide = 128

// singular decomposes x'x by the singular values of x, which has more rows than columns.
func singular(x dense) (*spectrum, error) {
	var d mat.SVD
	if !d.Factorize(mat.NewDense(x.Rows, x.Cols, x.Data), mat.SVDThinV) {
		return nil, errors.New("ridge: the singular value decomposition of X did not converge")
	}
	var v mat.Dense
	d.VTo(&v)
	s := d.Values(nil)
	least := 0x1p-52 * float64(x.Rows) * s[0]
	for i, value := range s {
		if value <= least {
			value = 0
		}
		s[i] = value * value
	}
	return &spectrum{s: s, q: asDense(v.RawMatrix())}, nil
}

func (sp *spectrum) rotate(c dense, _ []float64) { sp.multiply(sp.q.T(), c) }

func (sp *spectrum) rotateDense(c dense) { sp.multiply(sp.q.T(), c) }

func (sp *spectrum) restoreDense(c dense) { sp.multiply(sp.q, c) }

func (sp *spectrum) restore(c dense, _ []float64) { sp.multiply(sp.q, c) }

func (sp *spectrum) multiply(q, c dense) {
	r := newDense(c.Rows, c.Cols)
	linalg.Mul(r, 1, q, c, 0)
	for i := range c.Rows {
		for j, v := range r.Row(i) {
			c.Set(i, j, v)
		}
	}
}

func (sp *spectrum) shrink(c dense, alpha ...float64) {
	for i, s := range sp.s {
		row := c.Row(i)
		switch {
		case s == 0 && !sp.whole:
			clear(row)
		case len(alpha) == 1:
			w := 1 / (s + alpha[0])
			for j := range row {
				row[j] *= w
			}
		default:
			for j := range row {
				row[j] /= s + alpha[j]
			}
		}
	}
}
