package tensor_test

import (
	"fmt"

	"percept/tensor"
)

// A layer packs its weights once; Forward writes into the caller's slice.
func ExampleLinear() {
	w := []float32{ // [out 2, in 3], as torch stores it
		1, 0, 1,
		0, 2, 0,
	}
	l := tensor.NewLinear(w, []float32{10, 20}, 2, 3)
	x := []float32{1, 2, 3, 4, 5, 6} // two rows
	y := make([]float32, 4)
	l.Forward(y, x, 2)
	fmt.Println(y)
	// Output: [14 24 20 30]
}

// A 3×3 convolution with padding 1, channels-last: here it adds up each pixel's neighbourhood.
func ExampleConv2d() {
	sum := tensor.NewConv2d([]float32{1, 1, 1, 1, 1, 1, 1, 1, 1}, nil, 1, 1, 3, 3)
	g := tensor.ConvGeometry{N: 1, H: 2, W: 3, Stride: 1, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1}
	y := make([]float32, 6)
	sum.Forward(y, []float32{1, 2, 3, 4, 5, 6}, nil, g)
	fmt.Println(y)
	// Output: [12 21 16 12 21 16]
}
