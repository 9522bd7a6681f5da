package nn

import (
	"context"
	"slices"
	"testing"
	"time"
)

// steadyNet compiles the small network with a steady context. *steps are those of the runs since it was emptied.
func steadyNet(t *testing.T) (p *Program, steps *[]string) {
	t.Helper()
	l := newNet()
	g, err := Build(func(g *Graph) { l.build(g, 2, 6, 8) })
	if err != nil {
		t.Fatal(err)
	}
	steps = new([]string)
	p, err = Compile(g, Options{Steady: []string{"context"}, Trace: func(n *Node, _ time.Duration) { *steps = append(*steps, n.Name()) }})
	if err != nil {
		t.Fatal(err)
	}
	setRandom(t, p)
	return p, steps
}

func TestSteadyInput(t *testing.T) {
	p, steps := steadyNet(t)
	plain := netProgram(t, newNet())
	if r := p.Report(); r.Steady != 2 {
		t.Errorf("%v: want 2 steady", r)
	}
	again := func(what string, computed ...string) {
		t.Helper()
		*steps = nil
		run(t, p)
		run(t, plain)
		same(t, what, p.Output("eps"), plain.Output("eps"))
		for _, name := range []string{"net.attn.to_k", "net.attn.to_v"} {
			if got := slices.Contains(*steps, name); got != slices.Contains(computed, name) {
				t.Errorf("%s: %s computed: %t", what, name, got)
			}
		}
	}
	set := func(name, value string) {
		n := size(p.graph.names[name].shape)
		ok(t, p.Set(name, random(value, n)))
		ok(t, plain.Set(name, random(value, n)))
	}
	again("first run", "net.attn.to_k", "net.attn.to_v")
	again("second run")
	set("latent", "another")
	again("another latent")
	set("context", "context")
	again("the same context set again")
	set("context", "another")
	again("another context", "net.attn.to_k", "net.attn.to_v")
	set("context", "context")
	again("the first context", "net.attn.to_k", "net.attn.to_v")

	calls := 0
	ok(t, p.OnNode("net.attn.to_k", func(string, Value) { calls++ }))
	again("with a hook", "net.attn.to_k", "net.attn.to_v") // another plan: all is computed
	again("with a hook, again", "net.attn.to_k")
	if calls != 2 {
		t.Errorf("the hook was called %d times, want 2", calls)
	}
	p.ClearProbes()
	double := func(_ string, v Value) error {
		for i := range v.Raw() {
			v.Raw()[i] *= 2
		}
		return nil
	}
	for _, q := range []*Program{p, plain} {
		ok(t, q.Edit("context", double))
	}
	again("edited context", "net.attn.to_k", "net.attn.to_v")
	again("edited context, again", "net.attn.to_k", "net.attn.to_v")
}

// A run that was stopped leaves nothing half done.
func TestSteadyInputAfterCancel(t *testing.T) {
	p, _ := steadyNet(t)
	run(t, p)
	ok(t, p.Set("context", random("another", 2*5*12)))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := p.Run(ctx); err == nil {
		t.Fatal("a cancelled run succeeded")
	}
	run(t, p)
	want := netProgram(t, newNet())
	ok(t, want.Set("context", random("another", 2*5*12)))
	run(t, want)
	same(t, "eps", p.Output("eps"), want.Output("eps"))
}

func TestSteadyDoesNotAllocate(t *testing.T) {
	l := newNet()
	g, _ := Build(func(g *Graph) { l.build(g, 2, 6, 8) })
	p, err := Compile(g, Options{Steady: []string{"context", "t"}})
	if err != nil {
		t.Fatal(err)
	}
	setRandom(t, p)
	x := [2][]float32{random("a", 2*5*12), random("b", 2*5*12)}
	ctx := context.Background()
	ok(t, p.Run(ctx))
	i := 0
	if n := testing.AllocsPerRun(10, func() {
		i++
		ok(t, p.Set("context", x[i/2%2]))
		ok(t, p.Run(ctx))
	}); n != 0 {
		t.Errorf("%v allocations per run, want 0", n)
	}
}

func TestSteadyRejects(t *testing.T) {
	g, _ := Build(func(g *Graph) { g.Output("y", SiLU(g.Input("x", 1))) })
	for name, want := range map[string]string{
		"z": `nn: no node "z"; nearest are x, y`,
		"y": "nn: y is no input and cannot be steady",
	} {
		if _, err := Compile(g, Options{Steady: []string{name}}); err == nil || err.Error() != want {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
