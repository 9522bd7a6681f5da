package nn

import (
	"slices"

	"percept/tensor"
)

// SiLU computes x·sigmoid(x) of any shape.
func SiLU(x *Node) *Node { return Apply(activationOp{"SiLU", tensor.ActSiLU, tensor.SiLU}, "", x) }

// GELU computes x·Φ(x) of any shape, Φ the normal distribution function (erf, not tanh).
func GELU(x *Node) *Node { return Apply(activationOp{"GELU", tensor.ActGELU, tensor.GELU}, "", x) }

// QuickGELU computes x·sigmoid(1.702·x) of any shape, as CLIP does.
func QuickGELU(x *Node) *Node {
	return Apply(activationOp{"QuickGELU", tensor.ActQuickGELU, tensor.QuickGELU}, "", x)
}

type activationOp struct {
	kind string
	act  tensor.Activation
	f    func(y, x []float32)
}

func (o activationOp) Kind() string { return o.kind }

func (o activationOp) Shape(in ...[]int) ([]int, error) {
	if len(in) != 1 {
		return nil, mismatch(in, "one operand")
	}
	return in[0], nil
}

func (o activationOp) InPlace(int) bool { return true }

func (o activationOp) Forward(c *Call) { o.f(c.Y, c.X[0]) }

// GEGLU maps x [..., 2C] to [..., C]: the first half times GELU of the second.
func GEGLU(x *Node) *Node { return Apply(gegluOp{}, "", x) }

type gegluOp struct{ channels }

func (gegluOp) Kind() string { return "GEGLU" }

func (gegluOp) Shape(in ...[]int) ([]int, error) {
	x := in[0]
	if len(in) != 1 || len(x) < 2 || last(x)%2 != 0 {
		return nil, mismatch(in, "[... 2C]")
	}
	return withLast(x, last(x)/2), nil
}

func (gegluOp) Forward(c *Call) { tensor.GEGLU(c.Y, c.X[0], rows(c.YShape), last(c.YShape)) }

// Add computes a + b of equal shapes. There is no broadcasting: see AddChannels and AddRows.
func Add(a, b *Node) *Node { return Apply(addOp{}, "", a, b) }

type addOp struct{}

func (addOp) Kind() string { return "Add" }

func (addOp) layout(in []layout) (layout, string) {
	a, b := in[0], in[1]
	if a == asStored {
		a, b = b, a
	}
	if b != asStored && a != b {
		return 0, wantChannelsLast
	}
	return a, ""
}

func (addOp) Shape(in ...[]int) ([]int, error) {
	if len(in) != 2 || !equal(in[0], in[1]) {
		return nil, mismatch(in, "two equal shapes")
	}
	return in[0], nil
}

func (addOp) InPlace(int) bool { return true }

func (addOp) Forward(c *Call) { tensor.Add(c.Y, c.X[0], c.X[1]) }

// AddChannels adds e [N, C], the time embedding, to every pixel of x [N, H, W, C] or token of
// x [N, T, C].
func AddChannels(x, e *Node) *Node { return Apply(addChannelsOp{}, "", x, e) }

type addChannelsOp struct{ channels }

func (addChannelsOp) Kind() string { return "AddChannels" }

func (addChannelsOp) Shape(in ...[]int) ([]int, error) {
	if len(in) != 2 || len(in[0]) < 3 || len(in[1]) != 2 || in[0][0] != in[1][0] || last(in[0]) != in[1][1] {
		return nil, mismatch(in, "x [N H W C] or [N T C] and e [N C]")
	}
	return in[0], nil
}

func (addChannelsOp) InPlace(i int) bool { return i == 0 }

func (addChannelsOp) Forward(c *Call) {
	x := c.XShape[0]
	tensor.AddChannels(c.Y, c.X[0], c.X[1], x[0], rows(x)/x[0], last(x))
}

// AddRows adds p [1, T, C] or [T, C], the position embedding, to every sequence of x [N, T, C].
func AddRows(x, p *Node) *Node { return Apply(addRowsOp{}, "", x, p) }

type addRowsOp struct{}

func (addRowsOp) Kind() string { return "AddRows" }

func (addRowsOp) Shape(in ...[]int) ([]int, error) {
	ok := len(in) == 2 && len(in[0]) == 3
	if ok {
		p := in[1]
		if len(p) == 3 && p[0] == 1 {
			p = p[1:]
		}
		ok = equal(in[0][1:], p)
	}
	if !ok {
		return nil, mismatch(in, "x [N T C] and p [1 T C] or [T C]")
	}
	return in[0], nil
}

func (addRowsOp) InPlace(i int) bool { return i == 0 }

func (addRowsOp) Forward(c *Call) {
	x, p := c.X[0], c.X[1]
	for at := 0; at < len(x); at += len(p) {
		tensor.Add(c.Y[at:at+len(p)], x[at:at+len(p)], p)
	}
}

func equal(a, b []int) bool { return slices.Equal(a, b) }
