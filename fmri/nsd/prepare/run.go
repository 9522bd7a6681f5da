package prepare

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"percept/fmri/nsd"
	"percept/fmri/table"
	"percept/internal/cause"
)

// Result is what a Run left or found.
type Result struct {
	*table.Folder
	UpToDate bool  // the folder was there already
	Reused   int   // sessions whose parts an interrupted run had left
	Read     []int // sessions that were read
}

// Run takes the responses that o asks for out of the tree at root and leaves the folder out. program is the version that
// the manifest names. Where out is there already and was made from the same tree with the same options and program nothing
// is done; another folder there is an error. What an interrupted Run left in out.partial is gone on with.
func Run(ctx context.Context, root, out, program string, o Options) (*Result, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	out, err := place(out)
	if err != nil {
		return nil, err
	}
	job, err := newJob(root, out, program, o.withDefaults())
	if err != nil {
		return nil, err
	}
	defer job.data.Close()
	if done, err := job.finished(ctx); done || err != nil {
		if err != nil {
			return nil, err
		}
		os.RemoveAll(job.partial()) // of a run that was killed after its last step
		f, err := table.OpenFolder(out)
		if err == nil {
			if err = f.Verify(); err != nil {
				err = fmt.Errorf("%w; remove %s to make it anew", err, out)
			}
		}
		return &Result{Folder: f, UpToDate: true}, err
	}
	lock, err := job.begin()
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	result := &Result{}
	if err := job.extract(ctx, result); err != nil {
		return nil, err
	}
	if err := job.assemble(ctx); err != nil {
		return nil, err
	}
	if err := job.publish(lock); err != nil {
		return nil, err
	}
	result.Folder, err = table.OpenFolder(out)
	return result, err
}

func (j *job) partPath(session int) string {
	return j.partial(fmt.Sprintf("session%02d.betas", session))
}

func (j *job) progress(done int) {
	if j.o.Progress != nil {
		j.o.Progress(min(done, j.total), j.total)
	}
}

// extract reads the sessions whose parts are not there.
func (j *job) extract(ctx context.Context, r *Result) error {
	for i, n := range j.sessions {
		j.progress(i * stepsOfSession)
		if err := ctx.Err(); err != nil {
			return err
		}
		f, err := j.session(n)
		if err != nil {
			return err
		}
		want := int64(f.ElementSize()) * int64(f.Trials) * int64(j.sel.mask.Len())
		if st, err := os.Stat(j.partPath(n)); err == nil && st.Size() == want {
			r.Reused++
			f.Close()
			continue
		}
		err = extract(ctx, f, j.partPath(n), j.sel.mask)
		f.Close()
		if err != nil {
			return err
		}
		r.Read = append(r.Read, n)
	}
	return nil
}

// assemble writes the arrays and the manifest from the parts.
func (j *job) assemble(ctx context.Context) error {
	dir := j.partial("result")
	err := os.RemoveAll(dir)
	if err == nil {
		err = os.Mkdir(dir, 0o777)
	}
	if err != nil {
		return fmt.Errorf("%s: cannot be made: %w", dir, cause.Of(err))
	}
	a := &assembly{dir: dir, o: j.o, session: j.sessions, sel: j.sel, nan: make([]bool, j.sel.mask.Len()),
		varied: make([]bool, j.sel.mask.Len())}
	defer func() {
		for _, p := range a.parts {
			p.file.Close()
		}
	}()
	for _, n := range j.sessions {
		f, err := j.session(n)
		if err != nil {
			return err
		}
		scale := float64(f.Scale)
		if j.o.Takagi {
			scale = 1
		}
		p, err := openPart(j.partPath(n), f, j.sel.mask, scale)
		f.Close()
		if err != nil {
			return err
		}
		a.parts = append(a.parts, p)
		sum, err := p.sum()
		if err != nil {
			return err
		}
		path := filepath.Base(j.files[n])
		j.manifest.Betas = append(j.manifest.Betas, table.SessionBetas{Session: n, Path: path, Trials: f.Trials, Stored: f.Stored,
			SHA256: sum})
	}
	if err := j.writeArrays(ctx, a); err != nil {
		return err
	}
	m := &j.manifest
	m.Sessions, m.Shape, m.Voxels, m.Regions, m.Arrays = j.sessions, j.sel.mask.Shape, j.sel.mask.Len(), j.sel.regions(), a.arrays
	m.NaN, m.FirstNaN = a.count(a.nan)
	alike := make([]bool, len(a.varied))
	for v := range alike {
		alike[v] = !a.varied[v] && !a.nan[v]
	}
	m.Constant, m.FirstConstant = a.count(alike)
	return m.Write(dir)
}

