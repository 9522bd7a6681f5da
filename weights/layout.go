package weights

import (
	"fmt"
	"strconv"
	"strings"
)

// maxNameIndex bounds the numbers in names, so that a damaged file cannot ask for an absurd layout.
const maxNameIndex = 4096

// leadingIndex cuts "12.rest" into 12 and "rest".
func leadingIndex(s string) (i int, rest string, ok bool) {
	digits, rest, ok := strings.Cut(s, ".")
	if !ok || digits == "" || digits[0] == '+' || digits[0] == '-' {
		return 0, "", false
	}
	i, err := strconv.Atoi(digits)
	return i, rest, err == nil && i <= maxNameIndex && strconv.Itoa(i) == digits
}

// unetLayout reads the layout off the names of a CompVis U-Net below a prefix: every level but the last
// ends in a block that holds nothing but the down-sampler.
func unetLayout(names []string, prefix string) UNetLayout {
	prefix += "input_blocks."
	blocks, downs := 0, 0
	transformer := map[int]bool{}
	for _, n := range names {
		tail, ok := strings.CutPrefix(n, prefix)
		if !ok {
			continue
		}
		i, rest, ok := leadingIndex(tail)
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

// vaeLayout reads the layout off the names of a CompVis VAE below a prefix. Files of a decoder alone,
// or of an encoder alone, have one too.
func vaeLayout(names []string, prefix string) VAELayout {
	var l VAELayout
	for _, n := range names {
		tail, ok := strings.CutPrefix(n, prefix)
		if !ok {
			continue
		}
		for side, more := range map[string]int{"encoder.down.": 0, "decoder.up.": 1} {
			level, ok := strings.CutPrefix(tail, side)
			if !ok {
				continue
			}
			i, rest, ok := leadingIndex(level)
			if !ok {
				continue
			}
			l.Levels = max(l.Levels, i+1)
			if block, ok := strings.CutPrefix(rest, "block."); ok {
				if j, _, ok := leadingIndex(block); ok {
					l.Layers = max(l.Layers, j+1-more)
				}
			}
		}
	}
	return l
}

// diffusersUNetLayout is unetLayout for diffusers names.
func diffusersUNetLayout(names []string) UNetLayout {
	var l UNetLayout
	for _, n := range names {
		tail, ok := strings.CutPrefix(n, "down_blocks.")
		if !ok {
			continue
		}
		i, rest, ok := leadingIndex(tail)
		if !ok || i >= maxLevels {
			continue
		}
		for len(l.Attention) <= i {
			l.Attention = append(l.Attention, false)
		}
		if tail, ok := strings.CutPrefix(rest, "resnets."); ok {
			if j, _, ok := leadingIndex(tail); ok {
				l.Layers = max(l.Layers, j+1)
			}
		}
		l.Attention[i] = l.Attention[i] || strings.HasPrefix(rest, "attentions.")
	}
	return l
}

// diffusersVAELayout is vaeLayout for diffusers names.
func diffusersVAELayout(names []string) VAELayout {
	var l VAELayout
	for _, n := range names {
		tail, ok := strings.CutPrefix(n, "encoder.down_blocks.")
		if !ok {
			continue
		}
		i, rest, ok := leadingIndex(tail)
		if !ok {
			continue
		}
		l.Levels = max(l.Levels, i+1)
		if tail, ok := strings.CutPrefix(rest, "resnets."); ok {
			if j, _, ok := leadingIndex(tail); ok {
				l.Layers = max(l.Layers, j+1)
			}
		}
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
			table, err = CompVisVAE(diffusersVAELayout(names))
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
