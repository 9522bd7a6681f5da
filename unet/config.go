package unet

import (
	"encoding/json"
	"fmt"

	"percept/internal/modelconfig"
)

// The block types of SD v1, by their diffusers names.
const (
	CrossAttnDownBlock = "CrossAttnDownBlock2D"
	DownBlock          = "DownBlock2D"
	MidBlockCrossAttn  = "UNetMidBlock2DCrossAttn"
	UpBlock            = "UpBlock2D"
	CrossAttnUpBlock   = "CrossAttnUpBlock2D"
)

// Config describes a U-Net; the JSON keys are those of the config.json that diffusers writes.
type Config struct {
	InChannels        int      `json:"in_channels"`         // channels of the latent
	OutChannels       int      `json:"out_channels"`        // channels of eps
	BlockOutChannels  []int    `json:"block_out_channels"`  // one entry a level, finest first
	DownBlockTypes    []string `json:"down_block_types"`    // CrossAttnDownBlock or DownBlock a level, finest first
	MidBlockType      string   `json:"mid_block_type"`      // MidBlockCrossAttn
	UpBlockTypes      []string `json:"up_block_types"`      // UpBlock or CrossAttnUpBlock a level, coarsest first
	LayersPerBlock    PerLevel `json:"layers_per_block"`    // resnets of a down block; an up block has one more
	CrossAttentionDim int      `json:"cross_attention_dim"` // width of a context token
	AttentionHeadDim  PerLevel `json:"attention_head_dim"`  // the NUMBER of heads: diffusers kept a wrong name here
	TransformerLayers PerLevel `json:"transformer_layers_per_block"`
	NormNumGroups     int      `json:"norm_num_groups"` // of every GroupNorm
	NormEps           float32  `json:"norm_eps"`        // of the resnets' and the output's GroupNorm
	SampleSize        int      `json:"sample_size"`     // side of the latents it is made for; other sizes are only slower
}

// SD14 returns the configuration of Stable Diffusion v1.1 to v1.5: 860 M parameters.
func SD14() Config {
	c := diffusersDefaults()
	c.CrossAttentionDim = 768
	c.SampleSize = 64
	return c
}

// diffusersDefaults are the values diffusers takes for keys that a config.json lacks.
func diffusersDefaults() Config {
	return Config{
		InChannels:        4,
		OutChannels:       4,
		BlockOutChannels:  []int{320, 640, 1280, 1280},
		DownBlockTypes:    []string{CrossAttnDownBlock, CrossAttnDownBlock, CrossAttnDownBlock, DownBlock},
		MidBlockType:      MidBlockCrossAttn,
		UpBlockTypes:      []string{UpBlock, CrossAttnUpBlock, CrossAttnUpBlock, CrossAttnUpBlock},
		LayersPerBlock:    PerLevel{2},
		CrossAttentionDim: 1280,
		AttentionHeadDim:  PerLevel{8},
		TransformerLayers: PerLevel{1},
		NormNumGroups:     32,
		NormEps:           1e-5,
	}
}

// ConfigFromJSON reads a diffusers config.json. A key that asks for something SD v1 does not have is an error
// that names the key, found and supported value; keys without influence on the result are passed over.
func ConfigFromJSON(data []byte) (Config, error) {
	return modelconfig.Parse("unet", data, diffusersDefaults(), fixedKeys, "sample_size") // which diffusers leaves open
}

