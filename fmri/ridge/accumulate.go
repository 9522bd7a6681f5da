package ridge

import (
	"context"
	"errors"
	"fmt"
	"math"

	"percept/tensor/linalg"
)

// An Accumulator fits rows that are never in memory together: it sums X'X and X'Y, for every
// fold apart, and fits and cross-validates from the sums alone. The result is FitCV's up to
// rounding; all of it is float64.
//
// It takes 8·(folds + 3)·features·(features + targets) bytes, and cross-validation needs
// 2·features²·targets operations for each fold and penalty, features/held times those of FitCV.
type Accumulator struct {
	features, targets int
	shift, yShift     []float64 // about the means, so that sums of squares keep their digits
	parts             []sums
}

// sums are those of the rows of one fold, less the shifts.
type sums struct {
	n     float64
	x, y  []float64
	xx    dense // lower triangle
	xy    dense
	yy    []float64
	low   []float64 // the least and greatest of every target
	great []float64
}

// NewAccumulator returns an empty one. With 1 fold there is no cross-validation, but Fit.
func NewAccumulator(features, targets, folds int) (*Accumulator, error) {
	if features < 1 || targets < 1 || folds < 1 {
		return nil, fmt.Errorf("ridge: an accumulator of %d features, %d targets and %d folds, expected 1 or more of each", features,
			targets, folds)
	}
	a := &Accumulator{features: features, targets: targets}
	for range folds {
		a.parts = append(a.parts, newSums(features, targets))
	}
	return a, nil
}

func newSums(features, targets int) sums {
	s := sums{
		x: make([]float64, features), y: make([]float64, targets), yy: make([]float64, targets),
		low: make([]float64, targets), great: make([]float64, targets), xx: newDense(features, features), xy: newDense(features, targets),
	}
	for j := range s.low {
		s.low[j], s.great[j] = math.Inf(1), math.Inf(-1)
	}
	return s
}

// Add adds some rows. Sums depend on the order of slabs in their last digits alone.
//
//	x     [rows, features]
//	y     [rows, targets]
//	fold  in which each row is left out, 0, 1, …; as Folds has it, rows of one image are in one
func (a *Accumulator) Add(x, y linalg.Matrix[float32], fold []int) error {
	if err := check("X", x); err != nil {
		return err
	}
	if err := check("Y", y); err != nil {
		return err
	}
	if x.Cols != a.features || y.Cols != a.targets || x.Rows != y.Rows || len(fold) != x.Rows {
		return fmt.Errorf("ridge: X is %d×%d and Y %d×%d with %d folds, expected as many rows and folds, %d features and %d targets",
			x.Rows, x.Cols, y.Rows, y.Cols, len(fold), a.features, a.targets)
	}
	rows := make([][]int, len(a.parts))
	for i, f := range fold {
		if f < 0 || f >= len(a.parts) {
			return fmt.Errorf("ridge: row %d is in fold %d, expected 0 to %d", i, f, len(a.parts)-1)
		}
		rows[f] = append(rows[f], i)
	}
	if a.shift == nil {
		a.shift, a.yShift = columnMeans(x), columnMeans(y)
	}
	for f, of := range rows {
		for _, b := range split(len(of), gramRows) {
			a.parts[f].add(x, y, of[b[0]:b[1]], a.shift, a.yShift)
		}
	}
	return nil
}

func (s *sums) add(x, y linalg.Matrix[float32], rows []int, shift, yShift []float64) {
	xs, ys := newDense(len(rows), x.Cols), newDense(len(rows), y.Cols)
	standardise(xs, x, rows, nil)
	standardise(ys, y, rows, nil)
	subtractRow(xs, shift)
	subtractRow(ys, yShift)
	s.n += float64(len(rows))
	columnSums(s.x, xs)
	columnSums(s.y, ys)
	for i := range rows {
		for j, v := range ys.Row(i) {
			s.yy[j] += v * v
			s.low[j], s.great[j] = min(s.low[j], v), max(s.great[j], v)
		}
	}
	linalg.GramLower(s.xx, 1, xs.T(), 1)
	linalg.Mul(s.xy, 1, xs.T(), ys, 1)
}

// plus adds t to s.
func (s *sums) plus(t *sums) {
	s.n += t.n
	for _, pair := range [][2][]float64{{s.x, t.x}, {s.y, t.y}, {s.yy, t.yy}, {s.xx.Data, t.xx.Data}, {s.xy.Data, t.xy.Data}} {
		for i, v := range pair[1] {
			pair[0][i] += v
		}
	}
	for j := range s.low {
		s.low[j], s.great[j] = min(s.low[j], t.low[j]), max(s.great[j], t.great[j])
	}
}

// outside returns the sums of all rows but fold f's; of all with f < 0.
func (a *Accumulator) outside(f int) *sums {
	all := newSums(a.features, a.targets)
	for g := range a.parts {
		if g != f {
			all.plus(&a.parts[g])
		}
	}
	return &all
}

// A centring is what rows have done to them before a fit: mean subtracted and factor taken.
type centring struct{ mean, factor, yMean []float64 }

