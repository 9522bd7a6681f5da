package vae

import (
	"strconv"

	"percept/nn"
)

// encoder turns an image into features of the latent's size.
type encoder struct {
	scope   *nn.Scope
	convIn  *nn.Conv2d    // conv_in
	down    []*downBlock  // down_blocks, finest first
	mid     *midBlock     // mid_block
	normOut *nn.GroupNorm // conv_norm_out
	convOut *nn.Conv2d    // conv_out
}

func (c Config) newEncoder(s *nn.Scope) *encoder {
	in := c.BlockOutChannels[0]
	e := &encoder{scope: s, convIn: nn.NewConv2d(s.Sub("conv_in"), c.InChannels, in, 3)}
	for level, out := range c.BlockOutChannels {
		e.down = append(e.down, c.newDownBlock(s.Sub("down_blocks."+strconv.Itoa(level)), level, in))
		in = out
	}
	e.mid = c.newMidBlock(s.Sub("mid_block"))
	e.normOut = nn.NewGroupNorm(s.Sub("conv_norm_out"), in, c.NormNumGroups, normEps)
	e.convOut = nn.NewConv2d(s.Sub("conv_out"), in, 2*c.LatentChannels, 3)
	return e
}

// forward maps an image [N, H, W, in] to [N, H/8, W/8, 2·latent].
func (e *encoder) forward(x *nn.Node) *nn.Node {
	x = e.convIn.Forward(x)
	for _, b := range e.down {
		x = b.forward(x)
	}
	x = e.mid.forward(x)
	x = e.scope.Name(nn.SiLU(e.normOut.Forward(x)), "conv_act")
	return e.scope.Name(e.convOut.Forward(x))
}

// decoder turns a latent into an image.
type decoder struct {
	scope   *nn.Scope
	convIn  *nn.Conv2d    // conv_in
	mid     *midBlock     // mid_block
	up      []*upBlock    // up_blocks, coarsest first
	normOut *nn.GroupNorm // conv_norm_out
	convOut *nn.Conv2d    // conv_out
}

func (c Config) newDecoder(s *nn.Scope) *decoder {
	levels := c.Levels()
	in := c.BlockOutChannels[levels-1]
	d := &decoder{
		scope:  s,
		convIn: nn.NewConv2d(s.Sub("conv_in"), c.LatentChannels, in, 3),
		mid:    c.newMidBlock(s.Sub("mid_block")),
	}
	for i := range levels {
		level := levels - 1 - i
		d.up = append(d.up, c.newUpBlock(s.Sub("up_blocks."+strconv.Itoa(i)), level, in))
		in = c.BlockOutChannels[level]
	}
	d.normOut = nn.NewGroupNorm(s.Sub("conv_norm_out"), in, c.NormNumGroups, normEps)
	d.convOut = nn.NewConv2d(s.Sub("conv_out"), in, c.OutChannels, 3)
	return d
}

// forward maps a latent [N, h, w, latent] to an image [N, 8h, 8w, out].
func (d *decoder) forward(x *nn.Node) *nn.Node {
	x = d.mid.forward(d.convIn.Forward(x))
	for _, b := range d.up {
		x = b.forward(x)
	}
	x = d.scope.Name(nn.SiLU(d.normOut.Forward(x)), "conv_act")
	return d.scope.Name(d.convOut.Forward(x))
}
