package tensor

import "sync"

// freeList keeps objects between calls. Unlike sync.Pool it never forgets one, so a warm operation allocates nothing.
type freeList[T any] struct {
	mu   sync.Mutex
	free []*T
}

// get returns a kept object, or a new zero one.
func (l *freeList[T]) get() *T {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.free); n > 0 {
		p := l.free[n-1]
		l.free = l.free[:n-1]
		return p
	}
	return new(T)
}

// put clears *p, so that it holds on to none of the caller's memory, and keeps it.
func (l *freeList[T]) put(p *T) {
	var zero T
	*p = zero
	l.keep(p)
}

// keep keeps p as it is.
func (l *freeList[T]) keep(p *T) {
	l.mu.Lock()
	l.free = append(l.free, p)
	l.mu.Unlock()
}

// buffer is a workspace of one tile.
type buffer[E any] struct{ data []E }

// resized returns n elements of the buffer, of any content.
func (b *buffer[E]) resized(n int) []E {
	if cap(b.data) < n {
		b.data = make([]E, n)
	}
	return b.data[:n]
}

var (
	buffers32 freeList[buffer[float32]]
	buffers64 freeList[buffer[float64]]
)
