package ridge

import (
	"errors"
	"fmt"
	"math"
)

// Options of a fit. The zero value fits an intercept on standardised X and chooses each
// target's penalty from DefaultAlphas by the mean squared error of five folds.
type Options struct {
	// Alphas are the penalties to choose from, in units of X'X: with standardised X,
	// α = n shrinks a direction of average variance by half. nil means DefaultAlphas.
	Alphas []float64
	Folds  int   // of the cross-validation; 0 means 5
	Groups []int // image or run of each sample; samples of one group are never split. See Folds
	Score  Score // by which penalties are chosen
	Global bool  // one penalty for all targets: the one with the best mean score

	// NoIntercept leaves the mean of Y unmodelled, as the code released with Takagi &
	// Nishimoto (2023) does.
	NoIntercept bool
	// NoStandardise takes X as it is. Otherwise every feature is brought to mean 0 and
	// standard deviation 1 over the training samples first.
	NoStandardise bool

	Form Form // of the solution; the default chooses the cheaper one

	// Progress, if not nil, is called after each part of the work with the number of
	// parts done and of all parts; never by two goroutines at once.
	Progress func(done, total int)
}

// Form is the Gram matrix that a fit decomposes.
type Form int

// Primal decomposes X'X [features, features], Dual XX' [samples, samples]. Auto takes the
// smaller one. The results agree to rounding.
const (
	Auto Form = iota
	Primal
	Dual
)

// DefaultAlphas returns the grid 1, 10^½, 10, …, 10⁶.
func DefaultAlphas() []float64 { return LogSpace(0, 6, 13) }

// LogSpace returns n penalties from 10^lo to 10^hi with equal ratios.
func LogSpace(lo, hi float64, n int) []float64 {
	a := make([]float64, n)
	for i := range a {
		t := 0.0
		if n > 1 {
			t = float64(i) / float64(n-1)
		}
		a[i] = math.Pow(10, lo+t*(hi-lo))
	}
	return a
}

// withDefaults fills in zero values and checks the rest against n samples.
func (o Options) withDefaults(n int) (Options, error) {
	if o.Alphas == nil {
		o.Alphas = DefaultAlphas()
	}
	if len(o.Alphas) == 0 {
		return o, errors.New("ridge: an empty grid of penalties")
	}
	for _, a := range o.Alphas {
		if !(a > 0) || math.IsInf(a, 0) {
			return o, fmt.Errorf("ridge: penalty %v in the grid, want a positive number", a)
		}
	}
	if o.Folds == 0 {
		o.Folds = 5
	}
	if o.Score < L2 || o.Score > Correlation {
		return o, fmt.Errorf("ridge: %v is not a score", o.Score)
	}
	if o.Folds > n {
		return o, fmt.Errorf("ridge: %d folds of %d samples", o.Folds, n)
	}
	return o, nil
}

// primal says which form a problem of n samples and p features takes.
func (o Options) primal(n, p int) bool {
	switch o.Form {
	case Primal:
		return true
	case Dual:
		return false
	}
	return p < n
}
