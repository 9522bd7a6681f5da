package tensor

import "percept/tensor/internal/kernel"

// product is the job C = A·B + bias with B packed.
//
//	tile (rows × panels of the grid)
//	  for blocks of maxMC rows       a block of A stays in the second-level cache
//	    for blocks of B's rows       sums of at most maxKC products
//	      for panels                 B streams past
//	        kernel: row tiles
//	    epilogue                     while the block of C is in the cache
type product struct {
	set *kernel.Set
	b   *packed
	c   []float32 // [m, n]
	a   []float32 // [m, k], rows lda floats apart
	lda int
	m   int
	end ending
	grid
}

// Rows of A in one block: with maxKC about 370 KiB.
const maxMC = 240

func (p *product) run() {
	work := 2 * p.m * p.b.n * p.b.k
	p.grid = newGrid(p.m, maxMC/5, p.b.panels(), p.m >= p.b.n, work)
	p.lda = p.b.k
	if !aliases(p.lda) || p.m < fewRows || p.b.n < fewColumns {
		run(p, p.tiles(), work)
		return
	}
	buf, s := buffers32.get(), spreadings.get()
	*s = spreading{x: p.a, y: buf.resized(p.m * (p.lda + apart)), k: p.lda}
	run(s, (p.m+spreadRows-1)/spreadRows, p.m*p.lda)
	p.a, p.lda = s.y, p.lda+apart
	run(p, p.tiles(), work)
	spreadings.put(s)
	buffers32.keep(buf)
}

// Rows of A that lie a multiple of 4 KiB apart fall on one set of the first-level cache, which has room for eight of
// the dozen that a kernel reads at once. Where B is wide enough to pay for it A is copied to rows that are a line
// further apart. At 2 KiB, with two sets, the copy costs what it gains.
func aliases(lda int) bool { return lda%1024 == 0 }

// Products of at most so many rows wait for B, which each of them reads from memory.
const coldRows = 128

const (
	apart      = 16 // floats
	fewRows    = 8
	fewColumns = 256
	spreadRows = 8 // of a tile
)

// spreading is the job of copying rows of k floats to rows that are farther apart.
type spreading struct {
	x, y []float32
	k    int
}

var spreadings freeList[spreading]

func (s *spreading) tile(i int) {
	for r := i * spreadRows; r < min((i+1)*spreadRows, len(s.x)/s.k); r++ {
		copy(s.y[r*(s.k+apart):], s.x[r*s.k:(r+1)*s.k])
	}
}

func (p *product) tile(i int) {
	r0, r1, j0, j1 := p.at(i)
	blocks := (r1 - r0 + maxMC - 1) / maxMC
	buf, b := buffers32.get(), p.b.open()
	for i := range blocks {
		b0, b1 := span(r1-r0, blocks, i)
		p.block(buf, b, r0+b0, r0+b1, j0, j1)
	}
	buffers32.keep(buf)
	b.close()
}

// block computes rows r0 … r1-1 of panels j0 … j1-1.
func (p *product) block(buf *buffer[float32], b *packed, r0, r1, j0, j1 int) {
	col0, cols := b.columns(j0, j1)
	c, ldc := p.end.landing(buf, p.c, r0, r1-r0, col0, cols)
	for k0 := 0; k0 < b.k; k0 += b.depth(k0) {
		a := kernel.Matrix(p.a[r0*p.lda+k0:], r1-r0, b.depth(k0), p.lda)
		a.Ahead = p.m <= coldRows
		for j := j0; j < j1; j++ {
			b.multiply(p.set, c[j*b.nr-col0:], ldc, a, k0, j)
		}
	}
	p.end.applyFrom(p.set, p.c, c, ldc, r0, r1-r0, col0, cols)
}

// columns returns the columns of panels j0 … j1-1: the first, and how many.
func (b *packed) columns(j0, j1 int) (first, n int) { return j0 * b.nr, min(j1*b.nr, b.n) - j0*b.nr }

// multiply adds a times panel j of the block at row k0 to c, whose rows are ldc floats apart, or begins c with it and
// the bias.
func (b *packed) multiply(set *kernel.Set, c []float32, ldc int, a kernel.Left, k0, j int) {
	col := j * b.nr
	var bias []float32
	if b.bias != nil && k0 == 0 {
		bias = b.bias[col:min(col+b.nr, b.width)]
	}
	set.Panel(c, ldc, a, b.block32(set, k0, j), min(b.nr, b.n-col), bias, k0 > 0)
}

// grid cuts a result of rows × panels into tiles. How it is cut changes no bit of the result.
type grid struct {
	rows, panels         int
	rowTiles, panelTiles int
}

// newGrid cuts the result into a few tiles for each thread, so that one that is held up does not hold up the rest,
// with least rows in a tile where there are so many. It cuts the rows first with byRows, otherwise the panels; each tile
// reads all of the operand on the other side, so that should be the smaller one.
func newGrid(rows, least, panels int, byRows bool, work int) grid {
	g := grid{rows: rows, panels: panels, rowTiles: 1, panelTiles: 1}
	t := Threads()
	if t == 1 || work < serialWork {
		return g
	}
	want := min(tilesPerThread*t, max(t, work/1_000_000))
	mostRows := max(1, rows/least)
	if byRows {
		g.rowTiles = min(want, mostRows)
		g.panelTiles = evenly(panels, (want+g.rowTiles-1)/g.rowTiles)
	} else {
		g.panelTiles = evenly(panels, want)
		g.rowTiles = min((want+g.panelTiles-1)/g.panelTiles, mostRows)
	}
	return g
}

// tilesPerThread is how finely work is cut: what a thread may have to wait for another at the end is one tile.
const tilesPerThread = 8

// evenly returns the greatest number of parts up to most into which n things can be cut so that only the last has fewer.
func evenly(n, most int) int {
	per := (n + most - 1) / most
	return (n + per - 1) / per
}

func (g *grid) tiles() int { return g.rowTiles * g.panelTiles }

// at returns the rows r0 … r1-1 and panels j0 … j1-1 of tile i.
func (g *grid) at(i int) (r0, r1, j0, j1 int) {
	r0, r1 = span(g.rows, g.rowTiles, i/g.panelTiles)
	j0, j1 = span(g.panels, g.panelTiles, i%g.panelTiles)
	return r0, r1, j0, j1
}

// span returns the bounds of part i of n things cut into parts of nearly equal size.
func span(n, parts, i int) (from, to int) { return n * i / parts, n * (i + 1) / parts }
