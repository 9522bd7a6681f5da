package tensor

import (
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	"percept/internal/offheap"
	"percept/tensor/internal/kernel"
)

// layoutVersion is part of every key of packed weights: it changes when the same weights are packed into other bytes.
const layoutVersion = 1

// A Source gives a layer its weights and the memory in which it keeps them packed.
type Source struct {
	// Load returns the weights in torch's layout and the bias, nil unless Bias is set. It is called once, or not at all
	// where Room has the weights packed. The slices are not kept.
	Load func() (w, bias []float32)
	Bias bool
	// Format is how the matrices are stored. It rounds the weights, whatever form they are packed in; the bias stays float32.
	Format Format
	// Low says that memory counts more than speed: no form is chosen that takes more of it than the weights do.
	Low bool
	// Room returns memory for size bytes of packed weights. key names all that the bytes depend on besides the weights
	// themselves: what was packed under the same key for the same weights is the same. With a nil Room the layer has
	// memory of its own.
	Room func(key string, size int) Room
}

// held is the source of weights that are in memory.
func held(w, bias []float32) Source {
	return Source{Load: func() ([]float32, []float32) { return w, bias }, Bias: bias != nil}
}

// checked returns the source with a Load that panics unless it gets n weights and, with Bias, out of these.
func (s Source) checked(op string, n, out int) Source {
	load := s.Load
	s.Load = func() (w, bias []float32) {
		w, bias = load()
		need(op, "w", len(w), n)
		if s.Bias {
			need(op, "bias", len(bias), out)
		}
		return w, bias
	}
	return s
}

// A Room is memory for one layer's packed weights.
type Room struct {
	Bytes  []byte // as many as were asked for, at an address that is a multiple of 64
	Filled bool   // they are the packed weights already; otherwise they are zero
	Done   func() // is called when the layer has written them; may be nil
	Owner  any    // is kept as long as the layer
}

const (
	// roomAlign is the alignment in bytes of a Room and of each matrix in it.
	roomAlign = offheap.Align
	// largeRoom is the size in bytes from which a layer's own memory lies outside the Go heap.
	largeRoom = 1 << 20
)

// weights are count packed matrices B [k, n] of one layout, in lines of line rows, with the bias of the first. They can
// change from one kernel set to another; no unpacked copy is kept: a set's panels are made from another set's.
type weights struct {
	matrices
	mu   sync.Mutex
	sets [kernel.Sets]atomic.Pointer[[]packed]
}

// matrices is the shape of weights, and their format.
type matrices struct {
	count, k, line, n int
	fold              int // blocks have a multiple of so many rows, but for the last; 0 is any number
	format            Format
}

// layout returns how each matrix is packed.
func (m *matrices) layout(nr int) layout {
	l := newLayout(m.k, m.line, m.n, nr)
	if m.fold > 0 {
		l.kc = min(l.line, (l.kc+m.fold-1)/m.fold*m.fold)
	}
	return l
}

// packed is one matrix packed for one kernel set.
type packed struct {
	layout
	format Format
	data   []float32 // where the format is Float32
	half   []uint16  // where it is another
	bias   []float32 // [width], nil without a bias
	owner  any       // of the memory: whoever computes with p holds it
	widened
}

// newWeights packs matrices for the current kernel set, or takes them as they are from the room. form names what
// fill makes of the weights and of which shape they are. fill writes panel j of every matrix, with its padding, from
// the weights w; calls with different j run at once.
func newWeights(src Source, m matrices, form string, fill func(to []packed, w []float32, j int)) *weights {
	set := current.Load()
	w := &weights{matrices: m}
	l := m.layout(set.NR)
	size := m.size(l, src.Bias)
	var r Room
	if src.Room != nil {
		bias := ""
		if src.Bias {
			bias = " bias"
		}
		r = src.Room(fmt.Sprintf("%s%s %v in %v %s v%d", form, bias, src.Format, m.format, set.Name, layoutVersion), size)
		needRoom(r.Bytes, size)
	} else if size >= largeRoom {
		m := offheap.New()
		r = Room{Bytes: m.Large(size), Owner: m}
	}
	to := m.place(l, src.Bias, r.Bytes)
	if !r.Filled {
		b, bias := src.Load()
		if m.format != src.Format {
			b = src.Format.rounded(b)
		}
		copy(to[0].bias, bias)
		p := &packing{to: to, w: b, fill: fill}
		run(p, l.panels(), m.count*l.size())
		if r.Done != nil {
			r.Done()
		}
	}
	for i := range to {
		to[i].owner = r.Owner
	}
	w.sets[set.Index].Store(&to)
	return w
}

