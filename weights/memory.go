package weights

import (
	"runtime"
	"unsafe"
)

const (
	roomAlign = 64 // of what alloc returns
	chunkSize = 64 << 20
)

// memory is memory for packed weights outside the Go heap, which would be allowed to grow by as much again before
// garbage is collected. It is given back when nobody holds it any more.
type memory struct {
	free []byte // what is left of the last chunk
	held *mappings
}

// mappings are the pieces of a memory, apart from it so that they can outlive it by a moment.
type mappings struct{ release []func() error }

func newMemory() *memory {
	m := &memory{held: &mappings{}}
	runtime.AddCleanup(m, (*mappings).unmap, m.held)
	return m
}

func (h *mappings) unmap() {
	for _, release := range h.release {
		_ = release() // there is nobody to tell
	}
	h.release = nil
}

// hold keeps a mapping as long as m.
func (m *memory) hold(release func() error) { m.held.release = append(m.held.release, release) }

// alloc returns n zero bytes at an address that is a multiple of 64.
func (m *memory) alloc(n int) []byte {
	n = (n + roomAlign - 1) / roomAlign * roomAlign
	if n >= chunkSize/4 {
		return m.grab(n)
	}
	if len(m.free) < n {
		m.free = m.grab(chunkSize)
	}
	b := m.free[:n:n]
	m.free = m.free[n:]
	return b
}

// grab returns a piece of its own.
func (m *memory) grab(n int) []byte {
	b, release, err := mapMemory(n)
	if err != nil { // the system refuses: let the heap try
		b = make([]byte, n+roomAlign)
		skip := -int(uintptr(unsafe.Pointer(&b[0]))) & (roomAlign - 1)
		return b[skip:][:n:n]
	}
	m.hold(release)
	return b
}
