package unet

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// fixedKeys are the keys of diffusers whose other values make another network, with the values that mean SD v1.
// upcast_attention is missing on purpose: attention is float32 in any case.
var fixedKeys = []struct {
	key    string
	values []string
}{
	{"act_fn", []string{`"silu"`, `"swish"`}},
	{"addition_embed_type", []string{`null`}},
	{"attention_type", []string{`"default"`}},
	{"center_input_sample", []string{`false`}},
	{"class_embed_type", []string{`null`}},
	{"conv_in_kernel", []string{`3`}},
	{"conv_out_kernel", []string{`3`}},
	{"cross_attention_norm", []string{`null`}},
	{"downsample_padding", []string{`1`}},
	{"dual_cross_attention", []string{`false`}},
	{"encoder_hid_dim", []string{`null`}},
	{"encoder_hid_dim_type", []string{`null`}},
	{"flip_sin_to_cos", []string{`true`}},
	{"freq_shift", []string{`0`}},
	{"mid_block_only_cross_attention", []string{`null`, `false`}},
	{"mid_block_scale_factor", []string{`1`, `1.0`}},
	{"num_attention_heads", []string{`null`}},
	{"num_class_embeds", []string{`null`}},
	{"only_cross_attention", []string{`false`}},
	{"resnet_out_scale_factor", []string{`1.0`, `1`}},
	{"resnet_skip_time_act", []string{`false`}},
	{"resnet_time_scale_shift", []string{`"default"`}},
	{"reverse_transformer_layers_per_block", []string{`null`}},
	{"time_cond_proj_dim", []string{`null`}},
	{"time_embedding_act_fn", []string{`null`}},
	{"time_embedding_dim", []string{`null`}},
	{"time_embedding_type", []string{`"positional"`}},
	{"timestep_post_act", []string{`null`}},
	{"use_linear_projection", []string{`false`}},
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
	return fmt.Errorf("unet: config: %s", strings.Join(p, "; "))
}
