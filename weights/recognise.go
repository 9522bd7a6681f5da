package weights

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Contents say what a file holds.
type Contents struct {
	// Model names the model, such as "Stable Diffusion v1"; it is empty where the tensors are of nothing known.
	Model string
	// Dialects has the components that were found and how their tensors are named.
	Dialects map[Component]Dialect
	// EMA says that averaged weights of the U-Net lie beside those of the last step; see Store.UseEMA.
	EMA bool
	// Unsupported says why this program cannot compute with the model, in one line; empty where it can.
	Unsupported string
	// Other are the tensors that belong to no component: noise schedules, states of an optimiser. Averaged weights
	// (model_ema.…) are not among them.
	Other []string
}

// emaPrefix is what the original training code puts before the names of averaged weights, from which it
// takes the dots: model_ema.diffusion_modelinput_blocks00weight.
const emaPrefix = "model_ema."

// A sign is a name, or the beginning or a part of names, by which a file of some other kind is known.
type sign struct {
	prefix, part string
	model        string
	unsupported  string
}

// signs of files that are no model this program runs, in the order in which they are looked for. The
// names are those that the projects' own code writes: kohya-ss and peft for LoRA, lllyasviel's ControlNet and
// diffusers' of it, Stability AI's generative-models for SDXL, sd3-ref and Flux, stablediffusion for version 2.
var signs = []sign{
	{prefix: "lora_unet_", model: "LoRA", unsupported: loraReason},
	{prefix: "lora_te", model: "LoRA", unsupported: loraReason},
	{part: ".lora_A.", model: "LoRA", unsupported: loraReason},
	{part: ".lora_down.", model: "LoRA", unsupported: loraReason},
	{part: ".lora.down.", model: "LoRA", unsupported: loraReason},
	{part: "_lora.down.", model: "LoRA", unsupported: loraReason},
	{prefix: "control_model.", model: "ControlNet", unsupported: controlReason},
	{prefix: "controlnet_", model: "ControlNet", unsupported: controlReason},
	{prefix: "conditioner.embedders.", model: "Stable Diffusion XL", unsupported: "it has two text encoders and another U-Net"},
	{part: ".label_emb.", model: "Stable Diffusion XL or upscaler", unsupported: "its U-Net takes a second embedding (label_emb)"},
	{prefix: "add_embedding.", model: "Stable Diffusion XL U-Net", unsupported: "it takes a second embedding"},
	{part: "joint_blocks.", model: "Stable Diffusion 3", unsupported: "Stable Diffusion 3 is a transformer, not a U-Net"},
	{part: "double_blocks.", model: "Flux", unsupported: "Flux is a transformer, not a U-Net"},
	{prefix: "cond_stage_model.model.", model: "Stable Diffusion v2", unsupported: "it has another text encoder (OpenCLIP ViT-H/14)"},
	{prefix: "cond_stage_model.transformer.token_emb.", model: "latent diffusion of 2021", unsupported: "its text encoder is a BERT"},
	{prefix: "first_stage_model.quantize.", model: "latent diffusion of 2021", unsupported: "its autoencoder is a VQ-VAE"},
	{prefix: "string_to_param", model: "textual inversion", unsupported: "a textual inversion is a word for a model, not a model"},
	{prefix: "emb_params", model: "textual inversion", unsupported: "a textual inversion is a word for a model, not a model"},
}

const (
	loraReason    = "a LoRA is changes to a model's weights, not a model: merge it into its model first"
	controlReason = "a ControlNet steers a model, it is not one"
)

// Contents tells by names and shapes what the file holds.
func (s *Store) Contents() *Contents {
	names := s.Names()
	c := &Contents{Dialects: map[Component]Dialect{}}
	taken := map[string]bool{}
	for _, part := range Components() {
		p := detect(names, part)
		if p == nil {
			continue
		}
		c.Dialects[part] = p.dialect
		for _, n := range names {
			if _, ok := p.tail(part, n); ok {
				taken[n] = true
			}
		}
	}
	for _, n := range names {
		if strings.HasPrefix(n, emaPrefix) {
			c.EMA = c.EMA || strings.HasPrefix(n, emaPrefix+"diffusion_model")
		} else if !taken[n] {
			c.Other = append(c.Other, n)
		}
	}
	for _, g := range signs {
		if slices.ContainsFunc(names, g.fits) {
			c.Model, c.Unsupported = g.model, g.unsupported
			return c
		}
	}
	c.name(s, names)
	return c
}

