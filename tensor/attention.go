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

// scale is what the scores are multiplied with.
func (s *AttentionShape) scale() float64 { return 1 / math.Sqrt(float64(s.HeadDim)) }

// AttentionScratch returns how many floats of workspace Attention wants: the transposed values.
func AttentionScratch(s AttentionShape) int { return s.N * s.Heads * s.Tk * s.HeadDim }

// attention is a job of two stages: transpose the values, then compute some panels of queries a tile. It goes through
// the keys once, in blocks, and keeps no scores but one block's (Milakov and Gimelshein 2018, arXiv:1805.02867; Dao et
// al. 2022, arXiv:2205.14135). A panel holds one query in each lane of its vectors: all of a block's scores of a query
// are in one lane, so that the softmax adds nothing across lanes, and heads of any width fill whole vectors.
//
//	tile (group of heads, panels)
//	  for panels                pack Qᵀ [group·HeadDim, lanes]
//	  for heads of the group
//	    for blocks of keys      K and V of a block stay in the second-level cache
//	      for panels
//	        Sᵀ [keys, lanes] = K·Qᵀ          first-level cache
//	        Pᵀ = exp(Sᵀ - max), and Oᵀ shrinks as the largest score so far grows
//	        Oᵀ [HeadDim, lanes] += Vᵀ·Pᵀ
//	  for panels                y = Oᵀ / sum of P, transposed
type attention struct {
	AttentionShape
	set         *kernel.Set
	y, q, k, v  []float32
	values      []float32 // Vᵀ of each head, block by block: [HeadDim, keys]
	keys        int       // keys in a block
	group       int       // heads of a tile
	panels      int       // panels of a tile
	tiles       int       // of a group
	transposing bool
}

var attentions freeList[attention]

const (
	// Keys in a block, unless the head is so wide that K and V of a block have more than maxBlock floats; a multiple of
	// the rows of the largest product kernel.
	maxKeys, keyRows = 144, 12
	maxBlock         = 64 << 10
	// Panels of a tile, so that each block of keys is used often, unless their Q and O have more than maxQueries floats.
	maxPanels  = 8
	maxQueries = 256 << 10
	// Where there is but one block of keys, reading and writing the queries of a narrow head, a few cache lines each, takes
	// as long as the arithmetic: several heads do it at once, as many as have maxGroup channels.
	narrow, maxGroup = 64, 320
)

// Attention computes y [N, Tq, Heads·HeadDim] from q of that shape and k, v [N, Tk, Heads·HeadDim]. scratch has
// AttentionScratch floats or more. y must not overlap the inputs.
func Attention(y, q, k, v, scratch []float32, s AttentionShape) {
	c := s.Heads * s.HeadDim
	need("Attention", "y", len(y), s.N*s.Tq*c)
	need("Attention", "q", len(q), s.N*s.Tq*c)
	need("Attention", "k", len(k), s.N*s.Tk*c)
	need("Attention", "v", len(v), s.N*s.Tk*c)
	needAtLeast("Attention", "scratch", len(scratch), AttentionScratch(s))
	a := attentions.get()
	*a = attention{AttentionShape: s, set: current.Load(), y: y, q: q, k: k, v: v, values: scratch}
	work := 4 * s.N * s.Heads * s.Tq * s.Tk * (s.HeadDim + 4)
	a.cut(work)
	a.transposing = true
	run(a, s.N*s.Heads*a.blocks(), 8*len(v))
	a.transposing = false
	run(a, s.N*s.Heads/a.group*a.tiles, work)
	attentions.put(a)
}

// cut sets the sizes of blocks, which are the shape's alone, and of tiles, which change no bit of the result.
func (a *attention) cut(work int) {
	most := max(1, min(maxKeys, maxBlock/(2*a.HeadDim)))
	blocks := (a.Tk + most - 1) / most
	a.keys = min(((a.Tk+blocks-1)/blocks+keyRows-1)/keyRows*keyRows, a.Tk)

	panels := (a.Tq + a.set.NR - 1) / a.set.NR
	room := maxQueries / (2 * a.HeadDim * a.set.NR)
	tiles := 1 // that there should be at least
	if threads := Threads(); threads > 1 && work >= serialWork {
		tiles = min(4*threads, max(threads, work/1_000_000))
	}
	a.group = 1
	if blocks == 1 && a.HeadDim < narrow {
		for a.group = a.Heads; a.group%2 == 0 && (a.group*a.HeadDim > maxGroup || a.N*a.Heads/a.group*panels < tiles); {
			a.group /= 2
		}
	}
	a.panels = max(1, min(maxPanels, room/a.group, panels*a.N*a.Heads/a.group/tiles))
	a.tiles = (panels + a.panels - 1) / a.panels
}

// blocks returns in how many blocks the keys come.
func (a *attention) blocks() int { return (a.Tk + a.keys - 1) / a.keys }

func (a *attention) tile(i int) {
	if a.transposing {
		a.transpose(i/a.blocks(), i%a.blocks()*a.keys)
		return
	}
	n := a.panels * a.set.NR
	q0 := i % a.tiles * n
	a.attend(i/a.tiles*a.group, q0, min(q0+n, a.Tq))
}

