package nn

import "testing"

// TestTorch holds single operations and a resnet with a transformer block to what torch computes in
// float64 (testdata/ops.py).
func TestTorch(t *testing.T) {
	data := openReference(t, "testdata/ops.safetensors")
	s := NewScope(data)
	g, err := Build(func(g *Graph) {
		x := ToChannelsLast(g.Input("x", 2, 12, 7, 6))
		tokens := Tokens(x)
		half := [4]int{1, 1, 1, 1}
		for name, y := range map[string]*Node{
			"conv3":        NewConv2d(s.Sub("conv3"), 12, 20, 3).Forward(x),
			"conv_stride2": NewConv2d(s.Sub("conv_stride2"), 12, 8, 3, ConvOption{Stride: 2, Pad: half}).Forward(x),
			"conv_asym":    NewConv2d(s.Sub("conv_asym"), 12, 8, 3, ConvOption{Stride: 2, Pad: [4]int{0, 0, 1, 1}}).Forward(x),
			"conv1":        NewConv2d(s.Sub("conv1"), 12, 16, 1).Forward(x),
			"norm4":        NewGroupNorm(s.Sub("norm4"), 12, 4, 1e-6).Forward(x),
			"layer_norm":   NewLayerNorm(s.Sub("layer_norm"), 12, 1e-5).Forward(tokens),
			"silu":         SiLU(x),
			"gelu":         GELU(x),
			"quick_gelu":   QuickGELU(x),
			"geglu":        GEGLU(tokens),
			"upsample":     Upsample2x(x),
			"causal":       Attention(tokens, tokens, tokens, 3, true),
		} {
			g.Output(name, y)
		}
		g.Output("attn", torchBlock(g, s, x))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	p, err := Compile(g, Options{Keep: []string{"res"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"x", "emb", "context"} {
		if err := p.Set(name, data[name]); err != nil {
			t.Fatal(err)
		}
	}
	run(t, p)
	for _, o := range p.outputs {
		near(t, o.name, p.Output(o.name), data[o.name], 5e-6)
	}
	v, err := p.Value("res")
	if err != nil {
		t.Fatal(err)
	}
	near(t, "res", v.Data(), data["res"], 5e-6)
}

// torchBlock is the network of ops.py.
func torchBlock(g *Graph, s *Scope, x *Node) *Node {
	emb, context := g.Input("emb", 2, 9), g.Input("context", 2, 5, 10)
	norm := func(path string, c, groups int, eps float32, x *Node) *Node {
		return NewGroupNorm(s.Sub(path), c, groups, eps).Forward(x)
	}
	h := NewConv2d(s.Sub("res.conv1"), 12, 16, 3).Forward(SiLU(norm("res.norm1", 12, 4, 1e-5, x)))
	h = AddChannels(h, NewLinear(s.Sub("res.time_emb_proj"), 9, 16).Forward(SiLU(emb)))
	h = NewConv2d(s.Sub("res.conv2"), 16, 16, 3).Forward(SiLU(norm("res.norm2", 16, 4, 1e-5, h)))
	h = Add(NewConv2d(s.Sub("res.conv_shortcut"), 12, 16, 1).Forward(x), h).Named("res")

	attend := func(path string, x, context *Node, width int) *Node {
		q := NewLinearNoBias(s.Sub(path+".to_q"), 16, 16).Forward(x)
		k := NewLinearNoBias(s.Sub(path+".to_k"), width, 16).Forward(context)
		v := NewLinearNoBias(s.Sub(path+".to_v"), width, 16).Forward(context)
		return NewLinear(s.Sub(path+".to_out.0"), 16, 16).Forward(Attention(q, k, v, 4, false)).Named(path)
	}
	layerNorm := func(path string, x *Node) *Node { return NewLayerNorm(s.Sub(path), 16, 1e-5).Forward(x) }
	t := NewLinear(s.Sub("proj_in"), 16, 16).Forward(Tokens(norm("norm", 16, 8, 1e-6, h)))
	n := layerNorm("norm1", t)
	t = Add(t, attend("attn1", n, n, 16))
	t = Add(t, attend("attn2", layerNorm("norm2", t), context, 10))
	f := GEGLU(NewLinear(s.Sub("ff.net.0.proj"), 16, 64).Forward(layerNorm("norm3", t)))
	t = Add(t, NewLinear(s.Sub("ff.net.2"), 32, 16).Forward(f))
	return Add(Image(NewLinear(s.Sub("proj_out"), 16, 16).Forward(t), 7, 6), h)
}
