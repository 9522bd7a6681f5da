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
//	tile (head, panels)
//	  for panels                pack Qᵀ [HeadDim, lanes]
//	  for blocks of keys        K and V of a block stay in the second-level cache
//	    for panels
//	      Sᵀ [keys, lanes] = K·Qᵀ            first-level cache
//	      Pᵀ = exp(Sᵀ - max), and Oᵀ shrinks as the largest score so far grows
//	      Oᵀ [HeadDim, lanes] += Vᵀ·Pᵀ
//	  for panels                y = Oᵀ / sum of P, transposed
type attention struct {
	AttentionShape
	set         *kernel.Set
	y, q, k, v  []float32
	values      []float32 // Vᵀ of each head, block by block: [HeadDim, keys]
	keys        int       // keys in a block
	panels      int       // of a tile
	tiles       int       // of a head
	transposing bool
}

var attentions freeList[attention]

const (
	// Keys in a block, a multiple of every set's rows, unless the head is so wide that K and V of a block have more
	// than maxBlock floats.
	maxKeys  = 144
	keyRows  = 12
	maxBlock = 128 << 10
	// Panels of a tile, so that each block of keys is used often, unless their Q and O have more than maxQueries floats.
	maxPanels  = 8
	maxQueries = 64 << 10
	// Tiles that there should be, for threads to share.
	leastTiles = 16
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
	a.run()
	attentions.put(a)
}

func (a *attention) run() {
	heads, nr := a.N*a.Heads, a.set.NR
	a.keys = max(1, min(maxKeys, maxBlock/(2*a.HeadDim)))
	a.keys = (a.Tk + a.blocks() - 1) / a.blocks()
	a.keys = min((a.keys+keyRows-1)/keyRows*keyRows, a.Tk)
	panels := (a.Tq + nr - 1) / nr
	a.tiles = max((panels+maxPanels-1)/maxPanels, panels*2*a.HeadDim*nr/maxQueries, min(panels, (leastTiles+heads-1)/heads))
	a.panels = (panels + a.tiles - 1) / a.tiles
	a.tiles = (panels + a.panels - 1) / a.panels
	a.transposing = true
	run(a, heads*a.blocks(), heads*a.Tk*a.HeadDim*8)
	a.transposing = false
	run(a, heads*a.tiles, 4*heads*a.Tq*a.Tk*(a.HeadDim+4))
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
	a.attend(i/a.tiles, q0, min(q0+n, a.Tq))
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

// queryPanel is a panel of n queries of a head, from q0 on, in w lanes.
type queryPanel struct {
	q0, n, w int
	q, o     []float32 // Qᵀ and Oᵀ [HeadDim, w]
	state    []float32 // of kernel.Set.Softmax
}

// panel returns the panel at q0, which begins a workspace.
func (a *attention) panel(work []float32, q0, q1 int) queryPanel {
	n := min(a.set.NR, q1-q0)
	w := a.set.Width(n)
	d := a.HeadDim * w
	return queryPanel{q0: q0, n: n, w: w, q: work[:d], o: work[d : 2*d], state: work[2*d : 2*d+3*w]}
}

// attend computes queries q0 … q1-1 of a head.
func (a *attention) attend(head, q0, q1 int) {
	nr := a.set.NR
	size := (2*a.HeadDim + 3) * nr
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
	for k0 := 0; k0 < seen; k0 += a.keys {
		each(func(p queryPanel) { a.look(&p, scores, head, k0) })
	}
	each(func(p queryPanel) { a.finish(&p, head) })
}

// begin packs the queries; lanes without one get zeros.
func (a *attention) begin(p *queryPanel, head int) {
	if p.n < p.w {
		clear(p.q)
	}
	a.set.Transpose(p.q, p.w, a.q[a.at(head, a.Tq, p.q0):], a.Heads*a.HeadDim, p.n, a.HeadDim)
	for i := range p.w {
		p.state[i] = float32(math.Inf(-1))
	}
	clear(p.state[p.w:])
}

// look shows the panel the block of keys at k0.
func (a *attention) look(p *queryPanel, scores []float32, head, k0 int) {
	vt, stride := a.block(head, k0)
	n := stride
	if a.Causal {
		n = min(n, p.q0+p.n-k0)
		if n <= 0 {
			return
		}
	}
	s := scores[:n*p.w]
	k := a.k[a.at(head, a.Tk, k0):]
	parts := (a.HeadDim + maxKC - 1) / maxKC
	for i := range parts {
		d0, d1 := span(a.HeadDim, parts, i)
		a.set.Panel(s, p.w, kernel.Matrix(k[d0:], n, d1-d0, a.Heads*a.HeadDim), p.q[d0*p.w:d1*p.w], p.w, nil, d0 > 0)
	}
	if a.Causal {
		for j := max(0, p.q0+1-k0); j < n; j++ {
			hidden := s[j*p.w:][:min(p.w, k0+j-p.q0)] // queries before key k0+j
			for i := range hidden {
				hidden[i] = float32(math.Inf(-1))
			}
		}
	}
	if a.set.Softmax(s, p.w, float32(a.scale()*math.Log2E), p.state) && k0 > 0 {
		a.set.ScaleColumns(p.o, p.state[2*p.w:])
	}
	a.set.Panel(p.o, p.w, kernel.Matrix(vt, a.HeadDim, n, stride), s, p.w, nil, k0 > 0)
}

// finish divides by the sums and writes the queries' results.
func (a *attention) finish(p *queryPanel, head int) {
	sums := p.state[p.w : 2*p.w]
	for i, v := range sums {
		sums[i] = 1 / v
	}
	a.set.ScaleColumns(p.o, sums)
	a.set.Transpose(a.y[a.at(head, a.Tq, p.q0):], a.Heads*a.HeadDim, p.o, p.w, a.HeadDim, p.n)
}
