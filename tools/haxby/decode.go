package main

import (
	"context"
	"fmt"

	"percept/fmri/metrics"
	"percept/fmri/ridge"
	"percept/fmri/series"
	"percept/fmri/stats"
	"percept/tensor/linalg"
)

// decoding is the outcome of one way to decode.
type decoding struct {
	Name      string
	Samples   int
	Accuracy  float64
	Interval  stats.Interval // 95 % over runs, by Student's t
	Bootstrap stats.Interval // 95 % over runs, by the percentile bootstrap
	PerRun    []float64
	Confusion [][]int        // [true][decoded]
	Alphas    []float64      // the penalty of each run left out
	Edges     int            // how many of them are at an end of the grid
	Null      *nullOfDecoder `json:",omitempty"`
	Scores    [][]float32    `json:",omitempty"` // [samples][categories] of the runs left out
}

type nullOfDecoder struct {
	Permutations int
	Mean         float64
	Interval     stats.Interval // 95 %
	P            float64
	Accuracies   []float64 // of each order, in the order of permutations.json
}

// decode decodes categories in all ways that docs/haxby.md lists. The first is the main one.
func (a *analysis) decode(ctx context.Context, r *results) error {
	type way struct {
		x            linalg.Matrix[float32]
		name         string
		delay        int
		single       bool
		permutations int
		scale        bool
	}
	ways := []way{
		{a.z, "block averages", a.Delay, false, a.Permutations, false},
		{a.z, "single volumes", a.Delay, true, min(a.Permutations, volumePermutations), false},
	}
	for delay := range 4 {
		if delay != a.Delay {
			ways = append(ways, way{a.z, fmt.Sprintf("block averages, delay %d", delay), delay, false, 0, false},
				way{a.z, fmt.Sprintf("single volumes, delay %d", delay), delay, true, 0, false})
		}
	}
	ways = append(ways,
		way{a.z, "block averages, scaled by the training runs as well", a.Delay, false, 0, true},
		way{a.trend, "block averages, scaled by the training runs alone", a.Delay, false, 0, true})
	for _, w := range ways {
		a.progress("decoding: " + w.name)
		s := a.volumes(w.x, w.delay)
		if !w.single {
			var err error
			if s, err = a.averages(w.x, w.delay); err != nil {
				return err
			}
		}
		d, err := a.decodeSamples(ctx, s, w.permutations, w.scale)
		if err != nil {
			return fmt.Errorf("decoding %s: %w", w.name, err)
		}
		d.Name = w.name
		r.Decoding = append(r.Decoding, d)
	}
	return nil
}

func (a *analysis) options(runs int, scale bool) ridge.Options {
	return ridge.Options{Alphas: a.Alphas, Folds: runs - 1, NoStandardise: !scale}
}

// decodeSamples leaves each run out and decodes it with ridge from voxels to the indicators of categories. Permutations of
// the labels are further targets of the same fits; the categories of one permutation share a penalty.
func (a *analysis) decodeSamples(ctx context.Context, s *samples, permutations int, scale bool) (*decoding, error) {
	classes := len(a.categories)
	truth := make([]int, len(s.block))
	for i, b := range s.block {
		truth[i] = a.ofBlock.label[b]
	}
	d, err := a.decodeLabels(ctx, s, [][]int{truth}, scale)
	if err != nil {
		return nil, err
	}
	d.Confusion = make([][]int, classes)
	for k := range d.Confusion {
		d.Confusion[k] = make([]int, classes)
	}
	for i, k := range d.largest[0] {
		d.Confusion[truth[i]][k]++
	}
	out := &d.decoding
	out.Samples = len(truth)
	for _, of := range a.runs {
		run, right, n := a.run[of.From], 0, 0
		for i := range truth {
			if s.run[i] == run {
				n++
				if d.largest[0][i] == truth[i] {
					right++
				}
			}
		}
		out.PerRun = append(out.PerRun, float64(right)/float64(n))
	}
	out.Accuracy = d.accuracies[0]
	if out.Interval, err = stats.MeanInterval(out.PerRun, stats.Resampling{}); err != nil {
		return nil, err
	}
	if out.Bootstrap, err = stats.BootstrapMean(out.PerRun, stats.Resampling{Seed: a.Seed}); err != nil {
		return nil, err
	}
	if permutations == 0 {
		return out, nil
	}
	for i := range s.x.Rows {
		out.Scores = append(out.Scores, d.predicted.Row(i))
	}
	out.Null = &nullOfDecoder{Permutations: permutations}
	const together = 250 // permutations in one fit
	for from := 0; from < permutations; from += together {
		var labels [][]int
		for _, order := range a.orders[from:min(from+together, permutations)] {
			l := make([]int, len(s.block))
			for i, b := range s.block {
				l[i] = a.ofBlock.label[order[b]]
			}
			labels = append(labels, l)
		}
		p, err := a.decodeLabels(ctx, s, labels, scale)
		if err != nil {
			return nil, err
		}
		out.Null.Accuracies = append(out.Null.Accuracies, p.accuracies...)
	}
	null, err := stats.NewNull(out.Null.Accuracies, stats.Resampling{})
	if err != nil {
		return nil, err
	}
	out.Null.Mean, out.Null.Interval, out.Null.P = stats.Mean(null.Scores), null.Interval(), null.P(out.Accuracy)
	return out, nil
}

