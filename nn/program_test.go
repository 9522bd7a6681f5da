package nn

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// netLayers are those of a small U-Net level: resnet with time embedding, transformer, down, up, skip.
type netLayers struct {
	convIn, conv1, conv2, down, up, out *Conv2d
	norm1, norm2, norm3                 *GroupNorm
	time, q, k, v, proj, ff1, ff2       *Linear
	ln                                  *LayerNorm
}

func newNet() *netLayers {
	s := scope("net")
	return &netLayers{
		convIn: NewConv2d(s.Sub("conv_in"), 4, 16, 3),
		norm1:  NewGroupNorm(s.Sub("res.norm1"), 16, 4, 1e-5),
		conv1:  NewConv2d(s.Sub("res.conv1"), 16, 16, 3),
		time:   NewLinear(s.Sub("res.time_emb_proj"), 8, 16),
		norm2:  NewGroupNorm(s.Sub("res.norm2"), 16, 4, 1e-5),
		conv2:  NewConv2d(s.Sub("res.conv2"), 16, 16, 3),
		norm3:  NewGroupNorm(s.Sub("attn.norm"), 16, 4, 1e-6),
		q:      NewLinearNoBias(s.Sub("attn.to_q"), 16, 16),
		k:      NewLinearNoBias(s.Sub("attn.to_k"), 12, 16),
		v:      NewLinearNoBias(s.Sub("attn.to_v"), 12, 16),
		proj:   NewLinear(s.Sub("attn.to_out"), 16, 16),
		ln:     NewLayerNorm(s.Sub("attn.norm3"), 16, 1e-5),
		ff1:    NewLinear(s.Sub("ff.proj"), 16, 64),
		ff2:    NewLinear(s.Sub("ff.out"), 32, 16),
		down:   NewConv2d(s.Sub("down"), 16, 16, 3, ConvOption{Stride: 2, Pad: [4]int{1, 1, 1, 1}}),
		up:     NewConv2d(s.Sub("up"), 16, 16, 3),
		out:    NewConv2d(s.Sub("conv_out"), 32, 4, 3),
	}
}

func (l *netLayers) build(g *Graph, n, h, w int) {
	x := l.convIn.Forward(ToChannelsLast(g.Input("latent", n, 4, h, w)))
	context := g.Input("context", n, 5, 12)
	emb := SiLU(TimestepEmbedding(g.Input("t", n), 8).Named("time_proj"))

	y := l.conv1.Forward(SiLU(l.norm1.Forward(x)))
	y = AddChannels(y, l.time.Forward(emb))
	y = l.conv2.Forward(SiLU(l.norm2.Forward(y)))
	res := Add(x, y).Named("net.res")

	tok := Tokens(l.norm3.Forward(res))
	q, k := l.q.Forward(tok), l.k.Forward(context)
	AttentionProbs(q, k, 2).Named("net.attn.probs")
	a := l.proj.Forward(Attention(q, k, l.v.Forward(context), 2, false)).Named("net.attn")
	tok = Add(tok, a)
	tok = Add(tok, l.ff2.Forward(GEGLU(l.ff1.Forward(l.ln.Forward(tok)))))
	y = Add(Image(tok, h, w), res)

	y = l.up.Forward(Upsample2x(l.down.Forward(y)))
	g.Output("eps", ToChannelsFirst(l.out.Forward(Concat(y, res))))
}

func netProgram(t testing.TB, l *netLayers) *Program {
	t.Helper()
	p := must(t, func(g *Graph) { l.build(g, 2, 6, 8) })
	setRandom(t, p)
	return p
}

func TestRunDoesNotAllocate(t *testing.T) {
	p := netProgram(t, newNet())
	ctx := context.Background()
	run(t, p)
	if n := testing.AllocsPerRun(10, func() { ok(t, p.Run(ctx)) }); n != 0 {
		t.Errorf("%v allocations per run, want 0", n)
	}
	if err := p.RunTo(ctx, "net.res"); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(10, func() { ok(t, p.RunTo(ctx, "net.res")) }); n != 0 {
		t.Errorf("%v allocations per RunTo, want 0", n)
	}
	sum := float32(0)
	ok(t, p.OnNode("**", func(_ string, v Value) { sum += v.Raw()[0] }))
	run(t, p)
	if n := testing.AllocsPerRun(10, func() { ok(t, p.Run(ctx)) }); n != 0 {
		t.Errorf("%v allocations per run with hooks on all nodes, want 0", n)
	}
}

