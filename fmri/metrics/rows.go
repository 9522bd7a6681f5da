package metrics

import (
	"math"

	"percept/tensor/linalg"
)

// slabColumns is how many columns are widened to float64 at a time.
const slabColumns = 2048

// RowCorrelations is Pearson's correlation of every row of a with every row of b, [a.Rows, b.Rows], in float64: of patterns
// over features. shiftA and shiftB, unless nil, are taken off the columns first, as the mean over images. A row that does not
// vary has none: NaN.
//
//	a, b  [images, features], each with its own images
func RowCorrelations(a, b linalg.Matrix[float32], shiftA, shiftB []float64) linalg.Matrix[float64] {
	return rowProducts(a, b, directions(a, shiftA, true), directions(b, shiftB, true))
}

// PairCorrelations is the diagonal of RowCorrelations, without the rest of it.
func PairCorrelations(a, b linalg.Matrix[float32], shiftA, shiftB []float64) []float64 {
	return pairProducts(a, b, directions(a, shiftA, true), directions(b, shiftB, true))
}

// direction brings the rows of a matrix to length 1, and to mean 0 where they are centred.
type direction struct {
	shift       []float64 // of each column; nil: none
	mean, scale []float64 // of each row; scale is NaN for one that has no direction
}

// directions finds the rows' means and lengths. What rounding leaves of a row that does not vary is no direction.
func directions(m linalg.Matrix[float32], shift []float64, centre bool) direction {
	d := direction{shift, make([]float64, m.Rows), make([]float64, m.Rows)}
	for i := range m.Rows {
		row := m.Row(i)
		sum, squares, largest := 0.0, 0.0, 0.0
		for j, v := range row {
			sum += float64(v) - at(shift, j)
			largest = max(largest, math.Abs(float64(v)))
		}
		if centre {
			d.mean[i] = sum / float64(m.Cols)
		}
		for j, v := range row {
			e := float64(v) - at(shift, j) - d.mean[i]
			squares += e * e
		}
		d.scale[i] = math.NaN()
		if noise := 8 * 0x1p-52 * largest; squares > float64(m.Cols)*noise*noise {
			d.scale[i] = 1 / math.Sqrt(squares)
		}
	}
	return d
}

func at(v []float64, j int) float64 {
	if v == nil {
		return 0
	}
	return v[j]
}

// fill sets dst to columns lo to lo+dst.Cols−1 of m in these directions.
func (d direction) fill(dst linalg.Matrix[float64], m linalg.Matrix[float32], lo int) {
	for i := range dst.Rows {
		row := dst.Row(i)
		for j, v := range m.Row(i)[lo : lo+dst.Cols] {
			row[j] = (float64(v) - at(d.shift, lo+j) - d.mean[i]) * d.scale[i]
		}
	}
}

// rowProducts is a·bᵀ, in directions, within ±1.
func rowProducts(a, b linalg.Matrix[float32], ofA, ofB direction) linalg.Matrix[float64] {
	r := linalg.New[float64](a.Rows, b.Rows)
	wide := min(slabColumns, a.Cols)
	left, right := linalg.New[float64](a.Rows, wide), linalg.New[float64](b.Rows, wide)
	for lo := 0; lo < a.Cols; lo += wide {
		n := min(wide, a.Cols-lo)
		x, y := left.Slice(0, a.Rows, 0, n), right.Slice(0, b.Rows, 0, n)
		ofA.fill(x, a, lo)
		ofB.fill(y, b, lo)
		linalg.Mul(r, 1, x, y.T(), 1)
	}
	for i, v := range r.Data {
		r.Data[i] = max(-1, min(1, v))
	}
	return r
}

// pairProducts is the diagonal of rowProducts.
func pairProducts(a, b linalg.Matrix[float32], ofA, ofB direction) []float64 {
	r := make([]float64, a.Rows)
	for i := range r {
		x, y := a.Row(i), b.Row(i)
		for j := range x {
			u := (float64(x[j]) - at(ofA.shift, j) - ofA.mean[i]) * ofA.scale[i]
			r[i] += u * (float64(y[j]) - at(ofB.shift, j) - ofB.mean[i]) * ofB.scale[i]
		}
		r[i] = max(-1, min(1, r[i]))
	}
	return r
}
