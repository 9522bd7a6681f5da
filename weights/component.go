package weights

import (
	"fmt"
	"strings"
)

// A Component is one of the three networks of Stable Diffusion; its value is its folder's name.
type Component string

// The components of a model.
const (
	UNet        Component = "unet"
	VAE         Component = "vae"
	TextEncoder Component = "text_encoder"
)

// Components returns the three, in the order in which they are listed everywhere.
func Components() []Component { return []Component{UNet, VAE, TextEncoder} }

// A Dialect is a way to name the tensors of a component.
type Dialect string

// The dialects that Component understands.
const (
	Diffusers Dialect = "diffusers" // of diffusers, for the text encoder of transformers; the file holds this component alone
	CompVis   Dialect = "CompVis"   // of the original code, in a file of all components or of one
)

// compVisPrefix is what the original code puts before a component's names in a file of the whole model.
var compVisPrefix = map[Component]string{
	UNet:        "model.diffusion_model.",
	VAE:         "first_stage_model.",
	TextEncoder: "cond_stage_model.transformer.",
}

// A spelling is a form in which files name the tensors of a component.
type spelling struct {
	dialect Dialect
	prefix  string
	// heads are what names of the component begin with behind the prefix; nil where the prefix says it all.
	heads []string
	// whole says that every tensor below the prefix belongs to the component, whatever its name, so that it is
	// reported if the model has no use for it.
	whole bool
}

// heads of the names of a component without prefix.
var (
	compVisUNetHeads = []string{"input_blocks.", "middle_block.", "output_blocks.", "time_embed.", "out.0.", "out.2."}
	compVisVAEHeads  = []string{"encoder.down.", "encoder.mid.", "decoder.up.", "decoder.mid."}
	compVisVAETops   = []string{"encoder.", "decoder.", "quant_conv.", "post_quant_conv."}
	diffusersUNet    = []string{"time_embedding.", "down_blocks.", "mid_block.", "up_blocks."}
	diffusersVAE     = []string{"encoder.down_blocks.", "encoder.mid_block.", "encoder.conv_in.",
		"decoder.up_blocks.", "decoder.mid_block.", "decoder.conv_in."}
	transformersText = []string{"text_model.", "embeddings.token_embedding.", "embeddings.position_embedding.",
		"encoder.layers.0.self_attn.", "final_layer_norm."}
)

// spellings are tried in this order: the first of which a file has a name is the file's.
var spellings = map[Component][]spelling{
	UNet: {
		{CompVis, compVisPrefix[UNet], nil, true},
		{CompVis, "diffusion_model.", compVisUNetHeads, true},
		{CompVis, "", compVisUNetHeads, false},
		{Diffusers, "", diffusersUNet, true},
	},
	VAE: {
		{CompVis, compVisPrefix[VAE], nil, true},
		{CompVis, "", compVisVAEHeads, false},
		{Diffusers, "", diffusersVAE, true},
	},
	TextEncoder: {
		{CompVis, compVisPrefix[TextEncoder], nil, true},
		{Diffusers, "", transformersText, true},
	},
}

// has reports whether a file's name is in this spelling and tells which component the file holds.
func (p *spelling) has(name string) bool {
	tail, ok := strings.CutPrefix(name, p.prefix)
	return ok && (p.heads == nil || hasPrefix(tail, p.heads...))
}

// detect returns the spelling of a component in a list of names, nil where they hold none.
func detect(names []string, c Component) *spelling {
	for i := range spellings[c] {
		p := &spellings[c][i]
		for _, n := range names {
			if p.has(n) {
				return p
			}
		}
	}
	return nil
}