// Results must not depend on what an earlier run left behind, nor on what happens to be kept.
func TestRunIsRepeatable(t *testing.T) {
	l := newNet()
	p := netProgram(t, l)
	run(t, p)
	want := append([]float32(nil), p.Output("eps")...)

	ok(t, p.Set("latent", random("another", 2*4*6*8)))
	run(t, p)
	ok(t, p.Set("latent", random("latent", 2*4*6*8)))
	run(t, p)
	same(t, "third run", p.Output("eps"), want)

	g, _ := Build(func(g *Graph) { l.build(g, 2, 6, 8) })
	all, err := Compile(g, Options{Keep: g.Names()})
	if err != nil {
		t.Fatal(err)
	}
	setRandom(t, all)
	run(t, all)
	same(t, "with all nodes kept", all.Output("eps"), want)
}

// Batch items must not see one another.
func TestBatch(t *testing.T) {
	l := newNet()
	two := netProgram(t, l)
	run(t, two)
	one := must(t, func(g *Graph) { l.build(g, 1, 6, 8) })
	for b := range 2 {
		for _, name := range []string{"latent", "context", "t"} {
			x := random(name, size(one.graph.names[name].shape)*2)
			if err := one.Set(name, x[len(x)/2*b:][:len(x)/2]); err != nil {
				t.Fatal(err)
			}
		}
		run(t, one)
		y := two.Output("eps")
		near(t, fmt.Sprint("item ", b), one.Output("eps"), widen(y[len(y)/2*b:][:len(y)/2]), 2e-6)
	}
}

