package ridge

import (
	"fmt"

	"percept/tensor/linalg"
)

// A Model predicts targets from features:
//
//	Ŷ = ((X − XMean) / XScale) · Coef + Intercept
//
// It has everything that prediction needs and no more, so that it can be written to a
// file field by field.
type Model struct {
	Coef      linalg.Matrix[float32] // [features, targets], of the standardised features
	Intercept []float64              // of each target; 0 without intercept
	Scaler    *Scaler                // of X over the training samples; nil if X was taken as it is

	Alphas   []float64 // penalty of each target
	CVScores []float64 // cross-validated score of each target at that penalty; nil if none was done

	Grid    []float64 // penalties compared; nil for a fit with given penalties
	CVTable []float64 // [len(Grid), targets]: mean over folds of the score at each penalty
	Edge    Edge
	Moved   int // targets that Options.UnscaledTies gave another penalty
	// OneFold are the columns of X that vary in the rows of one fold alone, up to rounding, as where one value is far from
	// all others: cross-validation does without them there.
	OneFold []int
}

// An Edge counts the targets whose penalty is the end of the grid: a better one may lie
// outside. Targets without variance, for which all penalties are alike, are not counted.
type Edge struct {
	Low, High int // targets at the smallest and at the largest penalty
	Flat      int // targets without variance in the training samples
	Targets   int
}

// String is a warning, or empty if no target is at the edge.
func (e Edge) String() string {
	if e.Low+e.High == 0 {
		return ""
	}
	return fmt.Sprintf("ridge: of %d targets, %d chose the smallest penalty of the grid and %d the largest; a wider grid may be better",
		e.Targets, e.Low, e.High)
}

// Predict returns the prediction for x [samples, features] as [samples, targets].
func (m *Model) Predict(x linalg.Matrix[float32]) (linalg.Matrix[float32], error) {
	if err := m.accepts(x); err != nil {
		return linalg.Matrix[float32]{}, err
	}
	// In float64, a batch of targets at a time: coefficients of tiny penalties are large and
	// cancel.
	xs := newDense(x.Rows, x.Cols)
	standardise(xs, x, nil, m.Scaler)
	out := linalg.New[float32](x.Rows, m.Coef.Cols)
	for _, b := range split(m.Coef.Cols, targetBatch) {
		lo, hi := b[0], b[1]
		w, y := newDense(x.Cols, hi-lo), newDense(x.Rows, hi-lo)
		convert(w, m.Coef.Slice(0, x.Cols, lo, hi))
		linalg.Mul(y, 1, xs, w, 0)
		for i := range y.Rows {
			row := out.Row(i)[lo:hi]
			for j, v := range y.Row(i) {
				row[j] = float32(v + m.Intercept[lo+j])
			}
		}
	}
	return out, nil
}

// accepts reports an x that the model cannot predict from.
func (m *Model) accepts(x linalg.Matrix[float32]) error {
	if err := check("X", x); err != nil {
		return err
	}
	if x.Cols != m.Coef.Rows {
		return fmt.Errorf("ridge: X has %d features, the model was fitted on %d", x.Cols, m.Coef.Rows)
	}
	return checkShape("Coef", m.Coef)
}
