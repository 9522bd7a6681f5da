package tensor

import (
	"fmt"

	"percept/tensor/internal/kernel"
)

// winograd is the job of a 3×3 convolution of stride 1 in Winograd's form (kernel/winograd.go has the equations): tiles
// of f×f output pixels, each transformed to (f+2)² positions; at every position a matrix product of all tiles' channels
// with the transformed filters.
//
//	for parts of the tiles         what is transformed stays in the third-level cache
//	  stage 1, chunks of tiles: transform the input
//	  stage 2, blocks of tiles × groups of panels
//	    for positions              the block's input of a position stays in the second-level cache
//	      for blocks of the filters' rows
//	        for panels of the group: kernel
//	    for tiles: transform back, with bias and epilogue
type winograd struct {
	ConvGeometry
	set       *kernel.Set
	b         []packed // a matrix [cin, cout] for each position
	f         int
	end       ending
	y, x      []float32
	cin       int
	oh, ow    int
	th, tw    int       // tiles of an image, down and across
	v         []float32 // [(f+2)², tiles of the part, cin], step floats from position to position, ld from tile to tile
	step, ld  int
	first, n  int // tiles of the part
	chunk     int // tiles of one job of stage 1
	blocks    int // of tiles, in stage 2
	multiply  bool
	groupSize int // panels of a group
	groups    int
}

var winograds freeList[winograd]

const (
	// Floats of transformed input that are made at a time, and bounds of the blocks of stage 2.
	maxTransformed = 3 << 20
	maxTileBlock   = 72
	panelGroup     = 2

	// Products in one float32 sum. The transform back multiplies the rounding of sums, which grows with their length, by
	// up to eleven: they are kept shorter than those of other products.
	winogradFold = 64
)

// winogradPart returns how many tiles are transformed at a time, of tiles in all, and the floats from one position to
// the next and from one tile to the next. Sixteen floats more keep them from falling on the same lines of the caches.
func winogradPart(f, cin, tiles int) (part, step, ld int) {
	side := f + 2
	part = max(maxTileBlock, maxTransformed/(side*side*cin))
	if part < tiles {
		parts := (tiles + part - 1) / part
		part = (tiles + parts - 1) / parts
	}
	part = min(part, tiles)
	ld = cin
	if cin%512 == 0 {
		ld += apart
	}
	return part, part*ld + apart, ld
}

func (p *winograd) run() {
	p.th, p.tw = (p.oh+p.f-1)/p.f, (p.ow+p.f-1)/p.f
	tiles, side := p.N*p.th*p.tw, p.f+2
	part, step, ld := winogradPart(p.f, p.cin, tiles)
	p.step, p.ld = step, ld
	for p.first = 0; p.first < tiles; p.first += part {
		p.n = min(part, tiles-p.first)
		p.multiply = false
		p.chunk = max(1, min(16, p.n/8))
		run(p, (p.n+p.chunk-1)/p.chunk, p.n*p.cin*side*side*4)
		p.multiply = true
		p.blocks = (p.n + maxTileBlock - 1) / maxTileBlock
		p.groupSize = panelGroup
		p.groups = (p.b[0].panels() + p.groupSize - 1) / p.groupSize
		run(p, p.blocks*p.groups, 2*side*side*p.n*p.cin*p.b[0].n)
	}
}

func (p *winograd) tile(i int) {
	if !p.multiply {
		for t := i * p.chunk; t < min((i+1)*p.chunk, p.n); t++ {
			p.transform(t)
		}
		return
	}
	// Neighbouring jobs share a group of filters.
	t0, t1 := span(p.n, p.blocks, i%p.blocks)
	g := i / p.blocks
	p.products(t0, t1, g*p.groupSize, min((g+1)*p.groupSize, p.b[0].panels()))
}

// at returns where a tile's first output pixel is: image, line, column.
func (p *winograd) at(tile int) (n, h, w int) {
	n, tile = tile/(p.th*p.tw), tile%(p.th*p.tw)
	return n, tile / p.tw * p.f, tile % p.tw * p.f
}

// transform transforms the input of tile t of the part.
func (p *winograd) transform(t int) {
	n, h, w := p.at(p.first + t)
	h, w = h-p.PadTop, w-p.PadLeft
	side, c := p.f+2, p.cin
	v := p.v[t*p.ld:]
	if h >= 0 && w >= 0 && h+side <= p.H && w+side <= p.W {
		p.set.WinogradIn(p.f, c, p.x[((n*p.H+h)*p.W+w)*c:], p.W*c, c, v, p.step)
		return
	}
	// At the border: a copy of the window with its zeros.
	buf := buffers32.get()
	window := buf.resized(side * side * c)
	clear(window)
	left, right := max(0, -w), min(side, p.W-w)
	for i := max(0, -h); i < min(side, p.H-h) && left < right; i++ {
		from := ((n*p.H+h+i)*p.W + w + left) * c
		copy(window[(i*side+left)*c:], p.x[from:from+(right-left)*c])
	}
	p.set.WinogradIn(p.f, c, window, side*c, c, v, p.step)
	buffers32.keep(buf)
}

