// Package kernel holds the inner loops: for each a plain-Go version, which says what it computes and is the oracle of
// the tests, and on amd64 versions in AVX2 and AVX-512 assembly.
//
// Kernels run on the caller's goroutine and touch nothing outside the slices they are given. Within one set the
// result of an element does not depend on how many others are computed with it, so callers may cut work as they like.
package kernel

//go:generate go run ./gen

import (
	"fmt"
	"strings"
)

// Set is one implementation of every kernel.
type Set struct {
	Name  string
	Index int // distinct below Sets
	// NR is the width of a panel of packed weights: two vectors. A last panel with NR/2 or fewer columns left is
	// NR/2 wide.
	NR int

	// Panel computes one panel of a matrix product, C (+)= A·B:
	//
	//	c [m, ldc]  columns 0 … n-1 are written
	//	a [m, k]
	//	b [k, w]    packed, w = Width(n): columns past n are zero
	//
	// With add the product is added to c; otherwise it replaces c, and bias [w], unless nil, is added to each row.
	Panel func(c []float32, ldc int, a Left, b []float32, n int, bias []float32, add bool)

	Algebra32 Algebra[float32]
	Algebra64 Algebra[float64]

	// Softmax does one step of a softmax over keys that come in blocks: x [n, w] holds n scores of each of w queries,
	// w = NR or NR/2. x becomes exp(x - max), in units of 1/scale: x = 2^(scale·(x - max)).
	//
	//	state [3, w]  largest score so far, at first -Inf; sum of the exponentials so far, at first 0; then the factor
	//	              by which that sum, and all else that was weighted with exponentials of the blocks before, had to
	//	              be multiplied because the largest score changed
	//
	// It says whether some factor is not 1.
	Softmax      func(x []float32, w int, scale float32, state []float32) bool
	ScaleColumns func(x, s []float32)                                   // x [n, len(s)]: each row times s; len(s) = NR or NR/2
	Transpose    func(y []float32, ldy int, x []float32, ldx, m, n int) // y [n, ldy] = columns of x [m, ldx] as rows

	Max        func(x []float32) float32                       // largest element of x, not empty
	ExpSum     func(x []float32, scale, shift float32) float32 // x = exp(scale·(x - shift)); returns the sum
	Scale      func(x []float32, s float32)                    // x *= s
	Add        func(y, a, b []float32)                         // y = a + b
	Sigmul     func(y, x []float32, s float32)                 // y = x·sigmoid(s·x)
	GELU       func(y, x []float32)                            // y = x·Φ(x), with erf
	MulGELU    func(y, x, g []float32)                         // y = x·g·Φ(g)
	Affine     func(y, x, a, b []float32)                      // y = x·a + b
	AffineSiLU func(y, x, a, b []float32)                      // Affine, then Sigmul with s = 1
	Moments    func(sum, square []float64, x []float32, c int) // x [rows, c]: adds each column's sum and sum of squares
	Sums       func(x []float32) (sum, square float64)         // sum and sum of squares of x
	Norm       func(y, x, a, b []float32, mean, rstd float32)  // y = (x - mean)·rstd·a + b
	WidenF16   func(y []float32, x []uint16)                   // y = x, float16
	WidenBF16  func(y []float32, x []uint16)                   // y = x, bfloat16

	// Peak computes y = y·a + b, n ≥ 1 times over, in registers: what the processor can do at best. y has PeakWidth
	// elements.
	Peak      func(y []float32, a, b float32, n int)
	PeakWidth int

	// WinogradIn transforms the (f+2)×(f+2) pixels of a tile, f 2 or 4, for n channels, a multiple of NR/2: x is the
	// tile's first pixel, the next row begins row floats on and the next pixel pix floats. Element i of the result, of
	// (f+2)², goes to v[i·step:][:n].
	WinogradIn func(f, n int, x []float32, row, pix int, v []float32, step int)
	// WinogradOut transforms the (f+2)² products m[i·step:][:n] into f×f pixels of y, placed as those of WinogradIn, and
	// adds bias [n], unless nil.
	WinogradOut func(f, n int, m []float32, step int, y []float32, row, pix int, bias []float32)
}

// Left is the left operand of a product, M rows that begin Stride floats apart. Rows may overlap, as the windows of a
// convolution do. A row is Runs runs of Run floats, Jump floats from the beginning of one to the beginning of the next.
// With Fold the products of each run are a sum of their own, which then is added to C: short sums have small errors.
type Left struct {
	X               []float32
	M, Stride       int
	Runs, Run, Jump int
	Fold            bool
	Ahead           bool // the panel behind this one comes next: it may be fetched into the second-level cache meanwhile
}

// Matrix is the left operand [m, k] with rows stride floats apart.
func Matrix(x []float32, m, k, stride int) Left {
	return Left{X: x, M: m, Stride: stride, Runs: 1, Run: k}
}

// K returns the length of a row.
func (a *Left) K() int { return a.Runs * a.Run }

// extent returns how many floats of X the rows span.
func (a *Left) extent() int { return (a.M-1)*a.Stride + (a.Runs-1)*a.Jump + a.Run }

// Width returns the packed width of a panel with n columns, 1 ≤ n ≤ NR.
func (s *Set) Width(n int) int {
	if n <= s.NR/2 {
		return s.NR / 2
	}
	return s.NR
}

// Generic is plain Go.
var Generic = &Set{
	Name: "generic", NR: genericNR,
	Panel: panelGeneric, Algebra32: algebraGeneric[float32](), Algebra64: algebraGeneric[float64](),
	Softmax: softmaxGeneric, ScaleColumns: scaleColumnsGeneric, Transpose: transposeGeneric,
	Max: maxGeneric, ExpSum: expSumGeneric, Scale: scaleGeneric, Add: addGeneric,
	Sigmul: sigmulGeneric, GELU: geluGeneric, MulGELU: mulGELUGeneric,
	Affine: affineGeneric, AffineSiLU: affineSiLUGeneric, Moments: momentsGeneric, Sums: sumsGeneric, Norm: normGeneric,
	WidenF16: widenF16Generic, WidenBF16: widenBF16Generic,
	Peak: peakGeneric, PeakWidth: 8,
	WinogradIn: winogradInGeneric, WinogradOut: winogradOutGeneric,
}

// Sets is how many sets there are on any architecture.
const Sets = 3

// names lists every set of every architecture.
var names = []string{"generic", "avx2", "avx512"}

// Available returns the sets that this processor can run, the best last.
func Available() []*Set { return append([]*Set{Generic}, native()...) }

// Best returns the fastest set that this processor can run.
func Best() *Set {
	a := Available()
	return a[len(a)-1]
}

// Find returns the set of that name; the empty name means Best.
func Find(name string) (*Set, error) {
	if name == "" {
		return Best(), nil
	}
	var have []string
	for _, s := range Available() {
		if s.Name == name {
			return s, nil
		}
		have = append(have, s.Name)
	}
	for _, n := range names {
		if n == name {
			return nil, fmt.Errorf("PERCEPT_KERNELS=%s: this processor has %s only", name, strings.Join(have, ", "))
		}
	}
	return nil, fmt.Errorf("PERCEPT_KERNELS=%s: unknown kernel set, expected one of %s", name, strings.Join(names, ", "))
}
