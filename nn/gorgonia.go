package nn

import (
	"fmt"
	"hash"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	gtensor "gorgonia.org/tensor"
)

// This file is all that knows gorgonia. It gives the graph: nodes, edges, type and shape
// inference, drawing, and TapeMachine as a second executor. Its own operations are not used.
type (
	exprGraph = gorgonia.ExprGraph
	exprNode  = gorgonia.Node
	exprValue = gorgonia.Value
)

func newExpr() *exprGraph { return gorgonia.NewGraph() }

// exprInput adds a float32 input. Gorgonia makes two inputs of one name and shape one node; the
// caller has to see to unique names.
func exprInput(g *exprGraph, name string, shape []int) *exprNode {
	return gorgonia.NewTensor(g, gtensor.Float32, len(shape), gorgonia.WithName(name), gorgonia.WithShape(shape...))
}

func exprApply(op *exprOp, in []*exprNode) (*exprNode, error) {
	n, err := gorgonia.ApplyOpWithName(op, op.path, in...)
	if err == nil && n.Op() != gorgonia.Op(op) {
		err = fmt.Errorf("gorgonia took it for %v", n.Op())
	}
	return n, err
}

func exprRename(n *exprNode, name string) { gorgonia.WithName(name)(n) }

// exprOp makes a gorgonia.Op of an Op.
type exprOp struct {
	Op
	path string // name of the node
	id   uint32 // number of the node in its graph
	in   [][]int
	out  []int
}

func (o *exprOp) Arity() int { return len(o.in) }

// Type is tensor of so many dimensions → ... → tensor. Gorgonia does not enforce the dimensions,
// so InferShape does.
func (o *exprOp) Type() hm.Type {
	ts := make([]hm.Type, 0, len(o.in)+1)
	for _, s := range o.in {
		ts = append(ts, gorgonia.TensorType{Dims: len(s), Of: gtensor.Float32})
	}
	return hm.NewFnType(append(ts, gorgonia.TensorType{Dims: len(o.out), Of: gtensor.Float32})...)
}

func (o *exprOp) InferShape(in ...gorgonia.DimSizer) (gtensor.Shape, error) {
	shapes, err := gorgonia.DimSizersToShapes(in)
	if err != nil {
		return nil, err
	}
	got := make([][]int, len(shapes))
	for i, s := range shapes {
		got[i] = s
	}
	return inferShape(o.Op, o.path, got)
}

// Do computes the operation into new memory; it is TapeMachine's way. A panic in TapeMachine's
// goroutine would end the process, so it becomes an error here.
func (o *exprOp) Do(in ...exprValue) (v exprValue, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("nn: %s (%s): %v", o.path, o.Kind(), r)
		}
	}()
	c := Call{YShape: o.out}
	for _, x := range in {
		c.X = append(c.X, x.(*gtensor.Dense).Float32s())
		c.XShape = append(c.XShape, x.Shape())
	}
	if isView(o.Op) {
		c.Y = c.X[0]
	} else {
		c.Y = make([]float32, size(o.out))
		c.Scratch = make([]float32, scratchOf(o.Op, c.XShape))
		o.Forward(&c)
	}
	return gtensor.New(gtensor.WithShape(o.out...), gtensor.WithBacking(c.Y)), nil
}

func (o *exprOp) ReturnsPtr() bool     { return true }
func (o *exprOp) CallsExtern() bool    { return false }
func (o *exprOp) OverwritesInput() int { return -1 }
func (o *exprOp) String() string       { return o.Kind() + " " + o.path }

// WriteHash writes what no other node of the graph has: gorgonia merges nodes of equal hash, and
// two modules with the same input and other weights are not the same.
func (o *exprOp) WriteHash(h hash.Hash) { fmt.Fprintf(h, "%d %s %s", o.id, o.Kind(), o.path) }

// Hashcode is the node's number: gorgonia compares it when the hashes of two nodes collide.
func (o *exprOp) Hashcode() uint32 { return o.id }
