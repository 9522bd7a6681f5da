package unet

import (
	"strconv"

	"percept/nn"
)

// downBlock is a DownBlock2D or CrossAttnDownBlock2D: resnets, each followed by a transformer where the level has
// attention, then a convolution of stride 2 except at the coarsest level.
type downBlock struct {
	scope      *nn.Scope
	resnets    []*resnet
	attentions []*transformer // as many as resnets, or none
	down       *nn.Conv2d     // downsamplers.0.conv; nil at the coarsest level
}

func (c Config) newDownBlock(s *nn.Scope, level, in int) *downBlock {
	out := c.BlockOutChannels[level]
	b := &downBlock{scope: s}
	for i := range c.LayersPerBlock.at(level) {
		b.resnets = append(b.resnets, c.newResnet(s.Sub("resnets."+strconv.Itoa(i)), in, out))
		if c.DownBlockTypes[level] == CrossAttnDownBlock {
			b.attentions = append(b.attentions, c.newTransformer(s.Sub("attentions."+strconv.Itoa(i)), out, level))
		}
		in = out
	}
	if level < c.Levels()-1 {
		b.down = nn.NewConv2d(s.Sub("downsamplers.0.conv"), out, out, 3, nn.ConvOption{Stride: 2, Pad: [4]int{1, 1, 1, 1}})
	}
	return b
}

// forward maps x [N, H, W, in] to [N, H/2, W/2, out] (the size stays at the coarsest level) and appends what the
// decoder will concatenate to skips: every resnet's (or its transformer's) output and the down-sampled one.
func (b *downBlock) forward(x, temb, context *nn.Node, skips []*nn.Node) (*nn.Node, []*nn.Node) {
	for i, r := range b.resnets {
		x = r.forward(x, temb)
		if b.attentions != nil {
			x = b.attentions[i].forward(x, context)
		}
		skips = append(skips, x)
	}
	if b.down != nil {
		x = b.scope.Name(b.down.Forward(x), "downsamplers.0")
		skips = append(skips, x)
	}
	return b.scope.Name(x), skips
}

// midBlock is a UNetMidBlock2DCrossAttn.
type midBlock struct {
	scope     *nn.Scope
	resnet0   *resnet      // resnets.0
	attention *transformer // attentions.0
	resnet1   *resnet      // resnets.1
}

func (c Config) newMidBlock(s *nn.Scope) *midBlock {
	level := c.Levels() - 1
	ch := c.BlockOutChannels[level]
	return &midBlock{
		scope:     s,
		resnet0:   c.newResnet(s.Sub("resnets.0"), ch, ch),
		attention: c.newTransformer(s.Sub("attentions.0"), ch, level),
		resnet1:   c.newResnet(s.Sub("resnets.1"), ch, ch),
	}
}

// forward maps x [N, H, W, C] to [N, H, W, C].
func (b *midBlock) forward(x, temb, context *nn.Node) *nn.Node {
	x = b.resnet0.forward(x, temb)
	x = b.attention.forward(x, context)
	return b.scope.Name(b.resnet1.forward(x, temb))
}

// upBlock is an UpBlock2D or CrossAttnUpBlock2D: one resnet more than the down block of its level, each on the
// concatenation with a skip connection, then a doubling of the size except at the finest level.
type upBlock struct {
	scope      *nn.Scope
	resnets    []*resnet
	attentions []*transformer // as many as resnets, or none
	up         *nn.Conv2d     // upsamplers.0.conv; nil at the finest level
}

// newUpBlock makes the block with index i, 0 the coarsest; in are the channels it is given besides the skips, which
// have the channels listed in skips, last one first to be used.
func (c Config) newUpBlock(s *nn.Scope, i, in int, skips []int) *upBlock {
	level := c.Levels() - 1 - i
	out := c.BlockOutChannels[level]
	b := &upBlock{scope: s}
	for j := range c.LayersPerBlock.at(level) + 1 {
		skip := skips[len(skips)-1-j]
		b.resnets = append(b.resnets, c.newResnet(s.Sub("resnets."+strconv.Itoa(j)), in+skip, out))
		if c.UpBlockTypes[i] == CrossAttnUpBlock {
			b.attentions = append(b.attentions, c.newTransformer(s.Sub("attentions."+strconv.Itoa(j)), out, level))
		}
		in = out
	}
	if level > 0 {
		b.up = nn.NewConv2d(s.Sub("upsamplers.0.conv"), out, out, 3)
	}
	return b
}

// forward maps x [N, H, W, in] to [N, 2H, 2W, out] (the size stays at the finest level), taking skips from the end.
func (b *upBlock) forward(x, temb, context *nn.Node, skips []*nn.Node) (*nn.Node, []*nn.Node) {
	for i, r := range b.resnets {
		last := len(skips) - 1
		x = r.forward(nn.Concat(x, skips[last]), temb)
		skips = skips[:last]
		if b.attentions != nil {
			x = b.attentions[i].forward(x, context)
		}
	}
	if b.up != nil {
		x = b.scope.Name(b.up.Forward(nn.Upsample2x(x)), "upsamplers.0")
	}
	return b.scope.Name(x), skips
}
