package nn

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
)

// A Graph is a network as an expression: inputs, operations on them, named outputs. It is built
// once, by one goroutine, and may then be compiled any number of times.
type Graph struct {
	expr    *exprGraph
	nodes   []*Node // in the order in which they were made: operands come before results
	names   map[string]*Node
	outputs []output

	compiled atomic.Bool // its nodes stay where they are
}

type output struct {
	name string
	node *Node
}

// A Node is one value of a graph: an input, or the result of an operation.
type Node struct {
	g       *Graph
	id      int // index in g.nodes
	expr    *exprNode
	op      Op // nil for an input
	in      []*Node
	shape   []int
	layout  layout
	name    string
	derived bool // the name was made from the operand's and gives way to a better one
	aliases []string
}

// NewGraph returns an empty graph.
func NewGraph() *Graph {
	return &Graph{expr: newExpr(), names: map[string]*Node{}}
}

// Input adds a float32 input. It panics with a BuildError where the name is taken. A
// four-dimensional input is taken as it is given; ToChannelsLast makes an image of [N, C, H, W].
func (g *Graph) Input(name string, shape ...int) *Node {
	if g.names[name] != nil {
		panic(&BuildError{name, "there is a node of this name already"})
	}
	g.checkName(name)
	if len(shape) == 0 || slices.Min(shape) < 1 {
		panic(&ShapeError{Path: name, Op: "Input", Got: [][]int{shape}, Want: "dimensions of at least 1"})
	}
	if tooLarge(shape) {
		panic(&ShapeError{Path: name, Op: "Input", Got: [][]int{shape}, Want: "fewer than 2⁵⁰ numbers"})
	}
	shape = slices.Clone(shape)
	return g.add(&Node{expr: exprInput(g.expr, name, shape), shape: shape, name: name})
}

// Output makes n a result of the graph under this name. Results have published shapes: an image
// in channels-last order goes through ToChannelsFirst. Where no node has the name yet, it also
// becomes a name of the node.
func (g *Graph) Output(name string, n *Node) {
	for _, o := range g.outputs {
		if o.name == name {
			panic(&BuildError{name, "there is an output of this name already"})
		}
	}
	if n == nil || n.g != g {
		panic(&BuildError{name, "the output is not a node of this graph"})
	}
	if n.layout == channelsLast && len(n.shape) == 4 {
		n = ToChannelsFirst(n)
	}
	if g.names[name] == nil {
		n.Named(name)
	}
	g.outputs = append(g.outputs, output{name, n})
}

// Names returns the names of all nodes in the order of the graph, each followed by its aliases.
func (g *Graph) Names() []string {
	var names []string
	for _, n := range g.nodes {
		names = append(append(names, n.name), n.aliases...)
	}
	return names
}

// ToDot returns the graph in Graphviz's language.
func (g *Graph) ToDot() string { return g.expr.ToDot() }

// Apply adds a node that computes op on the operands, under the given name or, where it is empty,
// under a name made from the first operand's. A name in use gets "#2", "#3" and so on. It panics
// with a ShapeError where op cannot take the operands.
func Apply(op Op, name string, operands ...*Node) *Node {
	if len(operands) == 0 || slices.Contains(operands, nil) {
		panic(&BuildError{cmp.Or(name, op.Kind()), "an operand is missing"})
	}
	g := operands[0].g
	derived := name == ""
	if derived {
		name = operands[0].name + "." + strings.ToLower(op.Kind())
	}
	g.checkName(name)
	n := &Node{op: op, in: slices.Clone(operands), name: g.unique(name), derived: derived}

	shapes, layouts, exprs := make([][]int, len(operands)), make([]layout, len(operands)), make([]*exprNode, len(operands))
	for i, x := range operands {
		if x.g != g {
			panic(&BuildError{name, fmt.Sprintf("operands %s and %s are of different graphs", operands[0].name, x.name)})
		}
		shapes[i], layouts[i], exprs[i] = x.shape, x.layout, x.expr
	}
	var err error
	if n.shape, err = inferShape(op, n.name, shapes); err != nil {
		panic(err)
	}
	if l, ok := op.(layoutOp); ok {
		var want string
		if n.layout, want = l.layout(layouts); want != "" {
			panic(&ShapeError{Path: n.name, Op: op.Kind(), Got: shapes, Want: want})
		}
	} else {
		n.layout = layouts[0]
	}
	if len(n.shape) != 4 {
		n.layout = asStored
	}
	e := &exprOp{Op: op, path: n.name, id: uint32(len(g.nodes)), in: shapes, out: n.shape}
	if n.expr, err = exprApply(e, exprs); err != nil {
		panic(&BuildError{n.name, err.Error()})
	}
	return g.add(n)
}

// inferShape returns the shape of op's result, or an error that names the node.
func inferShape(op Op, path string, in [][]int) ([]int, error) {
	out, err := op.Shape(in...)
	if e, ok := err.(*ShapeError); ok {
		e.Path, e.Op = path, op.Kind()
		return nil, e
	}
	if err != nil {
		return nil, &BuildError{path, err.Error()}
	}
	if tooLarge(out) {
		return nil, &ShapeError{Path: path, Op: op.Kind(), Got: in, Want: fmt.Sprintf("a result of fewer than 2⁵⁰ numbers, not %v", out)}
	}
	return out, nil
}

// tooLarge says whether a shape has 2⁵⁰ numbers or more: sums of the sizes of all nodes stay far from overflow.
func tooLarge(shape []int) bool {
	left := int64(1) << 50
	for _, dim := range shape {
		d := int64(dim)
		if d >= left {
			return true
		}
		left = (left + d - 1) / max(d, 1)
	}
	return false
}

func (g *Graph) add(n *Node) *Node {
	n.g, n.id = g, len(g.nodes)
	g.nodes = append(g.nodes, n)
	g.names[n.name] = n
	return n
}

// checkName refuses names that a pattern of Program.OnNode could not spell.
func (g *Graph) checkName(name string) {
	if name == "" || strings.ContainsAny(name, `*?[]\`) {
		panic(&BuildError{fmt.Sprintf("%q", name), `a name must not be empty nor contain any of *?[]\`})
	}
}

func (g *Graph) unique(name string) string {
	u := name
	for i := 2; g.names[u] != nil; i++ {
		u = fmt.Sprintf("%s#%d", name, i)
	}
	return u
}

// Shape returns the shape in memory: [N, H, W, C] of an image, [N, T, C] of tokens. It must not
// be changed.
func (n *Node) Shape() []int { return n.shape }

// Published returns the shape that users see: [N, C, H, W] of an image.
func (n *Node) Published() []int {
	if n.layout == channelsLast && len(n.shape) == 4 {
		return []int{n.shape[0], n.shape[3], n.shape[1], n.shape[2]}
	}
	return slices.Clone(n.shape)
}

// Name returns the node's main name.
func (n *Node) Name() string { return n.name }

// Graph returns the graph that n belongs to.
func (n *Node) Graph() *Graph { return n.g }

// Named gives n one more name and returns n. It becomes the main name of a node that has none of
// its own, as the result of SiLU or Add; otherwise it is an alias. A name that another node has
// gets "#2", "#3" and so on.
func (n *Node) Named(path string) *Node {
	g := n.g
	if g.names[path] == n {
		n.derived = false
		return n
	}
	g.checkName(path)
	path = g.unique(path)
	g.names[path] = n
	if !n.derived {
		n.aliases = append(n.aliases, path)
		return n
	}
	delete(g.names, n.name)
	n.name, n.derived = path, false
	exprRename(n.expr, path)
	return n
}
