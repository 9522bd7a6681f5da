package fit

import (
	"context"
	"fmt"
	"runtime/debug"

	"percept/fmri/ridge"
	"percept/fmri/table"
	"percept/tensor"
	"percept/tensor/linalg"
)

// Fit fits y to x.
//
//	x  [rows, voxels] or [rows, values of a feature]
//	y  likewise; rows that are not those of x are brought to them by image, see table.Join
//
// It is an error that names the table where rows do not meet, where a value is no number, and where the bound of memory is too
// low, with the least that would do.
func Fit(ctx context.Context, x, y *table.Table, o Options) (*Model, error) {
	p, err := newPlan(x, y, o)
	if err != nil {
		return nil, err
	}
	return p.model, p.run(ctx)
}

// plan is a fit before it is made: a model that says everything but the numbers, and how to make them.
type plan struct {
	x, y  *table.Table
	model *Model
	ridge ridge.Options
	slabs [][2]int // ranges of targets
	note  func(string)
}

// newPlan joins rows, resolves options and divides the targets. No value is read.
func newPlan(x, y *table.Table, o Options) (*plan, error) {
	x, y, err := table.Join(x, y)
	if err != nil {
		return nil, err
	}
	m := &Model{X: sideOf(x), Y: sideOf(y), Images: x.Rows.Images}
	if m.X.Voxels != nil {
		m.X.Meta = nil // what is said of voxels is in their columns
	}
	if m.Images == nil {
		m.Images = y.Rows.Images
	}
	m.Made = map[string]string{"program": o.Program, "kernels": tensor.KernelSet()}
	kx, ky := kindOf(x), kindOf(y)
	if kx == ky {
		kx, ky = "x_"+kx, "y_"+ky
	}
	m.Made[kx], m.Made[ky] = x.Sum, y.Sum
	p := &plan{x: x, y: y, model: m, note: o.Note}
	if p.ridge, err = o.resolve(x, y, m); err != nil {
		return nil, err
	}
	p.slabs, err = Slabs(x.Len(), x.Width(), y.Width(), p.ridge)
	if held := y.InMemory(); err == nil && held > 0 && len(p.slabs) > 1 && p.ridge.MaxMemory > 0 { // Y lies in memory beside its slabs
		p.ridge.MaxMemory = max(1, p.ridge.MaxMemory-held)
		p.slabs, err = Slabs(x.Len(), x.Width(), y.Width(), p.ridge)
	}
	m.Options.Slabs = len(p.slabs)
	return p, err
}

// kindOf is what a model's file calls the sum of a table.
func kindOf(t *table.Table) string {
	if t.Cols.Voxels != nil {
		return "responses"
	}
	return "features"
}

// run fits.
func (p *plan) run(ctx context.Context) error {
	if len(p.slabs) > 1 && p.note != nil {
		p.note(fmt.Sprintf("%d targets do not fit into the memory together and are fitted in %d parts", p.y.Width(), len(p.slabs)))
	}
	defer BoundMemory(p.ridge.MaxMemory)()
	x, err := p.x.Matrix(ctx)
	if err != nil {
		return err
	}
	p.tellConstant(x)
	if p.model.Model, err = fitSlabs(ctx, x, p.y, p.slabs, p.ridge); err != nil {
		return err
	}
	if n := p.model.Moved; n > 0 && p.note != nil {
		p.note(fmt.Sprintf("warning: %d of %d targets of %s vary so little that the published code's rule for ties, which counts in their "+
			"units, gives them another penalty; in larger units, or without --compat, they get the best one", n, p.y.Width(), p.y.Name))
	}
	if one := p.model.OneFold; len(one) > 0 && p.note != nil {
		p.note("note: " + p.x.Places(one) + " vary in the rows of one fold alone, as where a value is far from all others (an outlier, a fill " +
			"value?): cross-validation does without them there")
	}
	if n := p.model.Edge.Flat; n > 0 && p.note != nil {
		p.note(fmt.Sprintf("note: %d of %d targets of %s are alike in all training rows", n, p.y.Width(), p.y.Name))
	}
	p.model.summarise()
	return nil
}

// tellConstant tells of columns of X that do not vary: they get the coefficient 0.
func (p *plan) tellConstant(x linalg.Matrix[float32]) {
	if p.note == nil {
		return
	}
	var alike []int
	for j, constant := range ridge.Constant(x) {
		if constant {
			alike = append(alike, j)
		}
	}
	if len(alike) > 0 {
		p.note("note: " + p.x.Places(alike) + " are alike in all training rows and have no part in the prediction")
	}
}

// BoundMemory has garbage collected before it fills what a fit was allowed, until the function that it returns is called.
// 0 is no bound.
func BoundMemory(bytes int64) (restore func()) {
	if bytes <= 0 {
		return func() {}
	}
	const besides = 256 << 20 // the program, and what no plan counts
	before := debug.SetMemoryLimit(-1)
	debug.SetMemoryLimit(min(before, bytes+besides))
	return func() { debug.SetMemoryLimit(before) }
}
