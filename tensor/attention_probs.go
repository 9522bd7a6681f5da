package tensor

import "percept/tensor/internal/kernel"

// attentionProbs is a job of two stages: pack the keys of each head, then compute the scores of some queries with all
// keys and their softmax.
type attentionProbs struct {
	AttentionShape
	set     *kernel.Set
	p, q, k []float32
	layout            // Kᵀ [HeadDim, Tk] of one head
	packed  []float32 // of each head
	rows    int       // queries of a tile
	packing bool
}

var attentionProbses freeList[attentionProbs]

// Floats of scores that a tile may have: they stay in the second-level cache.
const maxScores = 96 << 10

// AttentionProbs computes the softmax weights alone: p [N, Heads, Tq, Tk].
func AttentionProbs(p, q, k []float32, s AttentionShape) {
	c := s.Heads * s.HeadDim
	need("AttentionProbs", "p", len(p), s.N*s.Heads*s.Tq*s.Tk)
	need("AttentionProbs", "q", len(q), s.N*s.Tq*c)
	need("AttentionProbs", "k", len(k), s.N*s.Tk*c)
	heads, set := s.N*s.Heads, current.Load()
	buf := buffers32.get()
	a := attentionProbses.get()
	*a = attentionProbs{AttentionShape: s, set: set, p: p, q: q, k: k, layout: newLayout(s.HeadDim, s.HeadDim, s.Tk, set.NR)}
	a.packed = buf.resized(heads * a.size())
	a.rows = max(1, min(s.Tq, maxScores/s.Tk))
	a.packing = true
	run(a, heads, 8*len(k))
	a.packing = false
	run(a, heads*a.tiles(), 2*heads*s.Tq*s.Tk*(s.HeadDim+8))
	attentionProbses.put(a)
	buffers32.keep(buf)
}

// tiles returns how many tiles a head has.
func (a *attentionProbs) tiles() int { return (a.Tq + a.rows - 1) / a.rows }

func (a *attentionProbs) tile(i int) {
	if a.packing {
		a.pack(i)
		return
	}
	q0 := i % a.tiles() * a.rows
	a.queries(i/a.tiles(), q0, min(q0+a.rows, a.Tq))
}

func (a *attentionProbs) pack(head int) {
	c := a.Heads * a.HeadDim
	k := a.k[head/a.Heads*a.Tk*c+head%a.Heads*a.HeadDim:]
	for k0 := 0; k0 < a.HeadDim; k0 += a.depth(k0) {
		for j := range a.layout.panels() {
			a.packTransposed(a.packed[head*a.size():], k, c, k0, j)
		}
	}
}

// queries computes queries q0 … q1-1 of a head.
func (a *attentionProbs) queries(head, q0, q1 int) {
	c := a.Heads * a.HeadDim
	q := a.q[(head/a.Heads*a.Tq+q0)*c+head%a.Heads*a.HeadDim:]
	p := a.p[(head*a.Tq+q0)*a.Tk:][:(q1-q0)*a.Tk]
	for k0 := 0; k0 < a.HeadDim; k0 += a.depth(k0) {
		rows := kernel.Matrix(q[k0:], q1-q0, a.depth(k0), c)
		for j := range a.layout.panels() {
			b, w := a.panel(a.packed[head*a.size():], k0, j)
			a.set.Panel(p[j*a.nr:], a.Tk, rows, b, min(w, a.n-j*a.nr), nil, k0 > 0)
		}
	}
	for i := range q1 - q0 {
		row := p[i*a.Tk : (i+1)*a.Tk]
		if a.Causal {
			seen := min(a.Tk, q0+i+1)
			clear(row[seen:])
			row = row[:seen]
		}
		a.set.Scale(row, 1/a.set.ExpSum(row, float32(a.scale()), a.set.Max(row)))
	}
}
