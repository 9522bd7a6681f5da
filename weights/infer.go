package weights

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Bounds of what is inferred.
const (
	maxLevels = 16
	maxLayers = 32
)

// What shapes do not tell is that of Stable Diffusion v1.
const (
	sd1Heads      = 8  // of each transformer of the U-Net
	sd1Groups     = 32 // of every GroupNorm
	sd1Latent     = 64 // side of the latents it was made for
	clipHeadWidth = 64 // of every CLIP text model
	maxTextLayers = 256
	maxChannels   = 1 << 20
)

// InferConfig returns the config.json that diffusers (for the text encoder, transformers) would have written
// for a component whose tensors have the shapes in the view that Store.Component returns.
//
// Taken from Stable Diffusion v1 because no shape tells them: 8 heads a transformer in the U-Net, 32 groups
// a GroupNorm, epsilons, activations, the size of latents (64×64) and the VAE's scaling factor 0.18215. A text
// encoder has heads 64 wide and quick-GELU, as all of CLIP's; where its width is no multiple of 64, or more than
// CLIP's 768, the error is an *UntoldError.
func InferConfig(view *Store, c Component) ([]byte, error) {
	in := &inference{view: view}
	var config any
	switch c {
	case UNet:
		config = in.unet()
	case VAE:
		config = in.vae()
	case TextEncoder:
		config = in.text()
	default:
		return nil, fmt.Errorf("weights: unknown component %q", c)
	}
	if in.err != nil {
		return nil, &FormatError{view.file, fmt.Sprintf("the %s's configuration cannot be told from its tensors: %v", c.Title(), in.err)}
	}
	b, err := json.MarshalIndent(config, "", "  ")
	if err == nil && in.untold != "" {
		err = &UntoldError{view.file, in.untold, b}
	}
	return append(b, '\n'), err
}

// An UntoldError says what of a configuration shapes do not tell. Config has something in its place: it is good for names
// and shapes, not for computing.
type UntoldError struct {
	File   string
	Reason string
	Config []byte
}

func (e *UntoldError) Error() string { return fmt.Sprintf("weights: %s: %s", e.File, e.Reason) }

// inference reads dimensions and keeps the first thing that is wrong.
type inference struct {
	view   *Store
	err    error
	untold string // what the shapes do not tell, but a configuration has to
}

func (in *inference) fail(format string, args ...any) {
	if in.err == nil {
		in.err = fmt.Errorf(format, args...)
	}
}

// dim returns one dimension of a tensor that has dims of them.
func (in *inference) dim(name string, dims, at int) int {
	t, ok := in.view.tensors[name]
	switch {
	case !ok:
		in.fail("no tensor %s", name)
		return 0
	case len(t.Shape) != dims:
		in.fail("%s has shape %v, expected %d dimensions", name, t.Shape, dims)
		return 0
	case t.Shape[at] < 1 || t.Shape[at] > maxChannels:
		in.fail("%s has shape %v, expected 1 to %d", name, t.Shape, maxChannels)
		return 0
	}
	return t.Shape[at]
}

func (in *inference) has(format string, args ...any) bool {
	_, ok := in.view.tensors[fmt.Sprintf(format, args...)]
	return ok
}

// count returns how many numbers from 0 on fit into the format, limit at most.
func (in *inference) count(limit int, format string, args ...any) int {
	n := 0
	for n < limit && in.has(format, append(slices.Clone(args), n)...) {
		n++
	}
	return n
}

// unetConfig has the keys of diffusers' UNet2DConditionModel that Stable Diffusion v1 was published with.
type unetConfig struct {
	Class              string   `json:"_class_name"`
	Version            string   `json:"_diffusers_version"`
	Act                string   `json:"act_fn"`
	Heads              int      `json:"attention_head_dim"`
	BlockOutChannels   []int    `json:"block_out_channels"`
	CenterInput        bool     `json:"center_input_sample"`
	CrossAttentionDim  int      `json:"cross_attention_dim"`
	DownBlockTypes     []string `json:"down_block_types"`
	DownsamplePadding  int      `json:"downsample_padding"`
	FlipSinToCos       bool     `json:"flip_sin_to_cos"`
	FreqShift          int      `json:"freq_shift"`
	InChannels         int      `json:"in_channels"`
	LayersPerBlock     int      `json:"layers_per_block"`
	MidBlockScale      int      `json:"mid_block_scale_factor"`
	NormEps            float64  `json:"norm_eps"`
	NormGroups         int      `json:"norm_num_groups"`
	OutChannels        int      `json:"out_channels"`
	SampleSize         int      `json:"sample_size"`
	TransformerLayers  any      `json:"transformer_layers_per_block,omitempty"`
	UpBlockTypes       []string `json:"up_block_types"`
	UseLinearProjector bool     `json:"use_linear_projection,omitempty"`
}

