package linalg

import (
	"unsafe"

	"percept/tensor"
	"percept/tensor/internal/kernel"
)

// Mul sets C = alpha·A·B + beta·C.
//
//	c  [m, n]
//	a  [m, k]
//	b  [k, n]
//
// With beta 0 what C held does not matter, nor do A and B with alpha 0.
func Mul[E Float](c Matrix[E], alpha E, a, b Matrix[E], beta E) {
	a.check("Mul", "A")
	b.need("Mul", "B", a.Cols, b.Cols)
	c.need("Mul", "C", a.Rows, b.Cols)
	if c.Trans {
		c, a, b = c.T(), b.T(), a.T()
	}
	multiply(c, alpha, a, b, beta, false)
}

// Gram sets C = alpha·X·Xᵀ + beta·C for a symmetric C [n, n] and X [n, k], at half the cost of Mul: of C it reads and
// computes the lower triangle, which is then copied to the upper one. Gram of X.T() is XᵀX.
func Gram[E Float](c Matrix[E], alpha E, x Matrix[E], beta E) {
	GramLower(c, alpha, x, beta)
	Mirror(c)
}

// GramLower is Gram for the lower triangle alone, BLAS's rank-k update: the rest of C is neither read nor written.
func GramLower[E Float](c Matrix[E], alpha E, x Matrix[E], beta E) {
	x.check("Gram", "X")
	c.need("Gram", "C", x.Rows, x.Rows)
	c.needPlain("Gram", "C")
	multiply(c, alpha, x, x.T(), beta, true)
}

// product is one call of Mul or Gram, C = alpha·A·B + beta·C.
//
//	for chunks of B's columns
//	  for blocks of depth            sums of at most maxDepth products
//	    for chunks of A's rows
//	      pack A's block by rows, B's by panels, each once, in tiles
//	      for tiles of C             a block of A stays in the second-level cache
//	        for panels of B
//	          kernel
type product[E Float] struct {
	kernels     *kernel.Algebra[E]
	c, a, b     Matrix[E]
	alpha, beta E
	lower       bool // the triangle alone

	left, right space[E]

	// What is worked on: rows i0 … i1-1, columns j0 … j1-1, depth from k0 on.
	i0, i1, j0, j1, k0, depth int

	blockRows, rowBlocks int // the height of a block of A, and how many there are
	group                int // panels in a tile
	a0                   []E // row i0 of A from k0 on, packed or where it was
	lda                  int
	packed               bool // A is
	packing              bool // else multiplying
}

// Sizes of what is worked on at once. They were the fastest of those around them for products of some thousand rows,
// on a processor with 1 MiB of second-level cache.
const (
	maxDepth  = 512
	leftBytes = 240 * maxDepth * 4 // of a block of A: with the panels that pass it fills the second-level cache
	maxGroup  = 16                 // panels in a tile
	goodTiles = 16                 // below which tiles are made smaller
	fewPanels = 4                  // up to which A is read where it is
)

// maxChunk is how many rows of A and columns of B are packed at once; a test makes it small.
var maxChunk = 8192

func multiply[E Float](c Matrix[E], alpha E, a, b Matrix[E], beta E, lower bool) {
	m, n, k := c.Rows, c.Cols, a.Cols
	if m == 0 || n == 0 {
		return
	}
	if alpha == 0 {
		k = 0
	}
	e := engineOf[E]()
	p := e.products.get()
	p.kernels, p.c, p.a, p.b, p.alpha, p.beta, p.lower = e.kernels(), c, a, b, alpha, beta, lower
	if k == 0 {
		p.scale(0, m, 0, n)
	}
	for j0 := 0; j0 < n && k > 0; j0 += maxChunk {
		p.j0, p.j1 = j0, min(j0+maxChunk, n)
		for i := range parts(k, maxDepth) {
			from, to := span(k, parts(k, maxDepth), i)
			p.k0, p.depth = from, to-from
			right := true // has to be packed
			for i0 := 0; i0 < m; i0 += maxChunk {
				p.i0, p.i1 = i0, min(i0+maxChunk, m)
				if !lower || p.i1 > p.j0 {
					p.chunk(right)
					right = false
				}
			}
		}
	}
	p.c, p.a, p.b, p.a0 = Matrix[E]{}, Matrix[E]{}, Matrix[E]{}, nil
	e.products.put(p)
}

