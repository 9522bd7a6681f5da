package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// CorrelationP returns the one-sided p-value of a correlation r over n independent samples
// under the hypothesis of none: that of Student's t = r·√((n−2)/(1−r²)) with n−2 degrees of
// freedom. Double the smaller of it and 1 minus it for a two-sided test. NaN for n < 3.
func CorrelationP(r float64, n int) float64 {
	if n < 3 || math.IsNaN(r) || math.Abs(r) > 1 {
		return math.NaN()
	}
	df := float64(n - 2)
	return studentSurvival(r*math.Sqrt(df/((1-r)*(1+r))), df)
}

// CriticalCorrelation returns the correlation over n samples whose one-sided p-value is p.
// For n = 982, the test images of NSD, it is 0.0525 at p = 0.05.
func CriticalCorrelation(p float64, n int) float64 {
	if n < 3 || !(p > 0 && p < 1) {
		return math.NaN()
	}
	df := float64(n - 2)
	t := studentQuantile(p, df)
	return t / math.Hypot(math.Sqrt(df), t)
}

// studentSurvival returns the probability that Student's t with df degrees of freedom is above t. (gonum's loses digits
// where t is small and df large, and its quantile is wrong for small p and large df.)
func studentSurvival(t, df float64) float64 {
	switch u := t * t; {
	case t < 0:
		return 1 - studentSurvival(-t, df)
	case math.IsInf(u, 1):
		return 0
	case u < 1:
		return 0.5 - mathext.RegIncBeta(0.5, df/2, u/(df+u))/2
	default:
		return mathext.RegIncBeta(df/2, 0.5, df/(df+u)) / 2
	}
}

// studentQuantile returns the t whose studentSurvival is p, by bisection to the last bit.
func studentQuantile(p, df float64) float64 {
	if p > 0.5 {
		return -studentQuantile(1-p, df)
	}
	low, high := 0.0, 1.0
	for studentSurvival(high, df) > p {
		low, high = high, 2*high
	}
	for {
		middle := low + (high-low)/2
		if middle <= low || middle >= high {
			return middle
		}
		if studentSurvival(middle, df) > p {
			low = middle
		} else {
			high = middle
		}
	}
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
