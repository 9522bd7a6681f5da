package ridge

import (
	"context"
	"fmt"
	"math"

	"percept/tensor/linalg"
)

// Score says how a prediction is judged; higher is better for all of them.
type Score int

// The scores of himalaya. Where a quantity has no value (no variance in the truth, or for
// the correlation in the prediction) the score is 0, so that a mean over folds exists.
const (
	L2          Score = iota // minus the mean squared error (the default, as himalaya's)
	R2                       // 1 − Σ(y − ŷ)² / Σ(y − ȳ)²
	Correlation              // Pearson's r
)

func (s Score) String() string {
	switch s {
	case L2:
		return "l2"
	case R2:
		return "r2"
	case Correlation:
		return "correlation"
	}
	return fmt.Sprintf("Score(%d)", int(s))
}

// ParseScore returns the score of a name: l2, r2 or correlation.
func ParseScore(name string) (Score, error) {
	for _, s := range []Score{L2, R2, Correlation} {
		if s.String() == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("ridge: score %q, expected l2, r2 or correlation", name)
}

// Of returns the score of every target, over samples.
//
//	truth, predicted  [samples, targets]
func (s Score) Of(truth, predicted linalg.Matrix[float32]) ([]float64, error) {
	if truth.Rows != predicted.Rows || truth.Cols != predicted.Cols {
		return nil, fmt.Errorf("ridge: prediction is %d×%d, expected %d×%d as the truth", predicted.Rows, predicted.Cols, truth.Rows,
			truth.Cols)
	}
	if err := check("truth", truth); err != nil {
		return nil, err
	}
	if err := check("prediction", predicted); err != nil {
		return nil, err
	}
	total := make([]float64, truth.Cols)
	addScore(s, total, truth, predicted)
	return total, nil
}

// scoreColumns is the number of targets that one goroutine scores at a time.
const scoreColumns = 256

// addScore adds the score of every column of p, given the truth y, to total.
func addScore[E linalg.Float](s Score, total []float64, y, p linalg.Matrix[E]) {
	columns := split(y.Cols, scoreColumns)
	_ = parallel(context.Background(), len(columns), func(i int) error {
		lo, hi := columns[i][0], columns[i][1]
		score(s, total[lo:hi], y.Slice(0, y.Rows, lo, hi), p.Slice(0, p.Rows, lo, hi))
		return nil
	})
}

func score[E linalg.Float](s Score, total []float64, y, p linalg.Matrix[E]) {
	n := float64(y.Rows)
	switch s {
	case L2:
		loss := squaredError(y, p)
		for j := range loss {
			total[j] -= loss[j] / n
		}
	case R2:
		loss := squaredError(y, p)
		sst, flat := deviations(y)
		for j := range loss {
			if !flat[j] {
				total[j] += 1 - loss[j]/sst[j]
			}
		}
	case Correlation:
		yy, yFlat := deviations(y)
		pp, pFlat := deviations(p)
		my, mp := columnMeans(y), columnMeans(p)
		yp := make([]float64, y.Cols)
		for i := range y.Rows {
			yi, pi := y.Row(i), p.Row(i)
			for j := range yp {
				yp[j] += (float64(yi[j]) - my[j]) * (float64(pi[j]) - mp[j])
			}
		}
		for j := range yp {
			if !yFlat[j] && !pFlat[j] {
				total[j] += yp[j] / math.Sqrt(yy[j]*pp[j])
			}
		}
	}
}

// squaredError returns Σ(y − p)² of every column.
func squaredError[E linalg.Float](y, p linalg.Matrix[E]) []float64 {
	sum := make([]float64, y.Cols)
	for i := range y.Rows {
		yi, pi := y.Row(i), p.Row(i)
		pi = pi[:len(yi)]
		sum := sum[:len(yi)]
		for j, v := range yi {
			d := float64(v) - float64(pi[j])
			sum[j] += d * d
		}
	}
	return sum
}

// deviations returns Σ(v − mean)² of every column, and whether the column is constant up
// to rounding: an exact test for zero would take rounding for variance.
func deviations[E linalg.Float](g linalg.Matrix[E]) (sum []float64, flat []bool) {
	first := g.Row(0)
	mean := make([]float64, g.Cols) // less the first value, so that it is exact for a constant
	largest := make([]float64, g.Cols)
	for i := range g.Rows {
		for j, v := range g.Row(i) {
			mean[j] += float64(v) - float64(first[j])
			largest[j] = max(largest[j], math.Abs(float64(v)))
		}
	}
	for j := range mean {
		mean[j] /= float64(g.Rows)
	}
	sum = make([]float64, g.Cols)
	for i := range g.Rows {
		for j, v := range g.Row(i) {
			d := float64(v) - float64(first[j]) - mean[j]
			sum[j] += d * d
		}
	}
	flat = make([]bool, g.Cols)
	for j := range flat {
		noise := 8 * 0x1p-52 * largest[j]
		flat[j] = sum[j] <= float64(g.Rows)*noise*noise
	}
	return sum, flat
}
