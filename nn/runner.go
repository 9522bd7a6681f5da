package nn

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// A Runner runs one model for the sizes that it is asked for: it keeps the Programs that it has compiled, by a key that
// says what they are for, and forgets the one that was not used for longest, but none that was lent: that may have
// probes. It may be used by several goroutines, whose runs follow one another.
type Runner[K comparable] struct {
	model   string // in errors
	compile func(K) (*Program, error)

	mu   sync.Mutex
	kept []keptProgram[K] // the last used first
}

type keptProgram[K comparable] struct {
	key     K
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

// NewRunner returns a Runner of a model of that name. compile makes the Program for a key.
func NewRunner[K comparable](model string, compile func(K) (*Program, error)) *Runner[K] {
	return &Runner[K]{model: model, compile: compile}
}

// Program lends the Program that Run uses for key, for probes. It is kept as long as the Runner; it must neither run nor
// be changed while Run runs.
func (r *Runner[K]) Program(key K) (*Program, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.get(key, true)
}

// Run sets inputs of the Program for key, runs it and copies outputs.
func (r *Runner[K]) Run(ctx context.Context, key K, in []Array, out ...Array) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, err := r.get(key, false)
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

func (r *Runner[K]) get(key K, lend bool) (*Program, error) {
	i := slices.IndexFunc(r.kept, func(e keptProgram[K]) bool { return e.key == key })
	if i < 0 {
		r.shrink(keptPrograms - 1) // before compiling, so that the memory can be had again
		p, err := r.compile(key)
		if err != nil {
			return nil, err
		}
		i = len(r.kept)
		r.kept = append(r.kept, keptProgram[K]{key: key, program: p})
	}
	e := r.kept[i]
	e.lent = e.lent || lend
	copy(r.kept[1:i+1], r.kept[:i])
	r.kept[0] = e
	return e.program, nil
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
