package linalg

import (
	"sync"

	"percept/tensor"
	"percept/tensor/internal/kernel"
)

// engine is what the functions of one element type share: the kernels, and workspaces that calls leave to later ones.
type engine[E Float] struct {
	algebra  []*kernel.Algebra[E] // of the sets in available
	products spare[product[E]]
	solves   spare[solve[E]]
	mirrors  spare[mirror[E]]
	spaces   spare[space[E]]
}

var (
	available = kernel.Available()
	engine32  = newEngine(func(s *kernel.Set) *kernel.Algebra[float32] { return &s.Algebra32 })
	engine64  = newEngine(func(s *kernel.Set) *kernel.Algebra[float64] { return &s.Algebra64 })
)

func newEngine[E Float](of func(*kernel.Set) *kernel.Algebra[E]) *engine[E] {
	e := &engine[E]{}
	for _, s := range available {
		e.algebra = append(e.algebra, of(s))
	}
	return e
}

func engineOf[E Float]() *engine[E] {
	if e, ok := any(engine32).(*engine[E]); ok {
		return e
	}
	return any(engine64).(*engine[E])
}

// kernels returns those of the set that package tensor has chosen.
func (e *engine[E]) kernels() *kernel.Algebra[E] {
	name := tensor.KernelSet()
	for i, s := range available {
		if s.Name == name {
			return e.algebra[i]
		}
	}
	panic("linalg: no kernels " + name)
}

// space is memory of any content that a call or a tile works in.
type space[E Float] struct{ data []E }

// resized returns n elements.
func (s *space[E]) resized(n int) []E {
	if cap(s.data) < n {
		s.data = make([]E, n)
	}
	return s.data[:n]
}

// spare keeps objects between calls. Unlike sync.Pool it never forgets one, so a warm function allocates nothing.
type spare[T any] struct {
	mu   sync.Mutex
	free []*T
}

func (s *spare[T]) get() *T {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.free); n > 0 {
		p := s.free[n-1]
		s.free = s.free[:n-1]
		return p
	}
	return new(T)
}

func (s *spare[T]) put(p *T) {
	s.mu.Lock()
	s.free = append(s.free, p)
	s.mu.Unlock()
}

// span returns the bounds of part i of n things cut into parts of nearly equal size.
func span(n, parts, i int) (from, to int) { return n * i / parts, n * (i + 1) / parts }

// parts returns how many parts of at most most things n things make.
func parts(n, most int) int { return (n + most - 1) / most }
