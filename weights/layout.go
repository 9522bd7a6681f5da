package weights

import (
	"fmt"
	"strconv"
	"strings"
)

// maxNameIndex bounds the numbers in names, so that a damaged file cannot ask for an absurd layout.
const maxNameIndex = 4096

// indexed cuts "12.rest" behind a prefix of s into 12 and "rest".
func indexed(s, prefix string) (i int, rest string, ok bool) {
	tail, found := strings.CutPrefix(s, prefix)
	digits, rest, ok := strings.Cut(tail, ".")
	i, err := strconv.Atoi(digits)
	return i, rest, found && ok && err == nil && 0 <= i && i <= maxNameIndex && strconv.Itoa(i) == digits
}

// unetLayout reads the layout off the names of a CompVis U-Net below a prefix: every level but the last
// ends in a block that holds nothing but the down-sampler.
func unetLayout(names []string, prefix string) UNetLayout {
	blocks, downs := 0, 0
	transformer := map[int]bool{}
	for _, n := range names {
		i, rest, ok := indexed(n, prefix+"input_blocks.")
		if !ok {
			continue
		}
		blocks = max(blocks, i)
		switch rest {
		case "0.op.weight":
			downs++
		case "1.norm.weight":
			transformer[i] = true
		}
	}
	l := UNetLayout{Layers: (blocks+1)/(downs+1) - 1, Attention: make([]bool, downs+1)}
	for i := range l.Attention {
		l.Attention[i] = transformer[1+i*(l.Layers+1)]
	}
	return l
}

// vaeLayout reads the layout off the names of a VAE in either dialect below a prefix. Files of a CompVis decoder alone,
// or of an encoder alone, have one too.
func vaeLayout(names []string, prefix string) VAELayout {
	var l VAELayout
	for _, n := range names {
		for _, side := range []struct {
			levels, blocks string
			more           int // blocks that each level has beyond Layers
		}{{"encoder.down.", "block.", 0}, {"decoder.up.", "block.", 1}, {"encoder.down_blocks.", "resnets.", 0}} {
			i, rest, ok := indexed(n, prefix+side.levels)
			if !ok {
				continue
			}
			l.Levels = max(l.Levels, i+1)
			if j, _, ok := indexed(rest, side.blocks); ok {
				l.Layers = max(l.Layers, j+1-side.more)
			}
		}
	}
	return l
}

// diffusersUNetLayout is unetLayout for diffusers names.
func diffusersUNetLayout(names []string) UNetLayout {
	var l UNetLayout
	for _, n := range names {
		i, rest, ok := indexed(n, "down_blocks.")
		if !ok || i >= maxLevels {
			continue
		}
		for len(l.Attention) <= i {
			l.Attention = append(l.Attention, false)
		}
		if j, _, ok := indexed(rest, "resnets."); ok {
			l.Layers = max(l.Layers, j+1)
		}
		l.Attention[i] = l.Attention[i] || strings.HasPrefix(rest, "attentions.")
	}
	return l
}

// CompVisNames returns what the original code calls the tensors of a component in a file of the whole
// model, for a list of their diffusers names. A name that the component has not is an error.
func CompVisNames(names []string, c Component) (map[string]string, error) {
	translate := func(n string) (string, bool) { return n, strings.HasPrefix(n, "text_model.") }
	if c != TextEncoder {
		var table *Table
		var err error
		if c == UNet {
			table, err = CompVisUNet(diffusersUNetLayout(names))
		} else {
			table, err = CompVisVAE(vaeLayout(names, ""))
		}
		if err != nil {
			return nil, err
		}
		translate = table.FromDiffusers
	}
	to := make(map[string]string, len(names))
	for _, n := range names {
		other, ok := translate(n)
		if !ok {
			return nil, fmt.Errorf("weights: the original code has no name for %s of the %s", n, c)
		}
		to[n] = compVisPrefix[c] + other
	}
	return to, nil
}