// Programs of one graph and programs of several graphs with common layers run at the same time.
func TestProgramsRunConcurrently(t *testing.T) {
	l := newNet()
	first := netProgram(t, l)
	run(t, first)
	want := append([]float32(nil), first.Output("eps")...)
	programs := []*Program{first, netProgram(t, l)}
	again, err := Compile(first.graph, Options{})
	if err != nil {
		t.Fatal(err)
	}
	setRandom(t, again)
	programs = append(programs, again)

	var wg sync.WaitGroup
	for _, p := range programs {
		wg.Go(func() {
			for range 5 {
				if err := p.Run(context.Background()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, p := range programs {
		same(t, "eps", p.Output("eps"), want)
	}
}

func TestSecondRunAtTheSameTimeIsRefused(t *testing.T) {
	p := netProgram(t, newNet())
	var inner error
	ok(t, p.OnNode("net.res", func(string, Value) { inner = p.Run(context.Background()) }))
	run(t, p)
	if inner == nil || !strings.Contains(inner.Error(), "running already") {
		t.Errorf("error %v, want one that says it is running already", inner)
	}
}

func TestCancel(t *testing.T) {
	p := netProgram(t, newNet())
	ctx, cancel := context.WithCancel(context.Background())
	ok(t, p.OnNode("net.res.norm2", func(string, Value) { cancel() }))
	ok(t, p.OnNode("net.res.conv2", func(string, Value) { t.Error("the run went on") }))
	err := p.Run(ctx)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "net.res.norm2.silu") {
		t.Errorf("error %v, want context.Canceled before net.res.norm2.silu", err)
	}
	p.ClearProbes()
	run(t, p)
}

// panicOp fails as a bug in a kernel would.
type panicOp struct{ value any }

func (panicOp) Kind() string                         { return "Panic" }
func (panicOp) Shape(in ...[]int) ([]int, error)     { return in[0], nil }
func (o panicOp) Forward(*Call)                      { panic(o.value) }
func (panicOp) layout([]layout) (l layout, _ string) { return }

func TestPanicsBecomeErrors(t *testing.T) {
	cause := errors.New("the cause")
	for _, c := range []struct {
		value any
		want  string
	}{
		{"broken", "nn: mid.conv (Panic): broken"},
		{cause, "nn: mid.conv (Panic): the cause"},
	} {
		p := must(t, func(g *Graph) { g.Output("y", Apply(panicOp{c.value}, "mid.conv", g.Input("x", 2))) })
		setRandom(t, p)
		for range 2 { // a failed run does not lock the program
			if err := p.Run(context.Background()); err == nil || err.Error() != c.want {
				t.Errorf("error %q, want %q", err, c.want)
			}
		}
		if e, ok := c.value.(error); ok && !errors.Is(p.Run(context.Background()), e) {
			t.Error("the cause is lost")
		}
	}

	p := netProgram(t, newNet())
	ok(t, p.OnNode("net.res", func(string, Value) { var none []int; none[0]++ }))
	if err := p.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "net.res (probe): panic: runtime error") {
		t.Errorf("error %q, want one that names the probe on net.res", err)
	}
	p.ClearProbes()
	ok(t, p.Replace("net.res", func(Value, []Value) error { panic("wrong") }))
	if err := p.Run(context.Background()); err == nil || err.Error() != "nn: net.res (replacement): wrong" {
		t.Errorf("error %q, want one that names the replacement of net.res", err)
	}
}

func TestIDsAreChecked(t *testing.T) {
	p := must(t, func(g *Graph) { g.Output("y", NewEmbedding(scope("emb"), 10, 4).Forward(g.Input("ids", 1, 2))) })
	for _, c := range []struct {
		ids  []float32
		fail string
	}{
		{[]float32{0, 9}, ""},
		{[]float32{0, 10}, "nn: emb (Embedding): id 10 at position 1, expected a whole number of 0 … 9"},
		{[]float32{-1, 0}, "nn: emb (Embedding): id -1 at position 0, expected a whole number of 0 … 9"},
		{[]float32{0, 2.5}, "nn: emb (Embedding): id 2.5 at position 1, expected a whole number of 0 … 9"},
	} {
		ok(t, p.Set("ids", c.ids))
		err := p.Run(context.Background())
		if got := fmt.Sprint(err); c.fail != "" && got != c.fail || c.fail == "" && err != nil {
			t.Errorf("%v: error %q, want %q", c.ids, got, c.fail)
		}
	}
}

func TestReport(t *testing.T) {
	p := netProgram(t, newNet())
	r := p.Report()
	if r.Arena < r.Peak || r.Arena >= r.Sum || r.Views != 2 || r.InPlace == 0 || r.Steps+r.Fused != r.Nodes-1 || r.Fused == 0 {
		t.Errorf("%v: want peak ≤ arena < sum, 2 views, some nodes in place, all steps but the probabilities", r)
	}
	if float64(r.Arena) > 1.2*float64(r.Peak) {
		t.Errorf("%v: the arena is more than a fifth above the least possible", r)
	}
	run(t, p)
	if again := p.Report(); again != r || len(p.arena.floats())*4 != r.Arena {
		t.Errorf("after a run %v, before %v, arena %d", again, r, len(p.arena.floats())*4)
	}
}

// idleOp does nothing, so that a run of it is what the program itself costs.
type idleOp struct{}

func (idleOp) Kind() string                     { return "Idle" }
func (idleOp) Shape(in ...[]int) ([]int, error) { return in[0], nil }
func (idleOp) Forward(*Call)                    {}

func BenchmarkRun1000Nodes(b *testing.B) {
	p := must(b, func(g *Graph) {
		x := g.Input("x", 16)
		for i := range 1000 {
			x = Apply(idleOp{}, fmt.Sprintf("unet.%d", i), x)
		}
		g.Output("y", x)
	})
	setRandom(b, p)
	b.ReportAllocs()
	for b.Loop() {
		run(b, p)
	}
}

func BenchmarkCompile1000Nodes(b *testing.B) {
	for b.Loop() {
		p := must(b, func(g *Graph) {
			x := g.Input("x", 16)
			for i := range 500 {
				x = Add(Apply(idleOp{}, fmt.Sprintf("unet.%d", i), x), x)
			}
			g.Output("y", x)
		})
		ok(b, p.prepare())
	}
}

// More memory than there is anywhere is an error and no panic.
func TestTooLargeToRun(t *testing.T) {
	g, err := Build(func(g *Graph) { g.Output("y", SiLU(g.Input("x", 1<<45))) })
	if err != nil {
		t.Fatal(err)
	}
	want := "nn: input x [35184372088832] is larger than any memory"
	if _, err := Compile(g, Options{}); err == nil || err.Error() != want {
		t.Errorf("error %v, want %q", err, want)
	}
	x := must(t, func(g *Graph) {
		y := g.Input("x", 1, 1, 1, 1)
		for range 22 {
			y = Upsample2x(y)
		}
		g.Output("y", MeanPool(y))
	})
	if err := x.Set("x", []float32{1}); err != nil {
		t.Fatal(err)
	}
	if err := x.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "GiB of memory") {
		t.Errorf("error %v", err)
	}
}
