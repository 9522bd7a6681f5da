package ridge

import (
	"errors"
	"fmt"
	"math"

	"percept/tensor/linalg"
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

	// UnscaledTies adds 10⁻¹⁰·ln α to the scores that are compared in whatever units the targets have, as himalaya does
	// and code that uses it: with squared errors, targets of small variance then get the largest penalty. See FitCV.
	UnscaledTies bool

	// NoIntercept leaves the mean of Y unmodelled, as the code released with Takagi &
	// Nishimoto (2023) does.
	NoIntercept bool
	// NoStandardise takes X as it is. Otherwise every feature is brought to mean 0 and
	// standard deviation 1 over the training rows: in cross-validation those of the fold,
	// for the model all of them. A feature that does not vary there counts for nothing.
	NoStandardise bool
	// StandardiseOnce takes the statistics of all rows in cross-validation too, as a
	// StandardScaler in front of RidgeCV does; the rows left out then have a part in them.
	StandardiseOnce bool

	Form      Form      // of the solution; the default chooses the cheaper one
	Precision Precision // of the arithmetic; the default is float64 where that is cheap or needed

	// MaxMemory is how many bytes Fit and FitCV may take beyond X and Y, the model included;
	// 0 sets no limit. It changes the time, never the result.
	MaxMemory int64

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

// Precision is that of X, Y and the products with them. Gram matrices, their factors, means
// and scores are always float64.
type Precision int

// AutoPrecision is Double for at most 512 unknowns (features, or samples in the dual form),
// and where the smallest penalty is below 10⁻⁸ of the sum of all squares of X, which is
// samples × features where X is standardised. Otherwise it is Single, of half the time and
// memory: sums of float32 then have errors that a penalty α lets through to the prediction
// in proportion to 1/√α. At the bound R² is off by some 10⁻⁴, at penalties that are ever
// chosen by 10⁻⁶ or less.
const (
	AutoPrecision Precision = iota
	Single
	Double
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
			return o, fmt.Errorf("ridge: penalty %v in the grid, expected a positive number", a)
		}
	}
	if o.Folds == 0 {
		o.Folds = 5
	}
	if o.Score < L2 || o.Score > Correlation {
		return o, fmt.Errorf("ridge: %v is not a score", o.Score)
	}
	if o.Precision < AutoPrecision || o.Precision > Double {
		return o, fmt.Errorf("ridge: Precision(%d) is neither AutoPrecision, Single nor Double", int(o.Precision))
	}
	if o.Form < Auto || o.Form > Dual {
		return o, fmt.Errorf("ridge: Form(%d) is neither Auto, Primal nor Dual", int(o.Form))
	}
	if o.Folds > n {
		return o, &FoldsError{Folds: o.Folds, Groups: n, Samples: n}
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

// double says in which precision x is fitted.
func (o Options) double(x linalg.Matrix[float32]) bool {
	squares := float64(x.Rows) * float64(x.Cols) // of a standardised X
	if o.NoStandardise {
		squares = 0
		for i := range x.Rows {
			for _, v := range x.Row(i) {
				squares += float64(v) * float64(v)
			}
		}
	}
	unknowns := x.Rows
	if o.primal(x.Rows, x.Cols) {
		unknowns = x.Cols
	}
	return o.doubleFor(unknowns, squares)
}

// doubleFor is double for a problem of that many unknowns and a Gram matrix of that trace.
func (o Options) doubleFor(unknowns int, trace float64) bool {
	switch o.Precision {
	case Single:
		return false
	case Double:
		return true
	}
	if unknowns <= exactSide {
		return true
	}
	least := math.Inf(1)
	for _, a := range o.Alphas {
		least = min(least, a)
	}
	return least < singleFrom*trace
}

// singleFrom is the smallest penalty, as a part of the sum of squares of X, that float32 is
// taken for.
const singleFrom = 1e-8
