package weights

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// Variants are the kinds of weights that diffusers tells apart by a word in the file's name.
const (
	VariantFP16   = "fp16"    // float16
	VariantBF16   = "bf16"    // bfloat16
	VariantNonEMA = "non_ema" // of the last training step, not averaged
)

// variantNames lists the names of a component's weights with a variant's word, or of those without where that is
// empty: safetensors before torch's .bin, one file before shards.
func variantNames(c Component, variant string) []string {
	var names []string
	for i, ending := range []string{"safetensors", "bin"} {
		dot := ""
		if variant != "" {
			dot = "." + variant
		}
		stem := stems[c][i]
		names = append(names, stem+dot+"."+ending, stem+"."+ending+".index"+dot+".json")
		if variant != "" { // some releases of the libraries put the word here
			names = append(names, stem+dot+"."+ending+".index.json")
		}
	}
	return names
}

// fileNames lists the names under which a component's weights are looked for where no variant is asked for, in this order:
// full precision before float16.
func fileNames(c Component) []string {
	var names []string
	for _, v := range []string{"", VariantFP16, VariantBF16, VariantNonEMA} {
		names = append(names, variantNames(c, v)...)
	}
	return names
}

// variantFiles returns the names to look for a component's weights under. As in diffusers, a part that has no files of the
// variant is taken from those without, which Notes says. A variant that no part of the model has is an error.
func (f *Folder) variantFiles(c Component, variant string) ([]string, error) {
	if variant == "" {
		return fileNames(c), nil
	}
	if slices.Contains(f.variants(c), variant) {
		return variantNames(c, variant), nil
	}
	there := map[string]bool{}
	for _, part := range Components() {
		for _, v := range f.variants(part) {
			there[v] = true
		}
	}
	if there[variant] {
		f.plain, f.variant = append(f.plain, string(c)), variant
		return variantNames(c, ""), nil
	}
	others := "there is no variant"
	if len(there) > 0 {
		others = "there is " + strings.Join(slices.Sorted(maps.Keys(there)), ", ")
	}
	return nil, &FormatError{f.Dir, fmt.Sprintf("no weights of the variant %s in any part (%s and the like): %s",
		variant, path.Join(string(c), variantNames(c, variant)[0]), others)}
}

// Notes says what was taken in place of what was asked for, one line each.
func (f *Folder) Notes() []string {
	if len(f.plain) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("no weights of the variant %s for %s: those without are taken", f.variant, strings.Join(f.plain, " and "))}
}

// variants returns the words of the variants that a component's folder has files of.
func (f *Folder) variants(c Component) []string {
	entries, err := fs.ReadDir(f.fsys, string(c))
	if err != nil {
		return nil // a part that is not there has none
	}
	var words []string
	for _, e := range entries {
		parts := strings.Split(e.Name(), ".")
		for _, word := range parts[1:] {
			if word != "" && slices.Contains(variantNames(c, word), e.Name()) && !slices.Contains(words, word) {
				words = append(words, word)
			}
		}
	}
	return words
}
