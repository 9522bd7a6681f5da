package nn

import "percept/tensor"

// Attention computes softmax(Q·Kᵀ/√d)·V with heads side by side in the channels, d = C/heads:
// q [N, Tq, C] and k, v [N, Tk, C] to [N, Tq, C]. With causal (Tq = Tk) position i sees 0 … i.
func Attention(q, k, v *Node, heads int, causal bool) *Node {
	return Apply(attentionOp{heads, causal}, "", q, k, v)
}

type attentionOp struct {
	heads  int
	causal bool
}

func (attentionOp) Kind() string { return "Attention" }

func (o attentionOp) Shape(in ...[]int) ([]int, error) {
	if len(in) != 3 || !attends(o.heads, in[0], in[1]) || !equal(in[1], in[2]) {
		return nil, mismatch(in, "q [N Tq C], k and v [N Tk C], C a multiple of %d heads", o.heads)
	}
	if o.causal && in[0][1] != in[1][1] {
		return nil, mismatch(in, "as many queries as keys (causal attention)")
	}
	return in[0], nil
}

func (o attentionOp) Scratch(in ...[]int) int {
	return tensor.AttentionScratch(attentionShape(o.heads, o.causal, in))
}

func (o attentionOp) Forward(c *Call) {
	tensor.Attention(c.Y, c.X[0], c.X[1], c.X[2], c.Scratch, attentionShape(o.heads, o.causal, c.XShape))
}

// AttentionProbs computes the weights softmax(Q·Kᵀ/√d) alone: q [N, Tq, C] and k [N, Tk, C] to
// [N, heads, Tq, Tk]. As a node beside Attention it costs nothing unless it is asked for.
func AttentionProbs(q, k *Node, heads int) *Node {
	return Apply(attentionProbsOp{heads}, "", q, k)
}

type attentionProbsOp struct{ heads int }

func (attentionProbsOp) Kind() string { return "AttentionProbs" }

func (attentionProbsOp) layout([]layout) (layout, string) { return asStored, "" }

func (o attentionProbsOp) Shape(in ...[]int) ([]int, error) {
	if len(in) != 2 || !attends(o.heads, in[0], in[1]) {
		return nil, mismatch(in, "q [N Tq C] and k [N Tk C], C a multiple of %d heads", o.heads)
	}
	return []int{in[0][0], o.heads, in[0][1], in[1][1]}, nil
}

func (o attentionProbsOp) Forward(c *Call) {
	tensor.AttentionProbs(c.Y, c.X[0], c.X[1], attentionShape(o.heads, false, c.XShape))
}

// attends says whether queries and keys of these shapes fit together.
func attends(heads int, q, k []int) bool {
	return heads > 0 && len(q) == 3 && len(k) == 3 && q[0] == k[0] && q[2] == k[2] && q[2]%heads == 0
}

func attentionShape(heads int, causal bool, in [][]int) tensor.AttentionShape {
	q, k := in[0], in[1]
	return tensor.AttentionShape{N: q[0], Tq: q[1], Tk: k[1], Heads: heads, HeadDim: q[2] / heads, Causal: causal}
}