// Validate reports everything wrong with the configuration in one line that names the keys.
func (c Config) Validate() error {
	wrong := modelconfig.Problems{Model: "unet"}
	bad, positive := wrong.Add, wrong.Positive
	positive("in_channels", c.InChannels)
	positive("out_channels", c.OutChannels)
	positive("cross_attention_dim", c.CrossAttentionDim)
	positive("norm_num_groups", c.NormNumGroups)
	if !(c.NormEps > 0) {
		bad("norm_eps is %g, must be positive", c.NormEps)
	}
	if c.MidBlockType != MidBlockCrossAttn {
		bad("mid_block_type is %q, only %q is supported", c.MidBlockType, MidBlockCrossAttn)
	}
	levels := c.Levels()
	if levels == 0 || levels > maxLevels {
		bad("block_out_channels has %d entries, must have 1 to %d", levels, maxLevels)
		return wrong.Err()
	}
	blockTypes := func(key string, types []string, plain, cross string) {
		if len(types) != levels {
			bad("%s has %d entries, block_out_channels has %d", key, len(types), levels)
		}
		for _, t := range types {
			if t != plain && t != cross {
				bad("%s contains %q, supported are %q and %q", key, t, plain, cross)
			}
		}
	}
	blockTypes("down_block_types", c.DownBlockTypes, DownBlock, CrossAttnDownBlock)
	blockTypes("up_block_types", c.UpBlockTypes, UpBlock, CrossAttnUpBlock)
	perLevel := func(key string, p PerLevel) {
		if len(p) != 1 && len(p) != levels {
			bad("%s has %d entries, must be one number or %d, as block_out_channels", key, len(p), levels)
		}
		for _, v := range p {
			positive(key, v)
		}
	}
	layers := func(key string, p PerLevel) {
		perLevel(key, p)
		for _, v := range p {
			if v > maxLayers {
				bad("%s is %d, must be at most %d", key, v, maxLayers)
			}
		}
	}
	perLevel("attention_head_dim", c.AttentionHeadDim)
	layers("layers_per_block", c.LayersPerBlock)
	layers("transformer_layers_per_block", c.TransformerLayers)
	if err := wrong.Err(); err != nil {
		return err
	}
	for i, ch := range c.BlockOutChannels {
		positive("block_out_channels", ch)
		if ch%c.NormNumGroups != 0 {
			bad("block_out_channels has %d, not a multiple of norm_num_groups %d", ch, c.NormNumGroups)
		}
		if heads := c.AttentionHeadDim.at(i); ch%heads != 0 {
			bad("block_out_channels has %d, not a multiple of its %d heads (attention_head_dim)", ch, heads)
		}
	}
	if c.BlockOutChannels[0]%2 != 0 {
		bad("block_out_channels begins with %d, must be even: half of it are the cosines of the timestep", c.BlockOutChannels[0])
	}
	return wrong.Err()
}

// Bounds of the depth, so that a damaged file cannot ask for an absurd one.
const (
	maxLevels = 16
	maxLayers = 32 // of one kind in a level
)

// Levels is the number of resolutions; the coarsest has 2^(Levels-1) times fewer rows and columns than the latent.
func (c Config) Levels() int { return len(c.BlockOutChannels) }

// SizeMultiple is what the latent's height and width must be multiples of: 2^(Levels-1).
func (c Config) SizeMultiple() int { return 1 << (c.Levels() - 1) }

// side is the side of pictures in a module where latents have SampleSize.
func (c Config) side(module string) int { return modelconfig.Side(module, c.SampleSize, c.Levels()) }

// timeChannels is the width of the timestep embedding.
func (c Config) timeChannels() int { return 4 * c.BlockOutChannels[0] }

// PerLevel is a number for each level, finest first; a single one counts for all. In JSON: a number or a list.
type PerLevel []int

func (p PerLevel) at(level int) int {
	if len(p) == 1 {
		return p[0]
	}
	return p[level]
}

// UnmarshalJSON reads a number or a list of numbers.
func (p *PerLevel) UnmarshalJSON(data []byte) error {
	var one int
	if json.Unmarshal(data, &one) == nil {
		*p = PerLevel{one}
		return nil
	}
	var list []int
	if err := json.Unmarshal(data, &list); err != nil {
		return fmt.Errorf("%s is neither a whole number nor a list of them", data)
	}
	*p = list
	return nil
}

// MarshalJSON writes a number where one counts for all levels, else a list.
func (p PerLevel) MarshalJSON() ([]byte, error) {
	if len(p) == 1 {
		return json.Marshal(p[0])
	}
	return json.Marshal([]int(p))
}
