package tensor

import (
	"sync"
	"sync/atomic"

	"percept/tensor/internal/kernel"
)

// maxKC bounds how many products are added in one float32 sum before it is added to the sum of the earlier ones. It
// keeps a block of panels in the cache and the rounding error of long sums small.
const maxKC = 384

// layout says how a matrix B [k, n] is packed for one kernel set: first by blocks of rows, in each by panels of nr
// columns, in each panel row by row. Blocks have kc rows, or what is left of line rows: no block goes across a multiple
// of line.
type layout struct {
	k, n, nr int
	line, kc int
	width    int // columns with the padding of the last panel
}

// newLayout lays out B [k, n] with k made of lines of line rows, which a convolution needs: a line is one row of taps.
// A matrix short enough to be one block is one whatever its lines.
func newLayout(k, line, n, nr int) layout {
	if k <= maxKC {
		line = k
	}
	blocks := max(1, (line+maxKC-1)/maxKC)
	last := n % nr
	width := n
	switch {
	case last > nr/2:
		width += nr - last
	case last > 0:
		width += nr/2 - last
	}
	return layout{k: k, n: n, nr: nr, line: line, kc: (line + blocks - 1) / blocks, width: width}
}

// depth returns how many rows the block at row k0 has.
func (l *layout) depth(k0 int) int { return min(l.kc, l.line-k0%l.line) }

// panels returns how many panels a block has.
func (l *layout) panels() int { return (l.n + l.nr - 1) / l.nr }

// size returns how many floats the packed matrix has.
func (l *layout) size() int { return l.k * l.width }

// panel returns panel j of the block that begins at row k0, and its width.
func (l *layout) panel(data []float32, k0, j int) (p []float32, w int) {
	kc := l.depth(k0)
	w = min(l.nr, l.width-j*l.nr)
	at := k0*l.width + j*l.nr*kc
	return data[at : at+kc*w], w
}

// packTransposed fills panel j of the block at k0 from b [n, ld], which holds B's columns as rows.
func (l *layout) packTransposed(data, b []float32, ld, k0, j int) {
	p, w := l.panel(data, k0, j)
	kc := len(p) / w
	for c := range w {
		col := j*l.nr + c
		if col >= l.n {
			for k := range kc {
				p[k*w+c] = 0
			}
			continue
		}
		for k, v := range b[col*ld+k0:][:kc] {
			p[k*w+c] = v
		}
	}
}

// packRows fills panel j of the block at k0 from b [k, ld].
func (l *layout) packRows(data, b []float32, ld, k0, j int) {
	p, w := l.panel(data, k0, j)
	n := min(w, l.n-j*l.nr)
	for k := range len(p) / w {
		row := p[k*w : k*w+w]
		copy(row, b[(k0+k)*ld+j*l.nr:][:n])
		clear(row[n:])
	}
}

// weights is a packed matrix B [k, n], in lines of line rows, with its bias, which can change from one kernel set to
// another. It keeps no unpacked copy: a set's panels are made from another set's.
type weights struct {
	k, line, n int
	mu         sync.Mutex
	packed     [kernel.Sets]atomic.Pointer[packed]
}

type packed struct {
	layout
	data []float32
	bias []float32 // [width], nil without a bias
}

// newWeights packs b [n, cin, kh, kw], torch's layout of a convolution, as B [kh·kw·cin, n]; a linear layer has one tap.
// bias [n] may be nil.
func newWeights(b, bias []float32, n, cin, kh, kw int) *weights {
	w := &weights{k: kh * kw * cin, line: kw * cin, n: n}
	set := current.Load()
	p := packings.get()
	*p = packing{packed: w.newPacked(set, bias), b: b, cin: cin, taps: kh * kw}
	run(p, p.panels(), len(b))
	w.packed[set.Index].Store(p.packed)
	packings.put(p)
	return w
}

// packing is the job of packing weights: a tile is one panel in all blocks.
type packing struct {
	*packed
	b         []float32
	cin, taps int
}

var packings freeList[packing]

func (p *packing) tile(j int) {
	for k0 := 0; k0 < p.k; k0 += p.depth(k0) {
		panel, w := p.panel(p.data, k0, j)
		for c := range min(w, p.n-j*p.nr) {
			column := p.b[(j*p.nr+c)*p.k:][:p.k]
			tap, in := k0/p.cin, k0%p.cin
			for at := c; at < len(panel); at += w {
				panel[at] = column[in*p.taps+tap]
				if in++; in == p.cin {
					tap, in = tap+1, 0
				}
			}
		}
	}
}

func (w *weights) newPacked(set *kernel.Set, bias []float32) *packed {
	p := &packed{layout: newLayout(w.k, w.line, w.n, set.NR)}
	p.data = make([]float32, p.size())
	if bias != nil {
		p.bias = make([]float32, p.width)
		copy(p.bias, bias[:w.n])
	}
	return p
}

// of returns the panels for a set.
func (w *weights) of(set *kernel.Set) *packed {
	if p := w.packed[set.Index].Load(); p != nil {
		return p
	}
	return w.repack(set)
}

func (w *weights) repack(set *kernel.Set) *packed {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p := w.packed[set.Index].Load(); p != nil {
		return p
	}
	var from *packed
	for i := range w.packed {
		if p := w.packed[i].Load(); p != nil {
			from = p
		}
	}
	p := w.newPacked(set, from.bias)
	for k0 := 0; k0 < w.k; k0 += p.depth(k0) {
		for col := range w.n {
			src, sw := from.panel(from.data, k0, col/from.nr)
			dst, dw := p.panel(p.data, k0, col/p.nr)
			for k := range len(dst) / dw {
				dst[k*dw+col%p.nr] = src[k*sw+col%from.nr]
			}
		}
	}
	w.packed[set.Index].Store(p)
	return p
}
