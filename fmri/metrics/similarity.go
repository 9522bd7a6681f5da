package metrics

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// A Similarity says how alike the features of every original and every generated picture
// are.
type Similarity struct {
	N    int
	Data []float64 // [N, N]: row i is original i, column j is generated picture j
}

// At returns the similarity of original i and generated picture j.
func (s *Similarity) At(i, j int) float64 { return s.Data[i*s.N+j] }

// Correlations returns Pearson's correlations of feature vectors. With several sets of
// generated pictures (repetitions with other noise), correlations are averaged over them,
// as Takagi & Nishimoto do.
//
//	originals  [N][features]
//	generated  [N][features] each
func Correlations(originals [][]float32, generated ...[][]float32) (*Similarity, error) {
	return products(originals, generated, true)
}

// Cosines returns cosine similarities of feature vectors; sets are averaged as in
// Correlations.
func Cosines(originals [][]float32, generated ...[][]float32) (*Similarity, error) {
	return products(originals, generated, false)
}

// products multiplies rows of unit length, with their means subtracted first if centre.
func products(originals [][]float32, generated [][][]float32, centre bool) (*Similarity, error) {
	n := len(originals)
	if n < 2 || len(generated) == 0 {
		return nil, fmt.Errorf("metrics: %d originals and %d sets of generated pictures, want at least 2 and 1", n, len(generated))
	}
	a, err := unitRows("original", originals, len(originals[0]), centre)
	if err != nil {
		return nil, err
	}
	s := &Similarity{n, make([]float64, n*n)}
	for _, set := range generated {
		if len(set) != n {
			return nil, fmt.Errorf("metrics: %d generated pictures, want %d as originals", len(set), n)
		}
		b, err := unitRows("generated picture", set, a.Cols, centre)
		if err != nil {
			return nil, err
		}
		r := blas64.General{Rows: n, Cols: n, Stride: n, Data: s.Data}
		blas64.Gemm(blas.NoTrans, blas.Trans, 1/float64(len(generated)), a, b, 1, r)
	}
	return s, nil
}

// unitRows scales every row to length 1. Rows that have no direction become NaN.
func unitRows(what string, rows [][]float32, features int, centre bool) (blas64.General, error) {
	if features == 0 {
		return blas64.General{}, fmt.Errorf("metrics: %s 0 has no features", what)
	}
	g := blas64.General{Rows: len(rows), Cols: features, Stride: features, Data: make([]float64, len(rows)*features)}
	for i, from := range rows {
		if len(from) != features {
			return g, fmt.Errorf("metrics: %s %d has %d features, want %d", what, i, len(from), features)
		}
		row := g.Data[i*features : (i+1)*features]
		shift := 0.0
		if centre {
			shift = float64(from[0]) // a constant row then has deviations of exactly 0
		}
		mean := 0.0
		for j, v := range from {
			row[j] = float64(v) - shift
			mean += row[j]
		}
		if !centre {
			mean = 0
		}
		mean /= float64(features)
		sum, largest := 0.0, 0.0
		for j, v := range from {
			row[j] -= mean
			sum += row[j] * row[j]
			largest = max(largest, math.Abs(float64(v)))
		}
		noise := 8 * 0x1p-52 * largest
		none := sum <= float64(features)*noise*noise
		length := math.Sqrt(sum)
		if none {
			length = math.NaN()
		}
		for j := range row {
			row[j] /= length
		}
	}
	return g, nil
}

// CorrelationDistance returns 1 − r of each pair of feature vectors, from 0 to 2: the
// EffNet-B and SwAV rows of published tables.
func CorrelationDistance(originals, generated [][]float32) ([]float64, error) {
	return pairs(originals, generated, true, func(r float64) float64 { return 1 - r })
}

// CosineSimilarity returns the cosine of each pair of feature vectors.
func CosineSimilarity(originals, generated [][]float32) ([]float64, error) {
	return pairs(originals, generated, false, func(r float64) float64 { return r })
}

func pairs(originals, generated [][]float32, centre bool, f func(float64) float64) ([]float64, error) {
	if len(originals) == 0 || len(originals) != len(generated) {
		return nil, fmt.Errorf("metrics: %d originals and %d generated pictures, want as many", len(originals), len(generated))
	}
	a, err := unitRows("original", originals, len(originals[0]), centre)
	if err != nil {
		return nil, err
	}
	b, err := unitRows("generated picture", generated, a.Cols, centre)
	if err != nil {
		return nil, err
	}
	out := make([]float64, a.Rows)
	for i := range out {
		sum := 0.0
		for j, v := range a.Data[i*a.Cols : (i+1)*a.Cols] {
			sum += v * b.Data[i*a.Cols+j]
		}
		out[i] = f(sum)
	}
	return out, nil
}
