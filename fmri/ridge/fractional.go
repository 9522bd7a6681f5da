package ridge

import (
	"context"
	"fmt"
	"math"
	"sort"

	"percept/tensor/linalg"
)

// Fractional ridge regression (Rokem & Kay 2020, doi:10.1093/gigascience/giaa133) says how
// strong the penalty is by the length of the coefficients, as a fraction of that of ordinary
// least squares, so that one list of fractions suits all targets. The penalty for a fraction
// is interpolated in a grid, in ln(1 + α), as the authors' fracridge package does.

// DefaultFractions returns 0.1, 0.2, … 1.
func DefaultFractions() []float64 {
	f := make([]float64, 10)
	for i := range f {
		f[i] = float64(i+1) / 10
	}
	return f
}

// A FractionalModel has the fraction of each target that cross-validation chose.
type FractionalModel struct {
	Model               // Grid is nil; CVTable is [len(Fractions), targets]
	Fractions []float64 // compared
	Chosen    []float64 // of each target
}

// FitFractions fits with given fractions of the length of the least-squares coefficients,
// ascending, above 0 and up to 1, and returns a model for each; Model.Alphas are the penalties
// found. Lengths are those of standardised features unless Options.NoStandardise is set.
//
// It needs all eigenvalues: some minutes for 5,000 features.
//
//	x  [samples, features]
//	y  [samples, targets]
func FitFractions(ctx context.Context, x, y linalg.Matrix[float32], fractions []float64, o Options) ([]*Model, error) {
	if err := checkXY(x, y); err != nil {
		return nil, err
	}
	if err := checkFractions(fractions); err != nil {
		return nil, err
	}
	o.StandardiseOnce = true
	o.Alphas = nil
	p, err := newProblem[float64](x, y, runs(x.Rows), o)
	if err != nil {
		return nil, err
	}
	p.spectral()
	p.total = 1 + len(p.plan.batches)
	return p.fitFractions(ctx, fractions)
}

// FitFractionsCV chooses the fraction of every target by cross-validation; of fractions with
// equal scores the smallest is taken. In each fold, lengths are fractions of that of its own
// least-squares coefficients. Options.Alphas is not used.
func FitFractionsCV(ctx context.Context, x, y linalg.Matrix[float32], fractions []float64, o Options) (*FractionalModel, error) {
	if err := checkXY(x, y); err != nil {
		return nil, err
	}
	if err := checkFractions(fractions); err != nil {
		return nil, err
	}
	o.Alphas = nil
	o, err := o.withDefaults(x.Rows)
	if err != nil {
		return nil, err
	}
	parts, err := Folds(x.Rows, o.Folds, o.Groups)
	if err != nil {
		return nil, err
	}
	p, err := newProblem[float64](x, y, parts, o)
	if err != nil {
		return nil, err
	}
	p.spectral()
	p.total = (len(parts) + 1) * (1 + len(p.plan.batches))
	table := make([]float64, len(fractions)*y.Cols)
	for f := range parts {
		if err := p.scoreFractions(ctx, f, fractions, table); err != nil {
			return nil, err
		}
	}
	for i := range table {
		table[i] /= float64(len(parts))
	}
	models, err := p.fitFractions(ctx, fractions)
	if err != nil {
		return nil, err
	}
	m := &FractionalModel{Model: *models[0], Fractions: fractions, Chosen: make([]float64, y.Cols)}
	m.CVTable, m.CVScores = table, make([]float64, y.Cols)
	flat := make([]float64, len(fractions)) // choose's rule for ties must not prefer the largest
	for i := range flat {
		flat[i] = 1
	}
	for t, f := range choose(table, flat, o.units(y), o.Global) {
		of := models[f]
		m.Chosen[t], m.CVScores[t] = fractions[f], table[f*y.Cols+t]
		m.Alphas[t], m.Intercept[t] = of.Alphas[t], of.Intercept[t]
		for i := range of.Coef.Rows {
			m.Coef.Row(i)[t] = of.Coef.Row(i)[t]
		}
	}
	return m, nil
}

func checkFractions(fractions []float64) error {
	if len(fractions) == 0 {
		return fmt.Errorf("ridge: no fractions")
	}
	for i, f := range fractions {
		if !(f > 0 && f <= 1) {
			return fmt.Errorf("ridge: fraction %v, expected more than 0 and at most 1", f)
		}
		if i > 0 && !(f > fractions[i-1]) {
			return fmt.Errorf("ridge: fraction %v after %v, expected them ascending", f, fractions[i-1])
		}
	}
	return nil
}

// spectral has problems of all sizes decomposed into eigenvalues.
func (p *problem[E]) spectral() {
	switch f := p.form.(type) {
	case *primal[E]:
		f.spectral = true
	case *dual[E]:
		f.spectral = true
	}
}

