package ridge

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"percept/tensor/linalg"
)

// arrays are what functions of the package are given: 40 samples of 12 features and 3 targets, and 9 of the same to predict.
type arrays struct {
	x, y, held, truth linalg.Matrix[float32]
	k, kHeld          linalg.Matrix[float64] // kernels of x, and of held and x
	part              linalg.Matrix[float64] // of a prediction of truth
}

// as returns the same numbers in views that of32 and of64 make.
func (a arrays) as(of32 func(linalg.Matrix[float32]) linalg.Matrix[float32],
	of64 func(linalg.Matrix[float64]) linalg.Matrix[float64]) arrays {
	return arrays{of32(a.x), of32(a.y), of32(a.held), of32(a.truth), of64(a.k), of64(a.kHeld), of64(a.part)}
}

// window is m inside a larger matrix of NaN.
func window[E linalg.Float](m linalg.Matrix[E]) linalg.Matrix[E] {
	w := linalg.New[E](m.Rows+3, m.Cols+5)
	for i := range w.Data {
		w.Data[i] = E(math.NaN())
	}
	w = w.Slice(1, 1+m.Rows, 2, 2+m.Cols)
	for i := range m.Rows {
		copy(w.Row(i), m.Row(i))
	}
	return w
}

// turned is m with column after column in memory.
func turned[E linalg.Float](m linalg.Matrix[E]) linalg.Matrix[E] { return m.T().Clone().T() }

// viewCases are all functions that take matrices, each with all that it returns.
var viewCases = map[string]func(a arrays) ([]any, error){
	"primal":       func(a arrays) ([]any, error) { return fitAndPredict(a, Options{Form: Primal}) },
	"primal, once": func(a arrays) ([]any, error) { return fitAndPredict(a, Options{Form: Primal, StandardiseOnce: true}) },
	"dual":         func(a arrays) ([]any, error) { return fitAndPredict(a, Options{Form: Dual, Score: Correlation}) },
	"single": func(a arrays) ([]any, error) {
		return fitAndPredict(a, Options{Form: Primal, Precision: Single, NoIntercept: true})
	},
	"single dual": func(a arrays) ([]any, error) {
		return fitAndPredict(a, Options{Form: Dual, Precision: Single, Score: R2})
	},
	"double by the squares": func(a arrays) (out []any, err error) { // 10⁻⁸ of the 480 or so is above the penalty
		withBand(func() { out, err = fitAndPredict(a, Options{NoStandardise: true, Alphas: []float64{1e-6, 1}}) })
		return out, err
	},
	"given penalty": func(a arrays) ([]any, error) {
		m, err := Fit(ctx, a.x, a.y, []float64{3}, Options{})
		return []any{m}, err
	},
	"banded": func(a arrays) ([]any, error) {
		var all []any
		for _, form := range []Form{Primal, Dual} {
			bands := []int{0, 0, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1}
			m, err := FitBandedCV(ctx, a.x, bands, a.y, Options{Form: form}, Search{Candidates: 3})
			if err != nil {
				return nil, err
			}
			parts, err := m.PredictSplit(a.held)
			if err != nil {
				return nil, err
			}
			all = append(all, m, parts)
		}
		return all, nil
	},
	"fractional": func(a arrays) ([]any, error) {
		m, err := FitFractionsCV(ctx, a.x, a.y, DefaultFractions(), Options{})
		return []any{m}, err
	},
	"fractions": func(a arrays) ([]any, error) {
		m, err := FitFractions(ctx, a.x, a.y, DefaultFractions(), Options{Form: Dual})
		return []any{m}, err
	},
	"kernel of features": func(a arrays) ([]any, error) {
		k, err := LinearKernel(a.held, a.x)
		return []any{k}, err
	},
	"kernels": func(a arrays) ([]any, error) {
		m, err := FitKernelsCV(ctx, []linalg.Matrix[float64]{a.k, a.k}, a.y, Options{}, Search{Candidates: 3})
		if err != nil {
			return nil, err
		}
		p, err := m.Predict(a.kHeld, a.kHeld)
		return []any{m, p}, err
	},
	"kernel without intercept": func(a arrays) ([]any, error) {
		m, err := FitKernelCV(ctx, a.k, a.y, Options{NoIntercept: true})
		if err != nil {
			return nil, err
		}
		p, err := m.Predict(a.kHeld)
		return []any{m, p}, err
	},
	"rows that are streamed": func(a arrays) ([]any, error) {
		s, err := NewAccumulator(a.x.Cols, a.y.Cols, 2)
		if err != nil {
			return nil, err
		}
		for lo := 0; lo < a.x.Rows; lo += 20 {
			fold := append(make([]int, 10), slices.Repeat([]int{1}, 10)...)
			if err := s.Add(a.x.Slice(lo, lo+20, 0, a.x.Cols), a.y.Slice(lo, lo+20, 0, a.y.Cols), fold); err != nil {
				return nil, err
			}
		}
		m, err := s.FitCV(ctx, Options{})
		return []any{m}, err
	},
	"cross prediction": func(a arrays) ([]any, error) {
		folds, err := Folds(a.x.Rows, 4, nil)
		if err != nil {
			return nil, err
		}
		p, err := CrossPredict(ctx, a.x, a.y, folds, [][]int{{0, 2}}, Options{})
		return []any{p}, err
	},
	"scaler": func(a arrays) ([]any, error) {
		s, err := FitScaler(a.x)
		return []any{s}, err
	},
	"scaled": func(a arrays) ([]any, error) {
		z, err := (&Scaler{make([]float64, 12), slices.Repeat([]float64{2}, 12)}).Transform(a.held)
		return []any{z}, err
	},
	"scores": func(a arrays) ([]any, error) {
		var all []any
		for _, s := range []Score{L2, R2, Correlation} {
			v, err := s.Of(a.truth, a.truth)
			if err != nil {
				return nil, err
			}
			all = append(all, v)
		}
		return all, nil
	},
	"split R²": func(a arrays) ([]any, error) {
		v, err := SplitR2(a.truth, []linalg.Matrix[float64]{a.part, a.part})
		return []any{v}, err
	},
	"split correlation": func(a arrays) ([]any, error) {
		v, err := SplitCorrelation(a.truth, []linalg.Matrix[float64]{a.part})
		return []any{v}, err
	},
}

