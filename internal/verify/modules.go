package verify

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"percept/internal/golden"
	"percept/nn"
)

// moduleTable is *_activations.json or *_modules.json.
type moduleTable struct {
	Modules []golden.Module            `json:"modules"`
	Probs   map[string]json.RawMessage `json:"attn2_probs"`
}

// paths lists the modules of a table.
func (t moduleTable) paths() []string {
	var list []string
	for _, m := range t.Modules {
		list = append(list, m.Path)
	}
	return list
}

// published is a module's output in the published order.
func published(v nn.Value) golden.Value {
	return golden.Value{Shape: slices.Clone(v.Shape), Data: v.Data()}
}

// activations runs a program once and returns what keep makes of each node of the given names. A name that the graph
// lacks is left out: whoever compares it finds it missing.
func activations[T any](c *check, p *nn.Program, inputs map[string][]float32, names []string, keep func(v nn.Value) T) map[string]T {
	for name, x := range inputs {
		c.must(p.Set(name, x))
	}
	got := map[string]T{}
	for _, name := range names {
		err := p.OnNode(name, func(path string, v nn.Value) { got[path] = keep(v) })
		if missing := (*nn.NameError)(nil); !errors.As(err, &missing) {
			c.must(err)
		}
	}
	c.must(p.Run(c.ctx))
	return got
}

// kept is what a run has kept of a module, if its graph has a node of this name.
func kept[T any](c *check, got map[string]T, path string) (v T, ok bool) {
	if v, ok = got[path]; !ok {
		c.that(false, "%s: the program's graph has no such node", path)
	}
	return v, ok
}

// modules compares every module of a table with the tensor "mod:<path>" of a file, in which only the
// first item of a batch may be stored.
func (c *check) modules(table moduleTable, file string, got map[string]golden.Value) {
	for _, m := range table.Modules {
		want := c.float32s(file, "mod:"+cmp.Or(m.SameAs, m.Path))
		if a, ok := kept(c, got, m.Path); ok {
			c.activation(m.Path, a, m.Shape, want, m.Tolerance())
		}
	}
}

// activation compares a module's output, of which the reference may hold the beginning.
func (c *check) activation(label string, got golden.Value, shape []int, want []float32, tol float64) {
	if !sameElements(got.Shape, shape) {
		c.that(false, "%s: shape %v, the reference has %v", label, got.Shape, shape)
		return
	}
	near(c, label, got.Data[:min(len(got.Data), len(want))], want, tol)
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

// summary is what the tables of the full-size models keep of an output.
type summary struct {
	sample, first []float32
	stats         []float32 // mean, population standard deviation, least, greatest
}

func summarise(x []float32) summary {
	sum, squares := 0.0, 0.0
	for _, v := range x {
		sum += float64(v)
	}
	mean := sum / float64(len(x))
	for _, v := range x {
		d := float64(v) - mean
		squares += d * d
	}
	std := math.Sqrt(squares / float64(len(x)))
	return summary{golden.Sample(x), slices.Clone(x[:min(16, len(x))]),
		[]float32{float32(mean), float32(std), slices.Min(x), slices.Max(x)}}
}

// sampledModules runs a program and compares the modules in base.json with the samples and statistics in
// base.safetensors.
func (c *check) sampledModules(base string, p *nn.Program, inputs map[string][]float32) {
	table, file := fromJSON[moduleTable](c, base+".json"), base+".safetensors"
	got := activations(c, p, inputs, table.paths(), func(v nn.Value) summary { return summarise(v.Data()) })
	samples, firsts := c.float32s(file, "sample256"), c.float32s(file, "first16")
	stats, errs := c.float32s(file, "stats"), c.float32s(file, "f32_max_abs_err")
	n := len(table.Modules)
	if len(samples) != 256*n || len(firsts) != 16*n || len(stats) != 4*n || len(errs) != n {
		c.must(fmt.Errorf("%s: %d modules listed, tensors for another number", c.set.path(file), n))
	}
	for i, m := range table.Modules {
		s, ok := kept(c, got, m.Path)
		if !ok {
			continue
		}
		want := untilNaN(samples[256*i:][:256])
		tol := tolerance(float64(errs[i]), rms(want))
		near(c, m.Path, s.sample, want, tol)
		near(c, m.Path+", first 16", s.first, untilNaN(firsts[16*i:][:16]), tol)
		near(c, m.Path+", mean and deviation", s.stats[:2], stats[4*i:][:2], tol)
		// The tables give the float32 error of 256 elements, whose tolerance is not that of the least and greatest of
		// millions: torch's own float32 decoder of SD v1.4 is 1.15 of it off in one extreme. An error grows with the value
		// that carries it, so the tolerance does.
		for k, what := range []string{", least", ", greatest"} {
			ref := stats[4*i+2+k:][:1]
			near(c, m.Path+what, s.stats[2+k:3+k], ref, tol*max(1, math.Abs(float64(ref[0]))/max(rms(want), 1e-30)))
		}
	}
}

// untilNaN cuts the filling off a row of a table.
func untilNaN(x []float32) []float32 {
	if i := slices.IndexFunc(x, func(v float32) bool { return v != v }); i >= 0 {
		return x[:i]
	}
	return x
}

// float32ids turns token ids into what a graph takes.
func float32ids(rows [][]int32) []float32 { return converted[float32](slices.Concat(rows...)) }
