package nn

import (
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	gtensor "gorgonia.org/tensor"
)

// tape runs a program's graph with gorgonia's own machine.
func tape(t *testing.T, p *Program) gorgonia.VM {
	t.Helper()
	vm := gorgonia.NewTapeMachine(p.graph.expr)
	t.Cleanup(func() { vm.Close() })
	for _, n := range p.nodes {
		if n.op == nil {
			v := gtensor.New(gtensor.WithShape(n.shape...), gtensor.WithBacking(n.source.floats()))
			if err := gorgonia.Let(n.expr, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	return vm
}

func tapeValue(n *Node) []float32 { return n.expr.Value().(*gtensor.Dense).Float32s() }

// TestTapeMachine holds every node of the small network, batch 2, to gorgonia's TapeMachine, bit for
// bit. The second time it runs after Reset, on other inputs.
func TestTapeMachine(t *testing.T) {
	p := netProgram(t, newNet())
	vm := tape(t, p)
	for _, latent := range []string{"latent", "another latent"} {
		ok(t, p.Set("latent", random(latent, 2*4*6*8))) // the machine reads the same memory
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		run(t, p)
		same(t, "eps", p.Output("eps"), tapeValue(p.outputs[0].node))

		p.ClearProbes()
		nodes := 0
		if err := p.OnNode("**", func(path string, v Value) {
			nodes++
			same(t, path, v.Raw(), tapeValue(p.graph.names[path]))
		}); err != nil {
			t.Fatal(err)
		}
		run(t, p)
		if nodes != len(p.Names()) {
			t.Errorf("compared %d nodes, want %d", nodes, len(p.Names()))
		}
		vm.Reset() // without it a second RunAll does nothing and says nothing
	}
}

func TestTapeMachineGetsErrors(t *testing.T) {
	p := must(t, func(g *Graph) { g.Output("y", Apply(panicOp{"broken"}, "mid.conv", g.Input("x", 1))) })
	setRandom(t, p)
	if err := tape(t, p).RunAll(); err == nil || !strings.Contains(err.Error(), "mid.conv (Panic): broken") {
		t.Errorf("error %v, want one that names mid.conv", err)
	}
}

// Gorgonia merges nodes that hash alike. Two modules with the same operand are two nodes.
func TestEqualModulesStayApart(t *testing.T) {
	var a, b, c *Node
	p := must(t, func(g *Graph) {
		x := g.Input("x", 2, 3)
		l := NewLinear(scope("lin"), 3, 3)
		a, b = l.Forward(x), l.Forward(x) // even the same module twice
		c = NewLinear(scope("other"), 3, 3).Forward(x)
		g.Output("y", Add(Add(a, b), c))
	})
	if a.expr == b.expr || a.expr == c.expr {
		t.Error("gorgonia merged two nodes")
	}
	if a.Name() != "lin" || b.Name() != "lin#2" {
		t.Errorf("names %q and %q, want lin and lin#2", a.Name(), b.Name())
	}
	setRandom(t, p)
	run(t, p)
	near(t, "y", p.Output("y"), func() []float64 {
		v, _ := randomParams{}.Float32("lin.weight", 3, 3)
		u, _ := randomParams{}.Float32("other.weight", 3, 3)
		x := widen(random("x", 6))
		y := refLinear(x, widen(v), widen(random("lin.bias", 3)), 3, 3)
		z := refLinear(x, widen(u), widen(random("other.bias", 3)), 3, 3)
		for i := range y {
			y[i] = 2*y[i] + z[i]
		}
		return y
	}(), 2e-6)
}

// Gorgonia finds nodes by a 32-bit hash and settles a collision by the op's Hashcode, which is
// therefore the node's number.
func TestHashcodesAreUnique(t *testing.T) {
	p := netProgram(t, newNet())
	seen := map[uint32]string{}
	for _, n := range p.nodes {
		if n.op == nil {
			continue
		}
		h := n.expr.Op().Hashcode()
		if seen[h] != "" {
			t.Errorf("%s and %s have one hashcode", seen[h], n.name)
		}
		seen[h] = n.name
	}
}

// The edges that gorgonia holds are those that the program runs by.
func TestGraphIsGorgonias(t *testing.T) {
	p := netProgram(t, newNet())
	if got := len(p.graph.expr.AllNodes()); got != len(p.nodes) {
		t.Errorf("gorgonia holds %d nodes, want %d", got, len(p.nodes))
	}
	for _, n := range p.nodes {
		if n.expr.Name() != n.name || !n.expr.Shape().Eq(gtensor.Shape(n.shape)) {
			t.Errorf("gorgonia has %s %v, want %s %v", n.expr.Name(), n.expr.Shape(), n.name, n.shape)
		}
		for _, x := range n.in {
			if !p.graph.expr.HasEdgeFromTo(n.expr.ID(), x.expr.ID()) {
				t.Errorf("gorgonia lacks the edge from %s to %s", n.name, x.name)
			}
		}
	}
	dot := p.graph.ToDot()
	for _, want := range []string{"digraph", "net.res.conv1", "GroupNorm"} {
		if !strings.Contains(dot, want) {
			t.Errorf("the drawing lacks %q", want)
		}
	}
}