// diffusersVersion is the release whose files these are like.
const diffusersVersion = "0.42.1"

// newUNetConfig has what is the same in every size.
func newUNetConfig() *unetConfig {
	return &unetConfig{
		Class: "UNet2DConditionModel", Version: diffusersVersion, Act: "silu", Heads: sd1Heads, DownsamplePadding: 1, FlipSinToCos: true,
		MidBlockScale: 1, NormEps: 1e-5, NormGroups: sd1Groups, SampleSize: sd1Latent,
	}
}

func (in *inference) unet() *unetConfig {
	c := newUNetConfig()
	c.InChannels = in.dim("conv_in.weight", 4, 1)
	c.OutChannels = in.dim("conv_out.weight", 4, 0)
	c.BlockOutChannels, c.LayersPerBlock = in.levels("down_blocks")
	var depths []int
	for i := range c.BlockOutChannels {
		down, up, depth := "DownBlock2D", "UpBlock2D", 1
		if in.has("down_blocks.%d.attentions.0.norm.weight", i) {
			down = "CrossAttnDownBlock2D"
			depth = in.transformer(fmt.Sprintf("down_blocks.%d.attentions.0", i), c)
		}
		if in.has("up_blocks.%d.attentions.0.norm.weight", i) {
			up = "CrossAttnUpBlock2D"
		}
		c.DownBlockTypes, c.UpBlockTypes = append(c.DownBlockTypes, down), append(c.UpBlockTypes, up)
		depths = append(depths, depth)
	}
	in.transformer("mid_block.attentions.0", c)
	if slices.ContainsFunc(depths, func(d int) bool { return d != 1 }) {
		c.TransformerLayers = depths
	}
	return c
}

// levels returns the channels of each level of blocks below a path and how many resnets a level has, the same in all. Both are
// 0 where it fails.
func (in *inference) levels(path string) (channels []int, layers int) {
	n := in.count(maxLevels+1, path+".%d.resnets.0.conv1.weight")
	if n == 0 || n > maxLevels {
		in.fail("%d levels (%s), expected 1 to %d", n, path, maxLevels)
		return nil, 0
	}
	for i := range n {
		block := fmt.Sprintf("%s.%d", path, i)
		found := in.count(maxLayers+1, block+".resnets.%d.conv1.weight")
		if i == 0 {
			layers = found
		}
		if found != layers || found > maxLayers {
			in.fail("%s has %d resnets, %s.0 has %d; expected the same in all, at most %d", block, found, path, layers, maxLayers)
			return nil, 0
		}
		name := block + ".resnets.0.conv1.weight"
		width := in.dim(name, 4, 0)
		if width%sd1Groups != 0 { // its output is normalised
			in.fail("%s has %d channels, not a multiple of the %d groups of Stable Diffusion v1's norms", name, width, sd1Groups)
		}
		channels = append(channels, width)
	}
	return channels, layers
}

// transformer reads the width of the context off a transformer and returns its number of layers.
func (in *inference) transformer(path string, c *unetConfig) int {
	width := in.dim(path+".transformer_blocks.0.attn2.to_k.weight", 2, 1)
	if c.CrossAttentionDim == 0 {
		c.CrossAttentionDim = width
	}
	if width != c.CrossAttentionDim {
		in.fail("%s takes a context %d wide, another transformer %d", path, width, c.CrossAttentionDim)
	}
	if t, ok := in.view.tensors[path+".proj_in.weight"]; ok && len(t.Shape) == 2 {
		c.UseLinearProjector = true // the U-Net's own reading of the configuration refuses it by name
	}
	if inner := in.dim(path+".norm.weight", 1, 0); inner%sd1Heads != 0 {
		in.fail("%s has %d channels, not a multiple of Stable Diffusion v1's %d heads", path, inner, sd1Heads)
	}
	return max(1, in.count(maxLayers, path+".transformer_blocks.%d.norm1.weight"))
}

