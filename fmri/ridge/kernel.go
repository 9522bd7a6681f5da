package ridge

import (
	"context"
	"errors"
	"fmt"

	"percept/tensor/linalg"
)

// LinearKernel returns the products A·B' of the rows of a [n, features] and b [m, features].
func LinearKernel(a, b linalg.Matrix[float32]) (linalg.Matrix[float64], error) {
	if err := check("A", a); err != nil {
		return dense{}, err
	}
	if err := check("B", b); err != nil {
		return dense{}, err
	}
	if a.Cols != b.Cols {
		return dense{}, fmt.Errorf("ridge: a kernel of %d and %d features, expected as many", a.Cols, b.Cols)
	}
	k := newDense(a.Rows, b.Rows)
	for from := 0; from < a.Cols; from += gramRows {
		to := min(from+gramRows, a.Cols)
		x, y := newDense(a.Rows, to-from), newDense(b.Rows, to-from)
		convert(x, a.Slice(0, a.Rows, from, to))
		convert(y, b.Slice(0, b.Rows, from, to))
		linalg.Mul(k, 1, x, y.T(), float64(min(from, 1)))
	}
	return k, nil
}

// A KernelModel predicts targets from kernels, the products of samples with those it was
// fitted on:
//
//	Ŷ = Σₖ γₖ·Kₖ·Dual + Intercept
//
// With an intercept, kernels are used with the mean of the training samples removed in the
// space of their features, which Predict does.
type KernelModel struct {
	Dual      linalg.Matrix[float64] // (Σ γK + α)⁻¹·Y [samples, targets]
	Intercept []float64              // of each target: the mean of Y; 0 without
	Gammas    [][]float64            // [candidates][kernels] what has been tried; {{1}} for one kernel
	Chosen    []int                  // the candidate of every target
	Alphas    []float64              // its penalty
	Deltas    linalg.Matrix[float64] // ln(γ/α) [kernels, targets]

	CVScores        []float64   // cross-validated score of each target with what it chose
	CandidateScores [][]float64 // [candidates][targets] the best score of each candidate
	CandidateTables [][]float64 // [candidates][len(Grid)·targets] all scores
	Grid            []float64
	Edge            Edge

	means  [][]float64 // of each kernel's rows; nil without intercept
	grands []float64
}

// FitKernelCV fits kernel ridge regression with penalties chosen as by FitCV.
//
//	k  [samples, samples]  a symmetric kernel
//	y  [samples, targets]
//
// Of the options, those on standardisation and form have no meaning.
func FitKernelCV(ctx context.Context, k linalg.Matrix[float64], y linalg.Matrix[float32], o Options) (*KernelModel, error) {
	return FitKernelsCV(ctx, []linalg.Matrix[float64]{k}, y, o, Search{Gammas: [][]float64{{1}}})
}

// FitKernelsCV fits ridge regression on the sum of several kernels, whose weights are searched
// for (himalaya's MultipleKernelRidgeCV).
func FitKernelsCV(ctx context.Context, kernels []linalg.Matrix[float64], y linalg.Matrix[float32], o Options,
	s Search) (*KernelModel, error) {
	if len(kernels) == 0 {
		return nil, errors.New("ridge: no kernel")
	}
	if err := check("Y", y); err != nil {
		return nil, err
	}
	trace := 0.0
	for i, k := range kernels {
		name := fmt.Sprintf("kernel %d", i)
		if err := check(name, k); err != nil {
			return nil, err
		}
		if k.Rows != y.Rows || k.Cols != y.Rows {
			return nil, fmt.Errorf("ridge: %s is %d×%d, expected %d×%d for as many samples of Y", name, k.Rows, k.Cols, y.Rows, y.Rows)
		}
		own := 0.0
		for i := range k.Rows {
			own += k.Row(i)[i]
		}
		trace = max(trace, own)
	}
	gammas, err := s.candidates(len(kernels))
	if err != nil {
		return nil, err
	}
	if o, err = o.withDefaults(y.Rows); err != nil {
		return nil, err
	}
	parts, err := Folds(y.Rows, o.Folds, o.Groups)
	if err != nil {
		return nil, err
	}
	if o.doubleFor(y.Rows, trace) {
		return fitKernels[float64](ctx, kernels, y, parts, gammas, o)
	}
	return fitKernels[float32](ctx, kernels, y, parts, gammas, o)
}

