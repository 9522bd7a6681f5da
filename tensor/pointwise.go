package tensor

import "percept/tensor/internal/kernel"

// An op of pointwise: one pass over memory, cut into pieces of chunk floats or rows.
type pointwiseOp uint8

const (
	opAdd pointwiseOp = iota
	opSiLU
	opGELU
	opQuickGELU
	opGEGLU
	opAddChannels
	opConcat
	opUpsample2x
	opFirst
)

// pointwise is the job of the elementwise operations; what its fields mean depends on op.
type pointwise struct {
	op      pointwiseOp
	set     *kernel.Set
	y, a, b []float32
	rows    int // units of work: floats, or rows
	per     int // units of one tile
	ca, cb  int // channels of a and b
	h, w    int // of the images, in units of rows
}

var pointwises freeList[pointwise]

// chunk is about how many floats a tile has.
const chunk = 1 << 14

func runPointwise(op pointwiseOp, y, a, b []float32, rows, ca, cb, h, w, costPerRow int) {
	p := pointwises.get()
	*p = pointwise{op: op, set: current.Load(), y: y, a: a, b: b, rows: rows, ca: ca, cb: cb, h: h, w: w}
	p.per = max(1, chunk/max(1, ca+cb))
	run(p, (rows+p.per-1)/p.per, rows*costPerRow)
	pointwises.put(p)
}

func (p *pointwise) tile(i int) {
	from, to := i*p.per, min((i+1)*p.per, p.rows)
	switch p.op {
	case opAdd:
		p.set.Add(p.y[from:to], p.a[from:to], p.b[from:to])
	case opSiLU:
		p.set.Sigmul(p.y[from:to], p.a[from:to], 1)
	case opGELU:
		p.set.GELU(p.y[from:to], p.a[from:to])
	case opQuickGELU:
		p.set.Sigmul(p.y[from:to], p.a[from:to], 1.702)
	case opGEGLU:
		c := p.ca
		for r := from; r < to; r++ {
			x := p.a[2*r*c:][:2*c]
			p.set.MulGELU(p.y[r*c:(r+1)*c], x[:c], x[c:])
		}
	case opAddChannels:
		c := p.ca
		for r := from; r < to; r++ {
			e := p.b[r/p.h*c:][:c]
			p.set.Add(p.y[r*c:(r+1)*c], p.a[r*c:(r+1)*c], e)
		}
	case opConcat:
		ca, cb := p.ca, p.cb
		for r := from; r < to; r++ {
			y := p.y[r*(ca+cb):][:ca+cb]
			copy(y, p.a[r*ca:(r+1)*ca])
			copy(y[ca:], p.b[r*cb:(r+1)*cb])
		}
	case opUpsample2x:
		p.upsample(from, to)
	case opFirst:
		for r := from; r < to; r++ {
			copy(p.y[r*p.ca:(r+1)*p.ca], p.a[r*p.cb:])
		}
	}
}

// Add computes y = a + b. y may be a or b.
func Add(y, a, b []float32) {
	need("Add", "a", len(a), len(y))
	need("Add", "b", len(b), len(y))
	runPointwise(opAdd, y, a, b, len(y), 1, 0, 0, 0, 1)
}

// AddChannels computes y = x + e, with e [n, c] added to every pixel of x [n, hw, c]. y may be x.
func AddChannels(y, x, e []float32, n, hw, c int) {
	need("AddChannels", "y", len(y), n*hw*c)
	need("AddChannels", "x", len(x), n*hw*c)
	need("AddChannels", "e", len(e), n*c)
	runPointwise(opAddChannels, y, x, e, n*hw, c, 0, hw, 0, c)
}

// Concat joins a [rows, ca] and b [rows, cb] to y [rows, ca+cb].
func Concat(y, a, b []float32, rows, ca, cb int) {
	need("Concat", "y", len(y), rows*(ca+cb))
	need("Concat", "a", len(a), rows*ca)
	need("Concat", "b", len(b), rows*cb)
	runPointwise(opConcat, y, a, b, rows, ca, cb, 0, 0, ca+cb)
}

// FirstChannels copies the first k channels of x [rows, c] to y [rows, k].
func FirstChannels(y, x []float32, rows, c, k int) {
	need("FirstChannels", "y", len(y), rows*k)
	need("FirstChannels", "x", len(x), rows*c)
	runPointwise(opFirst, y, x, nil, rows, k, c, 0, 0, k)
}

// SiLU computes y = x·sigmoid(x). y may be x.
func SiLU(y, x []float32) {
	need("SiLU", "x", len(x), len(y))
	runPointwise(opSiLU, y, x, nil, len(y), 1, 0, 0, 0, 8)
}

// GELU computes y = x·Φ(x), Φ the normal distribution function by erf (not the tanh approximation). y may be x.
func GELU(y, x []float32) {
	need("GELU", "x", len(x), len(y))
	runPointwise(opGELU, y, x, nil, len(y), 1, 0, 0, 0, 8)
}

// QuickGELU computes y = x·sigmoid(1.702·x), the activation of CLIP. y may be x.
func QuickGELU(y, x []float32) {
	need("QuickGELU", "x", len(x), len(y))
	runPointwise(opQuickGELU, y, x, nil, len(y), 1, 0, 0, 0, 8)
}

// GEGLU computes y [rows, c] = x[:, :c]·GELU(x[:, c:]) from x [rows, 2c].
func GEGLU(y, x []float32, rows, c int) {
	need("GEGLU", "y", len(y), rows*c)
	need("GEGLU", "x", len(x), rows*2*c)
	runPointwise(opGEGLU, y, x, nil, rows, c, 0, 0, 0, 8*c)
}

// Upsample2x doubles height and width of x [n, h, w, c] by nearest neighbour; y [n, 2h, 2w, c].
func Upsample2x(y, x []float32, n, h, w, c int) {
	need("Upsample2x", "x", len(x), n*h*w*c)
	need("Upsample2x", "y", len(y), n*4*h*w*c)
	runPointwise(opUpsample2x, y, x, nil, n*h, w*c, 0, h, w, 4*w*c)
}

// upsample doubles input lines from … to-1.
func (p *pointwise) upsample(from, to int) {
	line := p.ca
	c := line / p.w
	for r := from; r < to; r++ {
		y := p.y[4*r*line:][:4*line]
		for i := range p.w {
			pixel := p.a[r*line+i*c:][:c]
			copy(y[2*i*c:], pixel)
			copy(y[(2*i+1)*c:], pixel)
		}
		copy(y[2*line:], y[:2*line])
	}
}