// centre returns that of rows with those sums; with standardise, features get a standard
// deviation of 1, and 0 where they do not vary.
func (a *Accumulator) centre(s *sums, o Options) centring {
	c := centring{make([]float64, a.features), make([]float64, a.features), make([]float64, a.targets)}
	for j := range c.mean {
		mean, square := s.x[j]/s.n, s.xx.At(j, j)/s.n
		c.factor[j] = 1
		switch {
		case !o.NoStandardise:
			c.mean[j] = mean
			// Below: no more than the rounding of float32 data.
			v, size := square-mean*mean, math.Abs(a.shift[j]+mean)
			if v > 1e-12*square && v > 1e-15*size*size {
				c.factor[j] = 1 / math.Sqrt(v)
			} else {
				c.factor[j] = 0
			}
		case !o.NoIntercept:
			c.mean[j] = mean
		default:
			c.mean[j] = -a.shift[j] // as it was
		}
	}
	for j := range c.yMean {
		c.yMean[j] = s.y[j] / s.n
		if o.NoIntercept {
			c.yMean[j] = -a.yShift[j]
		}
	}
	return c
}

// normal returns X'X (its lower triangle), X'Y and the sums of X of rows with those sums,
// after centring.
func (c centring) normal(s *sums) (xx, xy dense, x, y []float64) {
	p, t := len(c.mean), len(c.yMean)
	xx, xy, x, y = newDense(p, p), newDense(p, t), make([]float64, p), make([]float64, t)
	for j := range y {
		y[j] = s.y[j] - s.n*c.yMean[j]
	}
	eachRow(p, func(from, to int) {
		for i := from; i < to; i++ {
			x[i] = (s.x[i] - s.n*c.mean[i]) * c.factor[i]
			row, of := xx.Row(i), s.xx.Row(i)
			for j := range row[:i+1] {
				v := of[j] - c.mean[i]*s.x[j] - s.x[i]*c.mean[j] + s.n*c.mean[i]*c.mean[j]
				row[j] = v * c.factor[i] * c.factor[j]
			}
			row, of = xy.Row(i), s.xy.Row(i)
			for j := range row {
				v := of[j] - c.mean[i]*s.y[j] - s.x[i]*c.yMean[j] + s.n*c.mean[i]*c.yMean[j]
				row[j] = v * c.factor[i]
			}
		}
	})
	return xx, xy, x, y
}

// Fit fits all rows with given penalties, as the function Fit does.
func (a *Accumulator) Fit(ctx context.Context, alphas []float64, o Options) (*Model, error) {
	each, err := spread(alphas, a.targets)
	if err != nil {
		return nil, err
	}
	s := a.outside(-1)
	if s.n < 2 {
		return nil, fmt.Errorf("ridge: %v samples, expected at least 2", s.n)
	}
	c := a.centre(s, o)
	xx, w, _, _ := c.normal(s)
	f, err := decompose[float64](xx, max(a.features, int(s.n)), false)
	if err != nil {
		return nil, err
	}
	m := &Model{Coef: linalg.New[float32](a.features, a.targets), Intercept: make([]float64, a.targets), Alphas: each}
	for _, b := range split(a.targets, targetBatch) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		part := w.Slice(0, a.features, b[0], b[1])
		f.rotateDense(part)
		f.shrink(part, each[b[0]:b[1]]...)
		f.restoreDense(part)
	}
	convert(m.Coef, w)
	if !o.NoIntercept {
		for j := range m.Intercept {
			m.Intercept[j] = a.yShift[j] + c.yMean[j]
		}
	}
	if o.NoStandardise {
		for i := range w.Rows {
			if o.NoIntercept {
				break
			}
			for j, v := range w.Row(i) {
				m.Intercept[j] -= (a.shift[i] + c.mean[i]) * v
			}
		}
		return m, nil
	}
	m.Scaler = &Scaler{make([]float64, a.features), make([]float64, a.features)}
	for j := range c.mean {
		m.Scaler.Mean[j], m.Scaler.Scale[j] = a.shift[j]+c.mean[j], 1
		if c.factor[j] != 0 {
			m.Scaler.Scale[j] = 1 / c.factor[j]
		}
	}
	return m, nil
}

