package unet

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
	want.CrossAttentionDim = 48
	want.SampleSize = 16
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestConfigRoundTrip(t *testing.T) {
	want := SD14()
	want.AttentionHeadDim = PerLevel{5, 10, 20, 20}
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ConfigFromJSON(data)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// The keys that are missing mean what diffusers makes of them, which is not always SD v1.
func TestConfigDefaults(t *testing.T) {
	got, err := ConfigFromJSON([]byte(`{"_class_name": "UNet2DConditionModel", "sample_size": null}`))
	if err != nil {
		t.Fatal(err)
	}
	if got.CrossAttentionDim != 1280 {
		t.Errorf("cross_attention_dim %d, diffusers takes 1280", got.CrossAttentionDim)
	}
}

func TestConfigRejects(t *testing.T) {
	for _, test := range []struct{ name, json, want string }{
		{"no JSON", `{`, "config"},
		{"linear projection (SD v2)", `{"use_linear_projection": true}`, "use_linear_projection is true, only false"},
		{"other time embedding", `{"time_embedding_type": "fourier"}`, `time_embedding_type is "fourier"`},
		{"sine first", `{"flip_sin_to_cos": false}`, "flip_sin_to_cos is false"},
		{"added embedding (SDXL)", `{"addition_embed_type": "text_time"}`, "addition_embed_type"},
		{"no mid block", `{"mid_block_type": null}`, "mid_block_type is null"},
		{"other mid block", `{"mid_block_type": "UNetMidBlock2D"}`, "mid_block_type"},
		{"no groups", `{"norm_num_groups": null}`, "norm_num_groups is null"},
		{"a list of widths", `{"cross_attention_dim": [1, 2]}`, "cross_attention_dim"},
		{"other block", `{"down_block_types": ["AttnDownBlock2D", "DownBlock2D", "DownBlock2D", "DownBlock2D"]}`, "AttnDownBlock2D"},
		{"too few block types", `{"down_block_types": ["DownBlock2D"]}`, "down_block_types has 1 entries, block_out_channels has 4"},
		{"too few heads", `{"attention_head_dim": [8, 8]}`, "attention_head_dim has 2 entries"},
		{"fraction of a head", `{"attention_head_dim": 8.5}`, "8.5"},
		{"heads do not divide", `{"attention_head_dim": 7}`, "not a multiple of its 7 heads"},
		{"groups do not divide", `{"block_out_channels": [48, 640, 1280, 1280]}`, "48, not a multiple of norm_num_groups 32"},
		{"zero layers", `{"layers_per_block": 0}`, "layers_per_block is 0"},
		{"too many layers", `{"layers_per_block": [2, 1000000000, 2, 2]}`, "layers_per_block is 1000000000, must be at most 32"},
		{"too many transformer layers", `{"transformer_layers_per_block": 33}`, "transformer_layers_per_block is 33, must be at most 32"},
		{"zero groups", `{"norm_num_groups": 0}`, "norm_num_groups is 0"},
		{"no level", `{"block_out_channels": []}`, "block_out_channels has 0 entries"},
		{"negative level", `{"block_out_channels": [-32, 640, 1280, 1280]}`, "block_out_channels is -32"},
		{"epsilon", `{"norm_eps": 0}`, "norm_eps"},
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
