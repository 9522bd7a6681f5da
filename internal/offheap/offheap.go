// Package offheap gives memory for weights outside the Go heap, which would be allowed to grow by as much again before
// garbage is collected.
package offheap

import (
	"runtime"
	"sync/atomic"
	"unsafe"
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

// Alloc returns n zero bytes at an address that is a multiple of Align.
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

// Large returns n > 0 zero bytes in a piece of their own.
func (m *Memory) Large(n int) []byte { return m.piece((n + Align - 1) / Align * Align)[:n:n] }

var taken atomic.Int64 // since the last collection

func (m *Memory) piece(n int) []byte {
	if taken.Add(int64(n)) > collectEvery {
		taken.Store(0)
		runtime.GC()
	}
	b, release, err := mapMemory(n)
	if err != nil { // the system refuses: let the heap try
		b = make([]byte, n+Align)
		skip := -int(uintptr(unsafe.Pointer(&b[0]))) & (Align - 1)
		return b[skip:][:n:n]
	}
	m.Hold(release)
	return b
}
