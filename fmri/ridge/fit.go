package ridge

import (
	"context"
	"fmt"
	"math"
	"sync"

	"percept/tensor/linalg"
)

// A problem is X and Y ready to be solved: rows in the order of the folds, X standardised
// and, with an intercept, without its mean.
type problem struct {
	x         dense     // [n, p]
	gram      dense     // x'x (primal) or xx' (dual)
	shift     []float64 // subtracted from the (standardised) X; nil without intercept
	y         Matrix
	order     []int // row of y behind each row of x
	scaler    *Scaler
	primal    bool
	intercept bool
	opt       Options

	progress sync.Mutex
	done     int
	total    int
}

// newProblem checks and prepares the data. parts is the number of steps that will be
// reported to opt.Progress.
func newProblem(x, y Matrix, order []int, o Options) (*problem, error) {
	p := &problem{y: y, order: order, opt: o, intercept: !o.NoIntercept, primal: o.primal(x.Rows, x.Cols)}
	if !o.NoStandardise {
		s, err := FitScaler(x)
		if err != nil {
			return nil, err
		}
		p.scaler = s
	}
	if order != nil {
		x = x.Take(order)
	}
	p.x = widen(x, p.scaler)
	if p.intercept {
		// Near zero the means of the folds cost no digits when they are subtracted later.
		p.shift = columnMeans(p.x)
		subtractRow(p.x, p.shift)
	}
	if p.primal {
		p.gram = newDense(x.Cols, x.Cols)
		linalg.Gram(p.gram, 1, p.x.T(), 0)
	} else {
		p.gram = newDense(x.Rows, x.Rows)
		linalg.Gram(p.gram, 1, p.x, 0)
	}
	return p, nil
}

// checkXY reports arrays that do not fit together.
func checkXY(x, y Matrix) error {
	if err := x.check("X"); err != nil {
		return err
	}
	if err := y.check("Y"); err != nil {
		return err
	}
	if x.Rows != y.Rows {
		return fmt.Errorf("ridge: X has %d samples and Y has %d, want as many", x.Rows, y.Rows)
	}
	if x.Rows < 2 {
		return fmt.Errorf("ridge: %d sample, want at least 2", x.Rows)
	}
	return nil
}

// Fit fits with given penalties: one for all targets or one for each. Alpha 0 is ordinary
// least squares, the solution of least norm where it is not unique. Of the options it uses
// NoIntercept, NoStandardise, Form and Progress.
//
//	x  [samples, features]
//	y  [samples, targets]
func Fit(ctx context.Context, x, y Matrix, alphas []float64, o Options) (*Model, error) {
	if err := checkXY(x, y); err != nil {
		return nil, err
	}
	if len(alphas) != 1 && len(alphas) != y.Cols {
		return nil, fmt.Errorf("ridge: %d penalties, want 1 or one for each of %d targets", len(alphas), y.Cols)
	}
	each := make([]float64, y.Cols)
	for j := range each {
		each[j] = alphas[min(j, len(alphas)-1)]
		if !(each[j] >= 0) || math.IsInf(each[j], 0) {
			return nil, fmt.Errorf("ridge: penalty %v, want 0 or a positive number", each[j])
		}
	}
	p, err := newProblem(x, y, nil, o)
	if err != nil {
		return nil, err
	}
	p.total = len(split(y.Cols, targetBatch)) + 1
	return p.solve(ctx, each)
}

// solve fits all rows with the penalty of each target.
func (p *problem) solve(ctx context.Context, alphas []float64) (*Model, error) {
	features, targets := p.x.Cols, p.y.Cols
	sp, err := p.decompose()
	if err != nil {
		return nil, err
	}
	p.step()
	m := &Model{Coef: NewMatrix(features, targets), Intercept: make([]float64, targets), Scaler: p.scaler, Alphas: alphas}
	batches := split(targets, targetBatch)
	err = parallel(ctx, len(batches), func(b int) error {
		lo, hi := batches[b][0], batches[b][1]
		y := columns(p.y, lo, hi, p.order)
		var mean []float64
		if p.intercept {
			mean = columnMeans(y)
			subtractRow(y, mean)
		}
		// W = Q·shrink(Q'X'Y) or X'·Q·shrink(Q'Y)
		c := newDense(len(sp.s), hi-lo)
		w := newDense(features, hi-lo)
		if p.primal {
			linalg.Mul(w, 1, p.x.T(), y, 0)
			linalg.Mul(c, 1, sp.q.T(), w, 0)
			sp.shrink(c, c, alphas[lo:hi])
			linalg.Mul(w, 1, sp.q, c, 0)
		} else {
			linalg.Mul(c, 1, sp.q.T(), y, 0)
			sp.shrink(c, c, alphas[lo:hi])
			linalg.Mul(y, 1, sp.q, c, 0)
			linalg.Mul(w, 1, p.x.T(), y, 0)
		}
		for i := range features {
			row := m.Coef.Row(i)[lo:hi]
			for j := range row {
				v := w.Data[i*w.Stride+j]
				row[j] = float32(v)
				if p.intercept {
					mean[j] -= p.shift[i] * v
				}
			}
		}
		copy(m.Intercept[lo:hi], mean)
		p.step()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// decompose returns the spectrum of all rows.
func (p *problem) decompose() (*spectrum, error) {
	if p.primal && p.x.Cols <= smallSide && p.x.Rows >= p.x.Cols {
		x := newDense(p.x.Rows, p.x.Cols)
		copy(x.Data, p.x.Data)
		return singular(x)
	}
	gram := newDense(p.gram.Rows, p.gram.Cols)
	copy(gram.Data, p.gram.Data)
	return eigen(gram, max(p.x.Rows, p.x.Cols))
}

// step reports one part of the work as done.
func (p *problem) step() {
	if p.opt.Progress == nil {
		return
	}
	p.progress.Lock()
	defer p.progress.Unlock()
	p.done++
	p.opt.Progress(p.done, p.total)
}
