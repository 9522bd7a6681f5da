package nn

import "percept/tensor"

// Linear maps the last dimension: y = x·Wᵀ + b.
type Linear struct {
	stored
	in, out int
	w       *tensor.Linear
}

// NewLinear takes weight [out, in] and bias [out] from the scope.
func NewLinear(s *Scope, in, out int) *Linear {
	return newLinear(s, true, in, out)
}

// NewLinearNoBias takes weight [out, in] from the scope.
func NewLinearNoBias(s *Scope, in, out int) *Linear {
	return newLinear(s, false, in, out)
}

func newLinear(s *Scope, bias bool, in, out int) *Linear {
	l := &Linear{stored: s.stored(bias, out, in), in: in, out: out}
	if src, ok := s.source(bias, out, in); ok {
		l.w = tensor.NewLinearFrom(src, out, in)
	}
	return l
}

// Forward maps x [..., in] to [..., out].
func (l *Linear) Forward(x *Node) *Node { return Apply(linearOp{l: l}, l.path, x) }

type linearOp struct {
	channels
	l *Linear
}

func (linearOp) Kind() string { return "Linear" }

func (o linearOp) Shape(in ...[]int) ([]int, error) {
	x := in[0]
	if len(in) != 1 || len(x) < 2 || last(x) != o.l.in {
		return nil, mismatch(in, "[... %d]", o.l.in)
	}
	return withLast(x, o.l.out), nil
}

func (o linearOp) Forward(c *Call) { o.forward(c, tensor.Epilogue{}) }

func (o linearOp) forward(c *Call, e tensor.Epilogue) {
	o.l.w.ForwardWith(c.Y, c.X[0], rows(c.XShape[0]), e)
}

// withLast returns the shape with another last dimension.
func withLast(shape []int, d int) []int {
	out := append([]int(nil), shape...)
	out[len(out)-1] = d
	return out
}