// FitCV chooses penalties by cross-validation over the folds that rows were added to, and fits
// all rows. Options.Folds, Groups, Form, Precision and MaxMemory have no meaning; with
// StandardiseOnce every fold has the features' standard deviations over all rows.
func (a *Accumulator) FitCV(ctx context.Context, o Options) (*Model, error) {
	if len(a.parts) < 2 {
		return nil, errors.New("ridge: cross-validation of an accumulator with 1 fold, expected 2 or more")
	}
	o.Folds = 0
	o, err := o.withDefaults(math.MaxInt)
	if err != nil {
		return nil, err
	}
	all := a.outside(-1)
	for f := range a.parts {
		if n := a.parts[f].n; n == 0 || n == all.n {
			return nil, fmt.Errorf("ridge: fold %d has %v of %v samples, expected some but not all", f, n, all.n)
		}
	}
	table := make([]float64, len(o.Alphas)*a.targets)
	total := len(a.parts)*len(o.Alphas) + 1
	done := 0
	step := func() {
		if done++; o.Progress != nil {
			o.Progress(done, total)
		}
	}
	for f := range a.parts {
		if err := a.scoreFold(ctx, f, o, all, table, step); err != nil {
			return nil, err
		}
	}
	for i := range table {
		table[i] /= float64(len(a.parts))
	}
	alphas, scores := make([]float64, a.targets), make([]float64, a.targets)
	units := func(o Options) []float64 { return a.units(all, o) }
	best := choose(table, o.Alphas, units(o), o.Global)
	for t, i := range best {
		alphas[t], scores[t] = o.Alphas[i], table[i*a.targets+t]
	}
	m, err := a.Fit(ctx, alphas, o)
	if err != nil {
		return nil, err
	}
	step()
	m.CVScores, m.CVTable, m.Grid = scores, table, o.Alphas
	m.Edge, m.Moved = edgesOf(all.flat(), alphas, o.Alphas), o.moved(table, best, units)
	return m, nil
}

// scoreFold adds the scores of fold f. A prediction is x·w for rows x and truths y of the
// fold, less what the other rows' means are; its squares are w'X'Xw, its products with y w'X'y.
func (a *Accumulator) scoreFold(ctx context.Context, f int, o Options, all *sums, table []float64, step func()) error {
	s := a.outside(f)
	c := a.centre(s, o)
	if o.StandardiseOnce && !o.NoStandardise {
		once := a.centre(all, o)
		c.factor = once.factor
		if o.NoIntercept {
			c.mean = once.mean
		}
	}
	p := a.features
	xx, right, _, _ := c.normal(s)
	of, err := decompose[float64](xx, max(p, int(all.n)), false)
	if err != nil {
		return err
	}
	held := &a.parts[f]
	heldXX, heldXY, x, y := c.normal(held)
	linalg.Mirror(heldXX)
	of.rotateDense(heldXX)
	turned := newDense(p, p)
	convertTransposed(turned, heldXX)
	of.rotateDense(turned) // Q'·X'X·Q
	of.rotateDense(right)
	of.rotateDense(heldXY)
	sumX := linalg.Of(x, p, 1)
	of.rotateDense(sumX)
	flat := held.flat()
	for _, b := range split(a.targets, targetBatch) {
		lo, hi := b[0], b[1]
		w, xw := newDense(p, hi-lo), newDense(p, hi-lo)
		for i, alpha := range o.Alphas {
			if err := ctx.Err(); err != nil {
				return err
			}
			convert(w, right.Slice(0, p, lo, hi))
			of.shrink(w, alpha)
			linalg.Mul(xw, 1, turned, w, 0)
			sum := make([]moments, hi-lo)
			for k := range p {
				ofW, ofXW, ofXY, x := w.Row(k), xw.Row(k), heldXY.Row(k)[lo:hi], sumX.Data[k]
				for j, v := range ofW {
					m := &sum[j]
					m.p += v * x
					m.yp += v * ofXY[j]
					m.pp += v * ofXW[j]
				}
			}
			row := table[i*a.targets : (i+1)*a.targets]
			for j, m := range sum {
				t := lo + j
				m.n, m.y = held.n, y[t]
				m.yy = held.yy[t] - 2*c.yMean[t]*held.y[t] + held.n*c.yMean[t]*c.yMean[t]
				row[t] += m.score(o.Score, flat[t])
			}
			if hi == a.targets {
				step()
			}
		}
	}
	return nil
}

// moments are sums over samples of a truth y and a prediction p.
type moments struct{ n, y, p, yy, yp, pp float64 }

func (m moments) score(s Score, flat bool) float64 {
	loss := m.yy - 2*m.yp + m.pp
	y, p := m.yy-m.y*m.y/m.n, m.pp-m.p*m.p/m.n
	switch {
	case s == L2:
		return -loss / m.n
	case flat || y <= 0:
		return 0
	case s == R2:
		return 1 - loss/y
	case p <= 1e-13*m.pp || m.pp == 0:
		return 0
	}
	return (m.yp - m.y*m.p/m.n) / math.Sqrt(y*p)
}

// units is Options.units of the targets.
func (a *Accumulator) units(of *sums, o Options) []float64 {
	units := make([]float64, a.targets)
	for t, flat := range of.flat() {
		if o.Score != L2 || o.UnscaledTies {
			units[t] = 1
			continue
		}
		mean := of.y[t] / of.n
		if !flat {
			units[t] = max(0, of.yy[t]/of.n-mean*mean)
		}
		if o.NoIntercept {
			units[t] += (mean + a.yShift[t]) * (mean + a.yShift[t])
		}
	}
	return units
}

// flat says which targets do not vary.
func (s *sums) flat() []bool {
	flat := make([]bool, len(s.low))
	for j := range flat {
		flat[j] = s.low[j] == s.great[j]
	}
	return flat
}
