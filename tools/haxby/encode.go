package main

import (
	"context"
	"fmt"
	"math"

	"percept/fmri/ridge"
	"percept/fmri/series"
	"percept/fmri/stats"
	"percept/tensor/linalg"
)

// encoding is how well the volumes of each voxel are predicted from the categories shown.
type encoding struct {
	Delays      []int
	R           []float64 `json:"-"` // correlation of each voxel over all runs left out
	MeanR       float64
	LargestR    float64
	Samples     []float64 `json:"-"` // effective, of each voxel
	MeanSamples float64
	Edges       int // voxels and runs left out whose penalty is at an end of the grid
	Tests       []test
	main        *stats.BlockTest
	fdr         []float64
}

// test is a way to judge scores of voxels.
type test struct {
	Name        string
	Uncorrected int // voxels of p ≤ 0.05
	FDR         int // voxels whose false discovery rate is within 5 % (Benjamini-Hochberg)
	FWE         int // voxels whose family-wise error is within 5 % (largest statistic); -1: not computed
	p           []float64
}

// encode predicts the volumes of every voxel from the delayed categories.
func (a *analysis) encode(ctx context.Context, r *results) error {
	for k, delays := range [][]int{a.Delays, {0}, {1, 2, 3, 4}, {0, 1, 2, 3, 4, 5}} {
		a.progress(fmt.Sprintf("encoding: delays %v", delays))
		e, predicted, err := a.encodeDelays(ctx, delays)
		if err != nil {
			return err
		}
		if k == 0 {
			a.progress("encoding: permutations")
			if err := a.permuteSeries(e, predicted, r); err != nil {
				return err
			}
		}
		r.Encoding = append(r.Encoding, e)
	}
	return nil
}

func (a *analysis) encodeDelays(ctx context.Context, delays []int) (*encoding, linalg.Matrix[float32], error) {
	none := linalg.Matrix[float32]{}
	indicators, err := series.Indicators(a.label, len(a.categories))
	if err != nil {
		return nil, none, err
	}
	features, err := series.Delay(indicators, len(a.categories), a.run, delays)
	if err != nil {
		return nil, none, err
	}
	x := linalg.Of(features, a.z.Rows, len(a.categories)*len(delays))
	o := a.options(len(a.runs), false)
	o.Groups = a.run
	folds, err := ridge.Folds(x.Rows, len(a.runs), a.run)
	if err != nil {
		return nil, none, err
	}
	p, err := ridge.CrossPredict(ctx, x, a.z, folds, nil, o)
	if err != nil {
		return nil, none, err
	}
	e := &encoding{Delays: delays}
	for _, edge := range p.Edges {
		e.Edges += edge.Low + edge.High
	}
	observed, err := stats.PermuteRows(a.z.Data, p.Predicted.Data, a.z.Rows, a.z.Cols, nil)
	if err != nil {
		return nil, none, err
	}
	e.R = observed.Observed
	e.MeanR, e.LargestR = stats.Mean(e.R), math.Inf(-1)
	independent, effective := make([]float64, len(e.R)), make([]float64, len(e.R))
	for j, rho := range e.R {
		e.LargestR = max(e.LargestR, rho)
		n, err := stats.EffectiveSamples(column(a.z, j), column(p.Predicted, j), a.run, a.Lags)
		if err != nil {
			return nil, none, err
		}
		e.Samples = append(e.Samples, n)
		independent[j], effective[j] = stats.CorrelationP(rho, a.z.Rows), stats.CorrelationP(rho, int(n))
	}
	e.MeanSamples = stats.Mean(e.Samples)
	e.Tests = append(e.Tests,
		a.judge("Student's t, volumes taken as independent (wrong)", independent, nil),
		a.judge("Student's t with the effective number of volumes", effective, nil))
	return e, p.Predicted, nil
}

// permuteSeries tests the prediction of series by moving blocks of volumes, and by circular shifts of runs.
func (a *analysis) permuteSeries(e *encoding, predicted linalg.Matrix[float32], r *results) error {
	rows, cols := a.z.Rows, a.z.Cols
	orders, err := stats.BlockOrders((rows+a.TimeBlock-1)/a.TimeBlock, a.resampling())
	if err != nil {
		return err
	}
	blocks, err := stats.PermuteBlocks(a.z.Data, predicted.Data, rows, cols, a.TimeBlock, orders)
	if err != nil {
		return err
	}
	shifts, err := stats.CircularShifts(a.run, a.resampling())
	if err != nil {
		return err
	}
	shifted, err := stats.PermuteRows(a.z.Data, predicted.Data, rows, cols, shifts)
	if err != nil {
		return err
	}
	e.Tests = append(e.Tests,
		a.judge(fmt.Sprintf("blocks of %d volumes in random order", a.TimeBlock), blocks.P, blocks),
		a.judge("runs shifted circularly", shifted.P, shifted))
	e.main, e.fdr = shifted, stats.BenjaminiHochberg(shifted.P)
	r.permutations.TimeBlocks = orders
	for _, order := range shifts {
		var by []int
		for _, s := range a.runs {
			by = append(by, order[s.From]-s.From)
		}
		r.permutations.Shifts = append(r.permutations.Shifts, by)
	}
	return nil
}

