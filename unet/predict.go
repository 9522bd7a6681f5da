package unet

import (
	"context"
	"fmt"

	"percept/nn"
)

// ContextTokens is the length of the context that CLIP gives Stable Diffusion v1. A network takes any.
const ContextTokens = 77

// Shape says for which sizes a graph is made.
type Shape struct {
	N      int // batch
	H, W   int // of the latent, an eighth of the image's; multiples of Config.SizeMultiple
	Tokens int // of the context
}

// check says which sizes the network can take: each level but the last halves them, and what is doubled on the way
// up has to fit the skip connections.
func (m *Model) check(s Shape) error {
	if s.N < 1 || s.Tokens < 1 {
		return fmt.Errorf("unet: batch %d and %d context tokens, expected both to be positive", s.N, s.Tokens)
	}
	if k := m.Config.SizeMultiple(); s.H < k || s.W < k || s.H%k != 0 || s.W%k != 0 {
		return fmt.Errorf("unet: latent of %d×%d (height × width), expected positive multiples of %d", s.H, s.W, k)
	}
	return nil
}

// steady keeps the keys and values of the context through all steps of a diffusion, and the time embedding where many
// latents are looked at in one step.
var steady = nn.Options{Steady: []string{"timesteps", "context"}}

// Graph is the network as a graph with the inputs "latent" [N, in, H, W], "timesteps" [N] and "context"
// [N, tokens, D] and the output "eps" [N, out, H, W].
func (m *Model) Graph(s Shape) (*nn.Graph, error) {
	if err := m.check(s); err != nil {
		return nil, err
	}
	return nn.Build(func(g *nn.Graph) {
		latent := g.Input("latent", s.N, m.Config.InChannels, s.H, s.W)
		timesteps := g.Input("timesteps", s.N)
		text := g.Input("context", s.N, s.Tokens, m.Config.CrossAttentionDim)
		eps := m.Forward(nn.ToChannelsLast(latent), timesteps, text)
		g.Output("eps", nn.ToChannelsFirst(eps))
	})
}

// Compile makes a Program of the caller's own, not shared with Predict. o may have taps.
func (m *Model) Compile(s Shape, o nn.Options) (*nn.Program, error) {
	g, err := m.Graph(s)
	if err != nil {
		return nil, err
	}
	p, err := nn.Compile(g, o)
	if err != nil {
		return nil, fmt.Errorf("unet: %w", err)
	}
	return p, nil
}

// Memory is how many bytes a prediction for these sizes takes beside the weights.
func (m *Model) Memory(s Shape) (int64, error) {
	g, err := m.Graph(s)
	if err != nil {
		return 0, err
	}
	r, err := nn.Measure(g, steady)
	return int64(r.Arena) + int64(r.Private), err
}

// Program returns the Program that Predict uses for these sizes and taps, for probes on predictions. It is kept as long as
// the model; it must neither run nor be changed while a prediction runs.
func (m *Model) Program(s Shape, taps ...nn.Tap) (*nn.Program, error) {
	return m.runner.Program(s, taps...)
}

// Predict writes the noise predicted in n latents of h×w to eps. What taps give is to be had from the outputs of the
// Program for them, and changes no bit of eps.
//
//	eps, latent [n, channels, h, w]
//	timesteps   [n], from 0 to 999, one for each latent
//	text        [n, tokens, CrossAttentionDim]; the number of tokens follows from its length
func (m *Model) Predict(ctx context.Context, eps, latent, timesteps, text []float32, n, h, w int, taps ...nn.Tap) error {
	if n < 1 {
		return fmt.Errorf("unet: batch of %d latents, expected 1 or more", n)
	}
	row := n * m.Config.CrossAttentionDim
	if len(text) == 0 || len(text)%row != 0 {
		return fmt.Errorf("unet: context of %d values, expected [%d, tokens, %d]", len(text), n, m.Config.CrossAttentionDim)
	}
	in := []nn.Array{{Name: "latent", Data: latent}, {Name: "timesteps", Data: timesteps}, {Name: "context", Data: text}}
	return m.runner.Run(ctx, Shape{n, h, w, len(text) / row}, taps, in, nn.Array{Name: "eps", Data: eps})
}
