package ridge

import (
	"context"
	"math"

	"percept/tensor/linalg"
)

// tie is what is added to a score for each unit of ln α, in units of the score, so that of penalties that predict equally
// well the largest is taken. himalaya adds as much in whatever units the targets have.
const tie = 1e-10

// choose returns the index of the best penalty of every target.
//
//	table  [penalties, targets]
//	units  of the scores of each target, see Options.units
func choose(table, grid, units []float64, global bool) []int {
	targets := len(units)
	best := make([]int, targets)
	pick := func(score func(a int) float64, unit float64) (at int) {
		if unit == 0 {
			return largest(grid)
		}
		top := math.Inf(-1)
		for a := range grid {
			if v := score(a) + tie*unit*math.Log(grid[a]); v > top {
				top, at = v, a
			}
		}
		return at
	}
	if global {
		at := pick(func(a int) float64 { return mean(table[a*targets : (a+1)*targets]) }, mean(units))
		for t := range best {
			best[t] = at
		}
		return best
	}
	for t := range best {
		best[t] = pick(func(a int) float64 { return table[a*targets+t] }, units[t])
	}
	return best
}

// largest returns the index of the first of the largest penalties.
func largest(grid []float64) int {
	at := 0
	for a, alpha := range grid {
		if alpha > grid[at] {
			at = a
		}
	}
	return at
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// units returns the unit of each target's score: where the score is a squared error, the target's variance (without an
// intercept its mean square), so that the choice does not depend on what the target is measured in; 0 if it has none. It is 1
// for scores without a unit, and with UnscaledTies.
func (o Options) units(y linalg.Matrix[float32]) []float64 {
	units := make([]float64, y.Cols)
	if o.Score != L2 || o.UnscaledTies {
		for t := range units {
			units[t] = 1
		}
		return units
	}
	columns := split(y.Cols, scoreColumns)
	_ = parallel(context.Background(), len(columns), func(i int) error {
		lo, hi := columns[i][0], columns[i][1]
		part := y.Slice(0, y.Rows, lo, hi)
		sum, flat := deviations(part)
		mean := columnMeans(part)
		for j := range sum {
			if !flat[j] {
				units[lo+j] = sum[j] / float64(y.Rows)
			}
			if o.NoIntercept {
				units[lo+j] += mean[j] * mean[j]
			}
		}
		return nil
	})
	return units
}

// moved counts the targets that UnscaledTies gives another penalty than they would have without.
func (o Options) moved(table []float64, best []int, units func(Options) []float64) int {
	if !o.UnscaledTies {
		return 0
	}
	o.UnscaledTies = false
	n := 0
	for t, a := range choose(table, o.Alphas, units(o), o.Global) {
		if a != best[t] {
			n++
		}
	}
	return n
}

// edges counts the targets at the ends of the grid.
func edges(y linalg.Matrix[float32], alphas, grid []float64) Edge {
	return edgesOf(Constant(y), alphas, grid)
}

// Constant says which columns of a matrix have one value in all rows.
func Constant(m linalg.Matrix[float32]) []bool {
	flat, first := make([]bool, m.Cols), m.Row(0)
	for j := range flat {
		flat[j] = true
	}
	for i := range m.Rows {
		for j, v := range m.Row(i) {
			flat[j] = flat[j] && v == first[j]
		}
	}
	return flat
}

func edgesOf(flat []bool, alphas, grid []float64) Edge {
	e := Edge{Targets: len(flat)}
	low, high := grid[0], grid[0]
	for _, a := range grid {
		low, high = min(low, a), max(high, a)
	}
	for t, a := range alphas {
		switch {
		case flat[t]:
			e.Flat++
		case low == high: // a grid of one penalty has no edge
		case a == low:
			e.Low++
		case a == high:
			e.High++
		}
	}
	return e
}
