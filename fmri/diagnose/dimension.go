package diagnose

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"percept/tensor/linalg"
)

// Dimension compares the spectra of decoded and true features over the same images: decoders that have learnt a few
// directions of feature space from few kinds of training images put every image into their span, whatever was seen.
//
// Source of the concern: Shirakawa et al. 2024, arXiv:2405.10078, "output dimension collapse".
type Dimension struct {
	Rows    int      `json:"rows"` // that were taken, evenly, where there are more than 1024
	True    Spectrum `json:"true"`
	Decoded Spectrum `json:"decoded"`
}

// A Spectrum is that of features about their mean over images.
type Spectrum struct {
	Singular      []float64 `json:"singular_values"`     // descending, min(images, targets) of them
	Participation float64   `json:"participation_ratio"` // (Σσ²)²/Σσ⁴: n for n equal directions
	Ninety        int       `json:"components_90"`       // that have 90 % of the variance together
}

// spectrumRows bounds an eigendecomposition that grows with the cube of it.
const spectrumRows = 1024

func dimensions(truth, decoded linalg.Matrix[float32]) (d Dimension, err error) {
	var rows []int
	d.Rows = min(truth.Rows, spectrumRows)
	for i := range d.Rows {
		rows = append(rows, i*truth.Rows/d.Rows)
	}
	if d.Rows < truth.Rows {
		truth, decoded = truth.Take(rows), decoded.Take(rows)
	}
	if d.True, err = SpectrumOf(truth); err == nil {
		d.Decoded, err = SpectrumOf(decoded)
	}
	return d, err
}

// SpectrumOf computes the spectrum of features [images, targets], of which one or the other should be some hundreds.
func SpectrumOf(m linalg.Matrix[float32]) (Spectrum, error) {
	side := min(m.Rows, m.Cols)
	if side < 1 {
		return Spectrum{}, fmt.Errorf("diagnose: the spectrum of %d×%d features, expected one or more of both", m.Rows, m.Cols)
	}
	gram := linalg.New[float64](side, side)
	mean := columnMeans(m)
	if m.Rows <= m.Cols {
		wide := min(slabColumns, m.Cols)
		room := linalg.New[float64](m.Rows, wide)
		for lo := 0; lo < m.Cols; lo += wide {
			hi := min(lo+wide, m.Cols)
			part := room.Slice(0, m.Rows, 0, hi-lo)
			centre(part, m, lo, mean)
			linalg.GramLower(gram, 1, part, 1)
		}
	} else {
		part := linalg.New[float64](m.Rows, m.Cols)
		centre(part, m, 0, mean)
		linalg.GramLower(gram, 1, part.T(), 1)
	}
	linalg.Mirror(gram)
	var eigen mat.EigenSym
	if !eigen.Factorize(mat.NewSymDense(side, gram.Data), false) {
		return Spectrum{}, fmt.Errorf("diagnose: the spectrum of %d×%d features was not found, expected finite ones", m.Rows, m.Cols)
	}
	values := eigen.Values(nil)
	slices.Reverse(values)
	s := Spectrum{Singular: make([]float64, side)}
	sum, squares := 0.0, 0.0
	for i, v := range values {
		v = max(0, v)
		s.Singular[i] = math.Sqrt(v)
		sum, squares = sum+v, squares+v*v
	}
	if squares == 0 {
		return s, nil
	}
	s.Participation = sum * sum / squares
	part := 0.0
	for part < 0.9*sum*(1-1e-12) && s.Ninety < side {
		part += s.Singular[s.Ninety] * s.Singular[s.Ninety]
		s.Ninety++
	}
	return s, nil
}

// slabColumns is how many columns are widened to float64 at a time.
const slabColumns = 2048

// centre sets dst to columns lo to lo+dst.Cols−1 of m less their means.
func centre(dst linalg.Matrix[float64], m linalg.Matrix[float32], lo int, mean []float64) {
	for i := range m.Rows {
		row := dst.Row(i)
		for j, v := range m.Row(i)[lo : lo+dst.Cols] {
			row[j] = float64(v) - mean[lo+j]
		}
	}
}
