package nn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Probes see what a Replace or Feed-free run computed, in published shapes and under every name.
func TestOnNode(t *testing.T) {
	p := netProgram(t, newNet())
	var seen []string
	shapes := map[string]string{}
	if err := p.OnNode("net.**", func(path string, v Value) {
		seen = append(seen, path)
		shapes[path] = fmt.Sprint(v.Shape, v.RawShape)
		if path != v.Path {
			t.Errorf("path %q, value of %q", path, v.Path)
		}
	}); err != nil {
		t.Fatal(err)
	}
	run(t, p)
	for path, want := range map[string]string{
		"net.res":              "[2 16 6 8] [2 6 8 16]",
		"net.down":             "[2 16 3 4] [2 3 4 16]",
		"net.attn.to_q":        "[2 48 16] [2 48 16]",
		"net.attn.norm":        "[2 16 6 8] [2 6 8 16]",
		"net.attn.norm.tokens": "[2 48 16] [2 48 16]",
		"net.attn.probs":       "[2 2 48 5] [2 2 48 5]", // no output needs it
		"net.attn":             "[2 48 16] [2 48 16]",
		"net.attn.to_out":      "[2 48 16] [2 48 16]",
	} {
		if shapes[path] != want {
			t.Errorf("%s: shapes %q, want %q", path, shapes[path], want)
		}
	}
	if i, j := slices.Index(seen, "net.attn.to_out"), slices.Index(seen, "net.attn"); j != i+1 {
		t.Errorf("alias shown at %d, node at %d", j, i)
	}
}

func TestPublishedOrder(t *testing.T) {
	p := must(t, func(g *Graph) { g.Output("y", SiLU(ToChannelsLast(g.Input("x", 1, 2, 2, 2))).Named("act")) })
	x := []float32{1, 2, 3, 4, 5, 6, 7, 8}
	ok(t, p.Set("x", x))
	if err := p.Keep("x.tochannelslast"); err != nil {
		t.Fatal(err)
	}
	run(t, p)
	v, err := p.Value("x.tochannelslast")
	if err != nil {
		t.Fatal(err)
	}
	same(t, "raw", v.Raw(), []float32{1, 5, 2, 6, 3, 7, 4, 8})
	same(t, "published", v.Data(), x)
	act, err := p.Value("act") // not kept
	if err == nil {
		t.Errorf("value %v of a node that is not kept", act)
	}
}

// The value of a view must be right however its memory is shared.
func TestKeptViews(t *testing.T) {
	p := must(t, func(g *Graph) {
		x := SiLU(ToChannelsLast(g.Input("x", 1, 3, 2, 2))).Named("a")
		v := Tokens(x).Named("view")
		y := SiLU(v).Named("b") // would overwrite x
		g.Output("y", Image(SiLU(y), 2, 2))
		g.Output("view of input", Tokens(ToChannelsLast(g.Input("z", 1, 3, 2, 2))))
	})
	setRandom(t, p)
	want := naive(p)
	for _, name := range []string{"view", "b", "view of input"} {
		if err := p.Keep(name); err != nil {
			t.Fatal(err)
		}
		run(t, p)
		v, err := p.Value(name)
		if err != nil {
			t.Fatal(err)
		}
		n, _ := p.find(name)
		same(t, name, v.Raw(), want[n.id])
		p.ClearProbes()
	}
}

func TestFeed(t *testing.T) {
	l := newNet()
	p := netProgram(t, l)
	if err := p.Keep("net.res"); err != nil {
		t.Fatal(err)
	}
	run(t, p)
	eps := slices.Clone(p.Output("eps"))
	v, _ := p.Value("net.res")
	res := v.Data()

	q := must(t, func(g *Graph) { l.build(g, 2, 6, 8) })
	ok(t, q.Set("context", random("context", 2*5*12))) // neither latent nor timesteps
	if err := q.Feed("net.res", res); err != nil {
		t.Fatal(err)
	}
	ok(t, q.OnNode("net.res.conv1", func(string, Value) {}))
	if err := q.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "input latent [2 4 6 8] has not been set") {
		t.Errorf("error %v, want one that asks for latent: a hook needs it", err)
	}
	q.ClearProbes()
	ok(t, q.Feed("net.res", res))
	run(t, q)
	same(t, "eps from a fed node", q.Output("eps"), eps)

	res[0]++
	if err := q.Feed("net.res", res); err != nil { // another value, the same plan
		t.Fatal(err)
	}
	run(t, q)
	if slices.Equal(q.Output("eps"), eps) {
		t.Error("the second fed value has no effect")
	}
	ok(t, q.Feed("net.res", nil))
	setRandom(t, q)
	run(t, q)
	same(t, "eps after the feed was taken back", q.Output("eps"), eps)

	if err := q.Feed("net.res", res[1:]); err == nil || err.Error() != "nn: net.res: 1535 numbers, expected 1536 of shape [2 16 6 8]" {
		t.Errorf("error %v", err)
	}
}

