package linalg

import (
	"fmt"
	"math"
)

// PivotError says why a matrix has no Cholesky factor.
type PivotError struct {
	Pivot int     // the first row whose pivot is not positive and finite
	Value float64 // that pivot
}

func (e *PivotError) Error() string {
	return fmt.Sprintf("linalg: the matrix is not positive definite: pivot %d is %v, expected a positive finite number", e.Pivot, e.Value)
}

// Cholesky replaces the lower triangle of the symmetric positive definite A [n, n] by that of L, A = L·Lᵀ. The upper
// triangle is neither read nor written. A matrix that is not positive definite, or has a NaN in its lower triangle, is
// a *PivotError; A is then partly overwritten.
func Cholesky[E Float](a Matrix[E]) error {
	a.need("Cholesky", "A", a.Rows, a.Rows)
	a.needPlain("Cholesky", "A")
	if i, ok := cholesky(a); !ok {
		return &PivotError{i, float64(a.At(i, i))}
	}
	return nil
}

// Sizes of the blocks that Cholesky works on: up to smallest by scalars, up to largest in blocks of smallest.
const (
	smallestBlock = 24
	middleBlock   = 3 * blockSize
)

// cholesky returns false and the pivot where it fails.
func cholesky[E Float](a Matrix[E]) (pivot int, ok bool) {
	n := a.Rows
	if n <= smallestBlock {
		return choleskyScalar(a)
	}
	block := blockSize
	if n <= middleBlock {
		block = smallestBlock
	}
	for k0 := 0; k0 < n; k0 += block {
		k1 := min(k0+block, n)
		l := a.Slice(k0, k1, k0, k1)
		if i, ok := cholesky(l); !ok {
			return k0 + i, false
		}
		below := a.Slice(k1, n, k0, k1)
		SolveLower(l, below.T())
		GramLower(a.Slice(k1, n, k1, n), -1, below, 1)
	}
	return 0, true
}

// choleskyScalar is the textbook's, row by row.
func choleskyScalar[E Float](a Matrix[E]) (pivot int, ok bool) {
	for i := range a.Rows {
		row := a.line(i, 0, i+1)
		for j := range row {
			other := a.line(j, 0, j+1)
			sum := row[j]
			for k, v := range other[:j] {
				sum -= v * row[k]
			}
			if j < i {
				row[j] = sum / other[j]
				continue
			}
			row[j] = sum
			if !(sum > 0) || math.IsInf(float64(sum), 1) {
				return i, false
			}
			row[j] = E(math.Sqrt(float64(sum)))
		}
	}
	return 0, true
}

// SolveCholesky replaces B by the solution X of A·X = B, given the Cholesky factor L of A.
//
//	l  [n, n]  lower triangular
//	b  [n, r]
func SolveCholesky[E Float](l, b Matrix[E]) {
	SolveLower(l, b)
	SolveUpper(l.T(), b)
}
