package vae

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// fixedKeys are the keys of diffusers whose other values make another network, with the values that mean SD v1.
// force_upcast is missing on purpose: all arithmetic is float32 in any case.
var fixedKeys = []struct {
	key    string
	values []string
}{
	{"act_fn", []string{`"silu"`, `"swish"`}},
	{"latents_mean", []string{`null`}},
	{"latents_std", []string{`null`}},
	{"mid_block_add_attention", []string{`true`}},
	{"shift_factor", []string{`null`}},
	{"use_post_quant_conv", []string{`true`}},
	{"use_quant_conv", []string{`true`}},
}

// checkFixed refuses a configuration of a network other than SD v1's.
func checkFixed(keys map[string]json.RawMessage) error {
	var wrong problems
	for _, f := range fixedKeys {
		raw, ok := keys[f.key]
		if ok && !slices.Contains(f.values, string(raw)) {
			wrong.add("%s is %s, only %s is supported", f.key, raw, f.values[0])
		}
	}
	for _, key := range configKeys() {
		if string(keys[key]) == "null" && key != "sample_size" { // which diffusers leaves open
			wrong.add("%s is null", key)
		}
	}
	return wrong.err()
}

// configKeys are the keys of Config.
func configKeys() []string {
	var keys []string
	t := reflect.TypeFor[Config]()
	for i := range t.NumField() {
		keys = append(keys, t.Field(i).Tag.Get("json"))
	}
	return keys
}

// problems collects what is wrong with a configuration.
type problems []string

func (p *problems) add(format string, args ...any) { *p = append(*p, fmt.Sprintf(format, args...)) }

// err is nil without problems, else one line with all of them.
func (p problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return fmt.Errorf("vae: config: %s", strings.Join(p, "; "))
}
