package vae

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
)

func TestConfigFromJSON(t *testing.T) {
	data, err := os.ReadFile("testdata/nano_config.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := ConfigFromJSON(data)
	if err != nil {
		t.Fatal(err)
	}
	want := SD14()
	want.BlockOutChannels = []int{32, 32, 32, 32}
	want.SampleSize = 64
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestConfigRoundTrip(t *testing.T) {
	data, err := json.Marshal(SD14())
	if err != nil {
		t.Fatal(err)
	}
	got, err := ConfigFromJSON(data)
	if err != nil {
		t.Fatal(err)
	}
	if want := SD14(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestConfigRejects(t *testing.T) {
	for _, test := range []struct{ name, json, want string }{
		{"no JSON", `[`, "config"},
		{"no attention", `{"mid_block_add_attention": false}`, "mid_block_add_attention is false, only true"},
		{"no quant_conv (SD v3)", `{"use_quant_conv": false}`, "use_quant_conv is false"},
		{"shifted latents", `{"shift_factor": 0.0609}`, "shift_factor is 0.0609"},
		{"other block", `{"up_block_types": ["AttnUpDecoderBlock2D"]}`, "AttnUpDecoderBlock2D"},
		{"too few block types", `{"block_out_channels": [32, 32]}`, "down_block_types has 1 entries, block_out_channels has 2"},
		{"null", `{"scaling_factor": null}`, "scaling_factor is null"},
		{"scaling factor", `{"scaling_factor": 0}`, "scaling_factor is 0"},
		{"groups do not divide", `{"norm_num_groups": 24}`, "64, not a multiple of norm_num_groups 24"},
		{"too many layers", `{"layers_per_block": 1000000000}`, "layers_per_block is 1000000000, must be at most 32"},
		{"zero groups", `{"norm_num_groups": 0}`, "norm_num_groups is 0"},
		{"no level", `{"block_out_channels": []}`, "block_out_channels has 0 entries"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ConfigFromJSON([]byte(test.json))
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q, want one line with %q", err, test.want)
			}
		})
	}
}
