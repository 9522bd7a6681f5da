package nn

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"percept/tensor"
)

// netTaps look at every kind of node of the small network: an image, tokens, one that would be absorbed by the next, one
// that the next overwrites, a steady one, an alias, an output.
var netTaps = []Tap{
	{"net.conv_in", []Reduction{Mean}},
	{"net.conv_in", []Reduction{Grid(2)}},
	{"net.res.norm1", []Reduction{Max}},
	{"net.res.conv1", []Reduction{First(5)}},
	{"net.res.time_emb_proj", []Reduction{First(3)}},
	{"net.res", []Reduction{Grid(3), First(4)}},
	{"net.attn.to_q", []Reduction{Projection(random("m", 48), 3)}},
	{"net.attn.to_k", []Reduction{Mean, First(2)}},
	{"eps", []Reduction{Mean}},
}

func tappedNet(t *testing.T, o Options) *Program {
	t.Helper()
	g, err := Build(func(g *Graph) { newNet().build(g, 2, 6, 8) })
	if err != nil {
		t.Fatal(err)
	}
	p, err := Compile(g, o)
	if err != nil {
		t.Fatal(err)
	}
	setRandom(t, p)
	return p
}

// Taps give what their reductions make of the nodes' values, change no other bit, and are the same in the plain program
// that has memory for each node, with any number of threads and when gorgonia's machine runs them.
func TestTaps(t *testing.T) {
	plain := netProgram(t, newNet())
	run(t, plain)
	want := naive(plain)
	for _, steady := range [][]string{nil, {"t", "context"}} {
		p := tappedNet(t, Options{Taps: netTaps, Steady: steady})
		run(t, p)
		same(t, "eps", p.Output("eps"), plain.Output("eps"))
		all := naive(p)
		for _, n := range plain.graph.nodes {
			same(t, n.name, all[p.graph.names[n.name].id], want[n.id])
		}
		for _, threads := range []int{1, 2, 5} {
			restore := tensor.SetThreads(threads)
			run(t, p)
			restore()
			for _, o := range p.outputs {
				same(t, o.name, p.Output(o.name), all[o.node.id])
			}
		}
		if steady == nil {
			CompareWithTape(t, p)
		}
	}
	p := tappedNet(t, Options{Taps: netTaps, Keep: []string{"net.conv_in"}})
	run(t, p)
	kept, err := p.Value("net.conv_in")
	if err != nil {
		t.Fatal(err)
	}
	mean := make([]float64, 32)
	for i, v := range kept.Data() { // [2, 16, 6, 8]
		mean[i/48] += float64(v) / 48
	}
	near(t, "mean", p.Output("net.conv_in:mean"), mean, 1e-6)
	for name, shape := range map[string][]int{"net.conv_in:grid2": {2, 16, 2, 2}, "net.res:grid3:first4": {2, 4, 3, 3},
		"net.res.conv1:first5": {2, 5, 6, 8}} {
		if got := p.OutputShape(name); !slices.Equal(got, shape) {
			t.Errorf("%s is %v, expected %v", name, got, shape)
		}
	}
}

// A tap follows its node at once: what it looks at is not kept until the end.
func TestTapsTakeNoMemory(t *testing.T) {
	build := func(taps ...Tap) Report {
		g, err := Build(func(g *Graph) {
			x := ToChannelsLast(g.Input("x", 1, 4, 32, 32))
			for range 20 {
				x = NewConv2d(scope("conv"), 4, 4, 3).Forward(x)
			}
			g.Output("y", MeanPool(x))
		})
		if err != nil {
			t.Fatal(err)
		}
		p, err := Compile(g, Options{Taps: taps})
		if err != nil {
			t.Fatal(err)
		}
		return p.Report()
	}
	var taps []Tap
	for i, n := range []string{"conv", "conv#2", "conv#3", "conv#4", "conv#5", "conv#6", "conv#7", "conv#8"} {
		taps = append(taps, Tap{n, []Reduction{[]Reduction{Mean, Max, First(1), Grid(2)}[i%4]}})
	}
	plain, tapped := build(), build(taps...)
	if most := plain.Arena + 4*32*32*4; tapped.Arena > most {
		t.Errorf("arena of %d bytes with taps, %d without, expected at most %d", tapped.Arena, plain.Arena, most)
	}
}

func TestTapRejects(t *testing.T) {
	var name *NameError
	for _, c := range []struct {
		taps []Tap
		want string
	}{
		{[]Tap{{"net.conv_im", []Reduction{Mean}}}, `no node "net.conv_im"; nearest are net.conv_in`},
		{[]Tap{{"net.conv_in", nil}}, "net.conv_in: the tap has no reduction"},
		{[]Tap{{"net.conv_in", []Reduction{Mean}}, {"net.conv_in", []Reduction{Mean}}},
			"net.conv_in:mean: there is an output of this name"},
		{[]Tap{{"net.res.time_emb_proj", []Reduction{Mean}}}, "(MeanPool): got [2 16]"},
		{[]Tap{{"net.attn.to_q", []Reduction{Grid(2)}}}, "(GridPool): got [2 48 16]"},
		{[]Tap{{"net.conv_in", []Reduction{Grid(7)}}}, "(GridPool): got [2 6 8 16], expected [N H W C] of at least 7×7"},
		{[]Tap{{"net.conv_in", []Reduction{First(17)}}}, "(FirstChannels)"},
		{[]Tap{{"net.conv_in", []Reduction{Projection(make([]float32, 15), 1)}}}, "(Project)"},
	} {
		g, err := Build(func(g *Graph) { newNet().build(g, 2, 6, 8) })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Compile(g, Options{Taps: c.taps}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, expected one with %q", err, c.want)
		}
	}
	p := netProgram(t, newNet())
	if err := p.graph.Tap(netTaps[0]); err == nil || !strings.Contains(err.Error(), "compiled already") {
		t.Errorf("a tap on a compiled graph: error %v", err)
	}
	if n, err := p.graph.Node("eps"); err != nil || n != p.outputs[0].node {
		t.Errorf("node of an output: %v, %v", n, err)
	}
	if _, err := p.graph.Node("nothing"); !errors.As(err, &name) {
		t.Errorf("error %v, expected a NameError", err)
	}
	if a, b := (Tap{"x", []Reduction{Projection([]float32{1, 2}, 1)}}), (Tap{"x",
		[]Reduction{Projection([]float32{1, 3}, 1)}}); a.Output() == b.Output() {
		t.Error("two projections have one name")
	}
}
