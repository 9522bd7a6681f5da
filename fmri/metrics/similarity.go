package metrics

import (
	"fmt"

	"percept/tensor/linalg"
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
		return nil, fmt.Errorf("metrics: %d originals and %d sets of generated pictures, expected at least 2 and 1", n, len(generated))
	}
	a, err := matrixOf("original", originals, len(originals[0]))
	if err != nil {
		return nil, err
	}
	s, ofA := &Similarity{n, make([]float64, n*n)}, directions(a, nil, centre)
	for _, set := range generated {
		if len(set) != n {
			return nil, fmt.Errorf("metrics: %d generated pictures, expected %d as originals", len(set), n)
		}
		b, err := matrixOf("generated picture", set, a.Cols)
		if err != nil {
			return nil, err
		}
		for i, r := range rowProducts(a, b, ofA, directions(b, nil, centre)).Data {
			s.Data[i] += r / float64(len(generated))
		}
	}
	return s, nil
}

// matrixOf puts rows of the same length one below the other.
func matrixOf(what string, rows [][]float32, features int) (linalg.Matrix[float32], error) {
	if features == 0 {
		return linalg.Matrix[float32]{}, fmt.Errorf("metrics: %s 0 has no features", what)
	}
	m := linalg.New[float32](len(rows), features)
	for i, row := range rows {
		if len(row) != features {
			return m, fmt.Errorf("metrics: %s %d has %d features, expected %d", what, i, len(row), features)
		}
		copy(m.Row(i), row)
	}
	return m, nil
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
		return nil, fmt.Errorf("metrics: %d originals and %d generated pictures, expected as many", len(originals), len(generated))
	}
	a, err := matrixOf("original", originals, len(originals[0]))
	if err != nil {
		return nil, err
	}
	b, err := matrixOf("generated picture", generated, a.Cols)
	if err != nil {
		return nil, err
	}
	out := pairProducts(a, b, directions(a, nil, centre), directions(b, nil, centre))
	for i, r := range out {
		out[i] = f(r)
	}
	return out, nil
}