// chunk adds the products of one block of A and one of B; with right, B is packed first.
func (p *product[E]) chunk(right bool) {
	m, n := p.i1-p.i0, p.j1-p.j0
	panels := parts(n, p.kernels.NR)
	var e E
	p.blockRows = leftBytes / (maxDepth * int(unsafe.Sizeof(e)))
	p.rowBlocks = parts(m, p.blockRows)
	for p.group = maxGroup; p.group > 1 && p.rowBlocks*parts(panels, p.group) < goodTiles; {
		p.group /= 2
	}
	groups := parts(panels, p.group)
	pack := 0
	p.packed = p.a.Trans || panels > fewPanels
	if p.packed {
		p.lda = padded(p.depth, int(64/unsafe.Sizeof(e)))
		p.a0 = p.left.resized(m * p.lda)
		pack = p.rowBlocks
	} else {
		p.lda, p.a0 = p.a.Stride, p.a.Data[p.i0*p.a.Stride+p.k0:]
	}
	if right {
		p.right.resized(p.depth * panels * p.kernels.NR)
		pack += groups
	}
	p.packing = true
	tensor.Share(p, pack, m*p.depth+n*p.depth)
	p.packing = false
	tensor.Share(p, p.rowBlocks*groups, 2*m*n*p.depth)
}

// padded rounds n up to an odd number of cache lines of line elements, so that rows that far apart do not share the
// few places of the cache that a power of two would give them.
func padded(n, line int) int { return (parts(n, line) | 1) * line }

// Tile packs, or computes rows of a block and panels of a group.
func (p *product[E]) Tile(i int) {
	switch {
	case !p.packing:
		groups := parts(parts(p.j1-p.j0, p.kernels.NR), p.group)
		p.multiply(i/groups, i%groups)
	case !p.packed:
		p.packRight(i)
	case i < p.rowBlocks:
		from, to := p.block(i)
		packLeft(p.a0[(from-p.i0)*p.lda:], p.lda, &p.a, from, to-from, p.k0, p.depth)
	default:
		p.packRight(i - p.rowBlocks)
	}
}

// panel returns the packed panel that begins at column j, its width, and how many columns of C it makes.
func (p *product[E]) panel(j int) (b []E, w, n int) {
	n = min(p.kernels.NR, p.j1-j)
	w = panelWidth(p.kernels, n)
	return p.right.data[(j-p.j0)*p.depth:][:p.depth*w], w, n
}

// block returns where a block of A begins and ends.
func (p *product[E]) block(i int) (from, to int) {
	return p.i0 + i*p.blockRows, min(p.i0+(i+1)*p.blockRows, p.i1)
}

// columns returns where the panels of a group begin and end.
func (p *product[E]) columns(group int) (from, to int) {
	wide := p.group * p.kernels.NR
	return p.j0 + group*wide, min(p.j0+(group+1)*wide, p.j1)
}

func (p *product[E]) packRight(group int) {
	from, to := p.columns(group)
	for j := from; j < to; j += p.kernels.NR {
		b, w, n := p.panel(j)
		packRight(b, w, &p.b, p.k0, p.depth, j, n, p.alpha)
	}
}

func (p *product[E]) multiply(block, group int) {
	r0, r1 := p.block(block)
	from, to := p.columns(group)
	if p.lower {
		to = min(to, r1)
	}
	add := p.k0 > 0 || p.beta != 0
	if p.k0 == 0 && p.beta != 0 {
		p.scale(r0, r1, from, to)
	}
	for j := from; j < to; j += p.kernels.NR {
		b, _, n := p.panel(j)
		top := r0
		if p.lower {
			top = min(max(r0, j+n), r1)
			p.corner(max(r0, j), top, j, b, n, add)
		}
		p.rows(top, r1, j, b, n, add)
	}
}

// rows computes rows r0 … r1-1 of the panel at column j.
func (p *product[E]) rows(r0, r1, j int, b []E, n int, add bool) {
	if r0 < r1 {
		p.kernels.Panel(p.c.Data[r0*p.c.Stride+j:], p.c.Stride, p.a0[(r0-p.i0)*p.lda:], r1-r0, p.depth, p.lda, b, n, add)
	}
}

// corner computes rows r0 … r1-1 of the panel at column j, which the diagonal crosses, up to the diagonal.
func (p *product[E]) corner(r0, r1, j int, b []E, n int, add bool) {
	if r0 >= r1 {
		return
	}
	spaces := &engineOf[E]().spaces
	s := spaces.get()
	full := s.resized((r1 - r0) * n)
	p.kernels.Panel(full, n, p.a0[(r0-p.i0)*p.lda:], r1-r0, p.depth, p.lda, b, n, false)
	for i := r0; i < r1; i++ {
		c := p.c.line(i, j, i+1)
		for l, v := range full[(i-r0)*n:][:len(c)] {
			if add {
				v += c[l]
			}
			c[l] = v
		}
	}
	spaces.put(s)
}

// scale multiplies part of C by beta, or of its triangle; zero wipes out anything.
func (p *product[E]) scale(r0, r1, from, to int) {
	for i := r0; i < r1 && p.beta != 1; i++ {
		end := to
		if p.lower {
			end = min(to, i+1)
		}
		if end <= from {
			continue
		}
		row := p.c.line(i, from, end)
		if p.beta == 0 {
			clear(row)
			continue
		}
		for j := range row {
			row[j] *= p.beta
		}
	}
}
