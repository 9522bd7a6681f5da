package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// An Interval has a lower and an upper bound.
type Interval struct{ Low, High float64 }

// Contains says whether x lies in the interval, bounds included.
func (i Interval) Contains(x float64) bool { return i.Low <= x && x <= i.High }

func (i Interval) String() string { return fmt.Sprintf("[%.3f, %.3f]", i.Low, i.High) }

// Resampling says how intervals are found. The zero value is 2000 resamples and 95 %.
type Resampling struct {
	Samples int     // 0 means 2000
	Level   float64 // coverage; 0 means 0.95
	Seed    uint64
}

func (r Resampling) withDefaults() (Resampling, error) {
	if r.Samples == 0 {
		r.Samples = 2000
	}
	if r.Level == 0 {
		r.Level = 0.95
	}
	if r.Samples < 1 || !(r.Level > 0 && r.Level < 1) {
		return r, fmt.Errorf("stats: %d resamples at level %v, expected at least 1 and a level between 0 and 1", r.Samples, r.Level)
	}
	return r, nil
}

// The two streams of random numbers, so that a bootstrap and a permutation of one seed
// have nothing in common.
const (
	bootstrapStream   = 0x626f6f74
	permutationStream = 0x7065726d
)

// Mean returns the mean of values, NaN of none.
func Mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// BootstrapMean returns the percentile interval of the mean of values, one per image: the
// images are drawn again with replacement, and the bounds are quantiles of the means.
func BootstrapMean(values []float64, r Resampling) (Interval, error) {
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return Interval{}, fmt.Errorf("stats: value %d is %v, expected a finite number", i, v)
		}
	}
	return Bootstrap(len(values), r, func(drawn []int) float64 {
		sum := 0.0
		for _, i := range drawn {
			sum += values[i]
		}
		return sum / float64(len(drawn))
	})
}

// Bootstrap returns the percentile interval of any statistic of n images. The statistic
// gets the indices of the images drawn, n of them, which it must not keep.
func Bootstrap(n int, r Resampling, statistic func(drawn []int) float64) (Interval, error) {
	r, err := r.withDefaults()
	if err != nil {
		return Interval{}, err
	}
	if n < 2 {
		return Interval{}, fmt.Errorf("stats: %d values, expected at least 2 for an interval", n)
	}
	random := rand.New(rand.NewPCG(r.Seed, bootstrapStream))
	drawn := make([]int, n)
	results := make([]float64, r.Samples)
	for s := range results {
		for i := range drawn {
			drawn[i] = random.IntN(n)
		}
		if results[s] = statistic(drawn); math.IsNaN(results[s]) {
			return Interval{}, fmt.Errorf("stats: the statistic of resample %d is NaN, expected a number", s)
		}
	}
	slices.Sort(results)
	return central(results, r.Level), nil
}

// central returns the interval that leaves out equal parts of sorted on both sides.
func central(sorted []float64, level float64) Interval {
	return Interval{Quantile(sorted, (1-level)/2), Quantile(sorted, (1+level)/2)}
}

// Quantile returns the q-quantile of sorted values, interpolated linearly between the two
// nearest (numpy's default). NaN without values, or if q is not from 0 to 1.
func Quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 || !(q >= 0 && q <= 1) {
		return math.NaN()
	}
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
