package decode

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"percept/fmri/metrics"
	"percept/fmri/ridge"
)

// planted returns brains that are noisy linear images of their features: z of early, c of higher cortex.
func planted(r *rand.Rand, n int, noise float64) Data {
	normal := func(rows, cols int) ridge.Matrix {
		m := ridge.NewMatrix(rows, cols)
		for i := range m.Data {
			m.Data[i] = float32(r.NormFloat64())
		}
		return m
	}
	mix := func(x, w ridge.Matrix) ridge.Matrix {
		y := ridge.NewMatrix(x.Rows, w.Cols)
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
	d := Data{Z: normal(n, 6), C: normal(n, 8)}
	d.Early, d.Higher = mix(d.Z, normal(6, 30)), mix(d.C, normal(8, 20))
	return d
}

func (d Data) rows(lo, hi int) Data {
	var rows []int
	for i := lo; i < hi; i++ {
		rows = append(rows, i)
	}
	return Data{d.Early.Take(rows), d.Higher.Take(rows), d.Z.Take(rows), d.C.Take(rows)}
}

// meanColumnCorrelation averages Pearson's r over the columns of two matrices.
func meanColumnCorrelation(a, b ridge.Matrix) float64 {
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
	r := func(data Data) (z, c float64) {
		d, err := Fit(t.Context(), data, ridge.Options{})
		if err != nil {
			t.Fatal(err)
		}
		zHat, cHat, err := d.Predict(test.Early, test.Higher)
		if err != nil {
			t.Fatal(err)
		}
		return meanColumnCorrelation(zHat, test.Z), meanColumnCorrelation(cHat, test.C)
	}
	if z, c := r(train); z < 0.9 || c < 0.9 {
		t.Errorf("planted: r of z is %.3f and of c %.3f, want at least 0.9", z, c)
	}
	// One shuffle may correlate by accident, in either direction; the mean over many does not.
	const shuffles = 20
	var z, c float64
	for seed := range uint64(shuffles) {
		zr, cr := r(train.ShufflePairs(seed))
		z, c = z+zr/shuffles, c+cr/shuffles
	}
	if math.Abs(z) > 0.1 || math.Abs(c) > 0.1 {
		t.Errorf("shuffled: mean r of z is %.3f and of c %.3f, want 0", z, c)
	}
}

func TestShufflePairsKeepsRegionsTogetherAndTheOriginal(t *testing.T) {
	d := planted(rand.New(rand.NewPCG(4, 0)), 40, 0.1)
	before := append([]float32{}, d.Early.Data...)
	s := d.ShufflePairs(9)
	moved := 0
	for i := range s.Early.Rows {
		for k := range d.Early.Rows {
			if s.Early.Row(i)[0] != d.Early.Row(k)[0] {
				continue
			}
			if s.Higher.Row(i)[0] != d.Higher.Row(k)[0] {
				t.Fatalf("row %d of early and higher come from different images", i)
			}
			if i != k {
				moved++
			}
		}
	}
	if moved < 30 {
		t.Errorf("%d of 40 rows moved", moved)
	}
	for i, v := range before {
		if d.Early.Data[i] != v {
			t.Fatal("the original was changed")
		}
	}
}

func TestFitRejectsRowsThatDoNotAgree(t *testing.T) {
	d := planted(rand.New(rand.NewPCG(5, 0)), 20, 0.1)
	d.Higher = d.Higher.Take([]int{0, 1, 2})
	if _, err := Fit(t.Context(), d, ridge.Options{}); err == nil || !strings.Contains(err.Error(), "3 rows of higher visual cortex, expected 20") {
		t.Errorf("error %v", err)
	}
}
