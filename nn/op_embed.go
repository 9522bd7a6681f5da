package nn

import (
	"fmt"
	"unsafe"

	"percept/tensor"
)

// Embedding is a table of rows looked up by number.
type Embedding struct {
	path      string
	rows, dim int
	table     []float32
	owner     any // of the table's memory
}

// NewEmbedding takes weight [rows, dim] from the scope.
func NewEmbedding(s *Scope, rows, dim int) *Embedding {
	table, owner := s.table("weight", rows, dim)
	return &Embedding{s.path, rows, dim, table, owner}
}

// Forward maps ids [...] to [..., dim]. The ids are whole numbers of 0 … rows-1 in float32, which
// holds them exactly below 2²⁴; a run with others fails.
func (e *Embedding) Forward(ids *Node) *Node { return Apply(embeddingOp{e}, e.path, ids) }

type embeddingOp struct{ e *Embedding }

func (embeddingOp) Kind() string { return "Embedding" }

func (embeddingOp) layout([]layout) (layout, string) { return asStored, "" }

func (o embeddingOp) Shape(in ...[]int) ([]int, error) {
	if len(in) != 1 || len(in[0]) > 3 {
		return nil, mismatch(in, "ids [N] or [N T]")
	}
	return append(append([]int(nil), in[0]...), o.e.dim), nil
}

func (embeddingOp) Scratch(in ...[]int) int { return size(in[0]) }

func (o embeddingOp) Forward(c *Call) {
	// The workspace is float32, the kernel wants int32: the same memory, of the same size and alignment.
	ids := unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(c.Scratch))), len(c.X[0]))
	for i, v := range c.X[0] {
		if !(v >= 0 && v < float32(o.e.rows)) || v != float32(int32(v)) {
			panic(fmt.Sprintf("id %v at position %d, expected a whole number of 0 … %d", v, i, o.e.rows-1))
		}
		ids[i] = int32(v)
	}
	tensor.Embedding(c.Y, o.e.table, ids, o.e.dim)
}

// Positions returns the first T rows of the table as [1, T, dim], T from x [N, T, ...]. The values
// of x do not matter.
func (e *Embedding) Positions(x *Node) *Node { return Apply(positionsOp{e}, e.path, x) }

type positionsOp struct{ e *Embedding }

func (positionsOp) Kind() string { return "Positions" }

func (positionsOp) layout([]layout) (layout, string) { return asStored, "" }

func (o positionsOp) Shape(in ...[]int) ([]int, error) {
	if len(in) != 1 || len(in[0]) < 2 || in[0][1] > o.e.rows {
		return nil, mismatch(in, "[N T ...] with T at most %d positions", o.e.rows)
	}
	return []int{1, in[0][1], o.e.dim}, nil
}

func (o positionsOp) Forward(c *Call) { copy(c.Y, o.e.table) }

// TimestepEmbedding maps timesteps t [N] to [N, dim]: dim/2 cosines, then dim/2 sines, of
// t·exp(-ln 10000·i/(dim/2)), in float32 as the published code does.
func TimestepEmbedding(t *Node, dim int) *Node { return Apply(timestepOp{dim}, "", t) }

type timestepOp struct{ dim int }

func (timestepOp) Kind() string { return "TimestepEmbedding" }

func (o timestepOp) Shape(in ...[]int) ([]int, error) {
	if len(in) != 1 || len(in[0]) != 1 || o.dim < 2 {
		return nil, mismatch(in, "timesteps [N] and an embedding of at least 2, not %d", o.dim)
	}
	return []int{in[0][0], o.dim}, nil
}

func (o timestepOp) Forward(c *Call) { tensor.TimestepEmbedding(c.Y, c.X[0], c.XShape[0][0], o.dim) }
