package ridge

import (
	"context"
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

// A Matrix64 is a Matrix in float64, for kernels and what is solved with them: weights of
// samples are large and cancel where penalties are small.
type Matrix64 struct {
	Rows, Cols int
	Data       []float64
}

// Row returns row i; changes to it change the matrix.
func (m Matrix64) Row(i int) []float64 { return m.Data[i*m.Cols : (i+1)*m.Cols] }

func (m Matrix64) check(name string) error {
	if m.Rows <= 0 || m.Cols <= 0 || len(m.Data) != m.Rows*m.Cols {
		return fmt.Errorf("ridge: %s: %d values, want a matrix of %d×%d", name, len(m.Data), m.Rows, m.Cols)
	}
	for i, v := range m.Data {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("ridge: %s: row %d, column %d is %v, want a finite number", name, i/m.Cols, i%m.Cols, v)
		}
	}
	return nil
}

func (m Matrix64) view() dense { return linalg.Of(m.Data, m.Rows, m.Cols) }

// view is a Matrix as linalg sees it.
func (m Matrix) view() matrix[float32] { return linalg.Of(m.Data, m.Rows, m.Cols) }

// matrix is a matrix that arithmetic is done on; dense is that of Gram matrices, their
// factors and all sums.
type (
	matrix[E linalg.Float] = linalg.Matrix[E]
	dense                  = linalg.Matrix[float64]
)

func newDense(rows, cols int) dense { return linalg.New[float64](rows, cols) }

// asDense is a matrix of gonum's as ours, sharing its memory.
func asDense(g blas64.General) dense {
	return dense{Rows: g.Rows, Cols: g.Cols, Stride: g.Stride, Data: g.Data}
}

// line returns row i of g, which is no transposed view.
func line[E linalg.Float](g matrix[E], i int) []E { return g.Data[i*g.Stride : i*g.Stride+g.Cols] }

// rowBlock is the number of rows that eachRow gives to one goroutine at a time.
const rowBlock = 64

// eachRow calls f for blocks of the rows 0 … n−1, on all threads.
func eachRow(n int, f func(from, to int)) {
	_ = parallel(context.Background(), (n+rowBlock-1)/rowBlock, func(b int) error {
		f(b*rowBlock, min((b+1)*rowBlock, n))
		return nil
	})
}

// convert sets dst = src for matrices of one shape and two types, neither of them transposed.
func convert[D, S linalg.Float](dst matrix[D], src matrix[S]) {
	eachRow(src.Rows, func(from, to int) {
		for i := from; i < to; i++ {
			d := line(dst, i)
			for j, v := range line(src, i) {
				d[j] = D(v)
			}
		}
	})
}

// convertTransposed sets dst = srcᵀ.
func convertTransposed[D, S linalg.Float](dst matrix[D], src matrix[S]) {
	eachRow(dst.Rows, func(from, to int) {
		for j0 := 0; j0 < src.Rows; j0 += 16 {
			j1 := min(j0+16, src.Rows)
			for i := from; i < to; i++ {
				d := dst.Data[i*dst.Stride+j0 : i*dst.Stride+j1]
				at := j0*src.Stride + i
				for j := range d {
					d[j] = D(src.Data[at])
					at += src.Stride
				}
			}
		}
	})
}

// columnSums adds the sum of every column of g to sum.
func columnSums[E linalg.Float](sum []float64, g matrix[E]) {
	for i := range g.Rows {
		for j, v := range line(g, i) {
			sum[j] += float64(v)
		}
	}
}

// columnMeans returns the mean of every column.
func columnMeans[E linalg.Float](g matrix[E]) []float64 {
	mean := make([]float64, g.Cols)
	columnSums(mean, g)
	for j := range mean {
		mean[j] /= float64(g.Rows)
	}
	return mean
}

// subtractRow subtracts v from every row of g.
func subtractRow[E linalg.Float](g matrix[E], v []float64) {
	eachRow(g.Rows, func(from, to int) {
		for i := from; i < to; i++ {
			row := line(g, i)
			for j := range row {
				row[j] = E(float64(row[j]) - v[j])
			}
		}
	})
}
