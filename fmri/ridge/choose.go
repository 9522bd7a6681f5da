package ridge

import (
	"math"

	"percept/tensor/linalg"
)

// choose returns the index of the best penalty of every target.
//
//	table  [penalties, targets]
func choose(table, grid []float64, targets int, global bool) []int {
	slope := func(a int) float64 { return 1e-10 * math.Log(grid[a]) }
	best := make([]int, targets)
	if global {
		top := math.Inf(-1)
		for a := range grid {
			mean := 0.0
			for _, v := range table[a*targets : (a+1)*targets] {
				mean += v
			}
			if mean = mean/float64(targets) + slope(a); mean > top {
				top, best[0] = mean, a
			}
		}
		for t := range best {
			best[t] = best[0]
		}
		return best
	}
	for t := range best {
		top := math.Inf(-1)
		for a := range grid {
			if v := table[a*targets+t] + slope(a); v > top {
				top, best[t] = v, a
			}
		}
	}
	return best
}

// edges counts the targets at the ends of the grid.
func edges(y linalg.Matrix[float32], alphas, grid []float64) Edge {
	flat := make([]bool, y.Cols)
	first := y.Row(0)
	for j := range flat {
		flat[j] = true
	}
	for i := range y.Rows {
		for j, v := range y.Row(i) {
			flat[j] = flat[j] && v == first[j]
		}
	}
	return edgesOf(flat, alphas, grid)
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
