package vae

import "percept/nn"

// attention lets every pixel of the coarsest level look at every other: a single head as wide as the channels.
type attention struct {
	scope *nn.Scope
	norm  *nn.GroupNorm // group_norm
	q     *nn.Linear    // to_q
	k     *nn.Linear    // to_k
	v     *nn.Linear    // to_v
	out   *nn.Linear    // to_out.0
}

func (c Config) newAttention(s *nn.Scope, channels int) *attention {
	return &attention{
		scope: s,
		norm:  nn.NewGroupNorm(s.Sub("group_norm"), channels, c.NormNumGroups, normEps),
		q:     nn.NewLinear(s.Sub("to_q"), channels, channels),
		k:     nn.NewLinear(s.Sub("to_k"), channels, channels),
		v:     nn.NewLinear(s.Sub("to_v"), channels, channels),
		out:   nn.NewLinear(s.Sub("to_out.0"), channels, channels),
	}
}

// forward maps x [N, H, W, C] to [N, H, W, C].
func (a *attention) forward(x *nn.Node) *nn.Node {
	shape := x.Shape()
	h := nn.Tokens(a.norm.Forward(x)) // [N, H·W, C]
	h = a.scope.Name(nn.Attention(a.q.Forward(h), a.k.Forward(h), a.v.Forward(h), 1, false), "heads")
	h = nn.Image(a.out.Forward(h), shape[1], shape[2])
	return a.scope.Name(nn.Add(h, x))
}
