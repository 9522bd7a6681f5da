package ridge

import (
	"fmt"
	"math"

	"percept/tensor/linalg"
)

// SplitR2 says which part each band has in R² (the product measure): with the parts ŷₖ of a
// prediction and ŷ, their sum,
//
//	R²ₖ = Σ(2·y·ŷₖ − ŷₖ·ŷ) / Σy²
//
// over samples, y without its mean there. The parts add up to the R² of ŷ for that y. They
// are negative where a band does harm. A target without variance has 0.
//
//	truth  [samples, targets]
//	parts  of each band [samples, targets], as of PredictSplit
//
// The result has a list of targets for each band. Source: himalaya, r2_score_split.
func SplitR2(truth linalg.Matrix[float32], parts []linalg.Matrix[float64]) ([][]float64, error) {
	return splitScores(truth, parts, func(s splitSums) float64 { return (2*s.yp - s.pq) / s.yy })
}

// SplitCorrelation says which part each band has in the correlation of truth and prediction:
//
//	rₖ = mean(y·ŷₖ) / (sd(y)·sd(ŷ))
//
// of everything without its mean. The parts add up to r. A target or prediction without
// variance has 0. Source: himalaya, correlation_score_split.
func SplitCorrelation(truth linalg.Matrix[float32], parts []linalg.Matrix[float64]) ([][]float64, error) {
	return splitScores(truth, parts, func(s splitSums) float64 {
		if s.qq == 0 {
			return 0
		}
		return s.ypc / math.Sqrt(s.yy*s.qq)
	})
}

// splitSums are sums over samples: y without its mean, p the part, q the whole prediction; pc
// and qq are without their means.
type splitSums struct{ yy, yp, pq, ypc, qq float64 }

func splitScores(truth linalg.Matrix[float32], parts []dense, score func(splitSums) float64) ([][]float64, error) {
	if err := check("truth", truth); err != nil {
		return nil, err
	}
	if len(parts) == 0 {
		return nil, fmt.Errorf("ridge: a split into no parts")
	}
	for k, p := range parts {
		if err := check(fmt.Sprintf("part %d", k), p); err != nil {
			return nil, err
		}
		if p.Rows != truth.Rows || p.Cols != truth.Cols {
			return nil, fmt.Errorf("ridge: part %d is %d×%d, expected %d×%d as the truth", k, p.Rows, p.Cols, truth.Rows, truth.Cols)
		}
	}
	mean := columnMeans(truth)
	_, flat := deviations(truth)
	whole := newDense(truth.Rows, truth.Cols)
	for _, p := range parts {
		for i := range p.Rows {
			sum := whole.Row(i)
			for j, v := range p.Row(i) {
				sum[j] += v
			}
		}
	}
	q, qFlat := deviations(whole)
	scores := make([][]float64, len(parts))
	for k, p := range parts {
		scores[k] = make([]float64, truth.Cols)
		pMean := columnMeans(p)
		sums := make([]splitSums, truth.Cols)
		for i := range truth.Rows {
			for j, v := range truth.Row(i) {
				y, part := float64(v)-mean[j], p.Row(i)[j]
				s := &sums[j]
				s.yy += y * y
				s.yp += y * part
				s.pq += part * whole.At(i, j)
				s.ypc += y * (part - pMean[j])
			}
		}
		for j, s := range sums {
			if flat[j] {
				continue
			}
			if !qFlat[j] {
				s.qq = q[j]
			}
			scores[k][j] = score(s)
		}
	}
	return scores, nil
}
