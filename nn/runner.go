package nn

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// A Runner runs one model for the sizes that it is asked for: it keeps the Programs that it has compiled, by a key that
// says what they are for and by their taps, so that other taps do not cost a plan and what it has kept of steady inputs.
// It forgets the one that was not used for longest, but none that was lent: that may have probes. It may be used by
// several goroutines, whose runs follow one another.
type Runner[K comparable] struct {
	model   string // in errors
	graph   func(K) (*Graph, error)
	options Options

	mu   sync.Mutex
	kept []keptProgram[K] // the last used first
}

type keptProgram[K comparable] struct {
	key     K
	taps    string
	program *Program
	lent    bool
}

// keptPrograms is how many Programs a Runner keeps that nobody was lent: with more sizes in turn than that, each run
// compiles anew. The Program of a large model holds hundreds of megabytes.
const keptPrograms = 4

// An Array is what goes into an input or comes out of an output.
type Array struct {
	Name string
	Data []float32 // in the published order
}

// NewRunner returns a Runner of a model of that name. graph makes the graph for a key, which is compiled with o.
func NewRunner[K comparable](model string, o Options, graph func(K) (*Graph, error)) *Runner[K] {
	return &Runner[K]{model: model, options: o, graph: graph}
}

// Program lends the Program that Run uses for key and taps, for probes. It is kept as long as the Runner; it must neither
// run nor be changed while Run runs.
func (r *Runner[K]) Program(key K, taps ...Tap) (*Program, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.get(key, taps, true)
}

// Run sets inputs of the Program for key and taps, runs it and copies outputs, among which taps may be.
func (r *Runner[K]) Run(ctx context.Context, key K, taps []Tap, in []Array, out ...Array) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, err := r.get(key, taps, false)
	if err != nil {
		return err
	}
	for _, a := range in {
		if err := p.Set(a.Name, a.Data); err != nil {
			return fmt.Errorf("%s: %w", r.model, err)
		}
	}
	for _, a := range out {
		switch shape := p.OutputShape(a.Name); {
		case shape == nil:
			return fmt.Errorf("%s: there is no output %q", r.model, a.Name)
		case len(a.Data) != size(shape):
			return fmt.Errorf("%s: room for %d values of %s, expected %d: %v", r.model, len(a.Data), a.Name, size(shape), shape)
		}
	}
	if err := p.Run(ctx); err != nil {
		return fmt.Errorf("%s: %w", r.model, err)
	}
	for _, a := range out {
		copy(a.Data, p.Output(a.Name))
	}
	return nil
}

func (r *Runner[K]) get(key K, taps []Tap, lend bool) (*Program, error) {
	names := tapKey(taps)
	i := slices.IndexFunc(r.kept, func(e keptProgram[K]) bool { return e.key == key && e.taps == names })
	if i < 0 {
		r.shrink(keptPrograms - 1) // before compiling, so that the memory can be had again
		p, err := r.compile(key, taps)
		if err != nil {
			return nil, err
		}
		i = len(r.kept)
		r.kept = append(r.kept, keptProgram[K]{key: key, taps: names, program: p})
	}
	e := r.kept[i]
	e.lent = e.lent || lend
	copy(r.kept[1:i+1], r.kept[:i])
	r.kept[0] = e
	return e.program, nil
}

func (r *Runner[K]) compile(key K, taps []Tap) (*Program, error) {
	g, err := r.graph(key)
	if err != nil {
		return nil, err
	}
	o := r.options
	o.Taps = taps
	p, err := Compile(g, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.model, err)
	}
	return p, nil
}

// shrink forgets all but the last used n of those that are not lent.
func (r *Runner[K]) shrink(n int) {
	r.kept = slices.DeleteFunc(r.kept, func(e keptProgram[K]) bool {
		if !e.lent {
			n--
		}
		return !e.lent && n < 0
	})
}
