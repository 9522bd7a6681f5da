package ridge

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas/blas64"

	"percept/tensor/linalg"
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

// dense is a float64 matrix, which all arithmetic is done in.
type dense = linalg.Matrix[float64]

func newDense(rows, cols int) dense { return linalg.New[float64](rows, cols) }

// asDense is a matrix of gonum's as ours, sharing its memory.
func asDense(g blas64.General) dense {
	return dense{Rows: g.Rows, Cols: g.Cols, Stride: g.Stride, Data: g.Data}
}

// columnMeans returns the mean of every column.
func columnMeans(g dense) []float64 {
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
func subtractRow(g dense, v []float64) {
	for i := range g.Rows {
		row := g.Data[i*g.Stride : i*g.Stride+g.Cols]
		for j := range row {
			row[j] -= v[j]
		}
	}
}
