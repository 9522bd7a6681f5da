package ridge

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas/blas64"

	"percept/tensor/linalg"
)

// dense is the matrix of Gram matrices, their factors and all sums.
type dense = linalg.Matrix[float64]

func newDense(rows, cols int) dense { return linalg.New[float64](rows, cols) }

// asDense is a matrix of gonum's as ours, sharing its memory.
func asDense(g blas64.General) dense {
	return dense{Rows: g.Rows, Cols: g.Cols, Stride: g.Stride, Data: g.Data}
}

// check reports an impossible shape or a value that is not finite. One NaN voxel would
// otherwise turn every prediction into NaN.
func check[E linalg.Float](name string, m linalg.Matrix[E]) error {
	if err := checkShape(name, m); err != nil {
		return err
	}
	for i := range m.Rows {
		for j, v := range m.Row(i) {
			if d := float64(v); math.IsNaN(d) || math.IsInf(d, 0) {
				return fmt.Errorf("ridge: %s: row %d, column %d is %v, expected a finite number", name, i, j, v)
			}
		}
	}
	return nil
}

func checkShape[E linalg.Float](name string, m linalg.Matrix[E]) error {
	switch {
	case m.Trans:
		return fmt.Errorf("ridge: %s: a transposed view, expected rows one after the other, as of Clone", name)
	case m.Rows <= 0 || m.Cols <= 0 || !m.HasRows():
		return fmt.Errorf("ridge: %s: %d values with stride %d, expected a matrix of %d×%d", name, len(m.Data), m.Stride, m.Rows, m.Cols)
	}
	return nil
}

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
func convert[D, S linalg.Float](dst linalg.Matrix[D], src linalg.Matrix[S]) {
	eachRow(src.Rows, func(from, to int) {
		for i := from; i < to; i++ {
			d := dst.Row(i)
			for j, v := range src.Row(i) {
				d[j] = D(v)
			}
		}
	})
}

// convertTransposed sets dst = srcᵀ.
func convertTransposed[D, S linalg.Float](dst linalg.Matrix[D], src linalg.Matrix[S]) {
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
func columnSums[E linalg.Float](sum []float64, g linalg.Matrix[E]) {
	for i := range g.Rows {
		for j, v := range g.Row(i) {
			sum[j] += float64(v)
		}
	}
}

// columnMeans returns the mean of every column.
func columnMeans[E linalg.Float](g linalg.Matrix[E]) []float64 {
	mean := make([]float64, g.Cols)
	columnSums(mean, g)
	for j := range mean {
		mean[j] /= float64(g.Rows)
	}
	return mean
}

// subtractRow subtracts v from every row of g.
func subtractRow[E linalg.Float](g linalg.Matrix[E], v []float64) {
	eachRow(g.Rows, func(from, to int) {
		for i := from; i < to; i++ {
			row := g.Row(i)
			for j := range row {
				row[j] = E(float64(row[j]) - v[j])
			}
		}
	})
}
