package prepare

import (
	"context"
	"encoding/hex"
	"path/filepath"
	"slices"
	"strings"

	"percept/fmri"
	"percept/fmri/internal/npy"
	"percept/fmri/nsd"
	"percept/fmri/stats"
	"percept/fmri/table"
)

// ref is a trial of a part.
type ref struct{ part, trial, number int }

// group is the trials of one image, or one trial.
type group struct {
	image fmri.ImageID
	refs  []ref
}

// assembly turns parts into arrays.
type assembly struct {
	dir     string
	o       Options
	parts   []*part
	session []int // of each part
	sel     *selection
	columns []int // of the parts' rows; nil: all
	arrays  []table.ArrayFile
	nan     []bool // of the parts' voxels: NaN or infinite in some row
	varied  []bool // of the parts' voxels: not alike in all training rows
	step    func() // called after each row
}

// groups is the images of trials in the order of first presentation, each with its trials.
func groups(trials []nsd.Trial, session []int) []group {
	part := make(map[int]int)
	for i, n := range session {
		part[n] = i
	}
	var all []group
	at := make(map[fmri.ImageID]int)
	number := 0
	for _, t := range trials {
		p, ok := part[t.Session]
		if !ok {
			continue
		}
		k, seen := at[t.Image]
		if !seen {
			k = len(all)
			at[t.Image] = k
			all = append(all, group{image: t.Image})
		}
		all[k].refs = append(all[k].refs, ref{p, t.Index, number})
		number++
	}
	return all
}

// single takes groups apart into trials in the order of presentation.
func single(all []group) []group {
	var out []group
	for _, g := range all {
		for _, r := range g.refs {
			out = append(out, group{g.image, []ref{r}})
		}
	}
	slices.SortFunc(out, func(a, b group) int { return a.refs[0].number - b.refs[0].number })
	return out
}

// row reads one trial as the options want it, all voxels of the parts.
func (a *assembly) row(r ref) ([]float64, error) {
	if a.o.ZScore {
		return a.parts[r.part].standardised(r.trial)
	}
	return a.parts[r.part].row(r.trial)
}

// mean adds the trials of a group up in float64, in order, over their number.
func (a *assembly) mean(dst []float64, g group) error {
	clear(dst)
	for _, r := range g.refs {
		x, err := a.row(r)
		if err != nil {
			return err
		}
		for v, x := range x {
			dst[v] += x
		}
	}
	for v := range dst {
		dst[v] /= float64(len(g.refs))
	}
	return nil
}

// element is a type that arrays are written in.
type element interface {
	uint8 | int16 | int32 | float32 | float64
}

// matrix writes the matrix of some groups, [groups, columns].
func matrix[T element](ctx context.Context, a *assembly, name string, gs []group) error {
	columns, train := a.taken(), strings.HasPrefix(name, "X_train")
	var first []T
	mean, out := make([]float64, len(a.parts[0].from)), make([]T, len(columns))
	return write(a, name, []int{len(gs), len(columns)}, func(w *npy.Writer[T]) error {
		for _, g := range gs {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := a.mean(mean, g); err != nil {
				return err
			}
			for i, v := range columns {
				out[i] = T(mean[v])
				if x := mean[v]; x-x != 0 { // NaN or infinite
					a.nan[v] = true
				}
			}
			if train && first == nil {
				first = slices.Clone(out)
			}
			for i, v := range columns {
				a.varied[v] = a.varied[v] || train && out[i] != first[i]
			}
			if err := w.Append(out); err != nil {
				return err
			}
			a.step()
		}
		return nil
	})
}

// save is the writing of a small array.
func save[T element](a *assembly, name string, x []T, shape ...int) func() error {
	return func() error {
		return write(a, name, shape, func(w *npy.Writer[T]) error { return w.Append(x) })
	}
}

// write writes an array that fill appends, and notes it.
func write[T element](a *assembly, name string, shape []int, fill func(*npy.Writer[T]) error) error {
	w, err := npy.Create[T](filepath.Join(a.dir, name), shape)
	if err != nil {
		return err
	}
	defer w.Abort()
	sum := w.SHA256()
	if err := fill(w); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	a.arrays = append(a.arrays, table.ArrayFile{File: name, DType: npy.DTypeOf[T](), Shape: shape,
		SHA256: hex.EncodeToString(sum.Sum(nil))})
	return nil
}

