package nn

import (
	"math"
	"slices"
	"testing"
)

// TestOps runs every operation in a program of its own and compares it with the float64 reference.
func TestOps(t *testing.T) {
	x := func(name string, shape ...int) []float64 { return widen(random(name, size(shape))) }
	w := func(name string, shape ...int) []float64 {
		v, _ := randomParams{}.Float32(name, shape...)
		return widen(v)
	}
	ids := []float32{0, 6, 3, 3, 1, 5}
	in := func(g *Graph, name string, shape ...int) *Node { return g.Input(name, shape...) }

	for _, c := range []struct {
		name  string
		shape []int // in memory
		build func(g *Graph) *Node
		want  func() []float64
	}{
		{"conv 3×3", []int{2, 5, 4, 7}, func(g *Graph) *Node {
			return NewConv2d(scope("conv"), 3, 7, 3).Forward(in(g, "x", 2, 5, 4, 3))
		}, func() []float64 {
			return refConv(x("x", 2, 5, 4, 3), w("conv.weight", 7, 3, 3, 3), w("conv.bias", 7), 2, 5, 4, 3, 7, 3, 1, [4]int{1, 1, 1, 1})
		}},
		{"conv stride 2", []int{2, 3, 2, 6}, func(g *Graph) *Node {
			return NewConv2d(scope("conv"), 4, 6, 3, ConvOption{Stride: 2, Pad: [4]int{1, 1, 1, 1}}).Forward(in(g, "x", 2, 5, 4, 4))
		}, func() []float64 {
			return refConv(x("x", 2, 5, 4, 4), w("conv.weight", 6, 4, 3, 3), w("conv.bias", 6), 2, 5, 4, 4, 6, 3, 2, [4]int{1, 1, 1, 1})
		}},
		{"conv padded right and below", []int{1, 3, 2, 6}, func(g *Graph) *Node {
			return NewConv2d(scope("conv"), 4, 6, 3, ConvOption{Stride: 2, Pad: [4]int{0, 0, 1, 1}}).Forward(in(g, "x", 1, 6, 4, 4))
		}, func() []float64 {
			return refConv(x("x", 1, 6, 4, 4), w("conv.weight", 6, 4, 3, 3), w("conv.bias", 6), 1, 6, 4, 4, 6, 3, 2, [4]int{0, 0, 1, 1})
		}},
		{"conv 1×1 without bias", []int{2, 3, 3, 5}, func(g *Graph) *Node {
			return NewConv2d(scope("conv"), 4, 5, 1, ConvOption{NoBias: true}).Forward(in(g, "x", 2, 3, 3, 4))
		}, func() []float64 {
			return refConv(x("x", 2, 3, 3, 4), w("conv.weight", 5, 4, 1, 1), make([]float64, 5), 2, 3, 3, 4, 5, 1, 1, [4]int{})
		}},
		{"linear", []int{2, 3, 5}, func(g *Graph) *Node {
			return NewLinear(scope("lin"), 7, 5).Forward(in(g, "x", 2, 3, 7))
		}, func() []float64 { return refLinear(x("x", 2, 3, 7), w("lin.weight", 5, 7), w("lin.bias", 5), 7, 5) }},
		{"linear without bias", []int{3, 5}, func(g *Graph) *Node {
			return NewLinearNoBias(scope("lin"), 7, 5).Forward(in(g, "x", 3, 7))
		}, func() []float64 { return refLinear(x("x", 3, 7), w("lin.weight", 5, 7), make([]float64, 5), 7, 5) }},
		{"group norm", []int{2, 3, 5, 12}, func(g *Graph) *Node {
			return NewGroupNorm(scope("norm"), 12, 4, 1e-5).Forward(in(g, "x", 2, 3, 5, 12))
		}, func() []float64 {
			return refGroupNorm(x("x", 2, 3, 5, 12), w("norm.weight", 12), w("norm.bias", 12), 2, 15, 12, 4, 1e-5)
		}},
		{"layer norm", []int{2, 3, 9}, func(g *Graph) *Node {
			return NewLayerNorm(scope("norm"), 9, 1e-5).Forward(in(g, "x", 2, 3, 9))
		}, func() []float64 {
			return refGroupNorm(x("x", 2, 3, 9), w("norm.weight", 9), w("norm.bias", 9), 6, 1, 9, 1, 1e-5)
		}},
		{"self attention", []int{2, 6, 8}, func(g *Graph) *Node {
			a := in(g, "x", 2, 6, 8)
			return Attention(a, a, a, 2, false)
		}, func() []float64 {
			a := x("x", 2, 6, 8)
			return refAttention(a, a, a, 2, 6, 6, 2, 4, false)
		}},
		{"cross attention", []int{2, 6, 10}, func(g *Graph) *Node {
			return Attention(in(g, "q", 2, 6, 10), in(g, "k", 2, 3, 10), in(g, "v", 2, 3, 10), 2, false)
		}, func() []float64 {
			return refAttention(x("q", 2, 6, 10), x("k", 2, 3, 10), x("v", 2, 3, 10), 2, 6, 3, 2, 5, false)
		}},
		{"causal attention", []int{1, 5, 8}, func(g *Graph) *Node {
			return Attention(in(g, "q", 1, 5, 8), in(g, "k", 1, 5, 8), in(g, "v", 1, 5, 8), 4, true)
		}, func() []float64 {
			return refAttention(x("q", 1, 5, 8), x("k", 1, 5, 8), x("v", 1, 5, 8), 1, 5, 5, 4, 2, true)
		}},
		{"attention probabilities", []int{2, 3, 4, 5}, func(g *Graph) *Node {
			return AttentionProbs(in(g, "q", 2, 4, 6), in(g, "k", 2, 5, 6), 3)
		}, func() []float64 { return refProbs(x("q", 2, 4, 6), x("k", 2, 5, 6), 2, 4, 5, 3, 2, false) }},
		{"SiLU", []int{3, 7}, func(g *Graph) *Node { return SiLU(in(g, "x", 3, 7)) },
			func() []float64 { return refMap(x("x", 3, 7), refSiLU) }},
		{"GELU", []int{3, 7}, func(g *Graph) *Node { return GELU(in(g, "x", 3, 7)) },
			func() []float64 { return refMap(x("x", 3, 7), refGELU) }},
		{"quick GELU", []int{3, 7}, func(g *Graph) *Node { return QuickGELU(in(g, "x", 3, 7)) },
			func() []float64 { return refMap(x("x", 3, 7), refQuickGELU) }},
		{"GEGLU", []int{2, 3, 4}, func(g *Graph) *Node { return GEGLU(in(g, "x", 2, 3, 8)) }, func() []float64 {
			var y []float64
			for r := range slices.Chunk(x("x", 2, 3, 8), 8) {
				for i := range 4 {
					y = append(y, r[i]*refGELU(r[4+i]))
				}
			}
			return y
		}},
		{"add", []int{2, 3}, func(g *Graph) *Node { return Add(in(g, "a", 2, 3), in(g, "b", 2, 3)) }, func() []float64 {
			y := x("a", 2, 3)
			for i, b := range x("b", 2, 3) {
				y[i] += b
			}
			return y
		}},
		{"add channels", []int{2, 3, 2, 4}, func(g *Graph) *Node { return AddChannels(in(g, "x", 2, 3, 2, 4), in(g, "e", 2, 4)) },
			func() []float64 {
				y, e := x("x", 2, 6, 4), x("e", 2, 4)
				for i := range y {
					y[i] += e[i/24*4+i%4]
				}
				return y
			}},
		{"add rows", []int{2, 3, 4}, func(g *Graph) *Node { return AddRows(in(g, "x", 2, 3, 4), in(g, "p", 1, 3, 4)) }, func() []float64 {
			y, p := x("x", 2, 3, 4), x("p", 3, 4)
			for i := range y {
				y[i] += p[i%12]
			}
			return y
		}},
		{"concat", []int{2, 3, 7}, func(g *Graph) *Node { return Concat(in(g, "a", 2, 3, 4), in(g, "b", 2, 3, 3)) }, func() []float64 {
			var y []float64
			a, b := x("a", 2, 3, 4), x("b", 2, 3, 3)
			for r := range 6 {
				y = append(append(y, a[4*r:4*r+4]...), b[3*r:3*r+3]...)
			}
			return y
		}},
		{"upsample", []int{2, 4, 6, 3}, func(g *Graph) *Node { return Upsample2x(in(g, "x", 2, 2, 3, 3)) }, func() []float64 {
			a := x("x", 2, 2, 3, 3)
			var y []float64
			for n := range 2 {
				for i := range 4 {
					for j := range 6 {
						at := ((n*2+i/2)*3 + j/2) * 3
						y = append(y, a[at:at+3]...)
					}
				}
			}
			return y
		}},
		{"timestep embedding", []int{3, 8}, func(g *Graph) *Node { return TimestepEmbedding(in(g, "ids", 3), 8) }, func() []float64 {
			var y []float64
			for _, t := range ids[:3] {
				arg := func(i int) float64 { return float64(t) * math.Exp(-math.Log(10000)*float64(i)/4) }
				for i := range 4 {
					y = append(y, math.Cos(arg(i)))
				}
				for i := range 4 {
					y = append(y, math.Sin(arg(i)))
				}
			}
			return y
		}},
		{"embedding", []int{2, 3, 5}, func(g *Graph) *Node { return NewEmbedding(scope("emb"), 7, 5).Forward(in(g, "ids", 2, 3)) },
			func() []float64 {
				var y []float64
				for _, id := range ids {
					y = append(y, w("emb.weight", 7, 5)[5*int(id):][:5]...)
				}
				return y
			}},
		{"positions", []int{1, 3, 5}, func(g *Graph) *Node { return NewEmbedding(scope("emb"), 7, 5).Positions(in(g, "ids", 2, 3)) },
			func() []float64 { return w("emb.weight", 7, 5)[:15] }},
		{"mean pool", []int{2, 3}, func(g *Graph) *Node { return MeanPool(in(g, "x", 2, 2, 2, 3)) }, func() []float64 {
			y := make([]float64, 6)
			for i, v := range x("x", 2, 2, 2, 3) {
				y[i/12*3+i%3] += v / 4
			}
			return y
		}},
		{"max pool", []int{2, 3}, func(g *Graph) *Node { return MaxPool(in(g, "x", 2, 4, 3)) }, func() []float64 {
			y := slices.Repeat([]float64{math.Inf(-1)}, 6)
			for i, v := range x("x", 2, 4, 3) {
				y[i/12*3+i%3] = max(y[i/12*3+i%3], v)
			}
			return y
		}},
		{"grid pool", []int{2, 2, 2, 3}, func(g *Graph) *Node { return GridPool(in(g, "x", 2, 4, 5, 3), 2) }, func() []float64 {
			y := make([]float64, 24)
			for i, v := range x("x", 2, 4, 5, 3) {
				n, row, column, c := i/60, i/15%4, i/3%5, i%3
				for _, cell := range [][2]int{{0, 3}, {2, 5}} { // of columns: they share the third of five
					if column >= cell[0] && column < cell[1] {
						y[((n*2+row/2)*2+cell[0]/2)*3+c] += v / 6
					}
				}
			}
			return y
		}},
		{"first channels", []int{2, 3, 2}, func(g *Graph) *Node { return FirstChannels(in(g, "x", 2, 3, 5), 2) }, func() []float64 {
			var y []float64
			for row := range slices.Chunk(x("x", 2, 3, 5), 5) {
				y = append(y, row[:2]...)
			}
			return y
		}},
		{"projection", []int{2, 3, 4}, func(g *Graph) *Node { return Project(in(g, "x", 2, 3, 5), random("m", 20), 4) },
			func() []float64 { return refLinear(x("x", 2, 3, 5), x("m", 20), make([]float64, 4), 5, 4) }},
		{"to channels first", []int{2, 4, 2, 3}, func(g *Graph) *Node { return ToChannelsFirst(in(g, "x", 2, 2, 3, 4)) },
			func() []float64 { return refToFirst(x("x", 2, 2, 3, 4), 2, 6, 4) }},
		{"to channels last", []int{2, 2, 3, 4}, func(g *Graph) *Node { return ToChannelsLast(in(g, "x", 2, 4, 2, 3)) },
			func() []float64 { return refToFirst(x("x", 2, 4, 2, 3), 2, 4, 6) }},
		{"tokens", []int{2, 6, 4}, func(g *Graph) *Node { return Tokens(in(g, "x", 2, 2, 3, 4)) },
			func() []float64 { return x("x", 2, 2, 3, 4) }},
		{"image", []int{2, 2, 3, 4}, func(g *Graph) *Node { return Image(in(g, "x", 2, 6, 4), 2, 3) },
			func() []float64 { return x("x", 2, 6, 4) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var y *Node
			p := must(t, func(g *Graph) {
				y = c.build(g)
				g.Output("y", y)
			})
			if _, err := p.find("ids"); err == nil {
				if err := p.Set("ids", ids[:size(p.graph.names["ids"].shape)]); err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(y.Shape(), c.shape) {
				t.Errorf("shape %v, want %v", y.Shape(), c.shape)
			}
			setRandom(t, p)
			if err := p.OnNode(y.Name(), func(_ string, v Value) { near(t, c.name, v.Raw(), c.want(), 3e-6) }); err != nil {
				t.Fatal(err)
			}
			run(t, p)
			image := len(c.shape) == 4 && y.layout == channelsLast
			want := c.want()
			if image {
				want = refToFirst(want, c.shape[0], c.shape[1]*c.shape[2], c.shape[3])
			}
			near(t, "output", p.Output("y"), want, 3e-6)
		})
	}
}
