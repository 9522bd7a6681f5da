package nn

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestRandomGraphs runs random graphs of operations that overwrite, view and copy, and compares all
// of it with every node computed into memory of its own. Outputs, kept nodes and hooks are random.
func TestRandomGraphs(t *testing.T) {
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 7))
		var all []*Node
		g, err := Build(func(g *Graph) { all = randomGraph(g, r) })
		if err != nil {
			t.Fatal(err)
		}
		p, err := Compile(g, Options{})
		if err != nil {
			t.Fatal(err)
		}
		setRandom(t, p)
		want := naive(p)
		check := func(what string) {
			t.Helper()
			for _, o := range p.outputs {
				same(t, fmt.Sprintf("seed %d, %s, %s", seed, what, o.name), p.Output(o.name), want[o.node.id])
			}
		}
		run(t, p)
		check("plain")

		for range 3 {
			n := all[r.IntN(len(all))]
			switch r.IntN(2) {
			case 0:
				ok(t, p.Keep(n.Name()))
			case 1:
				ok(t, p.OnNode(n.Name(), func(path string, v Value) { same(t, path, v.Raw(), want[n.id]) }))
			}
		}
		p.arena = nil
		ok(t, p.prepare())
		for i := range p.arena.floats() {
			p.arena.floats()[i] = 1e30 // nothing may rest on what the arena held before
		}
		run(t, p)
		check("probed")
		for i, n := range p.nodes {
			if v, err := p.Value(n.name); err == nil && n.outlives() {
				same(t, n.name, v.Raw(), want[i])
			}
		}

		n := all[r.IntN(len(all))]
		if err := p.RunTo(context.Background(), n.Name()); err != nil {
			t.Fatal(err)
		}
		v, err := p.Value(n.Name())
		if err != nil {
			t.Fatal(err)
		}
		same(t, fmt.Sprintf("seed %d, to %s", seed, n.Name()), v.Raw(), want[n.id])
		run(t, p)
		check("after RunTo")

		if rep := p.Report(); rep.Arena < rep.Peak {
			t.Errorf("seed %d: %v: want peak ≤ arena", seed, rep)
		}
	}
}

// TestRandomSteadyGraphs changes one of two inputs of random graphs at a time, in whole and partial runs and with
// random probes, and compares with every node computed anew.
func TestRandomSteadyGraphs(t *testing.T) {
	ctx := context.Background()
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 8))
		var all []*Node
		g, err := Build(func(g *Graph) { all = randomGraph(g, r) })
		if err != nil {
			t.Fatal(err)
		}
		p, err := Compile(g, Options{Steady: [][]string{{"a"}, {"b"}, {"a", "b"}}[seed%3]})
		if err != nil {
			t.Fatal(err)
		}
		setRandom(t, p)
		want := naive(p)
		hooked := map[int]int{}
		for i := range 30 {
			what := fmt.Sprintf("seed %d, round %d", seed, i)
			switch n := all[r.IntN(len(all))]; r.IntN(8) {
			case 0:
				ok(t, p.Keep(n.Name()))
			case 1:
				ok(t, p.OnNode(n.Name(), func(path string, v Value) {
					same(t, what+": "+path, v.Raw(), want[n.id])
					hooked[n.id]++
				}))
			case 2:
				p.ClearProbes()
				clear(hooked)
			case 3:
				name := []string{"a", "b"}[r.IntN(2)]
				ok(t, p.Set(name, random(fmt.Sprint(name, i%3), 24)))
			}
			want = naive(p)
			for id := range hooked {
				hooked[id] = 0
			}
			if r.IntN(3) == 0 {
				n := all[r.IntN(len(all))]
				if err := p.RunTo(ctx, n.Name()); err != nil {
					t.Fatal(err)
				}
				v, err := p.Value(n.Name())
				if err != nil {
					t.Fatal(err)
				}
				same(t, what+": to "+n.Name(), v.Raw(), want[n.id])
				continue
			}
			run(t, p)
			for i, n := range p.nodes {
				if v, err := p.Value(n.name); err == nil && p.all[i] && n.op != nil && !n.probes.fed {
					same(t, what+": "+n.name, v.Raw(), want[i])
				}
			}
			for id, calls := range hooked {
				if calls != len(p.nodes[id].probes.hooks) {
					t.Errorf("%s: %d calls of the hooks on %s, want %d", what, calls, p.nodes[id].name, len(p.nodes[id].probes.hooks))
				}
			}
		}
	}
}

