package vae

import "percept/nn"

// normEps is the epsilon of every GroupNorm of the autoencoder.
const normEps = 1e-6

// resnet is a ResnetBlock2D without timestep embedding: two normalised convolutions and a skip.
type resnet struct {
	scope *nn.Scope
	norm1 *nn.GroupNorm // norm1
	conv1 *nn.Conv2d    // conv1
	norm2 *nn.GroupNorm // norm2
	conv2 *nn.Conv2d    // conv2
	skip  *nn.Conv2d    // conv_shortcut; nil where in == out
}

func (c Config) newResnet(s *nn.Scope, in, out int) *resnet {
	r := &resnet{
		scope: s,
		norm1: nn.NewGroupNorm(s.Sub("norm1"), in, c.NormNumGroups, normEps),
		conv1: nn.NewConv2d(s.Sub("conv1"), in, out, 3),
		norm2: nn.NewGroupNorm(s.Sub("norm2"), out, c.NormNumGroups, normEps),
		conv2: nn.NewConv2d(s.Sub("conv2"), out, out, 3),
	}
	if in != out {
		r.skip = nn.NewConv2d(s.Sub("conv_shortcut"), in, out, 1)
	}
	return r
}

// forward maps x [N, H, W, in] to [N, H, W, out].
func (r *resnet) forward(x *nn.Node) *nn.Node {
	h := r.conv1.Forward(r.scope.Name(nn.SiLU(r.norm1.Forward(x)), "nonlinearity"))
	h = r.conv2.Forward(nn.SiLU(r.norm2.Forward(h)))
	if r.skip != nil {
		x = r.skip.Forward(x)
	}
	return r.scope.Name(nn.Add(x, h))
}
