package ridge

import (
	"unsafe"

	"percept/tensor/linalg"
)

// memory counts the large matrices of a fit.
type memory struct{ live, peak int64 }

func (m *memory) add(bytes int64) {
	m.live += bytes
	m.peak = max(m.peak, m.live)
}

// take returns a new matrix of zeros, which counts until it is given to drop.
func take[E linalg.Float](m *memory, rows, cols int) linalg.Matrix[E] {
	m.add(bytesOf[E](rows, cols))
	return linalg.New[E](rows, cols)
}

func drop[E linalg.Float](m *memory, a linalg.Matrix[E]) { m.add(-bytesOf[E](a.Rows, a.Cols)) }

func bytesOf[E linalg.Float](rows, cols int) int64 {
	var e E
	return int64(rows) * int64(cols) * int64(unsafe.Sizeof(e))
}
