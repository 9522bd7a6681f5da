package unet

import (
	"testing"

	"percept/internal/golden"
	"percept/weights"
)

// A step of the size of the embedded model: both halves of guidance for one 96×96 picture.
func BenchmarkPredict12x12(b *testing.B) {
	c := SD14()
	c.BlockOutChannels = []int{64, 128, 192}
	c.DownBlockTypes = []string{CrossAttnDownBlock, CrossAttnDownBlock, DownBlock}
	c.UpBlockTypes = []string{UpBlock, CrossAttnUpBlock, CrossAttnUpBlock}
	c.CrossAttentionDim = 128
	c.AttentionHeadDim = PerLevel{4}
	m, err := New(c, weights.NewSynth("unet", golden.Seed))
	if err != nil {
		b.Fatal(err)
	}
	const n, h, w = 2, 12, 12
	latent := weights.SynthInput("latent", golden.Seed, 1.7, n*4*h*w)
	text := weights.SynthInput("context", golden.Seed, 1.7, n*ContextTokens*c.CrossAttentionDim)
	eps := make([]float32, len(latent))
	for b.Loop() {
		if err := m.Predict(b.Context(), eps, latent, []float32{500, 500}, text, n, h, w); err != nil {
			b.Fatal(err)
		}
	}
}
