package nn

import "slices"

// Fusion: an operation that follows another, as SiLU follows GroupNorm, can often be done while the other's result is
// in the cache. Where the result in between is nobody else's and nobody looks at it, the two are one step, at the place
// of the second, and the result in between never lies in memory. The bits are those of two steps.

// An absorber can do the work of an operand's operation together with its own.
type absorber interface {
	// absorb returns the operation that does p, the operation of operand k, and then this one. Its
	// operands are p's, then this one's without k. It is nil where the two cannot be one.
	absorb(p Op, k int) Op
}

// work is what one step does: the operation of a node, perhaps with those of nodes before it.
type work struct {
	op       Op
	in       []*Node
	first    *Node // of the nodes that it computes
	absorbed bool  // another step does it
}

// fuse finds the work of every node. Only live nodes are absorbed, and constant ones by constant ones alone.
func (p *Program) fuse(live []bool) {
	constant := p.constants()
	uses := make([]int, len(p.nodes))
	for i := range p.nodes {
		n := &p.nodes[i]
		n.work = work{op: n.op, in: n.in, first: n.Node}
		if live[i] && !n.probes.fed {
			for _, x := range n.in {
				uses[x.id]++
			}
		}
	}
	if p.options.NoFusion {
		return
	}
	for i := range p.nodes {
		n := &p.nodes[i]
		if a, ok := n.op.(absorber); ok && live[i] && n.action() == compute {
			p.absorb(n, a, uses, constant)
		}
	}
}

// absorb lets a node do the work of an operand: of the last computed one that it can, so that nothing else moves.
func (p *Program) absorb(n *state, a absorber, uses []int, constant []bool) {
	w := &n.work
	var best Op
	from := 0
	for k, x := range w.in {
		if uses[x.id] != 1 || !p.nodes[x.id].hidden() || constant[x.id] != constant[n.id] || best != nil && x.id < w.in[from].id {
			continue
		}
		if op := a.absorb(p.nodes[x.id].work.op, k); op != nil {
			best, from = op, k
		}
	}
	if best == nil {
		return
	}
	x := &p.nodes[w.in[from].id].work
	in := slices.Clone(x.in)
	for k, n := range w.in {
		if k != from {
			in = append(in, n)
		}
	}
	w.op, w.in, w.first, x.absorbed = best, in, x.first, true
}

// hidden says whether a node is computed and nobody but other nodes sees its value.
func (n *state) hidden() bool {
	return n.action() == compute && !n.asked && !n.outlives() && len(n.probes.hooks) == 0 && len(n.probes.edits) == 0
}
