package weights

import (
	"encoding/json"
	"slices"
)

// A Size is a set of configurations with the structure of Stable Diffusion v1.
type Size struct {
	Name   string
	What   string // for people
	Prefix string // of component names in the generator; see synth.Weights
	Half   bool   // generated values are rounded to float16; see synth.Weights

	unet, vae           []int
	context, unetLatent int
	text                textConfig
}

// Sizes returns the sizes that the generator is asked for by name: Stable Diffusion v1.4's own, and two small ones that
// reference values exist for.
func Sizes() []Size {
	small := textConfig{HiddenSize: 48, IntermediateSize: 192, Layers: 3, Heads: 4, VocabSize: 1000, BOS: 998, EOS: 999, Pad: 999}
	return []Size{
		{Name: "sd14", What: "Stable Diffusion v1.4, 1066 million parameters",
			unet: []int{320, 640, 1280, 1280}, vae: []int{128, 256, 512, 512}, context: 768, unetLatent: 64,
			text: textConfig{HiddenSize: 768, IntermediateSize: 3072, Layers: 12, Heads: 12, VocabSize: 49408, BOS: 0, EOS: 2, Pad: 1}},
		{Name: "tiny", What: "the same structure with 32 to 128 channels",
			unet: []int{32, 64, 128, 128}, vae: []int{32, 64, 64, 64}, context: 48, unetLatent: 16, text: small},
		{Name: "nano", What: "the same structure with 32 channels, values exact in float16", Prefix: "nano.", Half: true,
			unet: []int{32, 32, 32, 32}, vae: []int{32, 32, 32, 32}, context: 48, unetLatent: 16, text: small},
	}
}

// Config returns the config.json of a component.
func (s *Size) Config(c Component) ([]byte, error) {
	levels := len(s.unet)
	var config any
	switch c {
	case UNet:
		u := newUNetConfig()
		u.InChannels, u.OutChannels, u.LayersPerBlock, u.CrossAttentionDim, u.SampleSize = 4, 4, 2, s.context, s.unetLatent
		u.BlockOutChannels = s.unet
		u.DownBlockTypes = append(slices.Repeat([]string{"CrossAttnDownBlock2D"}, levels-1), "DownBlock2D")
		u.UpBlockTypes = append([]string{"UpBlock2D"}, slices.Repeat([]string{"CrossAttnUpBlock2D"}, levels-1)...)
		config = u
	case VAE:
		v := newVAEConfig()
		v.InChannels, v.OutChannels, v.LatentChannels, v.LayersPerBlock, v.SampleSize = 3, 3, 4, 2, s.unetLatent<<(levels-1)
		v.BlockOutChannels = s.vae
		v.DownBlockTypes = slices.Repeat([]string{"DownEncoderBlock2D"}, levels)
		v.UpBlockTypes = slices.Repeat([]string{"UpDecoderBlock2D"}, levels)
		config = v
	default:
		t, usual := s.text, newTextConfig()
		t.Architectures, t.Act, t.LayerNormEps, t.Type = usual.Architectures, usual.Act, usual.LayerNormEps, usual.Type
		t.ProjectionDim, t.MaxPositions = t.HiddenSize, 77
		config = t
	}
	b, err := json.MarshalIndent(config, "", "  ")
	return append(b, '\n'), err
}