// decoded is what decodeLabels finds for each of several labellings; decoding has the penalties of the first.
type decoded struct {
	decoding
	predicted  linalg.Matrix[float32]
	largest    [][]int
	accuracies []float64
}

func (a *analysis) decodeLabels(ctx context.Context, s *samples, labels [][]int, scale bool) (*decoded, error) {
	classes := len(a.categories)
	y := linalg.New[float32](s.x.Rows, classes*len(labels))
	var sets [][]int
	for k, l := range labels {
		var set []int
		for c := range classes {
			set = append(set, k*classes+c)
		}
		sets = append(sets, set)
		for i, c := range l {
			y.Row(i)[k*classes+c] = 1
		}
	}
	o := a.options(len(a.runs), scale)
	o.Groups = s.run
	folds, err := ridge.Folds(s.x.Rows, len(a.runs), s.run)
	if err != nil {
		return nil, err
	}
	p, err := ridge.CrossPredict(ctx, s.x, y, folds, sets, o)
	if err != nil {
		return nil, err
	}
	d := &decoded{predicted: p.Predicted}
	for f, alphas := range p.Alphas {
		d.Alphas = append(d.Alphas, alphas[0])
		if p.Edges[f].Low+p.Edges[f].High > 0 {
			d.Edges++
		}
	}
	for k, l := range labels {
		best, right := ridge.Largest(p.Predicted, k*classes, (k+1)*classes), 0
		for i, c := range best {
			if c == l[i] {
				right++
			}
		}
		d.largest = append(d.largest, best)
		d.accuracies = append(d.accuracies, float64(right)/float64(len(l)))
	}
	return d, nil
}

// splitHalf is the analysis of Haxby et al. 2001: patterns of categories in odd runs against those in even runs.
type splitHalf struct {
	Accuracy    float64   // of choices between two categories
	PerCategory []float64 // the same for the pattern of each
	P           float64   // over all pairings of categories' patterns
	Within      float64   // mean correlation of patterns of one category
	Between     float64   // of two
}

// splitHalves correlates the patterns of categories in one half of the runs, less the mean of all categories in that half,
// with those of the other half. A choice between two categories is right where the pattern is more like its own.
func (a *analysis) splitHalves(_ context.Context, r *results) error {
	s, err := a.averages(a.z, a.Delay)
	if err != nil {
		return err
	}
	classes := len(a.categories)
	var halves [2][][]float32
	for h := range halves {
		sets := make([][]int, classes)
		for k, of := range a.runs {
			if k%2 != h {
				continue
			}
			for i, b := range s.block {
				if s.run[i] == a.run[of.From] {
					sets[a.ofBlock.label[b]] = append(sets[a.ofBlock.label[b]], i)
				}
			}
		}
		mean, err := series.Average(s.x.Data, s.x.Cols, sets)
		if err != nil {
			return err
		}
		half := make([]int, classes) // all one run: the mean over categories is taken away
		if err := series.Detrend(mean, s.x.Cols, half, 0); err != nil {
			return err
		}
		for c := range classes {
			halves[h] = append(halves[h], mean[c*s.x.Cols:(c+1)*s.x.Cols])
		}
	}
	like, err := metrics.Correlations(halves[0], halves[1])
	if err != nil {
		return err
	}
	id := like.Identify(metrics.Symmetric)
	null, err := stats.PermuteImages(classes, stats.Resampling{Samples: 20000, Seed: a.Seed}, id.Permuted)
	if err != nil {
		return err
	}
	h := splitHalf{Accuracy: id.Accuracy(), PerCategory: id.PerImage(), P: null.P(id.Accuracy())}
	for i := range classes {
		for j := range classes {
			if i == j {
				h.Within += like.At(i, j) / float64(classes)
			} else {
				h.Between += like.At(i, j) / float64(classes*(classes-1))
			}
		}
	}
	r.SplitHalf = h
	return nil
}