type vaeConfig struct {
	Class            string   `json:"_class_name"`
	Version          string   `json:"_diffusers_version"`
	Act              string   `json:"act_fn"`
	BlockOutChannels []int    `json:"block_out_channels"`
	DownBlockTypes   []string `json:"down_block_types"`
	InChannels       int      `json:"in_channels"`
	LatentChannels   int      `json:"latent_channels"`
	LayersPerBlock   int      `json:"layers_per_block"`
	NormGroups       int      `json:"norm_num_groups"`
	OutChannels      int      `json:"out_channels"`
	SampleSize       int      `json:"sample_size"`
	ScalingFactor    float64  `json:"scaling_factor"`
	UpBlockTypes     []string `json:"up_block_types"`
}

func newVAEConfig() *vaeConfig {
	return &vaeConfig{Class: "AutoencoderKL", Version: diffusersVersion, Act: "silu", NormGroups: sd1Groups, ScalingFactor: 0.18215}
}

func (in *inference) vae() *vaeConfig {
	c := newVAEConfig()
	c.InChannels = in.dim("encoder.conv_in.weight", 4, 1)
	c.OutChannels = in.dim("decoder.conv_out.weight", 4, 0)
	c.LatentChannels = in.dim("post_quant_conv.weight", 4, 0)
	c.BlockOutChannels, c.LayersPerBlock = in.levels("encoder.down_blocks")
	levels := len(c.BlockOutChannels)
	c.DownBlockTypes = slices.Repeat([]string{"DownEncoderBlock2D"}, levels)
	c.UpBlockTypes = slices.Repeat([]string{"UpDecoderBlock2D"}, levels)
	c.SampleSize = sd1Latent << max(levels-1, 0)
	return c
}

// textConfig leaves out what only training needs: transformers wants 1.0 for some of it and does not take 1.
type textConfig struct {
	Architectures    []string `json:"architectures"`
	BOS              int      `json:"bos_token_id"`
	EOS              int      `json:"eos_token_id"`
	Act              string   `json:"hidden_act"`
	HiddenSize       int      `json:"hidden_size"`
	IntermediateSize int      `json:"intermediate_size"`
	LayerNormEps     float64  `json:"layer_norm_eps"`
	MaxPositions     int      `json:"max_position_embeddings"`
	Type             string   `json:"model_type"`
	Heads            int      `json:"num_attention_heads"`
	Layers           int      `json:"num_hidden_layers"`
	Pad              int      `json:"pad_token_id"`
	ProjectionDim    int      `json:"projection_dim"`
	VocabSize        int      `json:"vocab_size"`
}

func newTextConfig() *textConfig {
	// The ids are those of the published file. 2 is not CLIP's end token: it makes transformers pool the row of the
	// highest id, as the original code does.
	return &textConfig{
		Architectures: []string{"CLIPTextModel"}, BOS: 0, EOS: 2, Act: "quick_gelu",
		LayerNormEps: 1e-5, Type: "clip_text_model", Pad: 1,
	}
}

func (in *inference) text() *textConfig {
	c := newTextConfig()
	const model = "text_model."
	c.VocabSize = in.dim(model+"embeddings.token_embedding.weight", 2, 0)
	c.HiddenSize = in.dim(model+"embeddings.token_embedding.weight", 2, 1)
	c.MaxPositions = in.dim(model+"embeddings.position_embedding.weight", 2, 0)
	c.IntermediateSize = in.dim(model+"encoder.layers.0.mlp.fc1.weight", 2, 0)
	c.Layers = in.count(maxTextLayers+1, model+"encoder.layers.%d.mlp.fc1.weight")
	if c.Layers > maxTextLayers {
		in.fail("more than %d layers", maxTextLayers)
	}
	c.ProjectionDim = c.HiddenSize
	if c.HiddenSize%clipHeadWidth != 0 {
		in.untold = fmt.Sprintf("the text encoder's tokens are %d wide, not a multiple of %d, the width of CLIP's heads: "+
			"its config.json has to say how many heads there are (--config)", c.HiddenSize, clipHeadWidth)
		c.Heads = 1
		return c
	}
	c.Heads = c.HiddenSize / clipHeadWidth
	if c.HiddenSize > 768 { // of Stable Diffusion v2, and the second of XL
		in.untold = fmt.Sprintf("the text encoder's tokens are %d wide: CLIP's own have at most 768, OpenCLIP's wider ones "+
			"another activation, so its config.json has to be given (--config)", c.HiddenSize)
	}
	return c
}
