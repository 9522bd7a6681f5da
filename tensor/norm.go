package tensor

import (
	"fmt"
	"math"

	"percept/tensor/internal/kernel"
)

// groupNorm is GroupNorm as a job of three stages over the same pieces: column sums of each piece, then (on the
// caller) a scale and a shift for each channel, then their application.
type groupNorm struct {
	set          *kernel.Set
	y, x         []float32
	hw, c        int
	rows, pieces int // rows of a piece; pieces of one image
	sums         []float64
	affine       []float32 // [n, 2, c]: scales and shifts
	apply        bool
}

var groupNorms freeList[groupNorm]

// GroupNorm normalises each of groups runs of channels of x [n, hw, c] over pixels and channels, then scales by gamma
// [c] and adds beta [c]. Statistics are float64, the variance the biased one. y may be x.
func GroupNorm(y, x, gamma, beta []float32, n, hw, c, groups int, eps float32) {
	if groups < 1 || c%groups != 0 {
		panic(fmt.Sprintf("tensor: GroupNorm: %d channels do not divide into %d groups", c, groups))
	}
	need("GroupNorm", "y", len(y), n*hw*c)
	need("GroupNorm", "x", len(x), n*hw*c)
	need("GroupNorm", "gamma", len(gamma), c)
	need("GroupNorm", "beta", len(beta), c)
	// The pieces depend on the shape alone: they are the blocks of the sums.
	rows := max(1, chunk/c)
	pieces := (hw + rows - 1) / rows
	sums, affine := buffers64.get(), buffers32.get()
	g := groupNorms.get()
	*g = groupNorm{set: current.Load(), y: y, x: x, hw: hw, c: c, rows: rows, pieces: pieces,
		sums: sums.resized(n * pieces * 2 * c), affine: affine.resized(n * 2 * c)}
	run(g, n*pieces, 2*len(x))
	for i := range n {
		g.statistics(i, gamma, beta, groups, float64(eps))
	}
	g.apply = true
	run(g, n*pieces, 2*len(x))
	groupNorms.put(g)
	buffers64.keep(sums)
	buffers32.keep(affine)
}

func (g *groupNorm) tile(i int) {
	n, p := i/g.pieces, i%g.pieces
	c := g.c
	from, to := (n*g.hw+p*g.rows)*c, (n*g.hw+min((p+1)*g.rows, g.hw))*c
	if !g.apply {
		s := g.sums[i*2*c:][:2*c]
		clear(s)
		g.set.Moments(s[:c], s[c:], g.x[from:to], c)
		return
	}
	a := g.affine[n*2*c:][:2*c]
	for ; from < to; from += c {
		g.set.Affine(g.y[from:from+c], g.x[from:from+c], a[:c], a[c:])
	}
}

// statistics turns the sums of image n into scales and shifts.
func (g *groupNorm) statistics(n int, gamma, beta []float32, groups int, eps float64) {
	c, per := g.c, g.c/groups
	total := g.sums[n*g.pieces*2*c:][:2*c]
	for p := 1; p < g.pieces; p++ {
		for i, v := range g.sums[(n*g.pieces+p)*2*c:][:2*c] {
			total[i] += v
		}
	}
	count := float64(g.hw * per)
	a := g.affine[n*2*c:][:2*c]
	for j := range groups {
		var sum, square float64
		for i := j * per; i < (j+1)*per; i++ {
			sum += total[i]
			square += total[c+i]
		}
		mean := sum / count
		rstd := 1 / math.Sqrt(max(0, square/count-mean*mean)+eps)
		for i := j * per; i < (j+1)*per; i++ {
			s := float64(gamma[i]) * rstd
			a[i] = float32(s)
			a[c+i] = float32(float64(beta[i]) - mean*s)
		}
	}
}

type layerNorm struct {
	set               *kernel.Set
	y, x, gamma, beta []float32
	rows, c, per      int
	eps               float64
}

var layerNorms freeList[layerNorm]

// LayerNorm normalises each row of x [rows, c], then scales by gamma [c] and adds beta [c]. Statistics are float64,
// the variance the biased one. y may be x.
func LayerNorm(y, x, gamma, beta []float32, rows, c int, eps float32) {
	need("LayerNorm", "y", len(y), rows*c)
	need("LayerNorm", "x", len(x), rows*c)
	need("LayerNorm", "gamma", len(gamma), c)
	need("LayerNorm", "beta", len(beta), c)
	l := layerNorms.get()
	*l = layerNorm{set: current.Load(), y: y, x: x, gamma: gamma, beta: beta, rows: rows, c: c,
		per: max(1, chunk/c), eps: float64(eps)}
	run(l, (rows+l.per-1)/l.per, 4*len(x))
	layerNorms.put(l)
}

func (l *layerNorm) tile(i int) {
	c := l.c
	for r := i * l.per; r < min((i+1)*l.per, l.rows); r++ {
		x := l.x[r*c : (r+1)*c]
		sum, square := l.set.Sums(x)
		mean := sum / float64(c)
		rstd := 1 / math.Sqrt(max(0, square/float64(c)-mean*mean)+l.eps)
		l.set.Norm(l.y[r*c:(r+1)*c], x, l.gamma, l.beta, float32(mean), float32(rstd))
	}
}
