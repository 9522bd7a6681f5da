package nn

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	g, err := Build(func(g *Graph) {
		x := g.Input("x", 2, 4)
		l := NewLinear(scope("lin"), 4, 4)
		y := l.Forward(x).Named("block") // an alias: the layer has a name
		z := SiLU(l.Forward(y))          // "lin#2.silu"
		z = SiLU(z).Named("act")         // its own name
		z = Add(z, x).Named("block")     // taken: "block#2"
		z.Named("out").Named("act").Named("out")
		g.Output("y", SiLU(x))
		g.Output("out", z)
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"x", "lin", "block", "lin#2", "lin#2.silu", "act", "block#2", "out", "act#2", "y"}
	if got := g.Names(); !slices.Equal(got, want) {
		t.Errorf("names %q,\nwant %q", got, want)
	}
}

// The errors of a graph name the node, what it got and what it takes, in one line.
func TestBuildErrors(t *testing.T) {
	x := func(g *Graph, shape ...int) *Node { return g.Input("x", shape...) }
	y := func(g *Graph, shape ...int) *Node { return g.Input("y", shape...) }
	for _, c := range []struct {
		build func(g *Graph)
		want  string
	}{
		{func(g *Graph) { NewConv2d(scope("mid.conv"), 4, 8, 3).Forward(x(g, 1, 8, 8, 3)) },
			"nn: mid.conv (Conv2d): got [1 8 8 3], expected [N H W 4]"},
		{func(g *Graph) { NewConv2d(scope("conv"), 4, 8, 3).Forward(x(g, 1, 8, 4)) },
			"nn: conv (Conv2d): got [1 8 4], expected [N H W 4]"},
		{func(g *Graph) {
			NewConv2d(scope("conv"), 4, 8, 3, ConvOption{Stride: 2}).Forward(x(g, 1, 2, 8, 4))
		}, "nn: conv (Conv2d): got [1 2 8 4], expected an image of at least 3×3 with padding [0 0 0 0]"},
		{func(g *Graph) { NewConv2d(scope("conv"), 4, 8, 3).Forward(ToChannelsFirst(x(g, 1, 4, 4, 4))) },
			"nn: conv (Conv2d): got [1 4 4 4], expected images in channels-last order (see ToChannelsLast)"},
		{func(g *Graph) { NewLinear(scope("to_q"), 4, 8).Forward(x(g, 1, 5)) }, "nn: to_q (Linear): got [1 5], expected [... 4]"},
		{func(g *Graph) { NewLinear(scope("to_q"), 4, 8).Forward(x(g, 4)) }, "nn: to_q (Linear): got [4], expected [... 4]"},
		{func(g *Graph) { NewGroupNorm(scope("norm"), 8, 4, 1).Forward(x(g, 1, 8)) },
			"nn: norm (GroupNorm): got [1 8], expected [N H W 8] or [N T 8]"},
		{func(g *Graph) { NewLayerNorm(scope("norm"), 8, 1).Forward(x(g, 1, 7)) }, "nn: norm (LayerNorm): got [1 7], expected [... 8]"},
		{func(g *Graph) { Attention(x(g, 1, 3, 8), y(g, 1, 4, 8), g.Input("z", 1, 5, 8), 2, false) },
			"nn: x.attention (Attention): got [1 3 8] and [1 4 8] and [1 5 8], expected q [N Tq C], k and v [N Tk C], C a multiple of 2 heads"},
		{func(g *Graph) { a := x(g, 1, 3, 8); Attention(a, a, a, 3, false) },
			"nn: x.attention (Attention): got [1 3 8] and [1 3 8] and [1 3 8], expected q [N Tq C], k and v [N Tk C], C a multiple of 3 heads"},
		{func(g *Graph) { b := y(g, 1, 4, 8); Attention(x(g, 1, 3, 8), b, b, 2, true) },
			"nn: x.attention (Attention): got [1 3 8] and [1 4 8] and [1 4 8], expected as many queries as keys (causal attention)"},
		{func(g *Graph) { AttentionProbs(x(g, 1, 3, 8), y(g, 2, 3, 8), 2) },
			"nn: x.attentionprobs (AttentionProbs): got [1 3 8] and [2 3 8], expected q [N Tq C] and k [N Tk C], C a multiple of 2 heads"},
		{func(g *Graph) { Add(x(g, 2, 3), y(g, 1, 3)) }, "nn: x.add (Add): got [2 3] and [1 3], expected two equal shapes"},
		{func(g *Graph) { a := x(g, 1, 2, 2, 2); Add(ToChannelsLast(a), ToChannelsFirst(a)) },
			"nn: x.tochannelslast.add (Add): got [1 2 2 2] and [1 2 2 2], expected images in channels-last order (see ToChannelsLast)"},
		{func(g *Graph) { AddChannels(x(g, 2, 3, 4), y(g, 1, 4)) },
			"nn: x.addchannels (AddChannels): got [2 3 4] and [1 4], expected x [N H W C] or [N T C] and e [N C]"},
		{func(g *Graph) { AddRows(x(g, 2, 3, 4), y(g, 2, 3, 4)) },
			"nn: x.addrows (AddRows): got [2 3 4] and [2 3 4], expected x [N T C] and p [1 T C] or [T C]"},
		{func(g *Graph) { Concat(x(g, 2, 3, 4), y(g, 2, 2, 4)) },
			"nn: x.concat (Concat): got [2 3 4] and [2 2 4], expected shapes that differ in the last dimension only"},
		{func(g *Graph) { GEGLU(x(g, 2, 3)) }, "nn: x.geglu (GEGLU): got [2 3], expected [... 2C]"},
		{func(g *Graph) { Upsample2x(x(g, 2, 3, 4)) }, "nn: x.upsample2x (Upsample2x): got [2 3 4], expected [N H W C]"},
		{func(g *Graph) { Tokens(x(g, 2, 3, 4)) }, "nn: x.tokens (Tokens): got [2 3 4], expected [N H W C]"},
		{func(g *Graph) { Image(x(g, 2, 6, 4), 2, 4) }, "nn: x.image (Image): got [2 6 4], expected [N 2·4 C]"},
		{func(g *Graph) { ToChannelsLast(x(g, 2, 6, 4)) }, "nn: x.tochannelslast (ToChannelsLast): got [2 6 4], expected [N C H W]"},
		{func(g *Graph) { TimestepEmbedding(x(g, 2, 6), 8) },
			"nn: x.timestepembedding (TimestepEmbedding): got [2 6], expected timesteps [N] and an embedding of at least 2, not 8"},
		{func(g *Graph) { MeanPool(x(g, 2, 6)) }, "nn: x.meanpool (MeanPool): got [2 6], expected [N H W C] or [N T C]"},
		{func(g *Graph) { NewEmbedding(scope("pos"), 5, 8).Positions(x(g, 2, 6)) },
			"nn: pos (Positions): got [2 6], expected [N T ...] with T at most 5 positions"},
		{func(g *Graph) { x(g, 2, 0) }, "nn: x (Input): got [2 0], expected dimensions of at least 1"},
		{func(g *Graph) { x(g, 1<<40, 1<<40) }, "nn: x (Input): got [1099511627776 1099511627776], expected fewer than 2⁵⁰ numbers"},
		{func(g *Graph) { Upsample2x(x(g, 1, 1<<24, 1<<24, 3)) },
			"nn: x.upsample2x (Upsample2x): got [1 16777216 16777216 3], expected a result of fewer than 2⁵⁰ numbers, not [1 33554432 33554432 3]"},
		{func(g *Graph) { x(g, 2); x(g, 3) }, "nn: x: there is a node of this name already"},
		{func(g *Graph) { g.Input("a*", 2) }, `nn: "a*": a name must not be empty nor contain any of *?[]\`},
		{func(g *Graph) { SiLU(nil) }, "nn: SiLU: an operand is missing"},
		{func(g *Graph) { Add(x(g, 2), NewGraph().Input("y", 2)) }, "nn: x.add: operands x and y are of different graphs"},
		{func(g *Graph) { g.Output("o", nil) }, "nn: o: the output is not a node of this graph"},
		{func(g *Graph) { g.Output("o", x(g, 1)); g.Output("o", y(g, 1)) }, "nn: o: there is an output of this name already"},
	} {
		_, err := Build(c.build)
		if got := fmt.Sprint(err); got != c.want {
			t.Errorf("error %q,\n      want %q", got, c.want)
		}
	}

	_, err := Build(func(g *Graph) { Add(g.Input("a", 2), g.Input("b", 3)).Named("sum") })
	var shape *ShapeError
	if !errors.As(err, &shape) || shape.Path != "a.add" || !equal(shape.Got[1], []int{3}) {
		t.Errorf("error %#v, want a ShapeError with path and shapes", err)
	}
	if _, err := Compile(NewGraph(), Options{}); err == nil {
		t.Error("a graph without outputs compiled")
	}
	defer func() {
		if recover() != "mine" {
			t.Error("Build swallowed a panic that is not its own")
		}
	}()
	Build(func(*Graph) { panic("mine") })
}

// A damaged configuration may ask for layers larger than any memory.
func TestLayersOfMissingTensorsTakeNoMemory(t *testing.T) {
	const huge = 1 << 40
	s := NewScope(lacking{}).Sub("missing")
	NewLinear(s, huge, huge)
	NewLinearNoBias(s, huge, huge)
	NewConv2d(s, huge, huge, 3)
	NewGroupNorm(s, huge, 2, 1)
	NewLayerNorm(s, huge, 1)
	NewEmbedding(s, huge, huge)
	var all *ParamsError
	if !errors.As(s.Err(), &all) || len(all.Errs) != 10 {
		t.Errorf("error %v, want 10", s.Err())
	}
}

// Two inputs of one name and shape would silently be one node of gorgonia's.
func TestInputsOfOneNameAreRefused(t *testing.T) {
	if _, err := Build(func(g *Graph) { g.Input("x", 2); g.Input("x", 2) }); err == nil {
		t.Error("two inputs of one name were taken")
	}
}

func TestSet(t *testing.T) {
	p := must(t, func(g *Graph) { g.Output("y", SiLU(g.Input("x", 2, 3)).Named("act")) })
	for _, c := range []struct {
		name string
		n    int
		want string
	}{
		{"x", 5, "nn: input x: 5 numbers, expected 6 of shape [2 3]"},
		{"act", 6, "nn: act is no input; Feed gives other nodes a value"},
		{"z", 6, `nn: no node "z"; nearest are x, y, act`},
	} {
		if err := p.Set(c.name, make([]float32, c.n)); err == nil || err.Error() != c.want {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	if err := p.Run(t.Context()); err == nil || err.Error() != "nn: input x [2 3] has not been set" {
		t.Errorf("error %v", err)
	}
	if p.Output("none") != nil || p.OutputShape("none") != nil {
		t.Error("an unknown output has a value")
	}
}

// lacking has no tensor whose name contains "missing".
type lacking struct{ randomParams }

func (l lacking) Float32(name string, shape ...int) ([]float32, error) {
	if strings.Contains(name, "missing") {
		return nil, fmt.Errorf("%s: not in the file", name)
	}
	return l.randomParams.Float32(name, shape...)
}

func TestScopeCollectsErrors(t *testing.T) {
	s := NewScope(lacking{})
	if got := s.Sub("a").Sub("b.c").Path(); got != "a.b.c" {
		t.Errorf("path %q, want a.b.c", got)
	}
	NewLinear(s.Sub("good"), 2, 2)
	if s.Err() != nil {
		t.Errorf("error %v", s.Err())
	}
	if w := s.Sub("missing").Tensor("weight", 3, 4); w != nil {
		t.Errorf("%v for a missing tensor, want nil", w)
	}
	if got := s.Err().Error(); got != "missing.weight: not in the file" {
		t.Errorf("error %q", got)
	}
	NewLinear(s.Sub("a").Sub("missing"), 2, 2)
	NewGroupNorm(s.Sub("norm"), 6, 4, 1)
	want := "4 things are wrong with the weights: missing.weight: not in the file; a.missing.weight: not in the file; " +
		"a.missing.bias: not in the file; nn: norm: 6 channels do not divide into 4 groups"
	if got := s.Err().Error(); got != want {
		t.Errorf("error %q,\n      want %q", got, want)
	}
	for range 30 {
		s.Tensor("missing", 1)
	}
	var all *ParamsError
	if !errors.As(s.Err(), &all) || len(all.Errs) != 34 || !strings.HasSuffix(all.Error(), "; and 14 more") {
		t.Errorf("error %v, want 34 errors, 20 of them in the text", s.Err())
	}
}
