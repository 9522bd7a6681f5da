package nn

import "percept/tensor"

// MeanPool averages over the pixels or tokens: x [N, H, W, C] or [N, T, C] to [N, C].
func MeanPool(x *Node) *Node { return Apply(poolOp{kind: "MeanPool", f: tensor.MeanPool}, "", x) }

// MaxPool takes the largest value over the pixels or tokens: x [N, H, W, C] or [N, T, C] to [N, C].
func MaxPool(x *Node) *Node { return Apply(poolOp{kind: "MaxPool", f: tensor.MaxPool}, "", x) }

type poolOp struct {
	channels
	kind string
	f    func(y, x []float32, n, hw, c int)
}

func (o poolOp) Kind() string { return o.kind }

func (poolOp) Shape(in ...[]int) ([]int, error) {
	x := in[0]
	if len(in) != 1 || len(x) < 3 || len(x) > 4 {
		return nil, mismatch(in, "[N H W C] or [N T C]")
	}
	return []int{x[0], last(x)}, nil
}

func (o poolOp) Forward(c *Call) {
	x := c.XShape[0]
	o.f(c.Y, c.X[0], x[0], rows(x)/x[0], last(x))
}

// GridPool averages over the cells of a grid of side×side: x [N, H, W, C] to [N, side, side, C]. See tensor.GridPool.
func GridPool(x *Node, side int) *Node { return Apply(gridOp{side: side}, "", x) }

type gridOp struct {
	images
	side int
}

func (gridOp) Kind() string { return "GridPool" }

func (o gridOp) Shape(in ...[]int) ([]int, error) {
	x := in[0]
	if len(in) != 1 || len(x) != 4 || o.side < 1 || o.side > min(x[1], x[2]) {
		return nil, mismatch(in, "[N H W C] of at least %d×%[1]d pixels and 1", o.side)
	}
	return []int{x[0], o.side, o.side, x[3]}, nil
}

func (o gridOp) Forward(c *Call) {
	x := c.XShape[0]
	tensor.GridPool(c.Y, c.X[0], x[0], x[1], x[2], x[3], o.side)
}

// FirstChannels leaves the first k channels: x [..., C] to [..., k].
func FirstChannels(x *Node, k int) *Node { return Apply(firstOp{k: k}, "", x) }

type firstOp struct {
	channels
	k int
}

func (firstOp) Kind() string { return "FirstChannels" }

func (o firstOp) Shape(in ...[]int) ([]int, error) {
	x := in[0]
	if len(in) != 1 || len(x) < 2 || o.k < 1 || o.k > last(x) {
		return nil, mismatch(in, "[... C] of at least %d channels and 1", o.k)
	}
	return withLast(x, o.k), nil
}

func (o firstOp) Forward(c *Call) {
	tensor.FirstChannels(c.Y, c.X[0], rows(c.YShape), last(c.XShape[0]), o.k)
}

// Project multiplies the channels by the rows of m [k, C]: x [..., C] to [..., k].
func Project(x *Node, m []float32, k int) *Node {
	l := &Linear{in: last(x.shape), out: k}
	if k < 1 || len(m) != k*l.in {
		panic(&ShapeError{Path: x.name, Op: "Project", Got: [][]int{x.shape}, Want: "a matrix of one or more rows for its channels"})
	}
	l.w = tensor.NewLinear(m, nil, k, l.in)
	return Apply(linearOp{l: l}, "", x)
}
