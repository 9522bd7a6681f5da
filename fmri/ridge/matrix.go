package ridge

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas/blas64"
)

// A Matrix is a dense float32 matrix, row after row without gaps. Rows are samples
// (trials or images) everywhere but in Model.Coef, where they are features.
type Matrix struct {
	Rows, Cols int
	Data       []float32
}

// NewMatrix returns a matrix of zeros.
func NewMatrix(rows, cols int) Matrix {
	return Matrix{rows, cols, make([]float32, rows*cols)}
}

// Row returns row i; changes to it change the matrix.
func (m Matrix) Row(i int) []float32 { return m.Data[i*m.Cols : (i+1)*m.Cols] }

// Take returns a new matrix of the given rows, in the order given.
func (m Matrix) Take(rows []int) Matrix {
	t := NewMatrix(len(rows), m.Cols)
	for i, r := range rows {
		copy(t.Row(i), m.Row(r))
	}
	return t
}

// Transpose returns a new matrix with rows and columns exchanged.
func (m Matrix) Transpose() Matrix {
	t := NewMatrix(m.Cols, m.Rows)
	for i := range m.Rows {
		for j, v := range m.Row(i) {
			t.Data[j*m.Rows+i] = v
		}
	}
	return t
}

// check reports an impossible shape or a value that is not finite. One NaN voxel would
// otherwise turn every prediction into NaN.
func (m Matrix) check(name string) error {
	if m.Rows <= 0 || m.Cols <= 0 || len(m.Data) != m.Rows*m.Cols {
		return fmt.Errorf("ridge: %s: %d values, want a matrix of %d×%d", name, len(m.Data), m.Rows, m.Cols)
	}
	for i, v := range m.Data {
		if d := float64(v); math.IsNaN(d) || math.IsInf(d, 0) {
			return fmt.Errorf("ridge: %s: row %d, column %d is %v, want a finite number", name, i/m.Cols, i%m.Cols, v)
		}
	}
	return nil
}

// general allocates a float64 matrix for BLAS.
func general(rows, cols int) blas64.General {
	return blas64.General{Rows: rows, Cols: cols, Stride: max(cols, 1), Data: make([]float64, rows*cols)}
}

// rowRange is rows lo to hi of g, sharing its memory.
func rowRange(g blas64.General, lo, hi int) blas64.General {
	if lo == hi {
		return blas64.General{Rows: 0, Cols: g.Cols, Stride: g.Stride}
	}
	return blas64.General{Rows: hi - lo, Cols: g.Cols, Stride: g.Stride, Data: g.Data[lo*g.Stride : (hi-1)*g.Stride+g.Cols]}
}

// columnMeans returns the mean of every column.
func columnMeans(g blas64.General) []float64 {
	mean := make([]float64, g.Cols)
	for i := range g.Rows {
		for j, v := range g.Data[i*g.Stride : i*g.Stride+g.Cols] {
			mean[j] += v
		}
	}
	for j := range mean {
		mean[j] /= float64(g.Rows)
	}
	return mean
}

// subtractRow subtracts v from every row of g.
func subtractRow(g blas64.General, v []float64) {
	for i := range g.Rows {
		row := g.Data[i*g.Stride : i*g.Stride+g.Cols]
		for j := range row {
			row[j] -= v[j]
		}
	}
}