// products computes panels j0 … j1-1 of tiles t0 … t1-1 of the part.
func (p *winograd) products(t0, t1, j0, j1 int) {
	rows := t1 - t0
	col, width := p.b[0].columns(j0, j1)
	buf, pixels := buffers32.get(), buffers32.get()
	step := rows*width + 16
	m := buf.resized(len(p.b) * step)
	for i := range p.b {
		b, c := &p.b[i], m[i*step:][:rows*width]
		for k0 := 0; k0 < b.k; k0 += b.depth(k0) {
			x := p.v[i*p.step+t0*p.ld+k0:]
			d := b.depth(k0)
			whole := d / winogradFold * winogradFold
			a := kernel.Left{X: x, M: rows, Stride: p.ld, Runs: whole / winogradFold, Run: winogradFold, Jump: winogradFold, Fold: true}
			for j := j0; j < j1; j++ {
				panel, w := b.panel(b.data, k0, j)
				c, n := c[j*b.nr-col:], min(w, b.n-j*b.nr)
				if whole > 0 {
					p.set.Panel(c, width, a, panel[:whole*w], n, nil, k0 > 0)
				}
				if whole < d {
					p.set.Panel(c, width, kernel.Matrix(x[whole:], rows, d-whole, p.ld), panel[whole*w:], n, nil, k0+whole > 0)
				}
			}
		}
	}
	for t := range rows {
		p.back(pixels, p.first+t0+t, m[t*width:], step, col, width)
	}
	buffers32.keep(buf)
	buffers32.keep(pixels)
}

// back transforms the products of a tile into pixels of y: directly, or by way of buf where the tile reaches beyond the
// image or y holds what will be added.
func (p *winograd) back(buf *buffer[float32], tile int, m []float32, step, col, width int) {
	n, h, w := p.at(tile)
	f, c := p.f, p.b[0].n
	pixel := (n*p.oh+h)*p.ow + w
	lines, columns := min(f, p.oh-h), min(f, p.ow-w)
	var bias []float32
	if p.b[0].bias != nil {
		bias = p.b[0].bias[col : col+width]
	}
	from, ld, line := p.y[pixel*c+col:], c, p.ow*c
	aside := p.end.aside || lines < f || columns < f
	if aside {
		from, ld, line = buf.resized(f*f*width), width, f*width
	}
	p.set.WinogradOut(f, width, m, step, from, line, ld, bias)
	for i := range lines {
		row0, from := pixel+i*p.ow, from[i*line:]
		if aside && p.end.none {
			for j := range columns {
				copy(p.y[(row0+j)*c+col:], from[j*ld:][:width])
			}
		}
		p.end.applyFrom(p.set, p.y, from, ld, row0, columns, col, width)
	}
}

// newFilters packs the filters [cout, cin, 3, 3] transformed, as a matrix [cin, cout] for each position.
func newFilters(src Source, form Form, cout, cin int) *weights {
	f := form.piece()
	m := matrices{count: (f + 2) * (f + 2), k: cin, line: cin, n: cout, fold: winogradFold}
	return newWeights(src, m, fmt.Sprintf("%v [%d %d]", form, cout, cin), func(to []packed, w []float32, j int) {
		packFilters(to, w, f, j)
	})
}

// packFilters fills panel j of every position. A row of all positions is made in one place first: the positions
// themselves often lie a power of two apart, where the cache holds few of them at a time.
func packFilters(to []packed, filters []float32, f, j int) {
	var rows [36][widestPanel]float32
	var u [36]float64
	var g [9]float64
	l := &to[0].layout
	col := j * l.nr
	for k0 := 0; k0 < l.k; k0 += l.depth(k0) {
		from, end, w := l.span(k0, j)
		n := min(w, l.n-col)
		for at, k := from, k0; at < end; at, k = at+w, k+1 {
			for c := range n {
				x := filters[((col+c)*l.k+k)*9:][:9]
				for i := range g {
					g[i] = float64(x[i])
				}
				kernel.WinogradFilter(f, u[:len(to)], &g)
				for i := range to {
					rows[i][c] = float32(u[i])
				}
			}
			for i := range to {
				copy(to[i].data[at:at+w], rows[i][:w]) // columns past n are zero
			}
		}
	}
}

// widestPanel is the largest NR of any kernel set.
const widestPanel = 32