// Editing reaches every later reader, each run anew, and only what comes after.
func TestEdit(t *testing.T) {
	double := func(_ string, v Value) error {
		for i := range v.Raw() {
			v.Raw()[i] *= 2
		}
		return nil
	}
	x := []float32{1, -2, 3, -4}
	for _, c := range []struct {
		edit   string
		ya, yb float32 // outputs in units of x
	}{
		{"x", 4, 4}, // an input: what was Set must stay
		{"a", 4, 4},
		{"view", 2, 4}, // a view: the other readers of a see a
		{"b", 2, 4},
	} {
		p := must(t, func(g *Graph) {
			in := g.Input("x", 1, 1, 2, 2)
			a := Add(in, in).Named("a")
			view := Tokens(a).Named("view")
			b := Add(view, Tokens(a)).Named("b")
			g.Output("ya", a)
			g.Output("yb", b)
		})
		ok(t, p.Set("x", x))
		if err := p.Edit(c.edit, double); err != nil {
			t.Fatal(err)
		}
		yb := c.yb * 2
		if c.edit == "view" {
			yb = 6 // 2·2x + 2x
		}
		for range 3 {
			run(t, p)
			for i, v := range x {
				if got := p.Output("ya")[i]; got != c.ya*v {
					t.Errorf("%s: ya[%d] = %v, want %v", c.edit, i, got, c.ya*v)
				}
				if got := p.Output("yb")[i]; got != yb*v {
					t.Errorf("%s: yb[%d] = %v, want %v", c.edit, i, got, yb*v)
				}
			}
		}
	}
}

func TestEditOfFedNodeAndErrors(t *testing.T) {
	p := must(t, func(g *Graph) { g.Output("y", SiLU(SiLU(g.Input("x", 2)).Named("a")).Named("b")) })
	ok(t, p.Feed("a", []float32{1, 2}))
	ok(t, p.Edit("a", func(_ string, v Value) error { return v.Set([]float32{v.Raw()[0] + 1, v.Raw()[1] + 1}) }))
	var got []float32
	ok(t, p.OnNode("a", func(_ string, v Value) { got = v.Data() }))
	run(t, p)
	run(t, p)
	same(t, "edited", got, []float32{2, 3})

	cause := errors.New("no")
	ok(t, p.Edit("b", func(string, Value) error { return cause }))
	if err := p.Run(context.Background()); !errors.Is(err, cause) || err.Error() != "nn: edit of b: no" {
		t.Errorf("error %v", err)
	}
}

