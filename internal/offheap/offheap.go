// Package offheap gives memory for weights outside the Go heap, which would be allowed to grow by as much again before
// garbage is collected.
package offheap

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"unsafe"

	"percept/internal/memlimit"
)

// Align is the alignment of what Alloc returns, in bytes.
const Align = 64

const (
	chunkSize = 64 << 20
	// collectEvery is how much is taken between two collections of garbage, which the heap, being small, would not ask
	// for: a Memory that nobody holds any more is found by one.
	collectEvery = 256 << 20
)

// Memory is a number of pieces of memory that are given back together when nobody holds the Memory any more: whoever
// keeps a slice of it has to keep the Memory too. One goroutine may use it at a time.
type Memory struct {
	free []byte // what is left of the last chunk
	held *mappings
}

// mappings are the pieces of a Memory, apart from it so that they can outlive it by a moment.
type mappings struct{ release []func() error }

// New returns an empty Memory.
func New() *Memory {
	m := &Memory{held: &mappings{}}
	runtime.AddCleanup(m, (*mappings).unmap, m.held)
	return m
}

func (h *mappings) unmap() {
	for _, release := range h.release {
		_ = release() // there is nobody to tell
	}
	h.release = nil
}

// Hold has a mapping released with m.
func (m *Memory) Hold(release func() error) { m.held.release = append(m.held.release, release) }

// Free gives everything back now. No slice of m may be used afterwards.
func (m *Memory) Free() {
	m.held.unmap()
	m.free = nil
}

// Alloc returns n zero bytes at an address that is a multiple of Align. It panics with an *Error where they cannot be had.
func (m *Memory) Alloc(n int) []byte {
	size := (n + Align - 1) / Align * Align
	if size >= chunkSize/4 {
		return m.piece(size)[:n:n]
	}
	if len(m.free) < size {
		m.free = m.piece(chunkSize)
	}
	b := m.free[:n:n]
	m.free = m.free[size:]
	return b
}

// Large returns n > 0 zero bytes in a piece of their own; it panics as Alloc.
func (m *Memory) Large(n int) []byte { return m.piece((n + Align - 1) / Align * Align)[:n:n] }

// An Error says that memory cannot be had. Alloc and Large panic with it, since who asks for weights' memory is deep inside the
// making of a network; Catch makes it an error there.
type Error struct{ cause error }

func (e *Error) Error() string { return e.cause.Error() }
func (e *Error) Unwrap() error { return e.cause }

// Catch, deferred, puts an *Error that a call has panicked with into err. Other panics go on.
func Catch(err *error) {
	switch r := recover().(type) {
	case nil:
	case *Error:
		*err = r
	default:
		panic(r)
	}
}

var taken atomic.Int64 // since the last collection

func (m *Memory) piece(n int) []byte {
	if taken.Add(int64(n)) > collectEvery {
		taken.Store(0)
		runtime.GC()
	}
	if err := memlimit.NeedMapped(int64(n)); err != nil {
		panic(&Error{err})
	}
	b, release, err := mapMemory(n)
	switch {
	case err == nil:
	case !errors.Is(err, errors.ErrUnsupported):
		panic(&Error{fmt.Errorf("%s of memory cannot be had: %w", memlimit.Size(int64(n)), err)})
	default: // the heap has to do
		b = make([]byte, n+Align)
		skip := -int(uintptr(unsafe.Pointer(&b[0]))) & (Align - 1)
		return b[skip:][:n:n]
	}
	m.Hold(release)
	return b
}
