package nn

import (
	"context"
	"slices"
	"testing"
	"time"
)

func TestTrace(t *testing.T) {
	l := newNet()
	g, err := Build(func(g *Graph) { l.build(g, 1, 8, 8) })
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	p, err := Compile(g, Options{Trace: func(n *Node, d time.Duration) {
		if d < 0 {
			t.Errorf("%s took %v", n.Name(), d)
		}
		names = append(names, n.Name())
	}})
	if err != nil {
		t.Fatal(err)
	}
	setRandom(t, p)
	if err := p.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, n := range p.Nodes() {
		want = append(want, n.Name())
	}
	if !slices.Equal(names, want) || len(names) < 20 {
		t.Errorf("traced %q, want the nodes %q", names, want)
	}
	if slices.Contains(names, "net.attn.probs") {
		t.Error("a node that nobody asked for was traced")
	}
}

func TestMACs(t *testing.T) {
	s := scope("macs")
	conv, lin := NewConv2d(s.Sub("conv"), 3, 8, 3, ConvOption{Stride: 2, Pad: [4]int{1, 1, 1, 1}}), NewLinear(s.Sub("lin"), 8, 5)
	_, err := Build(func(g *Graph) {
		x := ToChannelsLast(g.Input("x", 2, 3, 6, 6))
		y := conv.Forward(x)
		tok := Tokens(y)
		for _, c := range []struct {
			n    *Node
			kind string
			want int64
		}{
			{x.Operands()[0], "Input", 0},
			{y, "Conv2d", 2 * 3 * 3 * 8 * 27},
			{lin.Forward(tok), "Linear", 2 * 9 * 5 * 8},
			{Attention(tok, tok, tok, 2, false), "Attention", 2 * 2 * 9 * 9 * 8},
			{Attention(tok, tok, tok, 2, true), "Attention", 2 * 2 * 9 * 5 * 8},
			{AttentionProbs(tok, tok, 2), "AttentionProbs", 2 * 9 * 9 * 8},
			{SiLU(y), "SiLU", 0},
		} {
			if c.n.Kind() != c.kind || c.n.MACs() != c.want {
				t.Errorf("%s: %s of %d multiply-adds, want %s of %d", c.n.Name(), c.n.Kind(), c.n.MACs(), c.kind, c.want)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}
