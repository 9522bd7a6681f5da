package ridge

import (
	"context"
	"math"

	"percept/tensor/linalg"
)

// FitCV chooses penalties by cross-validation and fits all samples with them.
//
//	x  [samples, features]
//	y  [samples, targets]
//
// X is standardised once, with all samples given here, which are the training samples; the
// means of X and Y are those of each fold's own training part. The cost is one
// eigendecomposition per fold and one for the fit, O(min(samples, features)³) each, and
// per penalty the product that predicts the samples left out.
//
// Of penalties with equal scores the largest is taken; as in himalaya, 10⁻¹⁰·ln α is added
// to each mean score when they are compared (CVScores and CVTable are without it).
func FitCV(ctx context.Context, x, y Matrix, o Options) (*Model, error) {
	if err := checkXY(x, y); err != nil {
		return nil, err
	}
	o, err := o.withDefaults(x.Rows)
	if err != nil {
		return nil, err
	}
	parts, err := Folds(x.Rows, o.Folds, o.Groups)
	if err != nil {
		return nil, err
	}
	var order []int
	for _, part := range parts {
		order = append(order, part...)
	}
	p, err := newProblem(x, y, order, o)
	if err != nil {
		return nil, err
	}
	p.total = len(parts) + 2*len(split(y.Cols, targetBatch)) + 1
	table, err := p.crossValidate(ctx, parts)
	if err != nil {
		return nil, err
	}
	best := choose(table, o.Alphas, y.Cols, o.Global)
	alphas, scores := make([]float64, y.Cols), make([]float64, y.Cols)
	for t, a := range best {
		alphas[t], scores[t] = o.Alphas[a], table[a*y.Cols+t]
	}
	m, err := p.solve(ctx, alphas)
	if err != nil {
		return nil, err
	}
	m.CVScores, m.CVTable, m.Grid = scores, table, o.Alphas
	m.Edge = edges(y, alphas, o.Alphas)
	return m, nil
}

// crossValidate returns the mean over folds of the score of every penalty and target.
func (p *problem) crossValidate(ctx context.Context, parts [][]int) ([]float64, error) {
	folds := make([]*fold, len(parts))
	starts := make([]int, len(parts)+1)
	for f, part := range parts {
		starts[f+1] = starts[f] + len(part)
	}
	err := parallel(ctx, len(parts), func(f int) (err error) {
		if p.primal {
			folds[f], err = primalFold(p.x, p.gram, starts[f], starts[f+1], p.intercept)
		} else {
			folds[f], err = dualFold(p.gram, p.x.Cols, starts[f], starts[f+1], p.intercept)
		}
		p.step()
		return err
	})
	if err != nil {
		return nil, err
	}
	targets := p.y.Cols
	table := make([]float64, len(p.opt.Alphas)*targets)
	batches := split(targets, targetBatch)
	err = parallel(ctx, len(batches), func(b int) error {
		lo, hi := batches[b][0], batches[b][1]
		sum := p.scoreBatch(folds, columns(p.y, lo, hi, p.order))
		for a := range p.opt.Alphas {
			for j, v := range sum[a] {
				table[a*targets+lo+j] = v / float64(len(folds))
			}
		}
		p.step()
		return nil
	})
	return table, err
}

