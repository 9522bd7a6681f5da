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

// fuse returns the work of every node. Only live nodes are absorbed, and constant ones by constant ones alone.
func (p *Program) fuse(live, constant []bool) []work {
	w := make([]work, len(p.nodes))
	uses := make([]int, len(p.nodes))
	for i, n := range p.nodes {
		w[i] = work{op: n.op, in: n.in, first: n}
		if live[i] && !p.probes[i].fed {
			for _, x := range n.in {
				uses[x.id]++
			}
		}
	}
	if p.noFusion {
		return w
	}
	for i := range p.nodes {
		if a, ok := w[i].op.(absorber); ok && live[i] && p.action(i) == compute {
			p.absorb(w, i, a, uses, constant)
		}
	}
	return w
}

// absorb lets node i do the work of an operand: of the last computed one that it can, so that nothing else moves.
func (p *Program) absorb(w []work, i int, a absorber, uses []int, constant []bool) {
	var best Op
	from := 0
	for k, x := range w[i].in {
		if uses[x.id] != 1 || !p.hidden(x.id) || constant[x.id] != constant[i] || best != nil && x.id < w[i].in[from].id {
			continue
		}
		if op := a.absorb(w[x.id].op, k); op != nil {
			best, from = op, k
		}
	}
	if best == nil {
		return
	}
	x := w[i].in[from].id
	in := slices.Clone(w[x].in)
	for k, n := range w[i].in {
		if k != from {
			in = append(in, n)
		}
	}
	w[i].op, w[i].in, w[i].first, w[x].absorbed = best, in, w[x].first, true
}

// hidden says whether a node is computed and nobody but other nodes sees its value.
func (p *Program) hidden(i int) bool {
	probe := &p.probes[i]
	return p.action(i) == compute && !p.asked[i] && !p.outlives(i) && len(probe.hooks) == 0 && len(probe.edits) == 0
}
