package kernel

import (
	"fmt"
	"math"
)

// tailMasks holds, from element 8-n, the AVX2 mask of the first n lanes.
var tailMasks = [16]int32{-1, -1, -1, -1, -1, -1, -1, -1}

// constants are the rows that the generated code reads by number (gen/vector.go): each is one AVX2 register, of which
// AVX-512 broadcasts the first element.
var constants = [...][8]float32{
	row(log2E), row(ln2Hi), row(ln2Lo), row(expMin), row(expMax),
	row(expP0), row(expP1), row(expP2), row(expP3), row(expP4), row(expP5),
	row(1), row(math.Float32frombits(127)), row(math.Float32frombits(1<<31 - 1)),
	row(0.30), row(-0.5), // p, -1/2
	row(0.036090131197742875), row(-0.15893913888631028), row(0.20935576708643597), row(-0.05645879683274693),
	row(0.13003726931670184), row(0.0994636363778314), row(0.12082654685591246), row(0.11962452551957642),
}

func row(v float32) [8]float32 { return [8]float32{v, v, v, v, v, v, v, v} }

// same returns n, the first length, which the others must have.
func same(n int, others ...int) int {
	for _, o := range others {
		if o != n {
			panic(fmt.Sprintf("kernel: operands of %d and %d elements", n, o))
		}
	}
	return n
}

// momentsBy is Set.Moments with a kernel for lanes columns and one for many times as many; plain Go does the columns
// that are left.
func momentsBy(lanes, many int, wide, narrow func(rows int, sum, square *float64, x *float32, c int), sum, square []float64,
	x []float32, c int) {
	rows := len(x) / c
	sum, square = sum[:c], square[:c]
	if rows == 0 {
		return
	}
	j := 0
	for ; j+many*lanes <= c; j += many * lanes {
		wide(rows, &sum[j], &square[j], &x[j], c)
	}
	for ; j+lanes <= c; j += lanes {
		narrow(rows, &sum[j], &square[j], &x[j], c)
	}
	for r := 0; r < rows && j < c; r++ {
		for i, v := range x[r*c+j : (r+1)*c] {
			d := float64(v)
			sum[j+i] += d
			square[j+i] += d * d
		}
	}
}

// foldSums adds the lanes of a row's sums (first half) and sums of squares, and the elements that are left.
func foldSums(lanes []float64, rest []float32) (sum, square float64) {
	sum, square = sumsGeneric(rest)
	h := len(lanes) / 2
	for i := range h {
		sum += lanes[i]
		square += lanes[h+i]
	}
	return sum, square
}

// winogradVecs checks the operands of a Winograd transform with side×side pixels at x and returns how many vectors of
// lanes floats n channels are.
func winogradVecs(f, n, lanes int, x []float32, row, pix, side int, v []float32, step int) int {
	if f != 2 && f != 4 || n < 1 || n%lanes != 0 {
		panic(fmt.Sprintf("kernel: Winograd transform %d of %d channels, expected 2 or 4 and a multiple of %d", f, n, lanes))
	}
	_, _ = x[(side-1)*(row+pix)+n-1], v[((f+2)*(f+2)-1)*step+n-1]
	return n / lanes
}
