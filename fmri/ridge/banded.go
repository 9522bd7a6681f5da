package ridge

import (
	"context"
	"fmt"
	"math"

	"percept/tensor/linalg"
)

// A BandedModel predicts from features in bands, each with a penalty of its own: that of band
// k is α/γₖ = exp(−δₖ).
type BandedModel struct {
	Model
	Bands  []int       // the band of every feature
	Gammas [][]float64 // [candidates][bands] what has been tried
	Chosen []int       // the candidate of every target

	// Deltas are ln(γ/α) [bands, targets]; −Inf for a band that a target does without.
	Deltas linalg.Matrix[float64]
	// CandidateScores are the best cross-validated score of each candidate [candidates][targets].
	// CandidateTables are all scores of each [candidates][len(Grid)·targets].
	CandidateScores, CandidateTables [][]float64
}

// FitBandedCV fits ridge regression with a penalty for each band of features (himalaya's
// GroupRidgeCV): the weights of the bands are searched for, the penalty is chosen as by FitCV.
// A candidate costs what FitCV costs.
//
//	x      [samples, features]
//	bands  the band of each feature, 0, 1, …
//	y      [samples, targets]
func FitBandedCV(ctx context.Context, x linalg.Matrix[float32], bands []int, y linalg.Matrix[float32], o Options,
	s Search) (*BandedModel, error) {
	if err := checkXY(x, y); err != nil {
		return nil, err
	}
	count, err := countBands(bands, x.Cols)
	if err != nil {
		return nil, err
	}
	gammas, err := s.candidates(count)
	if err != nil {
		return nil, err
	}
	if o, err = o.withDefaults(x.Rows); err != nil {
		return nil, err
	}
	parts, err := Folds(x.Rows, o.Folds, o.Groups)
	if err != nil {
		return nil, err
	}
	if o.double(x) {
		return fitBanded[float64](ctx, x, bands, y, parts, gammas, o)
	}
	return fitBanded[float32](ctx, x, bands, y, parts, gammas, o)
}

// countBands returns the number of bands, of which none may be empty.
func countBands(bands []int, features int) (int, error) {
	if len(bands) != features {
		return 0, fmt.Errorf("ridge: the bands of %d features, expected those of %d", len(bands), features)
	}
	seen := map[int]bool{}
	count := 0
	for j, b := range bands {
		if b < 0 || b >= features {
			return 0, fmt.Errorf("ridge: feature %d is in band %d, expected 0 to %d", j, b, features-1)
		}
		seen[b] = true
		count = max(count, b+1)
	}
	if len(seen) != count {
		return 0, fmt.Errorf("ridge: bands up to %d, of which %d have features, expected features in all", count-1, len(seen))
	}
	return count, nil
}

func fitBanded[E linalg.Float](
	ctx context.Context, x linalg.Matrix[float32], bands []int, y linalg.Matrix[float32], parts [][]int, gammas [][]float64, o Options,
) (*BandedModel, error) {
	p, err := newProblem[E](x, y, parts, o)
	if err != nil {
		return nil, err
	}
	scale := func(gamma []float64) []float64 {
		f := make([]float64, x.Cols)
		for j, b := range bands {
			f[j] = math.Sqrt(gamma[b])
		}
		return f
	}
	p.total = p.steps(len(gammas))
	f, err := p.search(ctx, gammas, scale)
	if err != nil {
		return nil, err
	}
	p.opt.Progress = nil // how many candidates are fitted has only now been found
	m := &BandedModel{Bands: bands, Gammas: gammas, Chosen: f.gamma, Deltas: f.deltas(gammas), CandidateScores: f.each,
		CandidateTables: f.tables}
	m.Model = Model{
		Coef: linalg.New[float32](x.Cols, y.Cols), Intercept: make([]float64, y.Cols), Scaler: p.scaler,
		Alphas: f.alphas, CVScores: f.scores, Grid: o.Alphas, Edge: edges(y, f.alphas, o.Alphas),
	}
	_, ofFeatures := p.form.(*primal[E])
	err = p.refit(ctx, f, gammas, scale, func(w dense, weight []float64, columns []int) {
		c := linalg.New[float32](x.Cols, len(columns))
		if ofFeatures {
			convert(c, w)
			scaleBands(c, weight, 1)
		} else {
			p.fromSamples(c, w)
			scaleBands(c, weight, 2)
		}
		b := make([]float64, len(columns))
		if p.intercept {
			p.intercepts(b, c, columns)
		}
		for j, t := range columns {
			m.Intercept[t] = b[j]
			for i := range x.Cols {
				m.Coef.Row(i)[t] = c.Row(i)[j]
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// scaleBands multiplies every row by a power of its factor.
func scaleBands(c linalg.Matrix[float32], factor []float64, power int) {
	for i := range c.Rows {
		f := factor[i]
		if power == 2 {
			f *= f
		}
		row := c.Row(i)
		for j := range row {
			row[j] = float32(float64(row[j]) * f)
		}
	}
}

// PredictSplit returns the part that each band has in the prediction for x [samples,
// features]. All parts and the intercept add up to what Predict returns. Standardised
// features have no mean over the training samples, and so have their parts; the intercept is
// then the mean of Y.
func (m *BandedModel) PredictSplit(x linalg.Matrix[float32]) ([]linalg.Matrix[float64], error) {
	if err := m.accepts(x); err != nil {
		return nil, err
	}
	xs, w := newDense(x.Rows, x.Cols), newDense(x.Cols, m.Coef.Cols)
	standardise(xs, x, nil, m.Scaler)
	parts := make([]dense, len(m.Gammas[0]))
	for k := range parts {
		clear(w.Data)
		for i, b := range m.Bands {
			if b == k {
				convert(w.Slice(i, i+1, 0, w.Cols), m.Coef.Slice(i, i+1, 0, w.Cols))
			}
		}
		parts[k] = newDense(x.Rows, w.Cols)
		linalg.Mul(parts[k], 1, xs, w, 0)
	}
	return parts, nil
}
