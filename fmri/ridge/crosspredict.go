package ridge

import (
	"context"
	"fmt"
	"math"

	"percept/tensor/linalg"
)

// A CrossPrediction predicts every sample by a model that was fitted without it.
type CrossPrediction struct {
	Predicted linalg.Matrix[float32] // [samples, targets]
	Alphas    [][]float64            // [folds][targets] penalties that the other samples chose
	Edges     []Edge                 // of each fold
}

// CrossPredict leaves out each of folds in turn, chooses penalties by cross-validation within the other samples as FitCV
// does, fits them and predicts the samples left out. So no sample has a part in its own prediction, the choice of the
// penalty included: with Options.Groups the run of each sample and a fold of each run it is nested leave-one-run-out.
//
//	x      [samples, features]
//	y      [samples, targets]
//	folds  of samples left out together, as of Folds; each sample in one, and groups are not split
//	sets   of targets that share a penalty, the one with the best mean score over the set, as categories do that are
//	       compared with one another; each target in at most one. nil: each has its own, or one is for all if Options.Global
//
// Options.Folds and the rest are those of the choice within the other samples.
func CrossPredict(ctx context.Context, x, y linalg.Matrix[float32], folds [][]int, sets [][]int, o Options) (*CrossPrediction, error) {
	if err := checkXY(x, y); err != nil {
		return nil, err
	}
	foldOf, err := checkFolds(x.Rows, folds, o.Groups)
	if err != nil {
		return nil, err
	}
	if err := checkSets(y.Cols, sets); err != nil {
		return nil, err
	}
	c := &CrossPrediction{Predicted: linalg.New[float32](y.Rows, y.Cols)}
	for f, held := range folds {
		var rest, groups []int
		for i, of := range foldOf {
			if of == f {
				continue
			}
			rest = append(rest, i)
			if o.Groups != nil {
				groups = append(groups, o.Groups[i])
			}
		}
		in := o
		in.Groups = groups
		xRest, yRest := x.Take(rest), y.Take(rest)
		m, err := FitCV(ctx, xRest, yRest, in)
		if err != nil {
			return nil, fmt.Errorf("ridge: without fold %d: %w", f, err)
		}
		if sets != nil {
			alphas := shared(m, sets, o.units(yRest))
			edge := edges(yRest, alphas, m.Grid)
			if m, err = Fit(ctx, xRest, yRest, alphas, in); err != nil {
				return nil, fmt.Errorf("ridge: without fold %d: %w", f, err)
			}
			m.Edge = edge
		}
		predicted, err := m.Predict(x.Take(held))
		if err != nil {
			return nil, err
		}
		for k, i := range held {
			copy(c.Predicted.Row(i), predicted.Row(k))
		}
		c.Alphas, c.Edges = append(c.Alphas, m.Alphas), append(c.Edges, m.Edge)
	}
	return c, nil
}

// shared returns the penalty of each target where those of a set share one. The rule for ties is FitCV's.
func shared(m *Model, sets [][]int, units []float64) []float64 {
	alphas, targets := append([]float64(nil), m.Alphas...), len(m.Alphas)
	for _, set := range sets {
		table, unit := make([]float64, 0, len(m.Grid)*len(set)), make([]float64, len(set))
		for i, t := range set {
			unit[i] = units[t]
		}
		for a := range m.Grid {
			for _, t := range set {
				table = append(table, m.CVTable[a*targets+t])
			}
		}
		best := choose(table, m.Grid, unit, true)
		for _, t := range set {
			alphas[t] = m.Grid[best[0]]
		}
	}
	return alphas
}

// checkFolds returns the fold of each sample.
func checkFolds(n int, folds [][]int, groups []int) ([]int, error) {
	if groups != nil && len(groups) != n {
		return nil, fmt.Errorf("ridge: %d group labels, expected one for each of %d samples", len(groups), n)
	}
	if len(folds) < 2 {
		return nil, fmt.Errorf("ridge: %d folds to leave out, expected at least 2", len(folds))
	}
	foldOf := make([]int, n)
	for i := range foldOf {
		foldOf[i] = -1
	}
	placed, groupOf := 0, make(map[int]int)
	for f, held := range folds {
		if len(held) == 0 {
			return nil, fmt.Errorf("ridge: fold %d is empty", f)
		}
		for _, i := range held {
			if i < 0 || i >= n {
				return nil, fmt.Errorf("ridge: fold %d has sample %d, expected 0 to %d", f, i, n-1)
			}
			if foldOf[i] >= 0 {
				return nil, fmt.Errorf("ridge: sample %d is in folds %d and %d, expected it in one", i, foldOf[i], f)
			}
			foldOf[i] = f
			placed++
			if groups == nil {
				continue
			}
			if other, ok := groupOf[groups[i]]; ok && other != f {
				return nil, fmt.Errorf("ridge: group %d is in folds %d and %d, expected it in one", groups[i], other, f)
			}
			groupOf[groups[i]] = f
		}
	}
	if placed != n {
		return nil, fmt.Errorf("ridge: the folds have %d of %d samples, expected all", placed, n)
	}
	return foldOf, nil
}

func checkSets(targets int, sets [][]int) error {
	seen := make([]bool, targets)
	for s, set := range sets {
		if len(set) == 0 {
			return fmt.Errorf("ridge: set %d of targets is empty", s)
		}
		for _, t := range set {
			if t < 0 || t >= targets {
				return fmt.Errorf("ridge: set %d has target %d, expected 0 to %d", s, t, targets-1)
			}
			if seen[t] {
				return fmt.Errorf("ridge: target %d is in two sets, expected it in one at most", t)
			}
			seen[t] = true
		}
	}
	return nil
}

// Largest returns for every sample of a prediction which of the targets from … to−1 is largest, counted from the first of
// them: the category of one-against-the-rest ridge. Of equal ones it is the first; -1 if none is a number.
func Largest(predicted linalg.Matrix[float32], from, to int) []int {
	best := make([]int, predicted.Rows)
	for i := range best {
		best[i] = -1
		top := math.Inf(-1)
		for t := from; t < to; t++ {
			if v := float64(predicted.At(i, t)); v > top {
				best[i], top = t-from, v
			}
		}
	}
	return best
}