func fitAndPredict(a arrays, o Options) ([]any, error) {
	m, err := FitCV(ctx, a.x, a.y, o)
	if err != nil {
		return nil, err
	}
	p, err := m.Predict(a.held)
	return []any{m, p}, err
}

// Views of larger matrices give what copies of them give, bit for bit, and transposed views an error.
func TestViews(t *testing.T) {
	r := rand.New(rand.NewPCG(51, 1))
	a := arrays{x: gaussian(r, 40, 12), held: gaussian(r, 9, 12), truth: gaussian(r, 9, 3)}
	a.y, _ = linear(r, a.x, 3, 1)
	a.k, a.kHeld, a.part = mustKernel(t, a.x, a.x), mustKernel(t, a.held, a.x), mustKernel(t, a.held, gaussian(r, 3, 12))
	for name, f := range viewCases {
		want, err := f(a)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, err := f(a.as(window, window)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: views give other results than copies (%v)", name, err)
		}
		if _, err := f(a.as(turned, turned)); err == nil || !strings.Contains(err.Error(), "a transposed view") {
			t.Errorf("%s: transposed views: %v, want an error", name, err)
		}
	}
	m := mustFit(t, a.x, a.y, Options{})
	want := mustPredict(t, m, a.held)
	if _, err := m.Predict(turned(a.held)); err == nil || !strings.Contains(err.Error(), "X: a transposed view") {
		t.Errorf("prediction for a transposed view: %v, want an error", err)
	}
	m.Coef = window(m.Coef)
	if got := mustPredict(t, m, a.held); !slices.Equal(got.Data, want.Data) {
		t.Error("coefficients in a larger matrix predict something else")
	}
	m.Coef = turned(m.Coef)
	if _, err := m.Predict(a.held); err == nil || !strings.Contains(err.Error(), "Coef: a transposed view") {
		t.Errorf("transposed coefficients: %v, want an error", err)
	}
	if got, want := Largest(turned(a.x), 2, 9), Largest(a.x, 2, 9); !slices.Equal(got, want) {
		t.Errorf("largest of a transposed view are %v, want %v", got, want)
	}
	without := linalg.Matrix[float32]{Rows: a.x.Rows, Cols: a.x.Cols, Data: a.x.Data}
	if _, err := FitScaler(without); err == nil || !strings.Contains(err.Error(), "480 values with stride 0, expected a matrix of 40×12") {
		t.Errorf("a matrix without stride: %v", err)
	}
}
