package clip

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func TestTextConfigFromJSON(t *testing.T) {
	data, err := os.ReadFile("testdata/nano_config.json")
	if err != nil {
		t.Fatal(err)
	}
	want := TextConfig{
		VocabSize: 1000, HiddenSize: 48, IntermediateSize: 192, Layers: 3, Heads: 4, MaxPositionEmbeddings: 77,
		Activation: QuickGELU, LayerNormEps: 1e-5, EndToken: 999,
	}
	got, err := TextConfigFromJSON(data)
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	// The configuration of a model with both towers holds that of the text tower.
	got, err = TextConfigFromJSON([]byte(`{"model_type": "clip", "hidden_size": 1, "text_config": ` + string(data) + `}`))
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("of a whole CLIP: got %+v, want %+v", got, want)
	}
}

func TestTextConfigRoundTrip(t *testing.T) {
	data, err := json.Marshal(SD14())
	if err != nil {
		t.Fatal(err)
	}
	got, err := TextConfigFromJSON(data)
	if err != nil {
		t.Fatal(err)
	}
	if want := SD14(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestTextConfigRejects(t *testing.T) {
	for _, test := range []struct{ name, json, want string }{
		{"no JSON", `{]`, "config"},
		{"other activation", `{"hidden_act": "relu"}`, `hidden_act is "relu", supported are "quick_gelu" and "gelu"`},
		{"heads do not divide", `{"num_attention_heads": 7}`, "hidden_size is 512, not a multiple of num_attention_heads 7"},
		{"too many layers", `{"num_hidden_layers": 1000000000}`, "num_hidden_layers is 1000000000, expected at most 256"},
		{"no heads", `{"num_attention_heads": 0}`, "num_attention_heads is 0"},
		{"no vocabulary", `{"vocab_size": 0}`, "vocab_size is 0"},
		{"vocabulary beyond float32", `{"vocab_size": 20000000}`, "vocab_size is 20000000"},
		{"epsilon", `{"layer_norm_eps": 0}`, "layer_norm_eps is 0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := TextConfigFromJSON([]byte(test.json))
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q, want one line with %q", err, test.want)
			}
		})
	}
}
