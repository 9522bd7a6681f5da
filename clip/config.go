package clip

import (
	"encoding/json"
	"fmt"

	"percept/internal/cause"
	"percept/internal/modelconfig"
	"percept/internal/pyjson"
)

// The activations a text model may have, by their names in transformers.
const (
	QuickGELU = "quick_gelu" // x·sigmoid(1.702x)
	GELU      = "gelu"       // with the error function
)

// TextConfig describes a text model; the JSON keys are those of the config.json that transformers writes.
type TextConfig struct {
	VocabSize             int     `json:"vocab_size"`
	HiddenSize            int     `json:"hidden_size"`       // width of a token
	IntermediateSize      int     `json:"intermediate_size"` // width inside the perceptrons
	Layers                int     `json:"num_hidden_layers"`
	Heads                 int     `json:"num_attention_heads"`
	MaxPositionEmbeddings int     `json:"max_position_embeddings"`
	Activation            string  `json:"hidden_act"` // QuickGELU or GELU
	LayerNormEps          float32 `json:"layer_norm_eps"`
	EndToken              int     `json:"eos_token_id"` // marks the row that is pooled; 2 means the highest id, see Text.Pooled
}

// SD14 returns the configuration of the text encoder of Stable Diffusion v1.1 to v1.5: CLIP ViT-L/14, 123 M parameters.
func SD14() TextConfig {
	return TextConfig{
		VocabSize:             49408,
		HiddenSize:            768,
		IntermediateSize:      3072,
		Layers:                12,
		Heads:                 12,
		MaxPositionEmbeddings: 77,
		Activation:            QuickGELU,
		LayerNormEps:          1e-5,
		EndToken:              49407,
	}
}

// TextConfigFromJSON reads a config.json of transformers' CLIPTextModel; of a whole CLIPModel it takes "text_config".
func TextConfigFromJSON(data []byte) (TextConfig, error) {
	var whole struct {
		Text json.RawMessage `json:"text_config"`
		Type string          `json:"model_type"`
	}
	if err := json.Unmarshal(pyjson.Standard(data), &whole); err != nil {
		return TextConfig{}, fmt.Errorf("clip: config: %w", cause.OfJSON(err))
	}
	if whole.Text != nil && whole.Type == "clip" {
		data = whole.Text
	}
	lacking := SD14() // what transformers takes for keys that a config.json lacks differs in three values
	lacking.HiddenSize, lacking.IntermediateSize, lacking.Heads = 512, 2048, 8
	return modelconfig.Parse("clip", data, lacking, nil, "eos_token_id")
}

// maxLayers bounds the depth, so that a damaged file cannot ask for an absurd one.
const maxLayers = 256

// Validate reports everything wrong with the configuration in one line that names the keys.
func (c TextConfig) Validate() error {
	wrong := modelconfig.Problems{Model: "clip"}
	bad := wrong.Add
	wrong.Positive("vocab_size", c.VocabSize)
	wrong.Positive("hidden_size", c.HiddenSize)
	wrong.Positive("intermediate_size", c.IntermediateSize)
	wrong.Positive("num_hidden_layers", c.Layers)
	wrong.Positive("num_attention_heads", c.Heads)
	wrong.Positive("max_position_embeddings", c.MaxPositionEmbeddings)
	if c.Layers > maxLayers {
		bad("num_hidden_layers is %d, expected at most %d", c.Layers, maxLayers)
	}
	if c.Heads > 0 && c.HiddenSize%c.Heads != 0 {
		bad("hidden_size is %d, not a multiple of num_attention_heads %d", c.HiddenSize, c.Heads)
	}
	if c.VocabSize > 1<<24 {
		bad("vocab_size is %d, expected at most %d: ids travel as float32", c.VocabSize, 1<<24)
	}
	if c.Activation != QuickGELU && c.Activation != GELU {
		bad("hidden_act is %q, supported are %q and %q", c.Activation, QuickGELU, GELU)
	}
	if !(c.LayerNormEps > 0) {
		bad("layer_norm_eps is %g, expected a positive number", c.LayerNormEps)
	}
	return wrong.Err()
}