func (j *job) writeArrays(ctx context.Context, a *assembly) error {
	design, err := j.data.Design()
	if err != nil {
		return err
	}
	all, test := groups(j.trials, j.sessions), design.SharedSet()
	var sides [2][]group // train, test
	rows := 0
	for _, g := range all {
		k := 0
		if j.o.Split == SplitShared && test[g.image] {
			k = 1
		}
		sides[k] = append(sides[k], g)
		rows++
		if j.o.Trials {
			rows += len(g.refs)
		}
	}
	if len(sides[0]) == 0 || j.o.Split == SplitShared && len(sides[1]) == 0 {
		return fmt.Errorf("%s: sessions %s show %d training and %d shared images, expected some of each; split %s takes all for training",
			j.o.Subject, nsd.Ranges(j.sessions), len(sides[0]), len(sides[1]), SplitNone)
	}
	row := 0
	a.step = func() {
		row++
		j.progress(stepsOfSession*len(j.sessions) + stepsOfSession*row/rows)
	}
	if j.o.Usable {
		if err := a.cutUnusable(ctx, sides); err != nil {
			return err
		}
	}
	var ev []float32
	if j.o.MinExplainable > 0 {
		if ev, err = a.cut(ctx, sides[0]); err != nil {
			return err
		}
	}
	if err := a.writeSide(ctx, "train", sides[0]); err != nil {
		return err
	}
	if j.o.Split == SplitShared {
		if err := a.writeSide(ctx, "test", sides[1]); err != nil {
			return err
		}
	}
	return a.writeVoxels(ev)
}

// cut leaves the voxels that reach the explainable variance asked for, which it returns.
func (a *assembly) cut(ctx context.Context, train []group) ([]float32, error) {
	ev, err := a.explainable(ctx, train)
	if err != nil {
		return nil, err
	}
	var kept []float32
	var of []int // of the voxels selected so far
	for i, v := range a.taken() {
		if x := ev[v]; float64(x) >= a.o.MinExplainable { // false for NaN
			of = append(of, i)
			kept = append(kept, x)
		}
	}
	if len(kept) == 0 {
		return nil, fmt.Errorf("%s: no voxel of %s has an explainable variance of %g or more", a.o.Subject, what(a.o), a.o.MinExplainable)
	}
	a.keep(of)
	return kept, nil
}

// cutUnusable leaves out the voxels that no fit can use: NaN or infinite in some trial, or alike in all of training.
func (a *assembly) cutUnusable(ctx context.Context, sides [2][]group) error {
	n := len(a.parts[0].from)
	bad, first, varied := make([]bool, n), []float64(nil), make([]bool, n)
	for side, all := range sides {
		for _, g := range single(all) {
			if err := ctx.Err(); err != nil {
				return err
			}
			x, err := a.row(g.refs[0])
			if err != nil {
				return err
			}
			if first == nil {
				first = slices.Clone(x)
			}
			for v, x := range x {
				bad[v] = bad[v] || x-x != 0 // NaN or infinite
				varied[v] = varied[v] || side == 0 && x != first[v]
			}
		}
	}
	var of []int
	for v := range n {
		if !bad[v] && varied[v] {
			of = append(of, v)
		}
	}
	if len(of) == 0 {
		return fmt.Errorf("%s: all %d voxels of %s are NaN or alike in all training trials, expected some that vary", a.o.Subject, n, what(a.o))
	}
	a.keep(of)
	return nil
}

// keep leaves only the given ones of the voxels that are selected.
func (a *assembly) keep(of []int) {
	taken, columns := a.taken(), make([]int, len(of))
	for i, k := range of {
		columns[i] = taken[k]
	}
	a.columns = columns
	a.sel.keep(of)
}

// taken lists the parts' voxels that are selected.
func (a *assembly) taken() []int {
	if a.columns != nil {
		return a.columns
	}
	all := make([]int, len(a.parts[0].from))
	for v := range all {
		all[v] = v
	}
	return all
}

// count counts the written voxels among some of the parts', and says where the first lies.
func (a *assembly) count(which []bool) (n int, first []int) {
	for i, v := range a.taken() {
		if which[v] {
			if n++; n == 1 {
				at := a.sel.mask.XYZ(i)
				first = at[:]
			}
		}
	}
	return n, first
}
