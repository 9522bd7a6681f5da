package tensor

import (
	"fmt"

	"percept/tensor/internal/kernel"
)

// gated is the job y = GEGLU(x·Wᵀ + b): a product whose result never lies in memory. A tile computes a few columns of
// both halves at a time, for a block of rows.
//
//	tile (rows × columns of y)
//	  for blocks of maxMC rows
//	    for groups of gatedCols columns of y
//	      both halves of the product into a buffer of the second-level cache
//	      for rows: first half · GELU(second half)
type gated struct {
	product
	half int // columns of y
}

// gatedCols is how many columns of each half are computed together: with maxMC rows 2 × 240 KiB, beside a block of A.
const gatedCols = 256

var gateds freeList[gated]

// ForwardGEGLU is Forward to [rows, out] followed by GEGLU; y [rows, out/2].
func (l *Linear) ForwardGEGLU(y, x []float32, rows int) {
	if l.out%2 != 0 {
		panic(fmt.Sprintf("tensor: Linear: GEGLU of %d columns, expected an even number", l.out))
	}
	need("Linear", "x", len(x), rows*l.in)
	need("Linear", "y", len(y), rows*l.out/2)
	p, set := gateds.get(), current.Load()
	b := l.w.of(set)
	*p = gated{product: product{set: set, b: b, c: y, a: x, m: rows}, half: l.out / 2}
	work := 2 * rows * b.n * b.k
	p.grid = newGrid(rows, maxMC/5, (p.half+b.nr-1)/b.nr, rows >= b.n, work)
	run(p, p.tiles(), work)
	gateds.put(p)
}

func (p *gated) tile(i int) {
	r0, r1, j0, j1 := p.at(i)
	blocks := (r1 - r0 + maxMC - 1) / maxMC
	nr := p.b.nr
	buf, b := buffers32.get(), p.b.open()
	for i := range blocks {
		b0, b1 := span(r1-r0, blocks, i)
		for col := j0 * nr; col < min(j1*nr, p.half); col += gatedCols {
			p.block(buf, b, r0+b0, r0+b1, col, min(col+gatedCols, j1*nr, p.half))
		}
	}
	buffers32.keep(buf)
	b.close()
}

// block computes rows r0 … r1-1 and columns c0 … c1-1 of y. The panels of the second half may begin before its first
// column.
func (p *gated) block(buf *buffer[float32], b *packed, r0, r1, c0, c1 int) {
	rows, nr := r1-r0, b.nr
	from := [2]int{c0 / nr, (p.half + c0) / nr}
	to := [2]int{(c1 + nr - 1) / nr, (p.half + c1 + nr - 1) / nr}
	ld := nr * (max(to[0]-from[0], to[1]-from[1]))
	c := buf.resized(2 * rows * ld)
	for k0 := 0; k0 < b.k; k0 += b.depth(k0) {
		a := kernel.Matrix(p.a[r0*b.k+k0:], rows, b.depth(k0), b.k)
		for h := range 2 {
			for j := from[h]; j < to[h]; j++ {
				b.multiply(p.set, c[h*rows*ld+(j-from[h])*nr:], ld, a, k0, j)
			}
		}
	}
	gate := c[rows*ld+p.half+c0-from[1]*nr:]
	for r := range rows {
		p.set.MulGELU(p.c[(r0+r)*p.half+c0:][:c1-c0], c[r*ld:][:c1-c0], gate[r*ld:][:c1-c0])
	}
}
