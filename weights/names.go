package weights

import (
	"fmt"
	"slices"
	"strings"
)

// UNetLayout is what decides the module names of a U-Net.
type UNetLayout struct {
	Layers    int    // residual blocks per level on the way down; the way up has one more
	Attention []bool // per level, whether its blocks hold transformers; its length is the number of levels
}

// VAELayout is what decides the module names of a VAE.
type VAELayout struct {
	Levels int
	Layers int // residual blocks per level of the encoder; the decoder has one more
}

// A Table pairs the module names of two dialects. It is one to one; a parameter is renamed by its
// longest prefix that is a module of the table.
type Table struct {
	pairs    [][2]string // diffusers, other
	toOther  map[string]string
	toCommon map[string]string
}

// add appends a pair.
func (t *Table) add(diffusers, other string) { t.pairs = append(t.pairs, [2]string{diffusers, other}) }

// index builds the two directions and refuses a table that is not one to one.
func (t *Table) index() error {
	t.toOther, t.toCommon = map[string]string{}, map[string]string{}
	for _, p := range t.pairs {
		if _, dup := t.toOther[p[0]]; dup {
			return fmt.Errorf("weights: module %s occurs twice in a name table", p[0])
		}
		if _, dup := t.toCommon[p[1]]; dup {
			return fmt.Errorf("weights: module %s occurs twice in a name table", p[1])
		}
		t.toOther[p[0]], t.toCommon[p[1]] = p[1], p[0]
	}
	return nil
}

// Pairs returns the module names, diffusers first.
func (t *Table) Pairs() [][2]string { return t.pairs }

// FromDiffusers renames a parameter; false where the table has no module for it.
func (t *Table) FromDiffusers(name string) (string, bool) { return rename(t.toOther, name) }

// ToDiffusers is the inverse of FromDiffusers.
func (t *Table) ToDiffusers(name string) (string, bool) { return rename(t.toCommon, name) }

func rename(modules map[string]string, name string) (string, bool) {
	for at := strings.LastIndexByte(name, '.'); at > 0; at = strings.LastIndexByte(name[:at], '.') {
		if to, ok := modules[name[:at]]; ok {
			return to + name[at:], true
		}
	}
	return "", false
}

// CompVisUNet returns the table between diffusers' names of a U-Net and those of the original code,
// without its prefix "model.diffusion_model.".
func CompVisUNet(l UNetLayout) (*Table, error) {
	levels := len(l.Attention)
	if levels < 1 || levels > 64 || l.Layers < 1 || l.Layers > 64 {
		return nil, fmt.Errorf("weights: U-Net layout with %d levels of %d layers, expected 1 to 64 of each", levels, l.Layers)
	}
	t := &Table{}
	t.add("time_embedding.linear_1", "time_embed.0")
	t.add("time_embedding.linear_2", "time_embed.2")
	t.add("conv_in", "input_blocks.0.0")
	for i, attention := range l.Attention {
		for j := range l.Layers {
			down, in := fmt.Sprintf("down_blocks.%d.", i), fmt.Sprintf("input_blocks.%d.", 1+i*(l.Layers+1)+j)
			t.addUNetResnet(fmt.Sprintf("%sresnets.%d", down, j), in+"0")
			if attention {
				t.add(fmt.Sprintf("%sattentions.%d", down, j), in+"1")
			}
		}
		if i < levels-1 {
			t.add(fmt.Sprintf("down_blocks.%d.downsamplers.0.conv", i), fmt.Sprintf("input_blocks.%d.0.op", (i+1)*(l.Layers+1)))
		}
	}
	t.addUNetResnet("mid_block.resnets.0", "middle_block.0")
	t.add("mid_block.attentions.0", "middle_block.1")
	t.addUNetResnet("mid_block.resnets.1", "middle_block.2")
	for i := range levels {
		attention := l.Attention[levels-1-i]
		for j := range l.Layers + 1 {
			up, out := fmt.Sprintf("up_blocks.%d.", i), fmt.Sprintf("output_blocks.%d.", i*(l.Layers+1)+j)
			t.addUNetResnet(fmt.Sprintf("%sresnets.%d", up, j), out+"0")
			next := 1 // the up-sampler comes behind whatever else the block holds
			if attention {
				t.add(fmt.Sprintf("%sattentions.%d", up, j), out+"1")
				next = 2
			}
			if i < levels-1 && j == l.Layers {
				t.add(up+"upsamplers.0.conv", fmt.Sprintf("%s%d.conv", out, next))
			}
		}
	}
	t.add("conv_norm_out", "out.0")
	t.add("conv_out", "out.2")
	return t, t.index()
}