// scoreBatch returns for every penalty the score of each column of y [n, targets], summed
// over folds in their order.
func (p *problem) scoreBatch(folds []*fold, y dense) [][]float64 {
	sum := make([][]float64, len(p.opt.Alphas))
	for a := range sum {
		sum[a] = make([]float64, y.Cols)
	}
	if p.intercept {
		subtractRow(y, columnMeans(y))
	}
	var all dense // x'y, of which each fold leaves out a part
	if p.primal {
		all = newDense(p.x.Cols, y.Cols)
		linalg.Mul(all, 1, p.x.T(), y, 0)
	}
	for _, f := range folds {
		rank := len(f.s)
		c := newDense(rank, y.Cols)
		truth := newDense(f.hi-f.lo, y.Cols)
		copy(truth.Data, y.Data[f.lo*y.Cols:f.hi*y.Cols])
		if p.primal {
			rest := newDense(rank, y.Cols)
			copy(rest.Data, all.Data)
			linalg.Mul(rest, -1, p.x.Slice(f.lo, f.hi, 0, p.x.Cols).T(), truth, 1)
			if p.intercept {
				mean := meanWithout(y, f.lo, f.hi)
				rows := float64(y.Rows - (f.hi - f.lo))
				for i, mx := range f.mean {
					for j, my := range mean {
						rest.Data[i*y.Cols+j] -= rows * mx * my
					}
				}
				subtractRow(truth, mean)
			}
			linalg.Mul(c, 1, f.q.T(), rest, 0)
		} else {
			rest := dropRows(y, f.lo, f.hi)
			if p.intercept {
				mean := columnMeans(rest)
				subtractRow(rest, mean)
				subtractRow(truth, mean)
			}
			linalg.Mul(c, 1, f.q.T(), rest, 0)
		}
		shrunk, predicted := newDense(rank, y.Cols), newDense(truth.Rows, y.Cols)
		for a, alpha := range p.opt.Alphas {
			f.shrink(shrunk, c, []float64{alpha})
			linalg.Mul(predicted, 1, f.held, shrunk, 0)
			p.opt.Score.add(sum[a], truth, predicted)
		}
	}
	return sum
}

// choose returns the index of the best penalty of every target.
//
//	table  [penalties, targets]
func choose(table, grid []float64, targets int, global bool) []int {
	slope := func(a int) float64 { return 1e-10 * math.Log(grid[a]) }
	best := make([]int, targets)
	if global {
		top := math.Inf(-1)
		for a := range grid {
			mean := 0.0
			for _, v := range table[a*targets : (a+1)*targets] {
				mean += v
			}
			if mean = mean/float64(targets) + slope(a); mean > top {
				top, best[0] = mean, a
			}
		}
		for t := range best {
			best[t] = best[0]
		}
		return best
	}
	for t := range best {
		top := math.Inf(-1)
		for a := range grid {
			if v := table[a*targets+t] + slope(a); v > top {
				top, best[t] = v, a
			}
		}
	}
	return best
}

// edges counts the targets at the ends of the grid.
func edges(y Matrix, alphas, grid []float64) Edge {
	e := Edge{Targets: y.Cols}
	low, high := grid[0], grid[0]
	for _, a := range grid {
		low, high = min(low, a), max(high, a)
	}
	flat := make([]bool, y.Cols)
	first := y.Row(0)
	for j := range flat {
		flat[j] = true
	}
	for i := range y.Rows {
		for j, v := range y.Row(i) {
			flat[j] = flat[j] && v == first[j]
		}
	}
	for t, a := range alphas {
		switch {
		case flat[t]:
			e.Flat++
		case low == high: // a grid of one penalty has no edge
		case a == low:
			e.Low++
		case a == high:
			e.High++
		}
	}
	return e
}

// dropRows copies y without the rows lo to hi.
func dropRows(y dense, lo, hi int) dense {
	rest := newDense(y.Rows-(hi-lo), y.Cols)
	copy(rest.Data[:lo*y.Cols], y.Data[:lo*y.Cols])
	copy(rest.Data[lo*y.Cols:], y.Data[hi*y.Cols:])
	return rest
}

// meanWithout returns the column means of y without the rows lo to hi.
func meanWithout(y dense, lo, hi int) []float64 {
	mean := make([]float64, y.Cols)
	for i := range y.Rows {
		if i < lo || i >= hi {
			for j, v := range y.Data[i*y.Cols : (i+1)*y.Cols] {
				mean[j] += v
			}
		}
	}
	for j := range mean {
		mean[j] /= float64(y.Rows - (hi - lo))
	}
	return mean
}
