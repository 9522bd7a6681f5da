package prepare

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"percept/fmri/nsd"
	"percept/fmri/table"
	"percept/internal/cause"
	"percept/internal/filelock"
)

// Result is what a Run left or found.
type Result struct {
	*table.Folder
	UpToDate bool  // the folder was there already
	Reused   int   // sessions whose parts an interrupted run had left
	Read     []int // sessions that were read
}

// place is where a folder goes that takes its name at the end: what a link points to, so that the link stays.
func place(out string) (string, error) {
	out = filepath.Clean(out)
	if base := filepath.Base(out); base == "." || base == ".." {
		return "", fmt.Errorf("%s: cannot be replaced, expected the name of a folder to make", out)
	}
	if info, err := os.Lstat(out); err == nil && info.Mode()&os.ModeSymlink != 0 {
		to, err := filepath.EvalSymlinks(out)
		if err != nil {
			return "", fmt.Errorf("%s: a link to nothing: %w", out, cause.Of(err))
		}
		return to, nil
	}
	return out, nil
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
	if done, err := job.finished(); done || err != nil {
		if err != nil {
			return nil, err
		}
		os.RemoveAll(job.partial()) // of a run that was killed after its last step
		f, err := table.OpenFolder(out)
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

func (j *job) partial(parts ...string) string {
	return filepath.Join(append([]string{j.out + ".partial"}, parts...)...)
}

// finished tells whether out holds the very result.
func (j *job) finished() (bool, error) {
	entries, err := os.ReadDir(j.out)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("%s: %w, expected a folder or none", j.out, cause.Of(err))
	case len(entries) == 0:
		return false, nil
	}
	f, err := table.OpenFolder(j.out)
	if err != nil {
		return false, fmt.Errorf("%s: holds %s but is no finished folder of responses, expected a new or empty one (%w)", j.out, entries[0].Name(), err)
	}
	if have := f.Manifest.Format; have != table.FolderFormat {
		return false, fmt.Errorf("%s: holds responses in format %d, whose values are rounded otherwise than those of format %d; remove it to make it anew, or name a new folder",
			j.out, have, table.FolderFormat)
	}
	have, err := json.Marshal(f.Manifest.Request)
	if err != nil {
		return false, err
	}
	if !bytes.Equal(have, j.request) {
		return false, fmt.Errorf("%s: holds responses made with other options, program or data (%s), expected a new folder", j.out, difference(f.Manifest.Request, j.manifest.Request))
	}
	return true, nil
}

// difference names the first thing in which two requests differ.
func difference(have, want table.Request) string {
	var a, b map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(have.Options, &a), json.Unmarshal(want.Options, &b)); err != nil {
		return err.Error()
	}
	for _, k := range slices.Sorted(maps.Keys(b)) {
		x, _ := json.Marshal(a[k])
		y, _ := json.Marshal(b[k])
		if !bytes.Equal(x, y) {
			return fmt.Sprintf("%s was %s, is %s", k, x, y)
		}
	}
	switch {
	case have.Version != want.Version:
		return fmt.Sprintf("made by version %s, this is %s", have.Version, want.Version)
	case have.Data != want.Data:
		return fmt.Sprintf("made from %s", have.Data)
	}
	return "an input file has changed"
}

// begin locks the folder of parts and empties it unless it is of the same request.
func (j *job) begin() (*os.File, error) {
	if err := os.MkdirAll(j.partial(), 0o777); err != nil {
		return nil, fmt.Errorf("%s: cannot be made: %w", j.partial(), cause.Of(err))
	}
	lock, err := lockFile(j.partial("lock"))
	if err != nil {
		return nil, err
	}
	have, err := os.ReadFile(j.partial("request.json"))
	if err == nil && bytes.Equal(have, j.request) {
		return lock, nil
	}
	entries, err := os.ReadDir(j.partial())
	for _, e := range entries {
		if e.Name() != "lock" && err == nil {
			err = os.RemoveAll(j.partial(e.Name()))
		}
	}
	if err == nil {
		err = os.WriteFile(j.partial("request.tmp"), j.request, 0o666)
	}
	if err == nil {
		err = os.Rename(j.partial("request.tmp"), j.partial("request.json"))
	}
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("%s: cannot be written: %w", j.partial(), cause.Of(err))
	}
	return lock, nil
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
	a := &assembly{dir: dir, o: j.o, session: j.sessions, sel: j.sel, nan: make([]bool, j.sel.mask.Len())}
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
		j.manifest.Betas = append(j.manifest.Betas, table.SessionBetas{Session: n, Path: path, Trials: f.Trials, Stored: f.Stored, SHA256: sum})
	}
	if err := j.writeArrays(ctx, a); err != nil {
		return err
	}
	m := &j.manifest
	m.Sessions, m.Shape, m.Voxels, m.Regions, m.Arrays = j.sessions, j.sel.mask.Shape, j.sel.mask.Len(), j.sel.regions(), a.arrays
	for _, nan := range a.nan {
		if nan {
			m.NaN++
		}
	}
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
	a.columns = []int{}
	for v, x := range ev {
		if float64(x) >= a.o.MinExplainable { // false for NaN
			a.columns = append(a.columns, v)
			kept = append(kept, x)
		}
	}
	if len(kept) == 0 {
		return nil, fmt.Errorf("%s: no voxel of %s has an explainable variance of %g or more", a.o.Subject, what(a.o), a.o.MinExplainable)
	}
	a.sel.keep(a.columns)
	return kept, nil
}

// publish gives the finished folder its name and removes the parts.
func (j *job) publish(lock *os.File) error {
	if err := os.Remove(j.out); err != nil && !errors.Is(err, fs.ErrNotExist) { // an empty folder
		return fmt.Errorf("%s: cannot be replaced: %w", j.out, cause.Of(err))
	}
	if err := os.Rename(j.partial("result"), j.out); err != nil {
		return fmt.Errorf("%s: cannot be made: %w", j.out, cause.Of(err))
	}
	lock.Close() // some systems do not remove open files
	if err := os.RemoveAll(j.partial()); err != nil {
		return fmt.Errorf("%s: cannot be removed: %w", j.partial(), cause.Of(err))
	}
	return nil
}

// lockFile keeps a second run out of a folder of parts until the file is closed or the process ends.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be written: %w", path, cause.Of(err))
	}
	if errors.Is(filelock.Lock(f), filelock.ErrHeld) {
		f.Close()
		return nil, fmt.Errorf("%s: another run is at work there", path)
	}
	return f, nil
}
