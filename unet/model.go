package unet

import (
	"fmt"
	"strconv"

	"percept/nn"
)

// Model is a U-Net with its weights. Its methods may be called from several goroutines; predictions of one Model
// run one after another.
type Model struct {
	Config Config

	convIn  *nn.Conv2d     // conv_in
	time    *timeEmbedding // time_embedding
	down    []*downBlock   // down_blocks, finest first
	mid     *midBlock      // mid_block
	up      []*upBlock     // up_blocks, coarsest first
	normOut *nn.GroupNorm  // conv_norm_out
	convOut *nn.Conv2d     // conv_out

	runner *nn.Runner[Shape]
}

// New builds the network from the tensors of p, named as in diffusers. All missing and misshapen tensors are
// reported at once.
func New(c Config, p nn.Params) (*Model, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	s := nn.NewScope(p).At(c.side)
	first, last := c.BlockOutChannels[0], c.BlockOutChannels[c.Levels()-1]
	m := &Model{
		Config: c,
		convIn: nn.NewConv2d(s.Sub("conv_in"), c.InChannels, first, 3),
		time:   newTimeEmbedding(s.Sub("time_embedding"), first, c.timeChannels()),
	}
	skips, in := []int{first}, first // channels of the skip connections, in the order in which they arise
	for level, out := range c.BlockOutChannels {
		m.down = append(m.down, c.newDownBlock(s.Sub("down_blocks."+strconv.Itoa(level)), level, in))
		for range c.LayersPerBlock.at(level) {
			skips = append(skips, out)
		}
		if level < c.Levels()-1 {
			skips = append(skips, out)
		}
		in = out
	}
	m.mid = c.newMidBlock(s.Sub("mid_block"))
	in = last
	for i := range c.Levels() {
		level := c.Levels() - 1 - i
		m.up = append(m.up, c.newUpBlock(s.Sub("up_blocks."+strconv.Itoa(i)), i, in, skips))
		skips = skips[:len(skips)-c.LayersPerBlock.at(level)-1]
		in = c.BlockOutChannels[level]
	}
	m.normOut = nn.NewGroupNorm(s.Sub("conv_norm_out"), first, c.NormNumGroups, c.NormEps)
	m.convOut = nn.NewConv2d(s.Sub("conv_out"), first, c.OutChannels, 3)
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("unet: %w", err)
	}
	m.runner = nn.NewRunner("unet", steady, m.Graph)
	return m, nil
}

// Forward adds the network to a graph: latent [N, H, W, in], timesteps [N] and context [N, T, D] give eps [N, H, W, out].
func (m *Model) Forward(latent, timesteps, context *nn.Node) *nn.Node {
	temb := nn.SiLU(m.time.forward(timesteps)) // the same in every resnet
	x := m.convIn.Forward(latent)
	skips := []*nn.Node{x}
	for _, b := range m.down {
		x, skips = b.forward(x, temb, context, skips)
	}
	x = m.mid.forward(x, temb, context)
	for _, b := range m.up {
		x, skips = b.forward(x, temb, context, skips)
	}
	return m.convOut.Forward(nn.SiLU(m.normOut.Forward(x)).Named("conv_act"))
}
