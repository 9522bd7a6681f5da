package stats

import (
	"fmt"
	"math"
)

// EffectiveSamples returns the number of independent samples whose correlation would vary as much as that of two series
// that are independent of one another, but not each of itself:
//
//	n / (1 + 2·Σ (1 − k/n)·ρx(k)·ρy(k))    k = 1 … lags
//
// with the autocorrelations ρ. The estimates use pairs of rows of one run alone and are those of runs without their means.
// The result is from 1 to n: a correlation of alternating series is not taken for surer than that of independent ones. NaN
// if a series is constant within every run. Where x and y do depend on one another it errs on the careful side, as
// what they share adds to both autocorrelations.
//
//	run   of each row; rows of a run follow one another
//	lags  how far autocorrelation reaches, in rows; less than the shortest run
//
// Source: Bartlett 1935, doi:10.2307/2342284; Afyouni, Smith & Nichols 2019,
// doi:10.1016/j.neuroimage.2019.05.011.
func EffectiveSamples(x, y []float64, run []int, lags int) (float64, error) {
	if len(x) != len(run) || len(y) != len(run) {
		return 0, fmt.Errorf("stats: series of %d and %d rows and the run of %d", len(x), len(y), len(run))
	}
	a, err := autocorrelation(x, run, lags)
	if err != nil {
		return 0, err
	}
	b, err := autocorrelation(y, run, lags)
	if err != nil {
		return 0, err
	}
	n, sum := float64(len(x)), 1.0
	for k := 1; k <= lags; k++ {
		sum += 2 * (1 - float64(k)/n) * a[k] * b[k]
	}
	if math.IsNaN(sum) {
		return math.NaN(), nil
	}
	return math.Max(1, n/math.Max(1, sum)), nil
}

// autocorrelation returns Σ x(t)·x(t+k) / Σ x(t)² over pairs in one run for k = 0 … lags, x without its run's mean.
func autocorrelation(x []float64, run []int, lags int) ([]float64, error) {
	sums := make([]float64, max(0, lags)+1)
	for from := 0; from < len(x); {
		to := from + 1
		for to < len(x) && run[to] == run[from] {
			to++
		}
		if lags < 0 || lags >= to-from {
			return nil, fmt.Errorf("stats: autocorrelation over %d rows in a run of %d, expected 0 or more and less than the run", lags,
				to-from)
		}
		d := make([]float64, to-from)
		mean := 0.0
		for _, v := range x[from:to] {
			mean += v - x[from]
		}
		mean /= float64(to - from)
		for i, v := range x[from:to] {
			d[i] = v - x[from] - mean
		}
		for k := range sums {
			for i := k; i < len(d); i++ {
				sums[k] += d[i] * d[i-k]
			}
		}
		from = to
	}
	for k := lags; k >= 0; k-- {
		sums[k] /= sums[0]
	}
	return sums, nil
}

// MeanInterval returns the interval of the mean of a few independent values, as of accuracies of runs, by Student's t. For a
// dozen values it is wider than the percentile bootstrap's, which then covers too rarely. Of r it takes the level.
func MeanInterval(values []float64, r Resampling) (Interval, error) {
	r, err := r.withDefaults()
	if err != nil {
		return Interval{}, err
	}
	if len(values) < 2 {
		return Interval{}, fmt.Errorf("stats: %d values, expected at least 2 for an interval", len(values))
	}
	n, mean, sum := float64(len(values)), Mean(values), 0.0
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return Interval{}, fmt.Errorf("stats: value %d is %v, expected a finite number", i, v)
		}
		sum += (v - mean) * (v - mean)
	}
	half := studentQuantile((1-r.Level)/2, n-1) * math.Sqrt(sum/(n-1)/n)
	return Interval{mean - half, mean + half}, nil
}
