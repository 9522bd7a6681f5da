package nn

// Kind returns the name of the node's operation, such as "Conv2d"; "Input" for an input.
func (n *Node) Kind() string {
	if n.op == nil {
		return "Input"
	}
	return n.op.Kind()
}

// Operands returns the nodes that n is computed from. They must not be changed.
func (n *Node) Operands() []*Node { return n.in }

// MACs returns how many multiplications with an addition the products of a node take by their definition: those of
// convolutions, linear layers and attention. Everything else counts nothing, and an algorithm that takes fewer
// is not credited.
func (n *Node) MACs() int64 {
	op, ok := n.op.(interface {
		macs(in [][]int, out []int) int64
	})
	if !ok {
		return 0
	}
	shapes := make([][]int, len(n.in))
	for i, x := range n.in {
		shapes[i] = x.shape
	}
	return op.macs(shapes, n.shape)
}

func (o convOp) macs(_ [][]int, out []int) int64 {
	return int64(size(out)) * int64(o.c.in*o.c.kernel*o.c.kernel)
}

func (o linearOp) macs(_ [][]int, out []int) int64 { return int64(size(out)) * int64(o.l.in) }

func (o attentionOp) macs(in [][]int, out []int) int64 {
	pairs := int64(in[1][1])
	if o.causal {
		pairs = (pairs + 1) / 2
	}
	return 2 * int64(size(out)) * pairs
}

func (o attentionProbsOp) macs(in [][]int, out []int) int64 {
	return int64(size(out)) * int64(last(in[0])/o.heads)
}

// Nodes returns the nodes that the steps of Run compute, in order, as the probes stand now; of nodes that are computed
// as one, the first.
func (p *Program) Nodes() []*Node {
	p.lay()
	var nodes []*Node
	for i := range p.nodes {
		if n := &p.nodes[i]; p.all[i] && !n.work.absorbed && n.action() == compute {
			nodes = append(nodes, n.work.first)
		}
	}
	return nodes
}
