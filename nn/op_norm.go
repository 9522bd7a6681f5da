package nn

import (
	"fmt"

	"percept/tensor"
)

// GroupNorm normalises groups of channels over all pixels of an image, then scales and shifts
// each channel.
type GroupNorm struct {
	path        string
	c, groups   int
	eps         float32
	gamma, beta []float32
}

// NewGroupNorm takes weight and bias [channels] from the scope. Channels that do not divide into
// groups are an error of the scope.
func NewGroupNorm(s *Scope, channels, groups int, eps float32) *GroupNorm {
	if groups < 1 || channels%groups != 0 {
		s.errs = append(s.errs, &BuildError{s.path, fmt.Sprintf("%d channels do not divide into %d groups", channels, groups)})
	}
	return &GroupNorm{s.path, channels, groups, eps, s.Tensor("weight", channels), s.Tensor("bias", channels)}
}

// Forward maps x [N, H, W, channels] or [N, T, channels] to the same shape.
func (g *GroupNorm) Forward(x *Node) *Node { return Apply(groupNormOp{g: g}, g.path, x) }

type groupNormOp struct {
	channels
	g       *GroupNorm
	act     tensor.Activation // what follows it, in the same pass
	actKind string
}

func (o groupNormOp) Kind() string { return "GroupNorm" + o.actKind }

func (o groupNormOp) Shape(in ...[]int) ([]int, error) {
	x := in[0]
	if len(in) != 1 || len(x) < 3 || len(x) > 4 || last(x) != o.g.c {
		return nil, mismatch(in, "[N H W %d] or [N T %d]", o.g.c, o.g.c)
	}
	return x, nil
}

func (groupNormOp) InPlace(int) bool { return true }

func (o groupNormOp) Forward(c *Call) {
	x := c.XShape[0]
	tensor.GroupNormWith(c.Y, c.X[0], o.g.gamma, o.g.beta, x[0], rows(x)/x[0], o.g.c, o.g.groups, o.g.eps, o.act)
}

// LayerNorm normalises the last dimension, then scales and shifts each channel.
type LayerNorm struct {
	path        string
	c           int
	eps         float32
	gamma, beta []float32
}

// NewLayerNorm takes weight and bias [dim] from the scope.
func NewLayerNorm(s *Scope, dim int, eps float32) *LayerNorm {
	return &LayerNorm{s.path, dim, eps, s.Tensor("weight", dim), s.Tensor("bias", dim)}
}

// Forward maps x [..., dim] to the same shape.
func (l *LayerNorm) Forward(x *Node) *Node { return Apply(layerNormOp{l: l}, l.path, x) }

type layerNormOp struct {
	channels
	l *LayerNorm
}

func (layerNormOp) Kind() string { return "LayerNorm" }

func (o layerNormOp) Shape(in ...[]int) ([]int, error) {
	x := in[0]
	if len(in) != 1 || len(x) < 2 || last(x) != o.l.c {
		return nil, mismatch(in, "[... %d]", o.l.c)
	}
	return x, nil
}

func (layerNormOp) InPlace(int) bool { return true }

func (o layerNormOp) Forward(c *Call) {
	tensor.LayerNorm(c.Y, c.X[0], o.l.gamma, o.l.beta, rows(c.XShape[0]), o.l.c, o.l.eps)
}
