package unet

import (
	"testing"

	"percept/internal/golden"
	"percept/weights/synth"
)

// A step of the embedded model: both halves of guidance for eight 96×96 pictures.
func BenchmarkPredict12x12(b *testing.B) {
	c := SD14()
	c.BlockOutChannels = []int{64, 128, 128}
	c.DownBlockTypes = []string{CrossAttnDownBlock, CrossAttnDownBlock, DownBlock}
	c.UpBlockTypes = []string{UpBlock, CrossAttnUpBlock, CrossAttnUpBlock}
	c.LayersPerBlock = PerLevel{1}
	c.CrossAttentionDim = 128
	c.AttentionHeadDim = PerLevel{4}
	c.NormNumGroups = 16
	m, err := New(c, synth.New("unet", golden.Seed))
	if err != nil {
		b.Fatal(err)
	}
	const n, h, w, tokens = 16, 12, 12, 32
	latent := synth.Input("latent", golden.Seed, 1.7, n*4*h*w)
	text := synth.Input("context", golden.Seed, 1.7, n*tokens*c.CrossAttentionDim)
	eps, timesteps := make([]float32, len(latent)), make([]float32, n)
	for b.Loop() {
		if err := m.Predict(b.Context(), eps, latent, timesteps, text, n, h, w); err != nil {
			b.Fatal(err)
		}
	}
}