// randomGraph makes 40 nodes of shapes [1, 2, 3, c] and their token views.
func randomGraph(g *Graph, r *rand.Rand) []*Node {
	nodes := []*Node{ToChannelsLast(g.Input("a", 1, 4, 2, 3)), ToChannelsLast(g.Input("b", 1, 4, 2, 3))}
	for len(nodes) < 40 {
		// Mostly recent operands, so that values die.
		x := nodes[max(0, len(nodes)-1-r.IntN(6))]
		y := nodes[max(0, len(nodes)-1-r.IntN(10))]
		switch k := r.IntN(10); {
		case k == 0 && len(x.shape) == 4:
			x = Tokens(x)
		case k == 0:
			x = Image(x, 2, 3)
		case k == 1:
			x = SiLU(x)
		case k == 2 && equal(x.shape, y.shape):
			x = Add(x, y)
		case k == 3 && len(x.shape) == len(y.shape) && last(x.shape)+last(y.shape) <= 16:
			x = Concat(x, y)
		case k == 4 && last(x.shape)%2 == 0:
			x = GEGLU(x)
		case k == 5 && len(x.shape) == 3:
			x = Attention(x, x, x, 1, true) // has scratch
		case k == 6:
			x = NewLinear(scope("lin"), last(x.shape), min(16, 2*last(x.shape))).Forward(x)
		case k == 7 && len(x.shape) == 4:
			x = AddChannels(x, NewLinear(scope("pool"), last(y.shape), last(x.shape)).Forward(MeanPool(y)))
		case k == 8 && len(x.shape) == 4:
			x = NewConv2d(scope("conv"), last(x.shape), last(x.shape), 3).Forward(x)
		case k == 9:
			x = NewGroupNorm(scope("norm"), last(x.shape), 1, 1e-5).Forward(x)
		default:
			continue
		}
		nodes = append(nodes, x)
	}
	g.Output("last", nodes[len(nodes)-1])
	g.Output("some", nodes[r.IntN(len(nodes))])
	return nodes
}

// naive computes every node into memory of its own.
func naive(p *Program) [][]float32 {
	value := make([][]float32, len(p.nodes))
	for i, n := range p.nodes {
		if n.op == nil {
			value[i] = append([]float32(nil), n.source.floats()...)
			continue
		}
		c := Call{Y: make([]float32, size(n.shape)), YShape: n.shape}
		for _, x := range n.in {
			c.X, c.XShape = append(c.X, value[x.id]), append(c.XShape, x.shape)
		}
		c.Scratch = make([]float32, scratchOf(n.op, c.XShape))
		n.op.Forward(&c)
		value[i] = c.Y
	}
	return value
}

// TestPlaceBlocks checks that no two blocks that live together overlap, for random lives.
func TestPlaceBlocks(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		blocks := make([]block, 1+r.IntN(40))
		for i := range blocks {
			start := r.IntN(30)
			blocks[i] = block{size: 1 + r.IntN(500), start: start, end: start + r.IntN(5)}
		}
		arena, peak := placeBlocks(blocks, 40)
		if arena < peak {
			t.Fatalf("arena %d below the peak %d", arena, peak)
		}
		for i, a := range blocks {
			if a.offset%align != 0 || a.offset+a.size > arena {
				t.Fatalf("block %+v in an arena of %d", a, arena)
			}
			for _, b := range blocks[:i] {
				if a.start <= b.end && b.start <= a.end && a.offset < b.offset+b.size && b.offset < a.offset+a.size {
					t.Fatalf("blocks %+v and %+v overlap", a, b)
				}
			}
		}
	}
}

// A chain of operations that may overwrite their operand takes the memory of one value.
func TestChainIsInPlace(t *testing.T) {
	p := must(t, func(g *Graph) {
		x := g.Input("x", 100, 16)
		for range 20 {
			x = SiLU(x)
		}
		g.Output("y", x)
	})
	if r := p.Report(); r.Arena != 4*1600 || r.InPlace != 18 { // the first reads the input, the last writes the output
		t.Errorf("%v: want an arena of %d bytes, 18 nodes in place", r, 4*1600)
	}
}

func TestPlanOverwrites(t *testing.T) {
	first := func(i int) bool { return i == 0 }
	for _, c := range []struct {
		name    string
		last    task
		private bool // of the operand
		want    int
	}{
		{"a dying operand", task{in: []int{1}, size: 16, overwrites: first}, false, 1},
		{"of another size", task{in: []int{1}, size: 8, overwrites: first}, false, 0},
		{"not the one it may", task{in: []int{0, 1}, size: 16, overwrites: first}, false, 0},
		{"twice the same, one it may not", task{in: []int{1, 1}, size: 16, overwrites: first}, false, 0},
		{"an input", task{in: []int{0}, size: 16, overwrites: first}, false, 0},
		{"a private operand", task{in: []int{1}, size: 16, overwrites: first}, true, 0},
	} {
		c.last.live = true
		p := makePlan([]task{
			{live: true, source: true, size: 16},
			{live: true, in: []int{0}, size: 16, private: c.private},
			c.last,
		})
		if p.inPlace != c.want {
			t.Errorf("%s: %d in place, want %d", c.name, p.inPlace, c.want)
		}
	}
}
