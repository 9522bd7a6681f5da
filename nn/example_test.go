package nn_test

import (
	"context"
	"fmt"

	"percept/nn"
)

// ones stands for a file of weights.
type ones struct{}

func (ones) Float32(name string, shape ...int) ([]float32, error) {
	n := 1
	for _, d := range shape {
		n *= d
	}
	w := make([]float32, n)
	for i := range w {
		w[i] = 1
	}
	return w, nil
}

// A block is built from layers that know their names, compiled for one shape, and looked into while
// it runs.
func Example() {
	weights := nn.NewScope(ones{})
	conv := nn.NewConv2d(weights.Sub("block.conv"), 1, 2, 3)
	skip := nn.NewConv2d(weights.Sub("block.conv_shortcut"), 1, 2, 1)
	if err := weights.Err(); err != nil {
		fmt.Println(err)
		return
	}
	graph, err := nn.Build(func(g *nn.Graph) {
		x := nn.ToChannelsLast(g.Input("image", 1, 1, 2, 2))
		h := conv.Forward(x)
		g.Output("result", nn.Add(skip.Forward(x), h).Named("block"))
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	program, err := nn.Compile(graph, nn.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	show := func(path string, v nn.Value) { fmt.Println(path, v.Shape, v.Data()) }
	if err := program.OnNode("block.*", show); err != nil {
		fmt.Println(err)
		return
	}
	if err := program.Set("image", []float32{1, 2, 3, 4}); err != nil {
		fmt.Println(err)
		return
	}
	if err := program.Run(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(program.Output("result"))
	fmt.Println(program.OnNode("block.convv", show))
	// Output:
	// block.conv [1 2 2 2] [11 11 11 11 11 11 11 11]
	// block.conv_shortcut [1 2 2 2] [2 3 4 5 2 3 4 5]
	// [13 14 15 16 13 14 15 16]
	// nn: no node "block.convv"; nearest are block.conv, block, block.conv_shortcut
}
