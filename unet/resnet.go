package unet

import "percept/nn"

// resnet is a ResnetBlock2D: two normalised convolutions around the addition of the timestep embedding.
type resnet struct {
	scope   *nn.Scope
	norm1   *nn.GroupNorm // norm1
	conv1   *nn.Conv2d    // conv1
	timeEmb *nn.Linear    // time_emb_proj
	norm2   *nn.GroupNorm // norm2
	conv2   *nn.Conv2d    // conv2
	skip    *nn.Conv2d    // conv_shortcut; nil where in == out
}

func (c Config) newResnet(s *nn.Scope, in, out int) *resnet {
	r := &resnet{
		scope:   s,
		norm1:   nn.NewGroupNorm(s.Sub("norm1"), in, c.NormNumGroups, c.NormEps),
		conv1:   nn.NewConv2d(s.Sub("conv1"), in, out, 3),
		timeEmb: nn.NewLinear(s.Sub("time_emb_proj"), c.timeChannels(), out),
		norm2:   nn.NewGroupNorm(s.Sub("norm2"), out, c.NormNumGroups, c.NormEps),
		conv2:   nn.NewConv2d(s.Sub("conv2"), out, out, 3),
	}
	if in != out {
		r.skip = nn.NewConv2d(s.Sub("conv_shortcut"), in, out, 1)
	}
	return r
}

// forward maps x [N, H, W, in] and temb [N, time], the SiLU of the timestep embedding, to [N, H, W, out].
func (r *resnet) forward(x, temb *nn.Node) *nn.Node {
	h := r.conv1.Forward(r.scope.Name(nn.SiLU(r.norm1.Forward(x)), "nonlinearity"))
	h = nn.AddChannels(h, r.timeEmb.Forward(temb))
	h = r.conv2.Forward(nn.SiLU(r.norm2.Forward(h)))
	if r.skip != nil {
		x = r.skip.Forward(x)
	}
	return r.scope.Name(nn.Add(x, h))
}