// fitFractions returns a model of all rows for each fraction.
func (p *problem[E]) fitFractions(ctx context.Context, fractions []float64) ([]*Model, error) {
	models := make([]*Model, len(fractions))
	for i := range models {
		models[i] = &Model{Coef: linalg.New[float32](p.x.Cols, p.y.Cols), Intercept: make([]float64, p.y.Cols),
			Alphas: make([]float64, p.y.Cols), Scaler: p.scaler}
	}
	s, err := p.system(-1, nil)
	if err != nil {
		return nil, err
	}
	p.step()
	m := p.unknowns(-1)
	for _, b := range p.plan.batches {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		lo, hi := b[0], b[1]
		r, alphas := p.lengths(s, -1, p.columns[lo:hi], fractions)
		w := newDense(m, hi-lo)
		for i, model := range models {
			copy(w.Data, r.Data)
			copy(model.Alphas[lo:hi], alphas[i])
			s.shrink(w, alphas[i]...)
			s.restoreDense(w)
			to := model.Coef.Slice(0, p.x.Cols, lo, hi)
			if _, ok := p.form.(*primal[E]); ok {
				convert(to, w)
			} else {
				p.fromSamples(to, w)
			}
			if p.intercept {
				p.intercepts(model.Intercept[lo:hi], to, p.columns[lo:hi])
			}
		}
		p.step()
	}
	return models, nil
}

// scoreFractions adds the scores of fold f to table.
func (p *problem[E]) scoreFractions(ctx context.Context, f int, fractions, table []float64) error {
	s, err := p.system(f, nil)
	if err != nil {
		return err
	}
	p.step()
	lo, hi := p.held(f)
	m, targets := p.unknowns(f), p.y.Cols
	l := newDense(m, hi-lo)
	p.left(l, f, nil)
	s.rotateDense(l)
	for _, b := range p.plan.batches {
		if err := ctx.Err(); err != nil {
			return err
		}
		columns := p.columns[b[0]:b[1]]
		r, alphas := p.lengths(s, f, columns, fractions)
		truth, predicted := newDense(hi-lo, len(columns)), newDense(hi-lo, len(columns))
		convert(truth, p.heldTargets(f, columns))
		w := newDense(m, len(columns))
		for i := range fractions {
			copy(w.Data, r.Data)
			s.shrink(w, alphas[i]...)
			linalg.Mul(predicted, 1, l.T(), w, 0)
			addScore(p.opt.Score, table[i*targets+b[0]:i*targets+b[1]], truth, predicted)
		}
		p.step()
	}
	return nil
}

// heldTargets returns Y of the rows left out, less its mean outside.
func (p *problem[E]) heldTargets(f int, columns []int) linalg.Matrix[E] {
	lo, hi := p.held(f)
	y := linalg.New[E](hi-lo, len(columns))
	p.targets(y, lo, hi, columns)
	if p.intercept {
		subtractRow(y, p.targetMean(f, columns))
	}
	return y
}

// lengths returns the rotated right-hand sides of some targets, and the penalties that give
// their coefficients the fractions of length.
func (p *problem[E]) lengths(s factor[E], f int, columns []int, fractions []float64) (r dense, alphas [][]float64) {
	m := p.unknowns(f)
	right := linalg.New[E](m, len(columns))
	p.right(right, f, columns, nil)
	s.rotate(right, nil)
	r = newDense(m, len(columns))
	convert(r, right)
	_, ofFeatures := p.form.(*primal[E])
	sp := any(s).(*spectrum)
	grid := fractionGrid(sp.s)
	// Σ (rᵢ/(sᵢ + α))² for coefficients of features, times sᵢ for those of samples.
	squares := make([][]float64, len(columns))
	eachRow(len(columns), func(from, to int) {
		for t := from; t < to; t++ {
			squares[t] = make([]float64, len(grid))
			for i, e := range sp.s {
				if e == 0 {
					continue
				}
				z := r.Data[i*r.Stride+t]
				z *= z
				if !ofFeatures {
					z *= e
				}
				for a, alpha := range grid {
					squares[t][a] += z / ((e + alpha) * (e + alpha))
				}
			}
		}
	})
	alphas = make([][]float64, len(fractions))
	for i, fraction := range fractions {
		alphas[i] = make([]float64, len(columns))
		for t := range columns {
			alphas[i][t] = penaltyOf(fraction, squares[t], grid)
		}
	}
	return r, alphas
}

// fractionGrid returns 0 and penalties from a hundredth of the smallest eigenvalue to ten
// thousand times the largest, five a decade: the constants of fracridge.
func fractionGrid(s []float64) []float64 {
	grid := []float64{0}
	least, most := math.Inf(1), 0.0
	for _, e := range s {
		if e > 0 {
			least, most = min(least, e), max(most, e)
		}
	}
	if most == 0 {
		return grid
	}
	from, to := math.Floor(math.Log10(1e-2*least)), math.Ceil(math.Log10(1e4*most))
	for i := 0; ; i++ {
		e := from + 0.2*float64(i)
		if e >= to-1e-9 {
			return grid
		}
		grid = append(grid, math.Pow(10, e))
	}
}

// penaltyOf interpolates ln(1 + α) where the length, which falls along the grid, is that
// fraction of the first.
func penaltyOf(fraction float64, squares, grid []float64) float64 {
	if squares[0] == 0 { // no coefficients at any penalty
		return 0
	}
	length := func(a int) float64 { return math.Sqrt(squares[a] / squares[0]) }
	a := sort.Search(len(grid), func(a int) bool { return length(a) <= fraction })
	switch a {
	case 0:
		return grid[0]
	case len(grid):
		return grid[len(grid)-1]
	}
	upper, lower := length(a-1), length(a)
	w := (upper - fraction) / (upper - lower)
	return math.Expm1((1-w)*math.Log1p(grid[a-1]) + w*math.Log1p(grid[a]))
}
