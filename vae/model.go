package vae

import (
	"context"
	"fmt"

	"percept/nn"
)

// Model is an autoencoder with its weights. Its methods may be called from several goroutines; the runs of one Model
// follow one another.
type Model struct {
	Config Config

	encoder   *encoder   // encoder
	quant     *nn.Conv2d // quant_conv
	postQuant *nn.Conv2d // post_quant_conv
	decoder   *decoder   // decoder

	runner *nn.Runner[programKey]
}

// programKey names a cached Program: which half, and the size of its input.
type programKey struct {
	decode  bool
	n, h, w int
}

// New builds the network from the tensors of p, named as in diffusers. All missing and misshapen tensors are
// reported at once.
func New(c Config, p nn.Params) (*Model, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	s := nn.NewScope(p).At(c.side)
	m := &Model{
		Config:    c,
		encoder:   c.newEncoder(s.Sub("encoder")),
		quant:     nn.NewConv2d(s.Sub("quant_conv"), 2*c.LatentChannels, 2*c.LatentChannels, 1),
		postQuant: nn.NewConv2d(s.Sub("post_quant_conv"), c.LatentChannels, c.LatentChannels, 1),
		decoder:   c.newDecoder(s.Sub("decoder")),
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("vae: %w", err)
	}
	m.runner = nn.NewRunner("vae", nn.Options{}, m.graph)
	return m, nil
}

// checkImage says which image sizes the encoder can take.
func (m *Model) checkImage(n, h, w int) error {
	if n < 1 {
		return fmt.Errorf("vae: batch of %d images, expected 1 or more", n)
	}
	if k := m.Config.Downscale(); h < k || w < k || h%k != 0 || w%k != 0 {
		return fmt.Errorf("vae: image of %d×%d (height × width), expected positive multiples of %d", h, w, k)
	}
	return nil
}

// EncodeGraph is the encoder for n images of h×w as a graph with the input "image" [n, in, h, w] and the output
// "moments" [n, 2·latent, h/8, w/8].
func (m *Model) EncodeGraph(n, h, w int) (*nn.Graph, error) {
	if err := m.checkImage(n, h, w); err != nil {
		return nil, err
	}
	return nn.Build(func(g *nn.Graph) {
		image := g.Input("image", n, m.Config.InChannels, h, w)
		moments := m.quant.Forward(m.encoder.forward(nn.ToChannelsLast(image)))
		g.Output("moments", nn.ToChannelsFirst(moments))
	})
}

// DecodeGraph is the decoder for n latents of h×w as a graph with the input "latent" [n, latent, h, w] and the output
// "image" [n, out, 8h, 8w].
func (m *Model) DecodeGraph(n, h, w int) (*nn.Graph, error) {
	if n < 1 || h < 1 || w < 1 {
		return nil, fmt.Errorf("vae: %d latents of %d×%d (height × width), expected all to be positive", n, h, w)
	}
	return nn.Build(func(g *nn.Graph) {
		latent := g.Input("latent", n, m.Config.LatentChannels, h, w)
		image := m.decoder.forward(m.postQuant.Forward(nn.ToChannelsLast(latent)))
		g.Output("image", nn.ToChannelsFirst(image))
	})
}

// EncodeMemory is how many bytes Encode takes for these sizes beside the weights.
func (m *Model) EncodeMemory(n, h, w int) (int64, error) { return m.memory(programKey{false, n, h, w}) }

// DecodeMemory is the same for Decode.
func (m *Model) DecodeMemory(n, h, w int) (int64, error) { return m.memory(programKey{true, n, h, w}) }

func (m *Model) memory(k programKey) (int64, error) {
	g, err := m.graph(k)
	if err != nil {
		return 0, err
	}
	r, err := nn.Measure(g, nn.Options{})
	return int64(r.Arena) + int64(r.Private), err
}

// EncodeProgram returns the Program that Encode uses for these sizes. It is kept as long as the model; it must neither
// run nor be changed while Encode runs.
func (m *Model) EncodeProgram(n, h, w int) (*nn.Program, error) {
	return m.runner.Program(programKey{false, n, h, w})
}

// DecodeProgram returns the Program that Decode uses for these sizes; see EncodeProgram.
func (m *Model) DecodeProgram(n, h, w int) (*nn.Program, error) {
	return m.runner.Program(programKey{true, n, h, w})
}

func (m *Model) graph(k programKey) (*nn.Graph, error) {
	if k.decode {
		return m.DecodeGraph(k.n, k.h, k.w)
	}
	return m.EncodeGraph(k.n, k.h, k.w)
}

// Encode writes the moments of n images of h×w.
//
//	moments [n, 2·latent, h/8, w/8]: means, then log-variances; see Moments
//	image   [n, in, h, w], from -1 to 1
func (m *Model) Encode(ctx context.Context, moments, image []float32, n, h, w int) error {
	return m.runner.Run(ctx, programKey{false, n, h, w}, nil, []nn.Array{{Name: "image", Data: image}},
		nn.Array{Name: "moments", Data: moments})
}

// Decode writes the images of n latents of h×w.
//
//	image  [n, out, 8h, 8w], about -1 to 1, not clamped
//	latent [n, latent, h, w], not scaled: what the U-Net sees divided by Config.ScalingFactor
func (m *Model) Decode(ctx context.Context, image, latent []float32, n, h, w int) error {
	return m.runner.Run(ctx, programKey{true, n, h, w}, nil, []nn.Array{{Name: "latent", Data: latent}},
		nn.Array{Name: "image", Data: image})
}