func fitKernels[E linalg.Float](
	ctx context.Context, kernels []dense, y linalg.Matrix[float32], parts [][]int, gammas [][]float64, o Options,
) (*KernelModel, error) {
	m := &memory{}
	n := y.Rows
	pl, err := o.plan(size{n, 0, y.Cols, longest(parts), false, isDouble[E](), len(kernels), true})
	if err != nil {
		return nil, err
	}
	r := newTargets[E](y, parts, o)
	r.centre = r.intercept
	if r.centre {
		r.sumTargets()
	}
	p := &problem[E]{rows: r, opt: o, plan: pl, m: m, form: newDual(m, r, kernels)}
	p.total = p.steps(len(gammas))
	same := func(gamma []float64) []float64 { return gamma }
	f, err := p.search(ctx, gammas, same)
	if err != nil {
		return nil, err
	}
	p.opt.Progress = nil
	model := &KernelModel{
		Dual: newDense(n, y.Cols), Intercept: make([]float64, y.Cols),
		Gammas: gammas, Chosen: f.gamma, Alphas: f.alphas, Deltas: f.deltas(gammas),
		CVScores: f.scores, CandidateScores: f.each, CandidateTables: f.tables, Grid: o.Alphas, Edge: edges(y, f.alphas, o.Alphas),
	}
	if r.intercept {
		copy(model.Intercept, r.yMean)
		for _, k := range kernels {
			mean := columnMeans(k)
			grand := 0.0
			for _, v := range mean {
				grand += v / float64(n)
			}
			model.means, model.grands = append(model.means, mean), append(model.grands, grand)
		}
	}
	err = p.refit(ctx, f, gammas, same, func(w dense, _ []float64, columns []int) {
		for i := range n {
			to := model.Dual.Row(r.order[i])
			for j, v := range w.Row(i) {
				to[columns[j]] = v
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return model, nil
}

// Predict returns the prediction for samples by their products with the training samples.
//
//	kernels  one for each kernel of the fit [samples, training samples]
func (m *KernelModel) Predict(kernels ...linalg.Matrix[float64]) (linalg.Matrix[float32], error) {
	parts, err := m.PredictSplit(kernels...)
	if err != nil {
		return linalg.Matrix[float32]{}, err
	}
	sum := linalg.New[float32](parts[0].Rows, parts[0].Cols)
	for i := range sum.Rows {
		row := sum.Row(i)
		for j := range row {
			v := m.Intercept[j]
			for _, p := range parts {
				v += p.Row(i)[j]
			}
			row[j] = float32(v)
		}
	}
	return sum, nil
}

// PredictSplit returns the part that each kernel has in the prediction. All parts and the
// intercept add up to what Predict returns.
func (m *KernelModel) PredictSplit(kernels ...linalg.Matrix[float64]) ([]linalg.Matrix[float64], error) {
	if want := len(m.Gammas[0]); len(kernels) != want {
		return nil, fmt.Errorf("ridge: %d kernels, the model was fitted on %d", len(kernels), want)
	}
	var parts []dense
	for k, kernel := range kernels {
		if err := check(fmt.Sprintf("kernel %d", k), kernel); err != nil {
			return nil, err
		}
		if kernel.Cols != m.Dual.Rows || kernel.Rows != kernels[0].Rows {
			return nil, fmt.Errorf("ridge: kernel %d is %d×%d, expected %d×%d", k, kernel.Rows, kernel.Cols, kernels[0].Rows, m.Dual.Rows)
		}
		of := kernel
		if m.means != nil {
			of = kernel.Clone()
			centreRows(of, m.means[k], m.grands[k])
		}
		part := newDense(kernel.Rows, m.Dual.Cols)
		linalg.Mul(part, 1, of, m.Dual, 0)
		for i := range part.Rows {
			row := part.Row(i)
			for t := range row {
				row[t] *= m.Gammas[m.Chosen[t]][k]
			}
		}
		parts = append(parts, part)
	}
	return parts, nil
}
