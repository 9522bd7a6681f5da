package tensor

import (
	"fmt"
	"math"

	"percept/tensor/internal/kernel"
)

// groupNorm is GroupNorm as a job of two stages over the same pieces: sums of each piece by group, then (on the
// caller) a scale and a shift for each channel, then their application.
type groupNorm struct {
	set          *kernel.Set
	y, x         []float32
	hw, c        int
	groups       int
	rows, pieces int       // rows of a piece; pieces of one image
	sums         []float64 // of each piece [2, c]: in the first groups of the c are sums, then sums of squares
	affine       []float32 // [n, 2, c]: scales and shifts
	act          Activation
	apply        bool
}

var groupNorms freeList[groupNorm]

// GroupNorm normalises each of groups runs of channels of x [n, hw, c] over pixels and channels, then scales by gamma
// [c] and adds beta [c]. Statistics are float64, the variance the biased one. y may be x.
func GroupNorm(y, x, gamma, beta []float32, n, hw, c, groups int, eps float32) {
	GroupNormWith(y, x, gamma, beta, n, hw, c, groups, eps, NoActivation)
}

// GroupNormWith is GroupNorm followed by an activation while the result is in the cache: the same bits as one after
// the other.
func GroupNormWith(y, x, gamma, beta []float32, n, hw, c, groups int, eps float32, act Activation) {
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
	*g = groupNorm{set: current.Load(), y: y, x: x, hw: hw, c: c, groups: groups, rows: rows, pieces: pieces, act: act,
		sums: sums.resized(n * pieces * 2 * c), affine: affine.resized(n * 2 * c)}
	run(g, n*pieces, 2*len(x))
	for i := range n {
		g.statistics(i, gamma, beta, float64(eps))
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
		fold(s[:c], g.groups)
		fold(s[c:], g.groups)
		return
	}
	a, y := g.affine[n*2*c:][:2*c], g.y[from:to]
	affine := g.set.Affine
	if g.act == ActSiLU {
		affine = g.set.AffineSiLU
	}
	for at := 0; at < len(y); at += c {
		affine(y[at:at+c], g.x[from+at:][:c], a[:c], a[c:])
	}
	if g.act != ActSiLU {
		g.act.apply(g.set, y)
	}
}

// fold adds up runs of s, of equal length, into its first n elements.
func fold(s []float64, n int) {
	per := len(s) / n
	for j := range n {
		sum := 0.0
		for _, v := range s[j*per : (j+1)*per] {
			sum += v
		}
		s[j] = sum
	}
}

// statistics turns the sums of image n into scales and shifts.
func (g *groupNorm) statistics(n int, gamma, beta []float32, eps float64) {
	c, per := g.c, g.c/g.groups
	count := float64(g.hw * per)
	a := g.affine[n*2*c:][:2*c]
	for j := range g.groups {
		var sum, square float64
		for p := n * g.pieces; p < (n+1)*g.pieces; p++ {
			sum += g.sums[p*2*c+j]
			square += g.sums[p*2*c+c+j]
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
