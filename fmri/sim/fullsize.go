package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"percept/fmri/internal/hdf5"
	"percept/fmri/internal/nifti"
	"percept/internal/cause"
)

// The first subject of NSD at 1.8 mm (data manual): volume, sessions, and images of which each is shown three times.
var (
	fullShape    = [3]int{81, 104, 83}
	fullSessions = 40
	fullOptions  = Options{Subjects: 1, SharedImages: 1000, OwnImages: 9000, SharedRepeats: 3, OwnRepeats: 3, Sessions: fullSessions,
		Runs: 12, Shape: fullShape, EarlyVoxels: 6000, MidVoxels: 3000, HigherVoxels: 12000, NCSNR: 1}
)

// WriteFullSize writes a tree of one subject whose betas have the size and the layout of NSD's own: int16 [750, 83, 104,
// 81] in chunks of one voxel, 1.05 GB. It is for measuring what reading costs, not for decoding: values are noise, there are
// no images, and the other sessions are further names of the first one's file, so that all take the room of one. Design,
// behaviour, masks and regions are complete; regions of streams have 6000 early, 3000 middle and 12000 higher voxels.
func WriteFullSize(ctx context.Context, dir string, seed uint64) error {
	if _, err := os.Stat(dir); err == nil {
		return fmt.Errorf("sim: %s is there already, expected a new folder", dir)
	}
	o := fullOptions
	o.Seed = seed
	t := &tree{dir: dir, options: o, design: newDesign(o), count: &counter{}}
	a, err := newAnatomy(o.Shape, o.EarlyVoxels, o.MidVoxels, o.HigherVoxels)
	if err != nil {
		return err
	}
	b := &brain{anatomy: a, noise: make([]float64, len(a.brain))}
	r := stream(seed, forBrain)
	ncsnr := make([]float32, len(a.brain))
	for v := range ncsnr {
		if a.brain[v] {
			ncsnr[v] = float32(0.6 * r.Float64())
		}
	}
	folder := t.path("nsddata_betas/ppdata/subj01/func1pt8mm/%s", betasVersion)
	for _, write := range []func() error{
		t.writeDesign,
		func() error { return t.writeLabelTables("fsaverage") },
		func() error { return t.writeVolumes(b) },
		func() error { return t.writeBehaviour(0) },
		func() error { return nifti.Write(filepath.Join(folder, "ncsnr.nii.gz"), b.header(), ncsnr) },
		func() error { return b.writeNoise(ctx, filepath.Join(folder, "betas_session01.hdf5"), t.design.trials) },
	} {
		if err := write(); err != nil {
			return err
		}
	}
	session := func(n int) string { return filepath.Join(folder, fmt.Sprintf("betas_session%02d.hdf5", n)) }
	for n := 2; n <= fullSessions; n++ {
		if err := os.Link(session(1), session(n)); err != nil {
			return fmt.Errorf("sim: %s: %w", folder, cause.Of(err))
		}
	}
	return nil
}

// writeNoise writes one session of noise in the brain and 0 outside.
func (b *brain) writeNoise(ctx context.Context, path string, trials int) error {
	w, err := hdf5.Create(path)
	if err != nil {
		return err
	}
	defer w.Abort()
	d, err := hdf5.NewDataset[int16](w, "betas", []int{trials, b.shape[2], b.shape[1], b.shape[0]}, []int{trials, 1, 1, 1})
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(b.seed, uint64(trials)))
	column := make([]int16, trials)
	for v, inside := range b.brain {
		if v%(1<<14) == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		clear(column)
		if inside {
			for t := range column {
				column[t] = int16(600 * r.NormFloat64())
			}
		}
		if err := d.Append(column); err != nil {
			return err
		}
	}
	return w.Close()
}
