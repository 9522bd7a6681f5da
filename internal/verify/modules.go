package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"percept/nn"
)

// module is one entry of a table of modules.
type module struct {
	Path   string  `json:"path"`
	Type   string  `json:"type"`
	Shape  []int   `json:"shape"`
	MaxAbs float64 `json:"f32_max_abs"`
	RMS    float64 `json:"rms"`
	SameAs string  `json:"same_as"` // module with bit-identical output, under whose path it is stored
}

// moduleTable is *_activations.json or *_modules.json.
type moduleTable struct {
	Modules []module                   `json:"modules"`
	Probs   map[string]json.RawMessage `json:"attn2_probs"`
}

// activation is the output of a module in the published order.
type activation struct {
	shape []int
	data  []float32
}

// activations runs a program once and shows each node of the given names to keep. A name that the graph
// lacks is left out: whoever compares it finds it missing.
func (c *check) activations(ctx context.Context, p *nn.Program, inputs map[string][]float32, names []string, keep func(path string, v nn.Value)) {
	for name, x := range inputs {
		c.must(p.Set(name, x))
	}
	for _, name := range names {
		var missing *nn.NameError
		if err := p.OnNode(name, keep); err != nil && !errors.As(err, &missing) {
			c.must(err)
		}
	}
	c.must(p.Run(ctx))
}

// wholes keeps all of the values of a run.
func wholes(into map[string]activation) func(string, nn.Value) {
	return func(path string, v nn.Value) { into[path] = activation{slices.Clone(v.Shape), v.Data()} }
}

// paths lists the modules of a table.
func (t moduleTable) paths() []string {
	var list []string
	for _, m := range t.Modules {
		list = append(list, m.Path)
	}
	return list
}

// modules compares every module of a table with the tensor "mod:<path>" of a file, in which only the
// first item of a batch may be stored.
func (c *check) modules(table moduleTable, file string, got map[string]activation) {
	for _, m := range table.Modules {
		key := m.Path
		if m.SameAs != "" {
			key = m.SameAs
		}
		want := c.float32s(file, "mod:"+key)
		a, ok := got[m.Path]
		if !ok {
			c.comparisons++
			c.problem("%s: the program's graph has no such node", m.Path)
			continue
		}
		if !sameElements(a.shape, m.Shape) {
			c.comparisons++
			c.problem("%s: shape %v, the reference has %v", m.Path, a.shape, m.Shape)
			continue
		}
		if len(want) < len(a.data) {
			a.data = a.data[:len(want)]
		}
		c.near(m.Path, a.data, want, tolerance(m.MaxAbs, m.RMS))
	}
}

// sameElements compares shapes up to the batch dimension, which a reference may lack, and up to height and
// width taken as one: diffusers' attention of the VAE works on [N, C, H·W].
func sameElements(a, b []int) bool {
	return slices.Equal(a, b) || slices.Equal(canonical(a), canonical(b))
}

func canonical(shape []int) []int {
	s := slices.Clone(shape)
	for len(s) > 0 && s[0] == 1 {
		s = s[1:]
	}
	if len(s) > 2 {
		s = append(s[:len(s)-2], s[len(s)-2]*s[len(s)-1])
	}
	return s
}

// sampled256 are the elements floor(j·n/256) of n, or all of fewer.
func sampled256(x []float32) []float32 {
	if len(x) <= 256 {
		return x
	}
	s := make([]float32, 256)
	for j := range s {
		s[j] = x[j*len(x)/256]
	}
	return s
}

// summary is what the tables of the full-size models keep of an output.
type summary struct {
	sample, first, stats []float32
}

func summarise(x []float32) summary {
	sum, squares := 0.0, 0.0
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, v := range x {
		f := float64(v)
		sum += f
		lo, hi = min(lo, f), max(hi, f)
	}
	mean := sum / float64(len(x))
	for _, v := range x {
		d := float64(v) - mean
		squares += d * d
	}
	std := math.Sqrt(squares / float64(len(x)))
	return summary{
		sample: sampled256(x), first: append([]float32{}, x[:min(16, len(x))]...),
		stats: []float32{float32(mean), float32(std), float32(lo), float32(hi)},
	}
}

// summaries keeps the summaries of the values of a run.
func summaries(into map[string]summary) func(string, nn.Value) {
	return func(path string, v nn.Value) { into[path] = summarise(v.Data()) }
}

// sampledModules compares the modules of a full-size model with their samples and statistics.
func (c *check) sampledModules(base string, table moduleTable, got map[string]summary) {
	file := base + ".safetensors"
	samples, firsts := c.float32s(file, "sample256"), c.float32s(file, "first16")
	stats, errs := c.float32s(file, "stats"), c.float32s(file, "f32_max_abs_err")
	n := len(table.Modules)
	if len(samples) != 256*n || len(firsts) != 16*n || len(stats) != 4*n || len(errs) != n {
		c.must(fmt.Errorf("%s: %d modules listed, tensors for another number", c.set.path(file), n))
	}
	for i, m := range table.Modules {
		s, ok := got[m.Path]
		if !ok {
			c.comparisons++
			c.problem("%s: the program's graph has no such node", m.Path)
			continue
		}
		want := untilNaN(samples[256*i : 256*(i+1)])
		tol := tolerance(float64(errs[i]), rms(want))
		c.near(m.Path, s.sample, want, tol)
		first := untilNaN(firsts[16*i : 16*(i+1)])
		c.near(m.Path+", first 16", s.first, first, tol)
		c.near(m.Path+", mean and deviation", s.stats[:2], stats[4*i:4*i+2], tol)
		// The tables give the float32 error of 256 elements, whose tolerance is not that of the least and greatest of
		// millions: torch's own float32 decoder of SD v1.4 is 1.15 of it off in one extreme. An error grows with the value
		// that carries it, so the tolerance does.
		for k, what := range []string{", least", ", greatest"} {
			ref := stats[4*i+2+k]
			c.near(m.Path+what, s.stats[2+k:3+k], []float32{ref}, tol*max(1, math.Abs(float64(ref))/max(rms(want), 1e-30)))
		}
	}
}

// untilNaN cuts the filling off a row of a table.
func untilNaN(x []float32) []float32 {
	for i, v := range x {
		if v != v {
			return x[:i]
		}
	}
	return x
}

// float32ids turns token ids into what a graph takes.
func float32ids(rows [][]int32) []float32 {
	var x []float32
	for _, r := range rows {
		for _, id := range r {
			x = append(x, float32(id))
		}
	}
	return x
}
