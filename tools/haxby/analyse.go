package main

import (
	"context"
	"fmt"
	"slices"

	"percept/fmri/ridge"
	"percept/fmri/series"
	"percept/fmri/stats"
	"percept/tensor/linalg"
)

// settings of the analysis. Everything was chosen before its result was known, but for the rows of comparisons.
type settings struct {
	Delay        int       // volumes by which a block's response is taken after its labels
	Delays       []int     // of the encoding model, in volumes after the labels
	Alphas       []float64 // penalties of all fits
	Lags         int       // volumes that autocorrelation is followed
	TimeBlock    int       // volumes that a block permutation moves together
	Permutations int
	Seed         uint64
	FDR          float64 // false discovery rate of maps

	progress func(string)
}

// published are the settings of docs/haxby.md.
var published = settings{
	Delay: 1, Delays: []int{0, 1, 2, 3}, Alphas: ridge.LogSpace(-1, 6, 15),
	Lags: 24, TimeBlock: 10, Permutations: 5000, Seed: 1, FDR: 0.05,
}

// Single volumes are eight times as many rows and more features than blocks; a thousand permutations are enough for them.
const volumePermutations = 1000

func (c settings) resampling() stats.Resampling {
	return stats.Resampling{Samples: c.Permutations, Seed: c.Seed}
}

// analysis is what all parts share.
type analysis struct {
	*dataset
	settings
	trend   linalg.Matrix[float32] // without trends
	z       linalg.Matrix[float32] // without trends, of variance 1 within each run
	runs    []series.Span
	orders  [][]int // of blocks, within runs
	ofBlock struct{ label, run []int }
}

func analyse(ctx context.Context, d *dataset, c settings) (*results, error) {
	if c.progress == nil {
		c.progress = func(string) {}
	}
	a := &analysis{dataset: d, settings: c, trend: d.x.Clone()}
	if err := series.Detrend(a.trend.Data, d.x.Cols, d.run, 1); err != nil {
		return nil, err
	}
	a.z = a.trend.Clone()
	if err := series.ZScore(a.z.Data, d.x.Cols, d.run); err != nil {
		return nil, err
	}
	var err error
	if a.runs, err = series.Runs(d.run); err != nil {
		return nil, err
	}
	for _, of := range a.runs {
		for j, v := range a.z.Row(of.From) {
			if v == 0 && slices.Max(column(a.z, j)[of.From:of.To]) == 0 {
				return nil, fmt.Errorf("voxel %d of the mask does not vary in run %d; take it out of the mask", j, d.run[of.From])
			}
		}
	}
	for _, b := range d.blocks {
		a.ofBlock.label = append(a.ofBlock.label, b.Label)
		a.ofBlock.run = append(a.ofBlock.run, b.Run)
	}
	if a.orders, err = stats.WithinGroups(a.ofBlock.run, c.resampling()); err != nil {
		return nil, err
	}
	r := &results{Settings: c, Categories: d.categories, Volumes: d.x.Rows, Voxels: d.x.Cols, Runs: len(a.runs), Blocks: len(d.blocks)}
	r.permutations.Blocks = a.orders
	for _, part := range []func(context.Context, *results) error{a.decode, a.splitHalves, a.encode, a.selectivity} {
		if err := part(ctx, r); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// samples are rows to decode: block averages or single volumes.
type samples struct {
	x     linalg.Matrix[float32]
	block []int // of each sample
	run   []int
}

// averages are the means of each block's volumes, delayed.
func (a *analysis) averages(x linalg.Matrix[float32], delay int) (*samples, error) {
	s := &samples{}
	var sets [][]int
	for k, b := range a.blocks {
		sets, s.block, s.run = append(sets, b.Volumes(a.run, delay)), append(s.block, k), append(s.run, b.Run)
	}
	mean, err := series.Average(x.Data, x.Cols, sets)
	if err != nil {
		return nil, fmt.Errorf("blocks delayed by %d volumes: %w", delay, err)
	}
	s.x = linalg.Of(mean, len(sets), x.Cols)
	return s, nil
}

// volumes are the single volumes of all blocks, delayed.
func (a *analysis) volumes(x linalg.Matrix[float32], delay int) *samples {
	s := &samples{}
	var rows []int
	for k, b := range a.blocks {
		for _, i := range b.Volumes(a.run, delay) {
			rows, s.block, s.run = append(rows, i), append(s.block, k), append(s.run, b.Run)
		}
	}
	s.x = x.Take(rows)
	return s
}