// tail returns a file's name without the prefix, and whether it belongs to the component.
func (p *spelling) tail(c Component, name string) (string, bool) {
	tail, ok := strings.CutPrefix(name, p.prefix)
	switch {
	case !ok:
		return "", false
	case c == TextEncoder: // a whole CLIP model has an image encoder beside it
		return tail, !hasPrefix(tail, "vision_model.", "visual_projection.", "text_projection.", "logit_scale")
	case p.whole:
		return tail, true
	case c == VAE: // a file of the original training code has the discriminator beside it
		return tail, hasPrefix(tail, compVisVAETops...)
	}
	return tail, hasPrefix(tail, compVisUNetHeads...)
}

func hasPrefix(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// Component returns a view of the Store that hands out one component's tensors under their diffusers
// names (transformers' for the text encoder, with "text_model."), whatever the file calls them. The
// attention weights of a VAE, (C, C, 1, 1) in CompVis files, become (C, C). Tensors of the other
// components are not part of the view, so Check does not call them unexpected.
func (s *Store) Component(c Component) (*Store, error) {
	names := s.Names()
	p := detect(names, c)
	if p == nil {
		return nil, &FormatError{s.file, fmt.Sprintf("holds no %s: no tensor named %s… or %s", c, compVisPrefix[c], exampleName[c])}
	}
	translate, err := translator(names, c, p)
	if err != nil {
		return nil, &FormatError{s.file, err.Error()}
	}
	v, err := s.Rename(func(name string) (string, bool) {
		tail, ok := p.tail(c, name)
		if !ok {
			return "", false
		}
		if to, ok := translate(tail); ok {
			return to, true
		}
		return tail, true // kept under its own name, so that it is reported as unexpected
	})
	if err != nil {
		return nil, err
	}
	if c == VAE {
		squeezeAttention(v)
	}
	return v, nil
}

// exampleName is a diffusers name that a file of each component has.
var exampleName = map[Component]string{
	UNet:        "time_embedding.linear_1.weight",
	VAE:         "decoder.conv_in.weight",
	TextEncoder: "text_model.embeddings.token_embedding.weight",
}

// translator returns the function that renames a component's tensors, prefix already removed.
func translator(names []string, c Component, p *spelling) (func(string) (string, bool), error) {
	switch {
	case c == TextEncoder:
		return func(n string) (string, bool) {
			return "text_model." + strings.TrimPrefix(n, "text_model."), true
		}, nil
	case c == VAE && p.dialect == Diffusers:
		return func(n string) (string, bool) { return vaeAttentionName(n, ".attentions.0.", Diffusers), true }, nil
	case p.dialect == Diffusers:
		return func(n string) (string, bool) { return n, true }, nil
	}
	var table *Table
	var err error
	if c == UNet {
		table, err = CompVisUNet(unetLayout(names, p.prefix))
	} else {
		table, err = CompVisVAE(vaeLayout(names, p.prefix))
	}
	if err != nil {
		return nil, err
	}
	if c == VAE {
		return func(n string) (string, bool) { return table.ToDiffusers(vaeAttentionName(n, ".mid.attn_1.", CompVis)) }, nil
	}
	return table.ToDiffusers, nil
}

// squeezeAttention gives the 1x1 convolutions of the VAE's attention the shape of the matrices they are.
func squeezeAttention(v *Store) {
	for name, t := range v.tensors {
		if len(t.Shape) == 4 && t.Shape[2] == 1 && t.Shape[3] == 1 && strings.Contains(name, ".mid_block.attentions.") {
			t.Shape = t.Shape[:2]
			v.tensors[name] = t
		}
	}
}

// Rename returns a view that hands out the tensors for which m returns true, under the names that m
// gives. The view reads the same file: close the original, after the last use of the view's Bytes.
func (s *Store) Rename(m func(name string) (string, bool)) (*Store, error) {
	v := s.emptyView()
	for _, name := range s.Names() {
		to, ok := m(name)
		if !ok {
			continue
		}
		if other, dup := v.tensors[to]; dup {
			return nil, &FormatError{s.file, fmt.Sprintf("tensors %s and %s are both %s", other.source, name, to)}
		}
		v.tensors[to] = s.tensors[name]
	}
	return v, nil
}