// at returns where row t of a head is in a tensor [N, rows, Heads·HeadDim].
func (a *attention) at(head, rows, t int) int {
	return (head/a.Heads*rows+t)*a.Heads*a.HeadDim + head%a.Heads*a.HeadDim
}

// block returns Vᵀ [HeadDim, n] of the n keys of a head that begin at k0.
func (a *attention) block(head, k0 int) (vt []float32, n int) {
	n = min(a.keys, a.Tk-k0)
	return a.values[(head*a.Tk+k0)*a.HeadDim:][:n*a.HeadDim], n
}

func (a *attention) transpose(head, k0 int) {
	vt, n := a.block(head, k0)
	a.set.Transpose(vt, n, a.v[a.at(head, a.Tk, k0):], a.Heads*a.HeadDim, n, a.HeadDim)
}

// queryPanel is n queries of a group of heads, from q0 on, in w lanes.
type queryPanel struct {
	q0, n, w int
	q, o     []float32 // Qᵀ and Oᵀ [group·HeadDim, w]
	states   []float32 // [group, 3, w], of kernel.Set.Softmax
}

// panel returns the panel at q0, which begins a workspace.
func (a *attention) panel(work []float32, q0, q1 int) queryPanel {
	n := min(a.set.NR, q1-q0)
	w := a.set.Width(n)
	d := a.group * a.HeadDim * w
	return queryPanel{q0: q0, n: n, w: w, q: work[:d], o: work[d : 2*d], states: work[2*d : 2*d+3*a.group*w]}
}

// attend computes queries q0 … q1-1 of the group of heads that begins with head.
func (a *attention) attend(head, q0, q1 int) {
	nr := a.set.NR
	size := (2*a.HeadDim + 3) * a.group * nr
	buf := buffers32.get()
	defer buffers32.keep(buf)
	work := buf.resized(a.panels*size + a.keys*nr)
	scores := work[a.panels*size:]
	each := func(f func(p queryPanel)) {
		for i, q := 0, q0; q < q1; i, q = i+1, q+nr {
			f(a.panel(work[i*size:], q, q1))
		}
	}
	each(func(p queryPanel) { a.begin(&p, head) })
	seen := a.Tk // keys that some query sees
	if a.Causal {
		seen = min(seen, q1)
	}
	for i := range a.group {
		for k0 := 0; k0 < seen; k0 += a.keys {
			each(func(p queryPanel) { a.look(&p, i, scores, head+i, k0) })
		}
	}
	each(func(p queryPanel) { a.finish(&p, head) })
}

// begin packs the queries; lanes without one get zeros.
func (a *attention) begin(p *queryPanel, head int) {
	if p.n < p.w {
		clear(p.q)
	}
	a.set.Transpose(p.q, p.w, a.q[a.at(head, a.Tq, p.q0):], a.Heads*a.HeadDim, p.n, a.group*a.HeadDim)
	for i := range a.group {
		state := p.states[3*i*p.w:][:3*p.w]
		for j := range p.w {
			state[j] = float32(math.Inf(-1))
		}
		clear(state[p.w:])
	}
}

// look shows the block of keys at k0 to queries of the i-th head of the group.
func (a *attention) look(p *queryPanel, i int, scores []float32, head, k0 int) {
	vt, stride := a.block(head, k0)
	n := stride
	if a.Causal {
		n = min(n, p.q0+p.n-k0)
		if n <= 0 {
			return
		}
	}
	w, d := p.w, a.HeadDim
	q, o, s := p.q[i*d*w:][:d*w], p.o[i*d*w:][:d*w], scores[:n*w]
	state := p.states[3*i*w:][:3*w]
	k := a.k[a.at(head, a.Tk, k0):]
	parts := (d + maxKC - 1) / maxKC
	for i := range parts {
		d0, d1 := span(d, parts, i)
		a.set.Panel(s, w, kernel.Matrix(k[d0:], n, d1-d0, a.Heads*d), q[d0*w:d1*w], w, nil, d0 > 0)
	}
	if a.Causal {
		hide(s, w, p.q0-k0)
	}
	if a.set.Softmax(s, w, float32(a.scale()*math.Log2E), state) && k0 > 0 {
		a.set.ScaleColumns(o, state[2*w:])
	}
	a.set.Panel(o, w, kernel.Matrix(vt, d, n, stride), s, w, nil, k0 > 0)
}

// hide takes away from query i, in lane i of the scores s [keys, w], the keys past number i + first.
func hide(s []float32, w, first int) {
	for j := max(0, first+1); j*w < len(s); j++ {
		hidden := s[j*w:][:min(w, j-first)]
		for i := range hidden {
			hidden[i] = float32(math.Inf(-1))
		}
	}
}

// finish divides by the sums and writes the queries' results.
func (a *attention) finish(p *queryPanel, head int) {
	w, d := p.w, a.HeadDim
	for i := range a.group {
		sums := p.states[(3*i+1)*w:][:w]
		for j, v := range sums {
			sums[j] = 1 / v
		}
		a.set.ScaleColumns(p.o[i*d*w:][:d*w], sums)
	}
	a.set.Transpose(a.y[a.at(head, a.Tq, p.q0):], a.Heads*d, p.o, w, a.group*d, p.n)
}
