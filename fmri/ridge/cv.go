package ridge

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"percept/tensor/linalg"
)

// FitCV chooses penalties by cross-validation and fits all samples with them.
//
//	x  [samples, features]
//	y  [samples, targets]
//
// Every fold is predicted by the other rows alone: their means, and their standard
// deviations unless Options.StandardiseOnce says otherwise. The cost is that of package
// ridge's doc comment.
//
// Of penalties with equal scores the largest is taken: as in himalaya, 10⁻¹⁰·ln α is added to
// each mean score when they are compared (CVScores and CVTable are without it), but in units
// of the target's variance where the score is a squared error. See Options.UnscaledTies.
func FitCV(ctx context.Context, x, y linalg.Matrix[float32], o Options) (*Model, error) {
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
	if o.double(x) {
		return fitCV[float64](ctx, x, y, parts, o)
	}
	return fitCV[float32](ctx, x, y, parts, o)
}

func fitCV[E linalg.Float](ctx context.Context, x, y linalg.Matrix[float32], parts [][]int, o Options) (*Model, error) {
	p, err := newProblem[E](x, y, parts, o)
	if err != nil {
		return nil, err
	}
	return p.run(ctx)
}

// run is cross-validation and the fit of all rows.
func (p *problem[E]) run(ctx context.Context) (*Model, error) {
	o, y := p.opt, p.y
	p.total = (len(p.starts)-1)*(1+p.plan.rounds*len(p.plan.batches)) + 1 + len(p.plan.batches)
	table, err := p.crossValidate(ctx, nil)
	if err != nil {
		return nil, err
	}
	best := choose(table, o.Alphas, o.units(y), o.Global)
	alphas, scores := make([]float64, y.Cols), make([]float64, y.Cols)
	for t, a := range best {
		alphas[t], scores[t] = o.Alphas[a], table[a*y.Cols+t]
	}
	m, err := p.solve(ctx, alphas)
	if err != nil {
		return nil, err
	}
	m.CVScores, m.CVTable, m.Grid = scores, table, o.Alphas
	m.OneFold = p.lostColumns()
	m.Edge, m.Moved = edges(y, alphas, o.Alphas), o.moved(table, best, func(o Options) []float64 { return o.units(y) })
	return m, nil
}

// A problem is a form of X and Y with all that fitting needs.
type problem[E linalg.Float] struct {
	*rows[E]
	form[E]
	opt  Options
	plan plan
	m    *memory
	coef linalg.Matrix[float32] // of the model to be [p, targets]

	progress sync.Mutex
	done     int
	total    int
}

// newProblem prepares X and Y. parts are the rows of each fold.
func newProblem[E linalg.Float](x, y linalg.Matrix[float32], parts [][]int, o Options) (*problem[E], error) {
	m := &memory{}
	pl, err := o.plan(size{x.Rows, x.Cols, y.Cols, longest(parts), o.primal(x.Rows, x.Cols), isDouble[E](), 0, len(o.Alphas) > 0})
	if err != nil {
		return nil, err
	}
	r, err := newRows[E](m, x, y, parts, o)
	if err != nil {
		return nil, err
	}
	p := &problem[E]{rows: r, opt: o, plan: pl, m: m}
	m.add(bytesOf[float32](x.Cols, y.Cols))
	p.coef = linalg.New[float32](x.Cols, y.Cols)
	if !o.primal(x.Rows, x.Cols) {
		p.form = newDual(m, r, nil)
		return p, nil
	}
	all, ok := any(p.coef).(linalg.Matrix[E])
	if !ok {
		all = take[E](m, x.Cols, y.Cols)
	}
	p.form = newPrimal(m, r, all, pl.batches)
	return p, nil
}

func longest(parts [][]int) int {
	most := 0
	for _, part := range parts {
		most = max(most, len(part))
	}
	return most
}

