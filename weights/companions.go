package weights

import (
	"encoding/json"
	"fmt"
	"strings"
)

// checkSchedule refuses a file whose noise schedule, which the original code saves beside the weights, is
// another than Stable Diffusion v1's: its pictures would be wrong without a word.
func checkSchedule(s *Store) error {
	t, ok := s.tensors["betas"]
	if !ok || len(t.Shape) != 1 {
		return nil
	}
	const steps, first, last = 1000, 0.00085, 0.012
	if t.Shape[0] != steps {
		return &FormatError{s.file, fmt.Sprintf("noise of %d steps (betas), expected %d as in Stable Diffusion v1", t.Shape[0], steps)}
	}
	beta, err := s.Float64("betas")
	if err != nil {
		return err
	}
	near := func(x, want float64) bool { return x > want*(1-2e-3) && x < want*(1+2e-3) } // they may be float16
	if !near(beta[0], first) || !near(beta[steps-1], last) {
		return &FormatError{s.file, fmt.Sprintf("noise from %.4g to %.4g (betas), expected %g to %g as in Stable Diffusion v1",
			beta[0], beta[steps-1], first, last)}
	}
	return nil
}

// schedulerConfig is scheduler_config.json of Stable Diffusion v1, as diffusers' DDIMScheduler reads it; skip_prk_steps
// is for a PNDMScheduler made from it. As the published file it has no timestep_spacing: each scheduler takes its own.
const schedulerConfig = `{
  "_class_name": "DDIMScheduler",
  "_diffusers_version": "` + diffusersVersion + `",
  "beta_end": 0.012,
  "beta_schedule": "scaled_linear",
  "beta_start": 0.00085,
  "clip_sample": false,
  "num_train_timesteps": 1000,
  "prediction_type": "epsilon",
  "set_alpha_to_one": false,
  "skip_prk_steps": true,
  "steps_offset": 1,
  "trained_betas": null
}
`

// modelIndex is model_index.json for the components that there are.
func modelIndex(parts map[Component]*Part, tokenizer bool, scheduler string) []byte {
	var b strings.Builder
	b.WriteString(`{
  "_class_name": "StableDiffusionPipeline",
  "_diffusers_version": "` + diffusersVersion + `",
  "feature_extractor": [null, null],
  "image_encoder": [null, null],
  "requires_safety_checker": false,
  "safety_checker": [null, null]`)
	entry := func(have bool, name, library, class string) {
		if have {
			fmt.Fprintf(&b, ",\n  %q: [%q, %q]", name, library, class)
		}
	}
	entry(true, "scheduler", "diffusers", scheduler)
	entry(parts[TextEncoder] != nil, "text_encoder", "transformers", "CLIPTextModel")
	entry(tokenizer, "tokenizer", "transformers", "CLIPTokenizer")
	entry(parts[UNet] != nil, "unet", "diffusers", "UNet2DConditionModel")
	entry(parts[VAE] != nil, "vae", "diffusers", "AutoencoderKL")
	b.WriteString("\n}\n")
	return []byte(b.String())
}

// tokenizerConfig is tokenizer_config.json of Stable Diffusion v1, for texts of as many tokens as the text encoder takes.
func tokenizerConfig(text *Part) string {
	config := struct {
		Positions int `json:"max_position_embeddings"`
	}{77}
	if text != nil {
		_ = json.Unmarshal(text.Config, &config) // a configuration that cannot be read is refused by who loads it
	}
	return fmt.Sprintf(`{
  "add_prefix_space": false,
  "bos_token": "<|startoftext|>",
  "do_lower_case": true,
  "eos_token": "<|endoftext|>",
  "errors": "replace",
  "model_max_length": %d,
  "pad_token": "<|endoftext|>",
  "tokenizer_class": "CLIPTokenizer",
  "unk_token": "<|endoftext|>"
}
`, config.Positions)
}

// specialTokens is special_tokens_map.json of Stable Diffusion v1.
const specialTokens = `{
  "bos_token": "<|startoftext|>",
  "eos_token": "<|endoftext|>",
  "pad_token": "<|endoftext|>",
  "unk_token": "<|endoftext|>"
}
`