// inOrder takes steps until one fails.
func inOrder(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// writeSide writes the arrays of training or test images.
func (a *assembly) writeSide(ctx context.Context, side string, all []group) error {
	if a.o.Average {
		if err := a.writeMeans(ctx, side, all); err != nil {
			return err
		}
	}
	if a.o.Trials {
		return a.writeTrials(ctx, side+"_trials", single(all))
	}
	return nil
}

func (a *assembly) writeMeans(ctx context.Context, part string, all []group) error {
	var images, counts, sessions []int32
	most := 0
	for _, g := range all {
		most = max(most, len(g.refs))
	}
	for _, g := range all {
		images, counts = append(images, int32(g.image)), append(counts, int32(len(g.refs)))
		for i := range most {
			n := 0
			if i < len(g.refs) {
				n = a.session[g.refs[i].part]
			}
			sessions = append(sessions, int32(n))
		}
	}
	values := matrix[float32]
	if a.o.Takagi {
		values = matrix[float64]
	}
	return inOrder(
		func() error { return values(ctx, a, "X_"+part+".npy", all) },
		save(a, "images_"+part+".npy", images, len(images)),
		save(a, "counts_"+part+".npy", counts, len(counts)),
		save(a, "sessions_"+part+".npy", sessions, len(images), most),
		a.ceiling(part, counts))
}

func (a *assembly) writeTrials(ctx context.Context, part string, each []group) error {
	var images, sessions, numbers []int32
	for _, g := range each {
		r := g.refs[0]
		images, sessions, numbers = append(images, int32(g.image)), append(sessions, int32(a.session[r.part])), append(numbers,
			int32(r.number))
	}
	values := matrix[float32]
	if a.o.Takagi {
		values = matrix[int16]
	}
	return inOrder(
		func() error { return values(ctx, a, "X_"+part+".npy", each) },
		save(a, "images_"+part+".npy", images, len(images)),
		save(a, "sessions_"+part+".npy", sessions, len(sessions)),
		save(a, "trials_"+part+".npy", numbers, len(numbers)),
		a.ceiling(part, []int32{1}))
}

// ceiling is the writing of the noise ceiling of each voxel for means of the given numbers of trials. NSD's ncsnr is that of
// betas z-scored within sessions, which the file's name says where the rows are something else: differences between sessions
// then are variance that no image explains.
func (a *assembly) ceiling(part string, counts []int32) func() error {
	if a.sel.ncsnr == nil {
		return func() error { return nil }
	}
	n := make([]int, len(counts))
	for i, c := range counts {
		n[i] = int(c)
	}
	repeats := stats.EffectiveRepeats(n)
	ceiling := make([]float32, len(a.sel.ncsnr))
	for v, s := range a.sel.ncsnr {
		ceiling[v] = float32(stats.NoiseCeiling(float64(s), repeats))
	}
	name := "noise_ceiling_"
	if !a.o.ZScore {
		name = "noise_ceiling_of_zscored_"
	}
	return save(a, name+part+".npy", ceiling, len(ceiling))
}

// writeVoxels writes what is known of each voxel.
func (a *assembly) writeVoxels(explainable []float32) error {
	m := a.sel.mask
	var xyz []int32
	for v := range m.Len() {
		p := m.XYZ(v)
		xyz = append(xyz, int32(p[0]), int32(p[1]), int32(p[2]))
	}
	steps := []func() error{save(a, "voxels.npy", xyz, m.Len(), 3)}
	if len(a.sel.rois) > 0 {
		steps = append(steps, save(a, "rois.npy", a.sel.member, m.Len(), len(a.sel.rois)))
	}
	if a.sel.ncsnr != nil {
		steps = append(steps, save(a, "ncsnr.npy", a.sel.ncsnr, m.Len()))
	}
	if explainable != nil {
		steps = append(steps, save(a, "explainable_variance.npy", explainable, m.Len()))
	}
	return inOrder(steps...)
}
