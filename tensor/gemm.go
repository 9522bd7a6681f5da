package tensor

import "percept/tensor/internal/kernel"

// product is the job C = A·B + bias with B packed. A [m, k] is either a matrix in memory, or what conv makes of an
// image: then tiles gather a block of it at a time into a buffer.
//
//	tile (rows × panels of the grid)
//	  for blocks of mc rows          a block of A stays in the second-level cache
//	    for blocks of kc             sums of at most maxKC products
//	      for panels                 B streams past
//	        kernel: row tiles
type product struct {
	set  *kernel.Set
	b    *packed
	c    []float32 // [m, n]
	a    []float32 // [m, lda]; unused with conv
	lda  int
	m    int
	conv *gather

	rowTiles, panelTiles int
}

// Rows of A in one block: with maxKC about 370 KiB.
const maxMC = 240

// runProduct cuts the product into tiles and runs it. How it is cut changes no bit of the result.
func (p *product) run() {
	p.set = current.Load()
	work := 2 * p.m * p.b.n * p.b.k
	p.rowTiles, p.panelTiles = 1, 1
	if t := Threads(); t > 1 && work >= serialWork {
		p.cut(t, work)
	}
	run(p, p.rowTiles*p.panelTiles, work)
}

// cut chooses the grid: a few tiles for each thread, so that one that is held up does not hold up the rest. It
// cuts the side whose operand is the smaller, since each tile reads all of the other.
func (p *product) cut(threads, work int) {
	want := min(4*threads, max(threads, work/1_000_000))
	rows, cols := max(1, p.m/48), p.b.panels()
	if p.m >= p.b.n {
		p.rowTiles = min(want, rows)
		p.panelTiles = min((want+p.rowTiles-1)/p.rowTiles, cols)
	} else {
		p.panelTiles = min(want, cols)
		p.rowTiles = min((want+p.panelTiles-1)/p.panelTiles, rows)
	}
}

func (p *product) tile(i int) {
	r, q := i/p.panelTiles, i%p.panelTiles
	r0, r1 := span(p.m, p.rowTiles, r)
	j0, j1 := span(p.b.panels(), p.panelTiles, q)
	blocks := max(1, (r1-r0+maxMC-1)/maxMC)
	var buf *buffer[float32]
	if p.conv != nil {
		buf = buffers32.get()
		defer buffers32.keep(buf)
	}
	for i := range blocks {
		b0, b1 := span(r1-r0, blocks, i)
		p.block(buf, r0+b0, r0+b1, j0, j1)
	}
}

// block computes rows r0 … r1-1 of panels j0 … j1-1.
func (p *product) block(buf *buffer[float32], r0, r1, j0, j1 int) {
	b := p.b
	for k0 := 0; k0 < b.k; k0 += b.kc {
		kc := min(b.kc, b.k-k0)
		a, lda := p.a, p.lda
		if p.conv != nil {
			a, lda = buf.resized((r1-r0)*kc), kc
			p.conv.rows(a, r0, r1, k0, kc)
		} else {
			a = a[r0*lda+k0:]
		}
		for j := j0; j < j1; j++ {
			panel, w := b.panel(b.data, k0, j)
			col := j * b.nr
			var bias []float32
			if b.bias != nil && k0 == 0 {
				bias = b.bias[col : col+w]
			}
			p.set.Panel(p.c[r0*b.n+col:], b.n, a, lda, r1-r0, kc, panel, min(w, b.n-col), bias, k0 > 0)
		}
	}
}

// span returns the bounds of part i of n things cut into parts of nearly equal size.
func span(n, parts, i int) (from, to int) { return n * i / parts, n * (i + 1) / parts }