// judge counts the voxels above thresholds. of may be nil.
func (a *analysis) judge(name string, p []float64, of *stats.BlockTest) test {
	t := test{Name: name, FWE: -1, p: p}
	for j, q := range stats.BenjaminiHochberg(p) {
		if p[j] <= 0.05 {
			t.Uncorrected++
		}
		if q <= a.settings.FDR {
			t.FDR++
		}
	}
	if of == nil {
		return t
	}
	if largest, err := of.Max(stats.Resampling{}); err == nil {
		t.FWE = 0
		for _, score := range of.Observed {
			if largest.P(score) <= 0.05 {
				t.FWE++
			}
		}
	}
	return t
}

func column(m linalg.Matrix[float32], j int) []float64 {
	c := make([]float64, m.Rows)
	for i := range c {
		c[i] = float64(m.Row(i)[j])
	}
	return c
}

// selectivity is how well block averages are predicted from their category: which voxels tell categories apart.
type selectivity struct {
	MeanR, LargestR float64
	Test            test
	FDRDependent    int       // voxels within 5 % by Benjamini & Yekutieli
	Ceiling         []float64 `json:"-"` // largest expected correlation of each voxel
	CeilingSelected float64   // mean over the voxels within FDR 5 %
	MeanRSelected   float64   // the same of r
	Explained       float64   // Σ r² / Σ ceiling² over them
	Preferred       []int     `json:"-"` // category of the largest mean response
	Counts          []int     // voxels within FDR 5 % that prefer each category
	main            *stats.BlockTest
	fdr             []float64
}

// selectivity predicts block averages, and those of permuted blocks, which are further targets.
func (a *analysis) selectivity(ctx context.Context, r *results) error {
	a.progress("selectivity")
	s, err := a.averages(a.z, a.Delay)
	if err != nil {
		return err
	}
	voxels := s.x.Cols
	observed, err := a.predictBlocks(ctx, s, s.x)
	if err != nil {
		return err
	}
	const together = 40 // permutations in one fit
	var null [][]float64
	for from := 0; from < len(a.orders); from += together {
		orders := a.orders[from:min(from+together, len(a.orders))]
		y := linalg.New[float32](s.x.Rows, voxels*len(orders))
		for k, order := range orders {
			for i, b := range order {
				copy(y.Row(i)[k*voxels:], s.x.Row(b))
			}
		}
		scores, err := a.predictBlocks(ctx, s, y)
		if err != nil {
			return err
		}
		for k := range orders {
			null = append(null, scores[k*voxels:(k+1)*voxels])
		}
	}
	t := &selectivity{MeanR: stats.Mean(observed), LargestR: math.Inf(-1), Counts: make([]int, len(a.categories))}
	if t.main, err = stats.CompareNull(observed, null); err != nil {
		return err
	}
	t.Test = a.judge("blocks in random order within runs", t.main.P, t.main)
	t.fdr = stats.BenjaminiHochberg(t.main.P)
	for _, q := range stats.BenjaminiYekutieli(t.main.P) {
		if q <= a.settings.FDR {
			t.FDRDependent++
		}
	}
	if err := a.ceilings(t, s); err != nil {
		return err
	}
	squares, most := 0.0, 0.0
	for j, rho := range observed {
		t.LargestR = max(t.LargestR, rho)
		if t.fdr[j] <= a.settings.FDR {
			t.Counts[t.Preferred[j]]++
			t.CeilingSelected += t.Ceiling[j] / float64(t.Test.FDR)
			t.MeanRSelected += rho / float64(t.Test.FDR)
			squares += rho * rho
			most += t.Ceiling[j] * t.Ceiling[j]
		}
	}
	if most > 0 {
		t.Explained = squares / most
	}
	r.Selectivity = t
	return nil
}

// predictBlocks returns the correlation of each column of y [blocks, targets] with its prediction.
func (a *analysis) predictBlocks(ctx context.Context, s *samples, y linalg.Matrix[float32]) ([]float64, error) {
	indicators, err := series.Indicators(a.ofBlock.label, len(a.categories))
	if err != nil {
		return nil, err
	}
	x := linalg.Of(indicators, s.x.Rows, len(a.categories))
	o := a.options(len(a.runs), false)
	o.Groups = s.run
	folds, err := ridge.Folds(x.Rows, len(a.runs), s.run)
	if err != nil {
		return nil, err
	}
	p, err := ridge.CrossPredict(ctx, x, y, folds, nil, o)
	if err != nil {
		return nil, err
	}
	return ridge.Correlation.Of(y, p.Predicted)
}

// ceilings finds how well the mean of each category could predict a block, and the category each voxel prefers.
func (a *analysis) ceilings(t *selectivity, s *samples) error {
	ratio, err := stats.SignalToNoise(s.x.Data, s.x.Cols, a.ofBlock.label)
	if err != nil {
		return err
	}
	for _, v := range ratio {
		t.Ceiling = append(t.Ceiling, math.Sqrt(stats.NoiseCeiling(v, 1)))
	}
	sets := make([][]int, len(a.categories))
	for i, l := range a.ofBlock.label {
		sets[l] = append(sets[l], i)
	}
	means, err := series.Average(s.x.Data, s.x.Cols, sets)
	if err != nil {
		return err
	}
	t.Preferred = ridge.Largest(linalg.Of(means, len(sets), s.x.Cols).T(), 0, len(sets))
	return nil
}
