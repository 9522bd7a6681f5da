package tensor

import (
	"math"

	"percept/tensor/internal/kernel"
)

// AttentionShape describes softmax(Q·Kᵀ/√HeadDim)·V: N sequences of Tq queries and Tk keys, Heads heads of HeadDim
// channels side by side in the channel axis. With Causal, query i sees keys 0 … i.
type AttentionShape struct {
	N, Tq, Tk, Heads, HeadDim int
	Causal                    bool
}

// Packed keys and values are padded to at most the widest half panel of any kernel set.
const widestHalfPanel = 16

func padded(n int) int { return (n + widestHalfPanel - 1) / widestHalfPanel * widestHalfPanel }

// AttentionScratch returns how many floats of workspace Attention wants: packed keys and values.
func AttentionScratch(s AttentionShape) int {
	return s.N * s.Heads * (padded(s.Tk)*s.HeadDim + s.Tk*padded(s.HeadDim))
}

// attention is a job of two stages: pack the keys and values of each head, then for each block of queries compute the
// scores with all keys, their softmax, and the weighted sum of values.
type attention struct {
	AttentionShape
	set        *kernel.Set
	y, q, k, v []float32
	keys       layout // Kᵀ [HeadDim, Tk] of one head
	values     layout // V [Tk, HeadDim]
	scratch    []float32
	block      int // queries at a time
	blocks     int // of one head
	probs      bool
	packing    bool
}

var attentions freeList[attention]

// Floats of scores that a block of queries may have: they stay in the second-level cache.
const maxScores = 96 << 10

// Attention computes y [N, Tq, Heads·HeadDim] from q of that shape and k, v [N, Tk, Heads·HeadDim]. scratch has
// AttentionScratch floats or more. y must not overlap the inputs.
func Attention(y, q, k, v, scratch []float32, s AttentionShape) {
	c := s.Heads * s.HeadDim
	need("Attention", "y", len(y), s.N*s.Tq*c)
	need("Attention", "v", len(v), s.N*s.Tk*c)
	needAtLeast("Attention", "scratch", len(scratch), AttentionScratch(s))
	a := attentions.get()
	*a = attention{y: y, v: v, scratch: scratch}
	a.run(q, k, s)
	attentions.put(a)
}

// AttentionProbs computes the softmax weights alone: p [N, Heads, Tq, Tk].
func AttentionProbs(p, q, k []float32, s AttentionShape) {
	need("AttentionProbs", "p", len(p), s.N*s.Heads*s.Tq*s.Tk)
	buf := buffers32.get()
	a := attentions.get()
	*a = attention{y: p, scratch: buf.resized(AttentionScratch(s)), probs: true}
	a.run(q, k, s)
	attentions.put(a)
	buffers32.keep(buf)
}

func (a *attention) run(q, k []float32, s AttentionShape) {
	c := s.Heads * s.HeadDim
	need("Attention", "q", len(q), s.N*s.Tq*c)
	need("Attention", "k", len(k), s.N*s.Tk*c)
	a.AttentionShape, a.q, a.k, a.set = s, q, k, current.Load()
	a.keys, a.values = newLayout(s.HeadDim, s.HeadDim, s.Tk, a.set.NR), newLayout(s.Tk, s.Tk, s.HeadDim, a.set.NR)
	a.blocks = max(1, (s.Tq*s.Tk+maxScores-1)/maxScores, min(s.Tq/24, 4))
	a.block = (s.Tq + a.blocks - 1) / a.blocks
	a.blocks = (s.Tq + a.block - 1) / a.block
	heads := s.N * s.Heads
	a.packing = true
	run(a, heads, heads*s.Tk*s.HeadDim*8)
	a.packing = false
	run(a, heads*a.blocks, 4*heads*s.Tq*s.Tk*(s.HeadDim+4))
}

func (a *attention) tile(i int) {
	if a.packing {
		a.pack(i)
		return
	}
	head, b := i/a.blocks, i%a.blocks
	a.queries(head, b*a.block, min((b+1)*a.block, a.Tq))
}

// packed returns where the keys and values of a head are packed.
func (a *attention) packed(head int) (keys, values []float32) {
	nk, nv := a.keys.size(), a.values.size()
	s := a.scratch[head*(nk+nv):][:nk+nv]
	return s[:nk], s[nk:]
}

func (a *attention) pack(head int) {
	c := a.Heads * a.HeadDim
	at := head/a.Heads*a.Tk*c + head%a.Heads*a.HeadDim
	keys, values := a.packed(head)
	for k0 := 0; k0 < a.keys.k; k0 += a.keys.depth(k0) {
		for j := range a.keys.panels() {
			a.keys.packTransposed(keys, a.k[at:], c, k0, j)
		}
	}
	if a.probs {
		return
	}
	for k0 := 0; k0 < a.values.k; k0 += a.values.depth(k0) {
		for j := range a.values.panels() {
			a.values.packRows(values, a.v[at:], c, k0, j)
		}
	}
}

// queries computes queries q0 … q1-1 of a head.
func (a *attention) queries(head, q0, q1 int) {
	c := a.Heads * a.HeadDim
	m, tk := q1-q0, a.Tk
	at := (head/a.Heads*a.Tq+q0)*c + head%a.Heads*a.HeadDim
	keys, values := a.packed(head)
	seen := tk // keys that some query of the block sees
	if a.Causal {
		seen = min(tk, q1)
	}
	var scores []float32
	if a.probs {
		scores = a.y[(head*a.Tq+q0)*tk:][:m*tk]
	} else {
		buf := buffers32.get()
		defer buffers32.keep(buf)
		scores = buf.resized(m*tk + m)
	}
	a.multiply(scores, tk, a.q[at:], c, m, &a.keys, keys, a.HeadDim, seen)
	scale := float32(1 / math.Sqrt(float64(a.HeadDim)))
	for i := range m {
		row := scores[i*tk : (i+1)*tk]
		n := tk
		if a.Causal {
			n = min(tk, q0+i+1)
		}
		sum := a.set.ExpSum(row[:n], scale, a.set.Max(row[:n]))
		if a.probs {
			clear(row[n:])
			a.set.Scale(row[:n], 1/sum)
			continue
		}
		clear(row[n:seen])
		scores[m*tk+i] = 1 / sum
	}
	if a.probs {
		return
	}
	y := a.y[at:]
	a.multiply(y, c, scores, tk, m, &a.values, values, seen, a.HeadDim)
	for i := range m {
		a.set.Scale(y[i*c:][:a.HeadDim], scores[m*tk+i])
	}
}

// multiply computes columns 0 … n-1 of c [m, ldc] = A·B from the first k columns of a [m, lda] and rows of B.
func (a *attention) multiply(c []float32, ldc int, x []float32, lda, m int, l *layout, b []float32, k, n int) {
	for k0 := 0; k0 < k; k0 += l.depth(k0) {
		for j := 0; j*l.nr < n; j++ {
			p, w := l.panel(b, k0, j)
			rows := kernel.Matrix(x[k0:], m, min(l.depth(k0), k-k0), lda)
			a.set.Panel(c[j*l.nr:], ldc, rows, p, min(w, l.n-j*l.nr), nil, k0 > 0)
		}
	}
}
