package vae

import (
	"cmp"
	"strings"

	"percept/internal/modelconfig"
)

// The block types of SD v1, by their diffusers names.
const (
	DownBlock = "DownEncoderBlock2D"
	UpBlock   = "UpDecoderBlock2D"
)

// Config describes an autoencoder; the JSON keys are those of the config.json that diffusers writes.
type Config struct {
	InChannels       int      `json:"in_channels"`        // channels of the image given
	OutChannels      int      `json:"out_channels"`       // channels of the image returned
	BlockOutChannels []int    `json:"block_out_channels"` // one entry a level, finest first
	DownBlockTypes   []string `json:"down_block_types"`   // DownBlock a level
	UpBlockTypes     []string `json:"up_block_types"`     // UpBlock a level
	LayersPerBlock   int      `json:"layers_per_block"`   // resnets of an encoder block; a decoder block has one more
	LatentChannels   int      `json:"latent_channels"`
	NormNumGroups    int      `json:"norm_num_groups"` // of every GroupNorm
	ScalingFactor    float32  `json:"scaling_factor"`  // makes the latents' variance about 1
	SampleSize       int      `json:"sample_size"`     // side of the images it is made for; other sizes are only slower
}

// SD14 returns the configuration of Stable Diffusion v1.1 to v1.5: 84 M parameters.
func SD14() Config {
	return Config{
		InChannels:       3,
		OutChannels:      3,
		BlockOutChannels: []int{128, 256, 512, 512},
		DownBlockTypes:   []string{DownBlock, DownBlock, DownBlock, DownBlock},
		UpBlockTypes:     []string{UpBlock, UpBlock, UpBlock, UpBlock},
		LayersPerBlock:   2,
		LatentChannels:   4,
		NormNumGroups:    32,
		ScalingFactor:    0.18215,
		SampleSize:       512,
	}
}

// diffusersDefaults are the values diffusers takes for keys that a config.json lacks.
func diffusersDefaults() Config {
	return Config{
		InChannels:       3,
		OutChannels:      3,
		BlockOutChannels: []int{64},
		DownBlockTypes:   []string{DownBlock},
		UpBlockTypes:     []string{UpBlock},
		LayersPerBlock:   1,
		LatentChannels:   4,
		NormNumGroups:    32,
		ScalingFactor:    0.18215,
		SampleSize:       32,
	}
}

// ConfigFromJSON reads a diffusers config.json. A key that asks for something SD v1 does not have is an error that
// names the key, found and supported value; keys without influence on the result are passed over.
func ConfigFromJSON(data []byte) (Config, error) {
	return modelconfig.Parse("vae", data, diffusersDefaults(), fixedKeys, "sample_size") // which diffusers leaves open
}

// Bounds of the depth, so that a damaged file cannot ask for an absurd one.
const (
	maxLevels = 16
	maxLayers = 32 // of a level
)

// Validate reports everything wrong with the configuration in one line that names the keys.
func (c Config) Validate() error {
	wrong := modelconfig.Problems{Model: "vae"}
	positive := wrong.Positive
	positive("in_channels", c.InChannels)
	positive("out_channels", c.OutChannels)
	positive("layers_per_block", c.LayersPerBlock)
	if c.LayersPerBlock > maxLayers {
		wrong.Add("layers_per_block is %d, must be at most %d", c.LayersPerBlock, maxLayers)
	}
	positive("latent_channels", c.LatentChannels)
	positive("norm_num_groups", c.NormNumGroups)
	if !(c.ScalingFactor > 0) {
		wrong.Add("scaling_factor is %g, must be positive", c.ScalingFactor)
	}
	levels := c.Levels()
	if levels == 0 || levels > maxLevels {
		wrong.Add("block_out_channels has %d entries, must have 1 to %d", levels, maxLevels)
		return wrong.Err()
	}
	for _, b := range []struct {
		key   string
		types []string
		want  string
	}{{"down_block_types", c.DownBlockTypes, DownBlock}, {"up_block_types", c.UpBlockTypes, UpBlock}} {
		if len(b.types) != levels {
			wrong.Add("%s has %d entries, block_out_channels has %d", b.key, len(b.types), levels)
		}
		for _, t := range b.types {
			if t != b.want {
				wrong.Add("%s contains %q, only %q is supported", b.key, t, b.want)
			}
		}
	}
	for _, ch := range c.BlockOutChannels {
		positive("block_out_channels", ch)
		if c.NormNumGroups > 0 && ch%c.NormNumGroups != 0 {
			wrong.Add("block_out_channels has %d, not a multiple of norm_num_groups %d", ch, c.NormNumGroups)
		}
	}
	return wrong.Err()
}

// Levels is the number of resolutions.
func (c Config) Levels() int { return len(c.BlockOutChannels) }

// side is the side of pictures in a module where images have SampleSize.
func (c Config) side(module string) int {
	if module == "encoder.conv_out" || module == "decoder.conv_in" {
		module = "mid_block"
	}
	_, block, _ := strings.Cut(module, "coder.") // of encoder or decoder
	return modelconfig.Side(cmp.Or(block, module), c.SampleSize, c.Levels())
}

// Downscale is how many times smaller than the image the latent is in each direction: 2^(Levels-1), 8 in SD v1.
func (c Config) Downscale() int { return 1 << (c.Levels() - 1) }
