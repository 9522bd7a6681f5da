package vae

import (
	"strconv"

	"percept/nn"
)

// downBlock is a DownEncoderBlock2D: resnets, then a convolution of stride 2 except at the coarsest level.
type downBlock struct {
	scope   *nn.Scope
	resnets []*resnet
	down    *nn.Conv2d // downsamplers.0.conv; nil at the coarsest level
}

func (c Config) newDownBlock(s *nn.Scope, level, in int) *downBlock {
	out := c.BlockOutChannels[level]
	b := &downBlock{scope: s}
	for i := range c.LayersPerBlock {
		b.resnets = append(b.resnets, c.newResnet(s.Sub("resnets."+strconv.Itoa(i)), in, out))
		in = out
	}
	if level < c.Levels()-1 {
		// Padded below and on the right alone, unlike the U-Net's.
		pad := nn.ConvOption{Stride: 2, Pad: [4]int{0, 0, 1, 1}}
		b.down = nn.NewConv2d(s.Sub("downsamplers.0.conv"), out, out, 3, pad)
	}
	return b
}

// forward maps x [N, H, W, in] to [N, H/2, W/2, out]; the size stays at the coarsest level.
func (b *downBlock) forward(x *nn.Node) *nn.Node {
	for _, r := range b.resnets {
		x = r.forward(x)
	}
	if b.down != nil {
		x = b.scope.Name(b.down.Forward(x), "downsamplers.0")
	}
	return b.scope.Name(x)
}

// midBlock is a UNetMidBlock2D.
type midBlock struct {
	scope     *nn.Scope
	resnet0   *resnet    // resnets.0
	attention *attention // attentions.0
	resnet1   *resnet    // resnets.1
}

func (c Config) newMidBlock(s *nn.Scope) *midBlock {
	ch := c.BlockOutChannels[c.Levels()-1]
	return &midBlock{
		scope:     s,
		resnet0:   c.newResnet(s.Sub("resnets.0"), ch, ch),
		attention: c.newAttention(s.Sub("attentions.0"), ch),
		resnet1:   c.newResnet(s.Sub("resnets.1"), ch, ch),
	}
}

// forward maps x [N, H, W, C] to [N, H, W, C].
func (b *midBlock) forward(x *nn.Node) *nn.Node {
	return b.scope.Name(b.resnet1.forward(b.attention.forward(b.resnet0.forward(x))))
}

// upBlock is an UpDecoderBlock2D: resnets, then a doubling of the size except at the finest level.
type upBlock struct {
	scope   *nn.Scope
	resnets []*resnet
	up      *nn.Conv2d // upsamplers.0.conv; nil at the finest level
}

func (c Config) newUpBlock(s *nn.Scope, level, in int) *upBlock {
	out := c.BlockOutChannels[level]
	b := &upBlock{scope: s}
	for i := range c.LayersPerBlock + 1 {
		b.resnets = append(b.resnets, c.newResnet(s.Sub("resnets."+strconv.Itoa(i)), in, out))
		in = out
	}
	if level > 0 {
		b.up = nn.NewConv2d(s.Sub("upsamplers.0.conv"), out, out, 3)
	}
	return b
}

// forward maps x [N, H, W, in] to [N, 2H, 2W, out]; the size stays at the finest level.
func (b *upBlock) forward(x *nn.Node) *nn.Node {
	for _, r := range b.resnets {
		x = r.forward(x)
	}
	if b.up != nil {
		x = b.scope.Name(b.up.Forward(nn.Upsample2x(x)), "upsamplers.0")
	}
	return b.scope.Name(x)
}