func (t *Table) addUNetResnet(diffusers, compvis string) {
	t.add(diffusers+".norm1", compvis+".in_layers.0")
	t.add(diffusers+".conv1", compvis+".in_layers.2")
	t.add(diffusers+".time_emb_proj", compvis+".emb_layers.1")
	t.add(diffusers+".norm2", compvis+".out_layers.0")
	t.add(diffusers+".conv2", compvis+".out_layers.3")
	t.add(diffusers+".conv_shortcut", compvis+".skip_connection")
}

// CompVisVAE returns the table between diffusers' names of a VAE and those of the original code,
// without its prefix "first_stage_model.". The original decoder counts its levels from the image.
func CompVisVAE(l VAELayout) (*Table, error) {
	if l.Levels < 1 || l.Levels > 64 || l.Layers < 1 || l.Layers > 64 {
		return nil, fmt.Errorf("weights: VAE layout with %d levels of %d layers, expected 1 to 64 of each", l.Levels, l.Layers)
	}
	t := &Table{}
	for i := range l.Levels {
		for j := range l.Layers {
			t.addVAEResnet(fmt.Sprintf("encoder.down_blocks.%d.resnets.%d", i, j), fmt.Sprintf("encoder.down.%d.block.%d", i, j))
		}
		up := l.Levels - 1 - i
		for j := range l.Layers + 1 {
			t.addVAEResnet(fmt.Sprintf("decoder.up_blocks.%d.resnets.%d", i, j), fmt.Sprintf("decoder.up.%d.block.%d", up, j))
		}
		if i < l.Levels-1 {
			t.add(fmt.Sprintf("encoder.down_blocks.%d.downsamplers.0.conv", i), fmt.Sprintf("encoder.down.%d.downsample.conv", i))
			t.add(fmt.Sprintf("decoder.up_blocks.%d.upsamplers.0.conv", i), fmt.Sprintf("decoder.up.%d.upsample.conv", up))
		}
	}
	for _, side := range []string{"encoder", "decoder"} {
		t.add(side+".conv_in", side+".conv_in")
		t.addVAEResnet(side+".mid_block.resnets.0", side+".mid.block_1")
		t.addVAEResnet(side+".mid_block.resnets.1", side+".mid.block_2")
		diffusers, compvis := side+".mid_block.attentions.0", side+".mid.attn_1"
		t.add(diffusers+".group_norm", compvis+".norm")
		t.add(diffusers+".to_q", compvis+".q")
		t.add(diffusers+".to_k", compvis+".k")
		t.add(diffusers+".to_v", compvis+".v")
		t.add(diffusers+".to_out.0", compvis+".proj_out")
		t.add(side+".conv_norm_out", side+".norm_out")
		t.add(side+".conv_out", side+".conv_out")
	}
	t.add("quant_conv", "quant_conv")
	t.add("post_quant_conv", "post_quant_conv")
	return t, t.index()
}

func (t *Table) addVAEResnet(diffusers, compvis string) {
	for _, m := range []string{"norm1", "conv1", "norm2", "conv2"} {
		t.add(diffusers+"."+m, compvis+"."+m)
	}
	t.add(diffusers+".conv_shortcut", compvis+".nin_shortcut")
}

// vaeAttention lists what the modules of the VAE's attention are called: by diffusers, by the original code, by diffusers
// until 2023; exporters of that time left some of their names in files of the other dialect.
var vaeAttention = [][]string{
	{"group_norm", "norm"}, {"to_q", "q", "query"}, {"to_k", "k", "key"}, {"to_v", "v", "value"},
	{"to_out.0", "proj_out", "proj_attn", "to_out"},
}

// vaeAttentionName gives a parameter of the VAE's attention, the module path, the name that its dialect has today.
func vaeAttentionName(name, path string, d Dialect) string {
	before, tail, ok := strings.Cut(name, path)
	at := strings.LastIndexByte(tail, '.')
	if !ok || at < 0 {
		return name
	}
	for _, names := range vaeAttention {
		if slices.Contains(names, tail[:at]) {
			own := names[0]
			if d == CompVis {
				own = names[1]
			}
			return before + path + own + tail[at:]
		}
	}
	return name
}
