package ridge

import (
	"context"
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
	Coef      Matrix    // [features, targets], of the standardised features
	Intercept []float64 // of each target; 0 without intercept
	Scaler    *Scaler   // of X over the training samples; nil if X was taken as it is

	Alphas   []float64 // penalty of each target
	CVScores []float64 // cross-validated score of each target at that penalty; nil if none was done

	Grid    []float64 // penalties compared; nil for a fit with given penalties
	CVTable []float64 // [len(Grid), targets]: mean over folds of the score at each penalty
	Edge    Edge
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
	return fmt.Sprintf("ridge: of %d targets, %d chose the smallest penalty of the grid and %d the largest; a wider grid may be better", e.Targets, e.Low, e.High)
}

// Predict returns the prediction for x [samples, features] as [samples, targets].
func (m *Model) Predict(x Matrix) (Matrix, error) {
	if err := x.check("X"); err != nil {
		return Matrix{}, err
	}
	if x.Cols != m.Coef.Rows {
		return Matrix{}, fmt.Errorf("ridge: X has %d features, the model was fitted on %d", x.Cols, m.Coef.Rows)
	}
	xs := widen(x, m.Scaler)
	out := NewMatrix(x.Rows, m.Coef.Cols)
	batches := split(m.Coef.Cols, targetBatch)
	err := parallel(context.Background(), len(batches), func(b int) error {
		lo, hi := batches[b][0], batches[b][1]
		w := columns(m.Coef, lo, hi, nil)
		y := newDense(x.Rows, hi-lo)
		linalg.Mul(y, 1, xs, w, 0)
		for i := range y.Rows {
			row := out.Row(i)[lo:hi]
			for j := range row {
				row[j] = float32(y.Data[i*y.Stride+j] + m.Intercept[lo+j])
			}
		}
		return nil
	})
	return out, err
}

// widen returns x in float64, standardised by s unless s is nil.
func widen(x Matrix, s *Scaler) dense {
	g := newDense(x.Rows, x.Cols)
	for i := range x.Rows {
		row := g.Data[i*x.Cols : (i+1)*x.Cols]
		for j, v := range x.Row(i) {
			row[j] = float64(v)
		}
		if s != nil {
			for j := range row {
				row[j] = (row[j] - s.Mean[j]) / s.Scale[j]
			}
		}
	}
	return g
}

// columns returns columns lo to hi of m in float64, with its rows in the given order (nil:
// as they are).
func columns(m Matrix, lo, hi int, order []int) dense {
	g := newDense(m.Rows, hi-lo)
	for i := range m.Rows {
		r := i
		if order != nil {
			r = order[i]
		}
		row := g.Data[i*g.Stride : i*g.Stride+g.Cols]
		for j, v := range m.Row(r)[lo:hi] {
			row[j] = float64(v)
		}
	}
	return g
}
