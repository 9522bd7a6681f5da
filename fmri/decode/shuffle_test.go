package decode

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"percept/fmri/metrics"
	"percept/fmri/ridge"
	"percept/tensor/linalg"
)

// pairs are responses and features of the same images.
type pairs struct{ Early, Higher, Z, C linalg.Matrix[float32] }

// planted returns brains that are noisy linear images of their features: z of early, c of higher cortex.
func planted(r *rand.Rand, n int, noise float64) pairs {
	normal := func(rows, cols int) linalg.Matrix[float32] {
		m := linalg.New[float32](rows, cols)
		for i := range m.Data {
			m.Data[i] = float32(r.NormFloat64())
		}
		return m
	}
	mix := func(x, w linalg.Matrix[float32]) linalg.Matrix[float32] {
		y := linalg.New[float32](x.Rows, w.Cols)
		for i := range x.Rows {
			for j := range w.Cols {
				sum := noise * r.NormFloat64()
				for k := range x.Cols {
					sum += float64(x.Row(i)[k]) * float64(w.Row(k)[j])
				}
				y.Row(i)[j] = float32(sum)
			}
		}
		return y
	}
	d := pairs{Z: normal(n, 6), C: normal(n, 8)}
	d.Early, d.Higher = mix(d.Z, normal(6, 30)), mix(d.C, normal(8, 20))
	return d
}

func (d pairs) rows(lo, hi int) pairs {
	var rows []int
	for i := lo; i < hi; i++ {
		rows = append(rows, i)
	}
	return pairs{d.Early.Take(rows), d.Higher.Take(rows), d.Z.Take(rows), d.C.Take(rows)}
}

// meanColumnCorrelation averages Pearson's r over the columns of two matrices.
func meanColumnCorrelation(a, b linalg.Matrix[float32]) float64 {
	var sum float64
	for j := range a.Cols {
		x, y := make([]float64, a.Rows), make([]float64, a.Rows)
		for i := range a.Rows {
			x[i], y[i] = float64(a.Row(i)[j]), float64(b.Row(i)[j])
		}
		sum += metrics.Pearson(x, y)
	}
	return sum / float64(a.Cols)
}

func TestFitRecoversWhatWasPlantedAndShufflingLosesIt(t *testing.T) {
	all := planted(rand.New(rand.NewPCG(3, 0)), 260, 1)
	train, test := all.rows(0, 200), all.rows(200, 260)
	fit := func(x, y, held, truth linalg.Matrix[float32]) float64 {
		m, err := FitTargets(t.Context(), x, TargetsOf(y), ridge.Options{})
		if err != nil {
			t.Fatal(err)
		}
		predicted, err := m.Predict(held)
		if err != nil {
			t.Fatal(err)
		}
		return meanColumnCorrelation(predicted, truth)
	}
	r := func(order []int) (z, c float64) {
		return fit(train.Early.Take(order), train.Z, test.Early, test.Z), fit(train.Higher.Take(order), train.C, test.Higher, test.C)
	}
	var as []int
	for i := range train.Early.Rows {
		as = append(as, i)
	}
	if z, c := r(as); z < 0.9 || c < 0.9 {
		t.Errorf("planted: r of z is %.3f and of c %.3f, want at least 0.9", z, c)
	}
	// One shuffle may correlate by accident, in either direction; the mean over many does not.
	const shuffles = 20
	var z, c float64
	for seed := range uint64(shuffles) {
		zr, cr := r(Shuffled(train.Early.Rows, seed))
		z, c = z+zr/shuffles, c+cr/shuffles
	}
	if math.Abs(z) > 0.1 || math.Abs(c) > 0.1 {
		t.Errorf("shuffled: mean r of z is %.3f and of c %.3f, want 0", z, c)
	}
}

func TestShuffledIsAPermutationOfItsSeed(t *testing.T) {
	a, b, other := Shuffled(40, 9), Shuffled(40, 9), Shuffled(40, 10)
	if !slices.Equal(a, b) || slices.Equal(a, other) {
		t.Error("the order does not depend on the seed alone")
	}
	moved := 0
	for i, v := range a {
		if i != v {
			moved++
		}
	}
	if moved < 30 {
		t.Errorf("%d of 40 rows moved", moved)
	}
	slices.Sort(a)
	for i, v := range a {
		if i != v {
			t.Fatalf("row %d is not there once", i)
		}
	}
}