// packing is the job of packing weights: a tile is one panel of every matrix, in all blocks.
type packing struct {
	to   []packed
	w    []float32
	fill func(to []packed, w []float32, j int)
}

func (p *packing) tile(j int) { p.fill(p.to, p.w, j) }

// newTaps packs b [n, cin, kh, kw], torch's layout of a convolution, as one matrix B [kh·kw·cin, n]; a linear layer has
// one tap.
func newTaps(src Source, n, cin, kh, kw int) *weights {
	m := matrices{count: 1, k: kh * kw * cin, line: kw * cin, n: n, format: src.Format}
	return newWeights(src, m, fmt.Sprintf("taps [%d %d %d %d]", n, cin, kh, kw), func(to []packed, w []float32, j int) {
		to[0].packTaps(w, cin, kh*kw, j)
	})
}

// of returns the only matrix for a set.
func (w *weights) of(set *kernel.Set) *packed { return &w.all(set)[0] }

// all returns every matrix for a set.
func (w *weights) all(set *kernel.Set) []packed {
	if p := w.sets[set.Index].Load(); p != nil {
		return *p
	}
	return w.repack(set)
}

func (w *weights) repack(set *kernel.Set) []packed {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p := w.sets[set.Index].Load(); p != nil {
		return *p
	}
	var from []packed
	for i := range w.sets {
		if p := w.sets[i].Load(); p != nil {
			from = *p
		}
	}
	to := w.place(w.layout(set.NR), from[0].bias != nil, nil)
	copy(to[0].bias, from[0].bias[:min(len(from[0].bias), w.n)])
	for i := range to {
		to[i].repack(&from[i])
	}
	w.sets[set.Index].Store(&to)
	return to
}

// repack fills p with what from holds in another layout.
func (p *packed) repack(from *packed) {
	if p.format == Float32 {
		repack(&p.layout, &from.layout, p.data, from.data)
	} else {
		repack(&p.layout, &from.layout, p.half, from.half)
	}
}

func repack[E any](to, from *layout, dst, src []E) {
	for k0 := 0; k0 < to.k; k0 += to.depth(k0) {
		for col := range to.n {
			at, end, w := to.span(k0, col/to.nr)
			x, _, xw := from.span(k0, col/from.nr)
			for at, x = at+col%to.nr, x+col%from.nr; at < end; at, x = at+w, x+xw {
				dst[at] = src[x]
			}
		}
	}
}

// size returns how many bytes the matrices and a bias take.
func (m *matrices) size(l layout, bias bool) int {
	n := m.count * aligned(m.format.size()*l.size())
	if bias {
		n += aligned(4 * l.width)
	}
	return n
}

func aligned(n int) int { return (n + roomAlign - 1) / roomAlign * roomAlign }

// place returns matrices that lie in b, the bias first, or on the Go heap where b is nil.
func (m *matrices) place(l layout, bias bool, b []byte) []packed {
	to := make([]packed, m.count)
	for i := range to {
		p := &to[i]
		p.layout, p.format = l, m.format
		if i == 0 && bias {
			p.bias, b = take[float32](b, l.width)
		}
		if m.format == Float32 {
			p.data, b = take[float32](b, l.size())
		} else {
			p.half, b = take[uint16](b, l.size())
		}
	}
	return to
}

// take takes n elements from the beginning of b and returns the rest, or makes them where b is nil.
func take[E float32 | uint16](b []byte, n int) ([]E, []byte) {
	if b == nil || n == 0 {
		return make([]E, n), b
	}
	var e E
	return unsafe.Slice((*E)(unsafe.Pointer(&b[0])), n), b[aligned(int(unsafe.Sizeof(e))*n):]
}

// needRoom panics unless a Room has the memory that was asked for.
func needRoom(b []byte, size int) {
	need("Room", "Bytes", len(b), size)
	if size > 0 && uintptr(unsafe.Pointer(&b[0]))%roomAlign != 0 {
		panic(fmt.Sprintf("tensor: Room: Bytes begins at an address that is not a multiple of %d", roomAlign))
	}
}
