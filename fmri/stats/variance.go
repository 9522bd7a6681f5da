package stats

import (
	"fmt"
	"math"
)

// SignalToNoise estimates the ratio of the standard deviations of signal and noise of every column of responses x
// [rows, cols] from repeats of items (images, or categories): the noise variance is that within items, the signal variance
// that of the items' means beyond what the noise gives them, both without bias (one-way analysis of variance, random
// effects). Where the estimate of the signal variance is negative the ratio is 0, so that over many columns without signal
// its mean is a little above 0. It is what NoiseCeiling takes. NaN in a column that does not vary.
//
//	item  shown in each row; an item needs no repeats, but some item does, and there have to be two
//
// Source: Searle, Casella & McCulloch 1992, Variance Components, chapter 3 (unequal numbers of repeats).
func SignalToNoise(x []float32, cols int, item []int) ([]float64, error) {
	rows := len(item)
	if cols < 1 || len(x) != rows*cols {
		return nil, fmt.Errorf("stats: %d responses, expected %d rows of %d", len(x), rows, cols)
	}
	index := make(map[int]int)
	var count []float64
	of := make([]int, rows)
	for i, v := range item {
		k, ok := index[v]
		if !ok {
			k = len(count)
			index[v] = k
			count = append(count, 0)
		}
		of[i] = k
		count[k]++
	}
	if len(count) < 2 || len(count) == rows {
		return nil, fmt.Errorf("stats: %d items in %d rows, expected at least 2 items and a repeat", len(count), rows)
	}
	n, squares := float64(rows), 0.0
	for _, c := range count {
		squares += c * c
	}
	between, within := float64(len(count)-1), n-float64(len(count)) // degrees of freedom
	repeats := (n - squares/n) / between                            // the number of each item if all had as many

	ratio := make([]float64, cols)
	mean := make([]float64, len(count))
	for j := range cols {
		clear(mean)
		total, first := 0.0, float64(x[j])
		for i, k := range of {
			d := float64(x[i*cols+j]) - first
			mean[k] += d
			total += d
		}
		total /= n
		msBetween, msWithin := 0.0, 0.0
		for k := range mean {
			mean[k] /= count[k]
			msBetween += count[k] * (mean[k] - total) * (mean[k] - total)
		}
		for i, k := range of {
			d := float64(x[i*cols+j]) - first - mean[k]
			msWithin += d * d
		}
		msBetween /= between
		msWithin /= within
		if msBetween == 0 && msWithin == 0 {
			ratio[j] = math.NaN()
			continue
		}
		ratio[j] = math.Sqrt(math.Max(0, (msBetween-msWithin)/repeats) / msWithin)
	}
	return ratio, nil
}
