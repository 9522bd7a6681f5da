package ridge

import (
	"fmt"
	"math"

	"percept/tensor/linalg"
)

// A Scaler brings columns to mean 0 and standard deviation 1 with the statistics of the
// rows it was fitted on, which have to be training rows.
type Scaler struct {
	Mean  []float64 // of each column
	Scale []float64 // standard deviation (divisor n); 1 for a column that does not vary
}

// FitScaler computes mean and scale of every column of x [samples, features]. A column
// counts as constant where its variance is no more than the rounding of its sum, the
// bound of scikit-learn's StandardScaler.
func FitScaler(x linalg.Matrix[float32]) (*Scaler, error) {
	if err := check("X", x); err != nil {
		return nil, err
	}
	n := float64(x.Rows)
	s := &Scaler{make([]float64, x.Cols), make([]float64, x.Cols)}
	for i := range x.Rows {
		for j, v := range x.Row(i) {
			s.Mean[j] += float64(v)
		}
	}
	for j := range s.Mean {
		s.Mean[j] /= n
	}
	// The squared deviations, corrected for the rounding of the mean (Chan et al. 1983).
	rest := make([]float64, x.Cols)
	for i := range x.Rows {
		for j, v := range x.Row(i) {
			d := float64(v) - s.Mean[j]
			rest[j] += d
			s.Scale[j] += d * d
		}
	}
	const eps = 0x1p-52
	for j := range s.Scale {
		variance := (s.Scale[j] - rest[j]*rest[j]/n) / n
		noise := n * s.Mean[j] * eps
		if variance <= n*eps*variance+noise*noise {
			s.Scale[j] = 1
			continue
		}
		s.Scale[j] = math.Sqrt(variance)
	}
	return s, nil
}

// Transform returns (x − mean) / scale for x [samples, features].
func (s *Scaler) Transform(x linalg.Matrix[float32]) (linalg.Matrix[float32], error) {
	if err := check("X", x); err != nil {
		return linalg.Matrix[float32]{}, err
	}
	if x.Cols != len(s.Mean) {
		return linalg.Matrix[float32]{}, fmt.Errorf("ridge: X has %d features, the scaler was fitted on %d", x.Cols, len(s.Mean))
	}
	z := linalg.New[float32](x.Rows, x.Cols)
	for i := range x.Rows {
		zi := z.Row(i)
		for j, v := range x.Row(i) {
			zi[j] = float32((float64(v) - s.Mean[j]) / s.Scale[j])
		}
	}
	return z, nil
}
