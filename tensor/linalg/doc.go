// Package linalg is dense linear algebra on row-major matrices of float32 or float64: products, Gram matrices, Cholesky
// factors and triangular systems with many right-hand sides.
//
// A Matrix is a view of somebody's slice; T transposes the view and moves nothing, so that transposed operands need no
// functions of their own:
//
//	linalg.Mul(c, 1, x.T(), y, 0)      // C = XᵀY
//	linalg.Gram(g, 1, x.T(), 0)        // G = XᵀX
//	err := linalg.Cholesky(g)          // G = LLᵀ
//	linalg.SolveLower(g, b)            // L·X = B
//	linalg.SolveUpper(g.T(), b)        // Lᵀ·X = B
//	linalg.SolveLower(g, b.T())        // X·Lᵀ = B
//
// Everything rests on one blocked product (product.go) whose inner loop is a kernel for the processor, as chosen by
// tensor.UseKernels, and runs on the worker pool of package tensor. With one set of kernels the result is the same, bit
// for bit, at any number of threads. After the first call of a size nothing is allocated.
//
// Operands must not overlap the result, except where a function says that it works in place. Shapes that do not fit
// panic; a matrix that has no Cholesky factor is an error. NaN and Inf go through the arithmetic like any number.
//
// Sources: Goto & van de Geijn 2008, doi:10.1145/1356052.1356053 (the product), Golub & Van Loan, Matrix Computations,
// 4th edition, §3.1 and §4.2 (blocked triangular systems and Cholesky).
package linalg
