package stats

import (
	"fmt"
	"math"
	"slices"
)

// NewNull returns the distribution of scores that were found by permutation, in any order. Of r it takes the level.
func NewNull(scores []float64, r Resampling) (*Null, error) {
	r.Samples = max(1, len(scores))
	r, err := r.withDefaults()
	if err != nil {
		return nil, err
	}
	if len(scores) == 0 {
		return nil, fmt.Errorf("stats: a null distribution of no scores")
	}
	for i, s := range scores {
		if math.IsNaN(s) {
			return nil, fmt.Errorf("stats: the score of permutation %d is NaN, expected a number", i)
		}
	}
	null := &Null{slices.Clone(scores), r.Level}
	slices.Sort(null.Scores)
	return null, nil
}

// CompareNull returns the p-values of the scores of several targets, each against its own scores under permutation.
//
//	observed  [targets]
//	null      [permutations][targets]
func CompareNull(observed []float64, null [][]float64) (*BlockTest, error) {
	t := &BlockTest{Observed: observed, Count: make([]int, len(observed)), P: make([]float64, len(observed)), Null: null}
	for o, scores := range null {
		if len(scores) != len(observed) {
			return nil, fmt.Errorf("stats: %d scores of permutation %d, expected %d", len(scores), o, len(observed))
		}
		for j, s := range scores {
			if atLeast(s, observed[j]) {
				t.Count[j]++
			}
		}
	}
	t.finish(len(null))
	return t, nil
}

// atLeast says whether a null score reaches the observed one. Equal scores whose sums were rounded differently count: a
// p-value must not depend on the order of a sum. The tolerance is that of scipy.stats.permutation_test.
func atLeast(null, observed float64) bool { return null >= observed-math.Abs(observed)*100*0x1p-52 }

// finish computes p-values from counts.
func (t *BlockTest) finish(permutations int) {
	for j := range t.P {
		t.P[j] = float64(1+t.Count[j]) / float64(1+permutations)
		if math.IsNaN(t.Observed[j]) {
			t.P[j] = math.NaN()
		}
	}
}

// Max returns the distribution of the largest score of all targets. A target whose score has P(score) ≤ 0.05 there is
// significant with a family-wise error of 5 %, however the targets depend on one another. NaN scores have no part in it.
//
// Source: Nichols & Holmes 2002, doi:10.1002/hbm.1058.
func (t *BlockTest) Max(r Resampling) (*Null, error) {
	largest := make([]float64, len(t.Null))
	for o, scores := range t.Null {
		largest[o] = math.Inf(-1)
		for _, s := range scores {
			if s > largest[o] {
				largest[o] = s
			}
		}
		if math.IsInf(largest[o], -1) {
			return nil, fmt.Errorf("stats: permutation %d has no score that is a number", o)
		}
	}
	return NewNull(largest, r)
}
