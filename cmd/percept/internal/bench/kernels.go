package bench

import (
	"context"
	"fmt"

	"percept/nn"
	"percept/weights/synth"
)

// Products are rows, columns and depth of the products of the U-Net, of its linear layers and of its convolutions at
// latents of 64×64, 32×32, 16×16 and 8×8.
var Products = [][3]int{
	{4096, 320, 320}, {4096, 2560, 320}, {4096, 320, 2880}, {1024, 640, 5760}, {256, 1280, 11520}, {64, 1280, 11520},
}

// Kernels returns the operations that the U-Net is made of, at its sizes for a latent of 64×64.
func Kernels() []Case {
	var cases []Case
	for _, s := range Products {
		rows, out, in := s[0], s[1], s[2]
		cases = append(cases, operation(fmt.Sprintf("product-%dx%dx%d", rows, out, in), func(g *nn.Graph, s *nn.Scope) *nn.Node {
			return nn.NewLinear(s, in, out).Forward(g.Input("x", rows, in))
		}))
	}
	for _, s := range [][2]int{{64, 320}, {32, 640}, {16, 1280}, {8, 1280}} {
		size, c := s[0], s[1]
		cases = append(cases, operation(fmt.Sprintf("conv3x3-%dx%dx%d", c, size, size), func(g *nn.Graph, s *nn.Scope) *nn.Node {
			return nn.NewConv2d(s.At(func(string) int { return size }), c, c, 3).Forward(g.Input("x", 1, size, size, c))
		}))
	}
	for _, s := range [][2]int{{4096, 320}, {1024, 640}, {256, 1280}} {
		tokens, c := s[0], s[1]
		for _, keys := range []int{tokens, 77} {
			kind := "self"
			if keys != tokens {
				kind = "cross"
			}
			name := fmt.Sprintf("attention-%s-%dx8x%d", kind, tokens, c/8)
			cases = append(cases, operation(name, func(g *nn.Graph, _ *nn.Scope) *nn.Node {
				return nn.Attention(g.Input("q", 1, tokens, c), g.Input("k", 1, keys, c), g.Input("v", 1, keys, c), 8, false)
			}))
		}
	}
	const size, tokens, c = 64, 4096, 320
	return append(cases,
		streaming("probs-256x8x160", func(g *nn.Graph, _ *nn.Scope) *nn.Node {
			return nn.AttentionProbs(g.Input("q", 1, 256, 1280), g.Input("k", 1, 256, 1280), 8)
		}),
		streaming("groupnorm-320x64x64", func(g *nn.Graph, s *nn.Scope) *nn.Node {
			return nn.NewGroupNorm(s, c, 32, 1e-5).Forward(g.Input("x", 1, size, size, c))
		}),
		streaming("groupnorm-silu-320x64x64", func(g *nn.Graph, s *nn.Scope) *nn.Node {
			return nn.SiLU(nn.NewGroupNorm(s, c, 32, 1e-5).Forward(g.Input("x", 1, size, size, c)))
		}),
		streaming("layernorm-4096x320", func(g *nn.Graph, s *nn.Scope) *nn.Node {
			return nn.NewLayerNorm(s, c, 1e-5).Forward(g.Input("x", 1, tokens, c))
		}),
		streaming("geglu-4096x1280", func(g *nn.Graph, _ *nn.Scope) *nn.Node { return nn.GEGLU(g.Input("x", 1, tokens, 8*c)) }),
		streaming("silu-320x64x64", func(g *nn.Graph, _ *nn.Scope) *nn.Node { return nn.SiLU(g.Input("x", 1, size, size, c)) }),
		streaming("add-320x64x64", func(g *nn.Graph, _ *nn.Scope) *nn.Node {
			return nn.Add(g.Input("x", 1, size, size, c), g.Input("z", 1, size, size, c))
		}),
	)
}

// operation is a case of one operation, as a graph of its own: it runs as it does in a network.
func operation(name string, op func(g *nn.Graph, s *nn.Scope) *nn.Node) Case {
	return Case{Name: name, build: func(_ context.Context, o nn.Options) (*job, error) {
		j, err := alone(op, o)
		if err == nil {
			j.bytes = 0
		}
		return j, err
	}}
}

// streaming is an operation whose time goes into reading its operands and writing its result.
func streaming(name string, op func(g *nn.Graph, s *nn.Scope) *nn.Node) Case {
	return Case{Name: name, build: func(_ context.Context, o nn.Options) (*job, error) { return alone(op, o) }}
}

// alone makes a program of one operation; its bytes are those of its inputs and its result.
func alone(op func(g *nn.Graph, s *nn.Scope) *nn.Node, o nn.Options) (*job, error) {
	j := &job{target: "y"}
	s := nn.NewScope(synth.New("bench", seed))
	inputs := map[string]*nn.Node{}
	g, err := nn.Build(func(g *nn.Graph) {
		y := op(g, s).Named(j.target)
		j.bytes = 4 * int64(product(y.Shape()))
		collect(inputs, y)
		g.Output("out", y)
	})
	if err != nil {
		return nil, err
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	if j.program, err = nn.Compile(g, o); err != nil {
		return nil, err
	}
	for name, n := range inputs {
		size := product(n.Shape())
		j.bytes += 4 * int64(size)
		if err := j.program.Set(name, synth.Input("bench."+name, seed, 1, size)); err != nil {
			return nil, err
		}
	}
	return j, nil
}

// collect adds the inputs that n is computed from.
func collect(inputs map[string]*nn.Node, n *nn.Node) {
	if n.Kind() == "Input" {
		inputs[n.Name()] = n
	}
	for _, x := range n.Operands() {
		collect(inputs, x)
	}
}
