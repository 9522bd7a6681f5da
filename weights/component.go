package weights

import (
	"fmt"
	"slices"
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

// A Dialect is a way to name the tensors of a component.
type Dialect string

// The dialects that Component understands.
const (
	Diffusers     Dialect = "diffusers" // the file holds this component alone
	CompVis       Dialect = "CompVis"   // the file holds all components, as the original code saved them
	UnknownNaming Dialect = "unknown"   // some other file
)

// compVisPrefix is what the original code puts before a component's names.
var compVisPrefix = map[Component]string{
	UNet:        "model.diffusion_model.",
	VAE:         "first_stage_model.",
	TextEncoder: "cond_stage_model.transformer.",
}

// marks are names by which a diffusers file of a component is known.
var marks = map[Component][]string{
	UNet:        {"time_embedding.linear_1.weight"},
	VAE:         {"decoder.conv_in.weight", "encoder.conv_in.weight"},
	TextEncoder: {"text_model.embeddings.token_embedding.weight", "embeddings.token_embedding.weight"},
}

// Detect tells in which dialect a list of names holds a component.
func Detect(names []string, c Component) Dialect {
	prefix := compVisPrefix[c]
	for _, n := range names {
		if prefix != "" && strings.HasPrefix(n, prefix) {
			return CompVis
		}
		if slices.Contains(marks[c], n) {
			return Diffusers
		}
	}
	return UnknownNaming
}

// Component returns a view of the Store that hands out one component's tensors under their diffusers
// names (transformers' for the text encoder, with "text_model."), whatever the file calls them. The
// attention weights of a VAE, (C, C, 1, 1) in CompVis files, become (C, C). Tensors of the other
// components are not part of the view, so Check does not call them unexpected.
func (s *Store) Component(c Component) (*Store, error) {
	names := s.Names()
	dialect := Detect(names, c)
	if dialect == UnknownNaming {
		return nil, &FormatError{s.file, fmt.Sprintf("holds no %s: no tensor named %s… or %s", c, compVisPrefix[c], strings.Join(marks[c], " or "))}
	}
	prefix := ""
	if dialect == CompVis {
		prefix = compVisPrefix[c]
	}
	translate, err := translator(names, c, dialect)
	if err != nil {
		return nil, &FormatError{s.file, err.Error()}
	}
	v, err := s.Rename(func(name string) (string, bool) {
		tail, ok := strings.CutPrefix(name, prefix)
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

// translator returns the function that renames a component's tensors, prefix already removed.
func translator(names []string, c Component, d Dialect) (func(string) (string, bool), error) {
	switch {
	case c == TextEncoder:
		return func(n string) (string, bool) {
			return "text_model." + strings.TrimPrefix(n, "text_model."), true
		}, nil
	case c == VAE && d == Diffusers:
		return func(n string) (string, bool) { return legacyVAE.Replace(n), true }, nil
	case d == Diffusers:
		return func(n string) (string, bool) { return n, true }, nil
	}
	var table *Table
	var err error
	if c == UNet {
		table, err = CompVisUNet(unetLayout(names))
	} else {
		table, err = CompVisVAE(vaeLayout(names))
	}
	if err != nil {
		return nil, err
	}
	return table.ToDiffusers, nil
}

// unetLayout reads the layout off the names of a CompVis U-Net: every level but the last ends in a
// block that holds nothing but the down-sampler.
func unetLayout(names []string) UNetLayout {
	prefix := compVisPrefix[UNet] + "input_blocks."
	blocks, downs := 0, 0
	transformer := map[int]bool{}
	for _, n := range names {
		var i int
		tail, ok := strings.CutPrefix(n, prefix)
		if !ok {
			continue
		}
		if _, err := fmt.Sscanf(tail, "%d.", &i); err != nil || i < 0 || i > 4096 {
			continue
		}
		blocks = max(blocks, i)
		if strings.HasSuffix(tail, ".0.op.weight") {
			downs++
		}
		if strings.HasSuffix(tail, ".1.norm.weight") {
			transformer[i] = true
		}
	}
	l := UNetLayout{Layers: (blocks+1)/(downs+1) - 1, Attention: make([]bool, downs+1)}
	for i := range l.Attention {
		l.Attention[i] = transformer[1+i*(l.Layers+1)]
	}
	return l
}

// vaeLayout reads the layout off the names of a CompVis VAE.
func vaeLayout(names []string) VAELayout {
	var l VAELayout
	for _, n := range names {
		var i, j int
		tail, ok := strings.CutPrefix(n, compVisPrefix[VAE]+"encoder.down.")
		if !ok {
			continue
		}
		if _, err := fmt.Sscanf(tail, "%d.block.%d.", &i, &j); err == nil && i >= 0 && j >= 0 {
			l.Levels, l.Layers = max(l.Levels, i+1), max(l.Layers, j+1)
		}
	}
	return l
}

// squeezeAttention gives the 1x1 convolutions of the VAE's attention the shape of the matrices they are.
func squeezeAttention(v *Store) {
	for name, t := range v.tensors {
		if len(t.shape) == 4 && t.shape[2] == 1 && t.shape[3] == 1 && strings.Contains(name, ".mid_block.attentions.") {
			t.shape = t.shape[:2]
			v.tensors[name] = t
		}
	}
}

// Rename returns a view that hands out the tensors for which m returns true, under the names that m
// gives. The view reads the same file: close the original, after the last use of the view's Bytes.
func (s *Store) Rename(m func(name string) (string, bool)) (*Store, error) {
	v := &Store{file: s.file, meta: s.meta, origin: s.origin, tensors: make(map[string]tensorInfo, len(s.tensors)), record: map[string]*request{}}
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