func TestReplace(t *testing.T) {
	p := must(t, func(g *Graph) {
		a := SiLU(g.Input("x", 3)).Named("a")
		b := SiLU(a).Named("b")
		g.Output("y", Add(b, a))
	})
	ok(t, p.Set("x", []float32{1, 2, 3}))
	if err := p.Replace("b", func(y Value, x []Value) error {
		for i := range y.Raw() {
			y.Raw()[i] = -x[0].Raw()[i] // the negative of a
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	run(t, p)
	same(t, "y", p.Output("y"), []float32{0, 0, 0})
	ok(t, p.Replace("b", nil))
	run(t, p)
	if p.Output("y")[0] == 0 {
		t.Error("the replacement was not taken back")
	}
	if err := p.Replace("x", nil); err == nil || err.Error() != "nn: x is an input; Set gives it a value" {
		t.Errorf("error %v", err)
	}

	// In place of a view.
	p = must(t, func(g *Graph) {
		x := ToChannelsLast(g.Input("x", 1, 1, 1, 2))
		g.Output("t", Tokens(x).Named("view"))
		g.Output("x", x)
	})
	ok(t, p.Set("x", []float32{1, 2}))
	ok(t, p.Replace("view", func(y Value, x []Value) error { return y.Set([]float32{x[0].Raw()[1], x[0].Raw()[0]}) }))
	run(t, p)
	same(t, "replaced view", p.Output("t"), []float32{2, 1})
	same(t, "what it is a view of", p.Output("x"), []float32{1, 2})
}

func TestRunToStopsAtTheDeepest(t *testing.T) {
	p := netProgram(t, newNet())
	run(t, p)
	eps := slices.Clone(p.Output("eps"))
	var seen []string
	ok(t, p.OnNode("**", func(path string, _ Value) { seen = append(seen, path) }))
	if err := p.RunTo(context.Background(), "net.res.norm2", "net.res.time_emb_proj"); err != nil {
		t.Fatal(err)
	}
	if last := seen[len(seen)-1]; last != "net.res.norm2" || slices.Contains(seen, "net.attn.to_k") {
		t.Errorf("computed %v, want nothing beyond net.res.norm2", seen)
	}
	if _, err := p.Value("net.res.norm2"); err != nil {
		t.Error(err)
	}

	p.ClearProbes()
	ran := false
	ok(t, p.OnNode("net.conv_out", func(string, Value) { ran = true }))
	if err := p.RunTo(context.Background(), "net.res"); err != nil || ran {
		t.Errorf("error %v; the hook beyond was called: %v", err, ran)
	}
	p.ClearProbes()
	if err := p.RunTo(context.Background()); err == nil {
		t.Error("RunTo had nothing to do and said nothing")
	}
	ok(t, p.Keep("net.res"))
	if err := p.RunTo(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Value("net.res"); err != nil {
		t.Error(err)
	}
	run(t, p)
	same(t, "eps", p.Output("eps"), eps)
}

// What RunTo left out has no value, rather than zeros.
func TestRunToLeavesOutputsEmpty(t *testing.T) {
	p := netProgram(t, newNet())
	ok(t, p.Keep("net.attn"))
	if err := p.RunTo(context.Background(), "net.res.norm2"); err != nil {
		t.Fatal(err)
	}
	if p.Output("eps") != nil {
		t.Error("an output that was not computed has a value")
	}
	want := "nn: net.attn has not been computed yet, or not since a probe was changed"
	if _, err := p.Value("net.attn"); err == nil || err.Error() != want {
		t.Errorf("error %v, want %q", err, want)
	}
	if err := p.RunTo(context.Background(), "eps"); err != nil {
		t.Fatal(err)
	}
	eps := slices.Clone(p.Output("eps"))
	run(t, p)
	same(t, "eps", eps, p.Output("eps"))
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		glob, name string
		want       bool
	}{
		{"a.b", "a.b", true},
		{"a.b", "aXb", false},
		{"a.*", "a.b", true},
		{"a.*", "a.b.c", false},
		{"*", "a", true},
		{"*", "a.b", false},
		{"**", "a.b.c", true},
		{"**.attn2", "up_blocks.1.attentions.0.transformer_blocks.0.attn2", true},
		{"**.attn2", "attn2", true},
		{"**.attn2", "xattn2", false},
		{"up_blocks.**", "up_blocks.1.resnets.0", true},
		{"up_blocks.**", "up_blocks", true},
		{"up_blocks.**", "up_blocksX", false},
		{"up_blocks**", "up_blocksX.1", true},
		{"a.**.d", "a.d", true},
		{"a.**.d", "a.b.c.d", true},
		{"a.**.d", "a.bd", false},
		{"*_blocks.?.resnets.[01]", "up_blocks.3.resnets.1", true},
		{"*_blocks.?.resnets.[01]", "up_blocks.3.resnets.2", false},
		{"a.silu#2", "a.silu#2", true},
		{"a+", "aa", false},
		{"a[", "a[", true},
	} {
		re, err := compileGlob(c.glob)
		if err != nil {
			t.Errorf("%q: %v", c.glob, err)
		} else if got := re.MatchString(c.name); got != c.want {
			t.Errorf("%q fits %q: %v, want %v", c.glob, c.name, got, c.want)
		}
	}
	if _, err := compileGlob("a[z-a]"); err == nil || !strings.Contains(err.Error(), `pattern "a[z-a]"`) {
		t.Errorf("error %v, want one that names the pattern", err)
	}
}

func TestUnknownNames(t *testing.T) {
	p := netProgram(t, newNet())
	nop := func(string, Value) {}
	for what, err := range map[string]error{
		"OnNode":  p.OnNode("net.rse.conv1", nop),
		"glob":    p.OnNode("net.res.conw?", nop),
		"Keep":    p.Keep("net.res.conv1x"),
		"Edit":    p.Edit("net.res.conv", nil),
		"Replace": p.Replace("res.conv1", nil),
		"Feed":    p.Feed("net.res.conv.1", nil),
		"RunTo":   p.RunTo(context.Background(), "net.res_conv1"),
	} {
		var unknown *NameError
		if !errors.As(err, &unknown) || !slices.Contains(unknown.Nearest, "net.res.conv1") {
			t.Errorf("%s: error %v, want a NameError with net.res.conv1", what, err)
		}
	}
	g, _ := Build(func(g *Graph) { g.Output("y", SiLU(g.Input("x", 1))) })
	if _, err := Compile(g, Options{Keep: []string{"z"}}); err == nil || err.Error() != `nn: no node "z"; nearest are x, y` {
		t.Errorf("error %v", err)
	}
}
