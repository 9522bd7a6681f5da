package synth_test

import (
	"fmt"

	"percept/weights/synth"
)

// A tensor is made of its name, its shape and a seed.
func Example() {
	w := synth.New("unet", 1)
	x, err := w.Float32("conv_in.weight", 320, 4, 3, 3)
	norm, scale := synth.Rule("unet.conv_in.weight", []int{320, 4, 3, 3})
	fmt.Println(len(x), err, norm, scale)
	again, _ := w.Float32("conv_in.weight", 320, 4, 3, 3)
	other, _ := synth.New("unet", 2).Float32("conv_in.weight", 320, 4, 3, 3)
	fmt.Println(x[0] == again[0], x[0] == other[0])
	// Output:
	// 11520 <nil> false 0.28867513
	// true false
}