// crossValidate returns the mean over folds of the score of every penalty and target, with a
// weight for each feature or kernel.
func (p *problem[E]) crossValidate(ctx context.Context, weight []float64) ([]float64, error) {
	table := make([]float64, len(p.opt.Alphas)*p.y.Cols)
	for f := range len(p.starts) - 1 {
		if err := p.scoreFold(ctx, f, weight, table); err != nil {
			return nil, err
		}
		if p.plan.bytes > largePlan {
			runtime.GC() // the fold's matrices, which otherwise lie beside those of the next ones
		}
	}
	for i := range table {
		table[i] /= float64(len(p.starts) - 1)
	}
	return table, nil
}

// largePlan is how many bytes a fit takes at least for its garbage to be collected after each
// fold; the collector by itself waits until the heap has doubled.
const largePlan = 256 << 20

// scoreFold adds the scores of fold f to table.
//
//	A_α = (S + α)⁻¹·L, prediction = A_α'·R = ((C + α)⁻¹·Q'L)'·Q'R
//
// Q' is applied to R or Q to A, whichever has fewer columns.
func (p *problem[E]) scoreFold(ctx context.Context, f int, weight, table []float64) error {
	s, err := p.system(f, weight)
	if err != nil {
		return err
	}
	p.step()
	lo, hi := p.held(f)
	held, m, targets, alphas := hi-lo, p.unknowns(f), p.y.Cols, p.opt.Alphas
	turn := targets <= held*len(alphas)
	wide := widest(p.plan.batches)

	rotated, solved := take[float64](p.m, m, held), take[float64](p.m, m, held)
	p.left(rotated, f, weight)
	s.rotateDense(rotated)
	work := take[E](p.m, linalg.WorkPerColumn, max(wide, held))
	group := min(p.plan.group, len(alphas))
	var predictors []linalg.Matrix[E]
	for range group {
		predictors = append(predictors, take[E](p.m, held, m))
	}
	right, truth, predicted := take[E](p.m, m, wide), take[E](p.m, held, wide), take[E](p.m, held, wide)
	for a0 := 0; a0 < len(alphas); a0 += group {
		a1 := min(a0+group, len(alphas))
		for a := a0; a < a1; a++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			copy(solved.Data, rotated.Data)
			s.shrink(solved, alphas[a])
			convertTransposed(predictors[a-a0], solved)
			if !turn {
				s.restore(predictors[a-a0].T(), work.Data)
			}
		}
		for _, b := range p.plan.batches {
			if err := ctx.Err(); err != nil {
				return err
			}
			n, columns := b[1]-b[0], p.columns[b[0]:b[1]]
			r, y, yHat := right.Slice(0, m, 0, n), truth.Slice(0, held, 0, n), predicted.Slice(0, held, 0, n)
			p.right(r, f, columns, weight)
			if turn {
				s.rotate(r, work.Data)
			}
			p.targets(y, lo, hi, columns)
			if p.intercept {
				subtractRow(y, p.targetMean(f, columns))
			}
			for a := a0; a < a1; a++ {
				linalg.Mul(yHat, 1, predictors[a-a0], r, 0)
				addScore(p.opt.Score, table[a*targets+b[0]:a*targets+b[1]], y, yHat)
			}
			p.step()
		}
	}
	for _, matrix := range append(predictors, work, right, truth, predicted) {
		drop(p.m, matrix)
	}
	drop(p.m, rotated)
	drop(p.m, solved)
	return nil
}

// step reports one part of the work as done.
func (p *problem[E]) step() {
	if p.opt.Progress == nil {
		return
	}
	p.progress.Lock()
	defer p.progress.Unlock()
	p.done++
	p.opt.Progress(p.done, p.total)
}

// checkXY reports arrays that do not fit together.
func checkXY(x, y linalg.Matrix[float32]) error {
	if err := check("X", x); err != nil {
		return err
	}
	if err := check("Y", y); err != nil {
		return err
	}
	if x.Rows != y.Rows {
		return fmt.Errorf("ridge: X has %d samples and Y has %d, expected as many", x.Rows, y.Rows)
	}
	if x.Rows < 2 {
		return fmt.Errorf("ridge: %d sample, expected at least 2", x.Rows)
	}
	return nil
}