func (g sign) fits(name string) bool {
	return g.prefix != "" && strings.HasPrefix(name, g.prefix) || g.part != "" && strings.Contains(name, g.part)
}

// supported refuses a model that cannot be run by its name.
func (c *Contents) supported(path string, o ModelOptions) error {
	if c.Unsupported == "" || o.Unsupported {
		return nil
	}
	return &FormatError{path, fmt.Sprintf("%s, which cannot be run: %s", c.Model, c.Unsupported)}
}

// name finds the model of the components' shapes.
func (c *Contents) name(s *Store, names []string) {
	if len(c.Dialects) == 0 {
		return
	}
	usual := true
	shape := func(part Component, suffixes ...string) []int { return s.shapeBehind(names, part, suffixes...) }
	if _, ok := c.Dialects[UNet]; ok {
		first := shape(UNet, "input_blocks.0.0.weight", "conv_in.weight")
		context := shape(UNet, "attn2.to_k.weight")
		proj := shape(UNet, "proj_in.weight")
		if len(first) == 4 {
			switch first[1] {
			case 4:
			case 9:
				c.Model, c.Unsupported = "Stable Diffusion for inpainting", "its U-Net takes 9 channels: latent, mask and masked latent"
			case 8:
				c.Model, c.Unsupported = "InstructPix2Pix", "its U-Net takes 8 channels: latent and latent of a picture"
			case 5, 7:
				c.Model, c.Unsupported = "Stable Diffusion v2 for depth or upscaling", fmt.Sprintf("its U-Net takes %d channels", first[1])
			}
		}
		if c.Unsupported == "" && (len(context) == 2 && context[1] == 1024 || len(proj) == 2 && len(context) == 2 && context[1] != 768) {
			c.Model, c.Unsupported = "Stable Diffusion v2", "Stable Diffusion v2 has another text encoder and other projections than v1"
		}
		usual = len(first) == 4 && first[0] == 320 && len(context) == 2 && context[1] == 768
	} else if _, ok := c.Dialects[VAE]; ok {
		first := shape(VAE, "decoder.conv_out.weight")
		usual = len(first) == 4 && first[1] == 128
	} else {
		words := shape(TextEncoder, "token_embedding.weight")
		usual = slices.Equal(words, []int{49408, 768})
	}
	if c.Model != "" {
		return
	}
	c.Model = "Stable Diffusion v1"
	if !usual {
		c.Model = "model of Stable Diffusion v1's structure in another size"
	}
}

// shapeBehind returns the shape of the first tensor of a component whose name ends in one of the suffixes.
func (s *Store) shapeBehind(names []string, c Component, suffixes ...string) []int {
	p := detect(names, c)
	for _, n := range names {
		if tail, ok := p.tail(c, n); ok && slices.ContainsFunc(suffixes, func(end string) bool { return strings.HasSuffix(tail, end) }) {
			return s.tensors[n].Shape
		}
	}
	return nil
}

// String is one line for a person: the model, the naming and which parts of the model are there.
func (c *Contents) String() string {
	if c.Model == "" {
		return "no known model"
	}
	parts := []string{c.Model}
	dialects := map[Dialect]bool{}
	var have []string
	for _, part := range Components() {
		if d, ok := c.Dialects[part]; ok {
			dialects[d] = true
			have = append(have, part.Title())
		}
	}
	if dialects[CompVis] {
		parts = append(parts, "CompVis names")
	} else if dialects[Diffusers] {
		parts = append(parts, "diffusers names")
	}
	if len(have) > 0 && len(have) < 3 {
		parts = append(parts, strings.Join(have, " and ")+" only")
	}
	if c.EMA {
		parts = append(parts, "with EMA")
	}
	return strings.Join(parts, ", ")
}

// Title is the component's name in a sentence.
func (c Component) Title() string { return cmp.Or(titles[c], string(c)) }

var titles = map[Component]string{UNet: "U-Net", VAE: "VAE", TextEncoder: "text encoder"}
