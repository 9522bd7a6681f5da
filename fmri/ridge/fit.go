package ridge

import (
	"context"
	"fmt"
	"math"

	"percept/tensor/linalg"
)

// Fit fits with given penalties: one for all targets or one for each. Alpha 0 is ordinary
// least squares, the solution of least norm where it is not unique. Of the options it uses
// NoIntercept, NoStandardise, Form, Precision, MaxMemory and Progress.
//
//	x  [samples, features]
//	y  [samples, targets]
func Fit(ctx context.Context, x, y linalg.Matrix[float32], alphas []float64, o Options) (*Model, error) {
	if err := checkXY(x, y); err != nil {
		return nil, err
	}
	each, err := spread(alphas, y.Cols)
	if err != nil {
		return nil, err
	}
	o.StandardiseOnce = true
	o.Alphas = alphas
	double := o.double(x)
	o.Alphas = nil
	if double {
		return fit[float64](ctx, x, y, each, o)
	}
	return fit[float32](ctx, x, y, each, o)
}

func fit[E linalg.Float](ctx context.Context, x, y linalg.Matrix[float32], alphas []float64, o Options) (*Model, error) {
	p, err := newProblem[E](x, y, runs(x.Rows), o)
	if err != nil {
		return nil, err
	}
	p.total = len(p.plan.batches) + 1
	return p.solve(ctx, alphas)
}

// spread returns a penalty for each target.
func spread(alphas []float64, targets int) ([]float64, error) {
	if len(alphas) != 1 && len(alphas) != targets {
		return nil, fmt.Errorf("ridge: %d penalties, expected 1 or one for each of %d targets", len(alphas), targets)
	}
	each := make([]float64, targets)
	for j := range each {
		each[j] = alphas[min(j, len(alphas)-1)]
		if !(each[j] >= 0) || math.IsInf(each[j], 0) {
			return nil, fmt.Errorf("ridge: penalty %v, expected 0 or a positive number", each[j])
		}
	}
	return each, nil
}

// runs are parts of the rows 0 … n−1 that are summed at a time.
func runs(n int) [][]int {
	var parts [][]int
	all := sequence(n)
	for _, r := range split(n, 2*gramRows) {
		parts = append(parts, all[r[0]:r[1]])
	}
	return parts
}

func sequence(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

// solve fits all rows with the penalty of each target.
func (p *problem[E]) solve(ctx context.Context, alphas []float64) (*Model, error) {
	m := &Model{Coef: p.coef, Intercept: make([]float64, p.y.Cols), Scaler: p.scaler, Alphas: alphas}
	err := p.weights(ctx, nil, p.columns, alphas, func(w dense, lo, hi int) {
		to := p.coef.Slice(0, p.coef.Rows, lo, hi)
		if _, ok := p.form.(*primal[E]); ok {
			convert(to, w)
		} else {
			p.fromSamples(to, w)
		}
		if p.intercept {
			p.intercepts(m.Intercept[lo:hi], to, p.columns[lo:hi])
		}
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// fromSamples sets dst = X'·w, the coefficients of features from weights of samples. Those
// are large and cancel where penalties are small, so float64 it is.
func (p *problem[E]) fromSamples(dst linalg.Matrix[float32], w dense) {
	wide := min(gramRows, p.x.Cols)
	slab, c := take[float64](p.m, p.x.Rows, wide), take[float64](p.m, wide, w.Cols)
	for from := 0; from < p.x.Cols; from += wide {
		to := min(from+wide, p.x.Cols)
		x, part := slab.Slice(0, p.x.Rows, 0, to-from), c.Slice(0, to-from, 0, w.Cols)
		convert(x, p.x.Slice(0, p.x.Rows, from, to))
		linalg.Mul(part, 1, x.T(), w, 0)
		convert(dst.Slice(from, to, 0, w.Cols), part)
	}
	drop(p.m, slab)
	drop(p.m, c)
}

// intercepts sets b to mean(Y) − shift·W for some targets.
func (p *problem[E]) intercepts(b []float64, w linalg.Matrix[float32], columns []int) {
	for j, c := range columns {
		b[j] = p.yMean[c]
	}
	for i, s := range p.shift {
		for j, v := range w.Row(i) {
			b[j] -= s * float64(v)
		}
	}
}

// weights solves (S + α)·W = R for all rows and some targets, which have alphas one by one,
// and calls f for each batch lo … hi−1 of them.
func (p *problem[E]) weights(ctx context.Context, weight []float64, columns []int, alphas []float64, f func(w dense, lo, hi int)) error {
	s, err := p.system(-1, weight)
	if err != nil {
		return err
	}
	p.step()
	m, wide := p.unknowns(-1), widest(p.plan.batches)
	right, solved := take[E](p.m, m, wide), take[float64](p.m, m, wide)
	work := take[E](p.m, linalg.WorkPerColumn, wide)
	for _, b := range split(len(columns), wide) {
		if err := ctx.Err(); err != nil {
			return err
		}
		lo, hi := b[0], b[1]
		r, w := right.Slice(0, m, 0, hi-lo), solved.Slice(0, m, 0, hi-lo)
		p.right(r, -1, columns[lo:hi], weight)
		s.rotate(r, work.Data)
		convert(w, r)
		s.shrink(w, alphas[lo:hi]...)
		s.restoreDense(w)
		f(w, lo, hi)
		p.step()
	}
	drop(p.m, right)
	drop(p.m, solved)
	drop(p.m, work)
	return nil
}
