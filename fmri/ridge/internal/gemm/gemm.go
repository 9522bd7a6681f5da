// Package gemm multiplies float64 matrices several times faster than gonum does on
// processors with AVX2 or AVX-512: in tiles that stay in registers, from panels that stay
// in cache. On others it is gonum's.
package gemm

import (
	"fmt"
	"sync"
	"sync/atomic"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"

	"percept/tensor"
)

// Sizes of what is worked on at once, in elements. The depth keeps a panel of each matrix
// in the second-level cache; rows and columns are multiples of every kernel's tile.
const (
	depth      = 256
	blockRows  = 96
	jobRows    = 4 * blockRows
	jobCols    = 264
	smallest   = 1 << 21 // multiplications below which starting goroutines does not pay
	widestTile = 8 * 24
)

// Gemm sets c = alpha·op(a)·op(b) + beta·c, where op transposes if told to; blas64.Gemm in
// all but speed. The result does not depend on the number of threads.
func Gemm(tA, tB blas.Transpose, alpha float64, a, b blas64.General, beta float64, c blas64.General) {
	m, k := a.Rows, a.Cols
	if tA != blas.NoTrans {
		m, k = k, m
	}
	kB, n := b.Rows, b.Cols
	if tB != blas.NoTrans {
		kB, n = n, kB
	}
	if k != kB || c.Rows != m || c.Cols != n {
		panic(fmt.Sprintf("gemm: product of %d×%d and %d×%d into %d×%d", m, k, kB, n, c.Rows, c.Cols))
	}
	if m == 0 || n == 0 {
		return
	}
	micro, ok := kernel()
	if !ok || k == 0 {
		blas64.Gemm(tA, tB, alpha, a, b, beta, c)
		return
	}
	p := product{a: a, b: b, c: c, tA: tA != blas.NoTrans, tB: tB != blas.NoTrans, k: k, alpha: alpha, beta: beta, micro: micro}
	rowJobs, colJobs := (m+jobRows-1)/jobRows, (n+jobCols-1)/jobCols
	job := func(i int) {
		r, s := i/colJobs*jobRows, i%colJobs*jobCols
		p.part(r, min(r+jobRows, m), s, min(s+jobCols, n))
	}
	jobs := rowJobs * colJobs
	workers := min(jobs, tensor.Threads())
	if workers <= 1 || m*n*k < smallest {
		for i := range jobs {
			job(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := int(next.Add(1) - 1); i < jobs; i = int(next.Add(1) - 1) {
				job(i)
			}
		})
	}
	wg.Wait()
}

type product struct {
	a, b, c     blas64.General
	tA, tB      bool
	k           int
	alpha, beta float64
	micro
}

// panels are the packed copies that one goroutine works from.
type panels struct {
	a    [depth * blockRows]float64
	b    [depth * jobCols]float64
	tile [widestTile]float64
}

var spare = sync.Pool{New: func() any { return new(panels) }}

// part computes rows r0 to r1 and columns s0 to s1 of c.
func (p *product) part(r0, r1, s0, s1 int) {
	for i := r0; i < r1; i++ {
		row := p.c.Data[i*p.c.Stride+s0 : i*p.c.Stride+s1]
		switch p.beta {
		case 0:
			clear(row)
		case 1:
		default:
			for j := range row {
				row[j] *= p.beta
			}
		}
	}
	buf := spare.Get().(*panels)
	defer spare.Put(buf)
	for k0 := 0; k0 < p.k; k0 += depth {
		k1 := min(k0+depth, p.k)
		for s := s0; s < s1; s += p.nr {
			pack(buf.b[(s-s0)*(k1-k0):], p.b, !p.tB, s, min(s+p.nr, s1), k0, k1, p.nr)
		}
		for i0 := r0; i0 < r1; i0 += blockRows {
			i1 := min(i0+blockRows, r1)
			for i := i0; i < i1; i += p.mr {
				pack(buf.a[(i-i0)*(k1-k0):], p.a, p.tA, i, min(i+p.mr, i1), k0, k1, p.mr)
			}
			for s := s0; s < s1; s += p.nr {
				b := &buf.b[(s-s0)*(k1-k0)]
				for i := i0; i < i1; i += p.mr {
					p.run(&buf.tile[0], &buf.a[(i-i0)*(k1-k0)], b, k1-k0)
					p.add(&buf.tile, i, min(i+p.mr, i1), s, min(s+p.nr, s1))
				}
			}
		}
	}
}

// add adds alpha times the tile at rows i0 to i1 and columns s0 to s1 of c; the rest of
// the tile is padding.
func (p *product) add(tile *[widestTile]float64, i0, i1, s0, s1 int) {
	for i := i0; i < i1; i++ {
		row := p.c.Data[i*p.c.Stride+s0 : i*p.c.Stride+s1]
		from := tile[(i-i0)*p.nr:][:len(row)]
		for j, v := range from {
			row[j] += p.alpha * v
		}
	}
}

// pack copies vectors v0 to v1 of g, elements k0 to k1 of each, next to one another and
// padded with zeros to width: dst[(k−k0)·width + v−v0]. Vectors are the rows of g, or its
// columns if cols.
func pack(dst []float64, g blas64.General, cols bool, v0, v1, k0, k1, width int) {
	dst = dst[:(k1-k0)*width]
	if v1-v0 < width {
		clear(dst)
	}
	if cols {
		for k := k0; k < k1; k++ {
			copy(dst[(k-k0)*width:], g.Data[k*g.Stride+v0:k*g.Stride+v1])
		}
		return
	}
	for v := v0; v < v1; v++ {
		at := v - v0
		for _, x := range g.Data[v*g.Stride+k0 : v*g.Stride+k1] {
			dst[at] = x
			at += width
		}
	}
}
