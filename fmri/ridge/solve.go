package ridge

import (
	"errors"

	"gonum.org/v1/gonum/mat"

	"percept/tensor/linalg"
)

// A spectrum is the eigendecomposition that solves the ridge problem of some training
// rows for every penalty: X'X = Q·diag(s)·Q' (primal) or XX' = Q·diag(s)·Q' (dual).
type spectrum struct {
	s []float64 // eigenvalues; 0 where indistinguishable from 0
	q dense     // eigenvectors in columns
}

// eigen decomposes the symmetric gram, of which it reads the upper triangle. side is the
// number of rows or columns of X, whichever is larger: eigenvalues below the rounding of
// a sum that long are set to 0 and drop out, as directions in which X has no variance.
func eigen(gram dense, side int) (*spectrum, error) {
	n := gram.Rows
	var e mat.EigenSym
	if !e.Factorize(mat.NewSymDense(n, gram.Data), true) {
		return nil, errors.New("ridge: the eigendecomposition of the Gram matrix did not converge")
	}
	var q mat.Dense
	e.VectorsTo(&q)
	s := e.Values(nil)
	least := 0x1p-52 * float64(side) * s[n-1]
	for i, v := range s {
		if v <= least {
			s[i] = 0
		}
	}
	return &spectrum{s, asDense(q.RawMatrix())}, nil
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
	return &spectrum{s, asDense(v.RawMatrix())}, nil
}

// shrink sets dst = diag(1 / (s + alpha[j])) · c: column j with its own penalty, or all
// with alpha[0] where alpha has one value.
func (sp *spectrum) shrink(dst, c dense, alpha []float64) {
	for i, s := range sp.s {
		from, to := c.Data[i*c.Stride:i*c.Stride+c.Cols], dst.Data[i*dst.Stride:i*dst.Stride+c.Cols]
		switch {
		case s == 0:
			clear(to)
		case len(alpha) == 1:
			w := 1 / (s + alpha[0])
			for j, v := range from {
				to[j] = w * v
			}
		default:
			for j, v := range from {
				to[j] = v / (s + alpha[j])
			}
		}
	}
}

// A fold is one split of the rows: what is needed to predict the rows lo to hi (left out)
// from all other rows, for any target and penalty:
//
//	prediction = held · shrink(C, α),   C = Q'·X'Y (primal) or Q'·Y (dual) of the other rows
//
// All means are over the training rows of the fold.
type fold struct {
	lo, hi int
	*spectrum
	held dense     // [hi−lo, rank]: X_held·Q (primal) or X_held·X'·Q (dual)
	mean []float64 // of X; primal with intercept alone
}

// primalFold prepares a fold from x [n, p] and its Gram matrix x'x.
func primalFold(x, gram dense, lo, hi int, intercept bool) (*fold, error) {
	n, p := x.Rows, x.Cols
	f := &fold{lo: lo, hi: hi}
	held := newDense(hi-lo, p)
	copy(held.Data, x.Data[lo*p:hi*p])
	var err error
	if p <= smallSide && n-(hi-lo) >= p {
		train := dropRows(x, lo, hi)
		if intercept {
			f.mean = columnMeans(train)
			subtractRow(train, f.mean)
		}
		f.spectrum, err = singular(train)
	} else {
		// The training Gram matrix is the whole without the part left out. Both are sums of
		// squares, so the difference is as exact as the whole.
		train := newDense(p, p)
		copy(train.Data, gram.Data)
		linalg.Gram(train, -1, held.T(), 1)
		if intercept {
			f.mean = meanWithout(x, lo, hi)
			rows := float64(n - (hi - lo))
			for i := range p {
				for j := range p {
					train.Data[i*p+j] -= rows * f.mean[i] * f.mean[j]
				}
			}
		}
		f.spectrum, err = eigen(train, max(n, p))
	}
	if err != nil {
		return nil, err
	}
	if intercept {
		subtractRow(held, f.mean)
	}
	f.held = newDense(hi-lo, p)
	linalg.Mul(f.held, 1, held, f.q, 0)
	return f, nil
}

// dualFold prepares a fold from kernel = x·x' [n, n] of x with side columns.
func dualFold(kernel dense, side, lo, hi int, intercept bool) (*fold, error) {
	n := kernel.Rows
	rows := n - (hi - lo)
	train, held := newDense(rows, rows), newDense(hi-lo, rows)
	for i := range n {
		src := kernel.Data[i*n : (i+1)*n]
		var dst []float64
		switch {
		case i < lo:
			dst = train.Data[i*rows : (i+1)*rows]
		case i < hi:
			dst = held.Data[(i-lo)*rows : (i-lo+1)*rows]
		default:
			dst = train.Data[(i-(hi-lo))*rows : (i-(hi-lo)+1)*rows]
		}
		copy(dst[:lo], src[:lo])
		copy(dst[lo:], src[hi:])
	}
	if intercept {
		centreKernel(train, held)
	}
	sp, err := eigen(train, max(n, side))
	if err != nil {
		return nil, err
	}
	f := &fold{lo: lo, hi: hi, spectrum: sp, held: newDense(hi-lo, rows)}
	linalg.Mul(f.held, 1, held, f.q, 0)
	return f, nil
}

// centreKernel turns train = XX' and held = X_held·X' into what they would be with the
// mean of the training rows subtracted from X and X_held.
func centreKernel(train, held dense) {
	mean := columnMeans(train) // of each training row's product with all training rows
	grand := 0.0
	for _, v := range mean {
		grand += v
	}
	grand /= float64(len(mean))
	for i := range held.Rows {
		row := held.Data[i*held.Stride : i*held.Stride+held.Cols]
		own := 0.0
		for _, v := range row {
			own += v
		}
		own /= float64(len(row))
		for j := range row {
			row[j] += grand - own - mean[j]
		}
	}
	for i := range train.Rows {
		row := train.Data[i*train.Stride : i*train.Stride+train.Cols]
		for j := range row {
			row[j] += grand - mean[i] - mean[j]
		}
	}
}
