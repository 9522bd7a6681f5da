package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// CorrelationP returns the one-sided p-value of a correlation r over n independent samples
// under the hypothesis of none: that of Student's t = r·√((n−2)/(1−r²)) with n−2 degrees of
// freedom. Double the smaller of it and 1 minus it for a two-sided test. NaN for n < 3.
func CorrelationP(r float64, n int) float64 {
	if n < 3 || math.IsNaN(r) || math.Abs(r) > 1 {
		return math.NaN()
	}
	df := float64(n - 2)
	t := r * math.Sqrt(df/((1-r)*(1+r)))
	if math.IsInf(t, 1) {
		return 0
	}
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Survival(t)
}

// CriticalCorrelation returns the correlation over n samples whose one-sided p-value is p.
// For n = 982, the test images of NSD, it is 0.0525 at p = 0.05.
func CriticalCorrelation(p float64, n int) float64 {
	if n < 3 || !(p > 0 && p < 1) {
		return math.NaN()
	}
	df := float64(n - 2)
	t := -distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(p)
	return t / math.Sqrt(df+t*t)
}

// BenjaminiHochberg returns p-values adjusted for the false discovery rate: rejecting all
// at most q keeps the expected fraction of false discoveries at q where tests are
// independent or positively dependent. NaN (a masked voxel) stays NaN and does not count
// as a test.
//
// Source: Benjamini & Hochberg 1995.
func BenjaminiHochberg(p []float64) []float64 {
	return adjust(p, func(int) float64 { return 1 })
}

// BenjaminiYekutieli is BenjaminiHochberg for tests that depend on one another in any way:
// more careful by the factor Σ 1/i.
//
// Source: Benjamini & Yekutieli 2001.
func BenjaminiYekutieli(p []float64) []float64 {
	return adjust(p, func(tests int) float64 {
		sum := 0.0
		for i := 1; i <= tests; i++ {
			sum += 1 / float64(i)
		}
		return sum
	})
}

// adjust returns the step-up adjustment: the smallest factor·m·p₍ᵢ₎/i over this and all
// larger p, at most 1.
func adjust(p []float64, factor func(tests int) float64) []float64 {
	adjusted := make([]float64, len(p))
	var order []int
	for i, v := range p {
		if math.IsNaN(v) {
			adjusted[i] = v
			continue
		}
		order = append(order, i)
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return 0
	})
	m := len(order)
	f := factor(m)
	least := 1.0
	for rank := m; rank >= 1; rank-- {
		i := order[rank-1]
		least = math.Min(least, p[i]*(float64(m)/float64(rank))*f)
		adjusted[i] = least
	}
	return adjusted
}
