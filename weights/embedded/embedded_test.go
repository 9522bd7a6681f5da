package embedded

import (
	"encoding/binary"
	"encoding/json"
	"io/fs"
	"strings"
	"testing"
)

const maxBytes = 20 << 20 // what the repository allows the model to weigh

func TestSize(t *testing.T) {
	var total int64
	err := fs.WalkDir(FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		total += info.Size()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if total > maxBytes {
		t.Errorf("the model weighs %d bytes, want %d at most", total, maxBytes)
	}
}

func TestConfigs(t *testing.T) {
	for path, want := range map[string]map[string]any{
		"unet/config.json": {"_class_name": "UNet2DConditionModel", "sample_size": 12.0, "in_channels": 4.0,
			"cross_attention_dim": 128.0},
		"vae/config.json":          {"_class_name": "AutoencoderKL", "sample_size": 96.0, "latent_channels": 4.0},
		"text_encoder/config.json": {"hidden_size": 128.0, "max_position_embeddings": 32.0, "hidden_act": "quick_gelu"},
		"scheduler/scheduler_config.json": {"_class_name": "DDIMScheduler", "beta_schedule": "scaled_linear", "beta_start": 0.00085,
			"beta_end":            0.012,
			"num_train_timesteps": 1000.0, "steps_offset": 1.0, "set_alpha_to_one": false, "clip_sample": false,
			"prediction_type": "epsilon"},
		"scenenet/config.json": {"_class_name": "SceneNet", "sample_size": 96.0},
	} {
		got := readJSON(t, path)
		for key, value := range want {
			if got[key] != value {
				t.Errorf("%s: %s is %v, want %v", path, key, got[key], value)
			}
		}
	}
}

func TestVocabulary(t *testing.T) {
	vocab := readJSON(t, "tokenizer/vocab.json")
	merges, err := fs.ReadFile(FS(), "tokenizer/merges.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(merges)), "\n")
	// 256 bytes with and without the end of a word, one entry per merge, two special tokens.
	if want := 2*256 + len(lines) - 1 + 2; len(vocab) != want {
		t.Errorf("vocabulary of %d entries, %d merges want %d", len(vocab), len(lines)-1, want)
	}
	text := readJSON(t, "text_encoder/config.json")
	if text["vocab_size"] != float64(len(vocab)) {
		t.Errorf("text encoder for %v tokens, vocabulary has %d", text["vocab_size"], len(vocab))
	}
	if text["eos_token_id"] != vocab["<|endoftext|>"] || text["bos_token_id"] != vocab["<|startoftext|>"] {
		t.Errorf("text encoder starts at %v and ends at %v, vocabulary has %v and %v",
			text["bos_token_id"], text["eos_token_id"], vocab["<|startoftext|>"], vocab["<|endoftext|>"])
	}
	for _, word := range []string{"house", "tree", "boat", "mountain", "red", "sunset", "snow", "next", ","} {
		if _, ok := vocab[word+"</w>"]; !ok {
			t.Errorf("%q is not a single token", word)
		}
	}
}

// TestWeights reads each header: every tensor is float16 and the file ends where the last does.
func TestWeights(t *testing.T) {
	for path, tensors := range map[string]int{
		"unet/diffusion_pytorch_model.safetensors": 324,
		"vae/diffusion_pytorch_model.safetensors":  184,
		"text_encoder/model.safetensors":           36,
		"scenenet/model.safetensors":               18,
	} {
		data, err := fs.ReadFile(FS(), path)
		if err != nil {
			t.Fatal(err)
		}
		if len(data) < 8 {
			t.Fatalf("%s: %d bytes", path, len(data))
		}
		n := binary.LittleEndian.Uint64(data)
		if n > uint64(len(data)-8) {
			t.Fatalf("%s: header of %d bytes in a file of %d", path, n, len(data))
		}
		var header map[string]struct {
			DType   string `json:"dtype"`
			Offsets []int  `json:"data_offsets"`
		}
		body := data[8+n:]
		if err := json.Unmarshal(data[8:8+n], &header); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		delete(header, "__metadata__")
		end := 0
		for name, tensor := range header {
			if tensor.DType != "F16" {
				t.Errorf("%s: %s is %s, want F16", path, name, tensor.DType)
			}
			end = max(end, tensor.Offsets[1])
		}
		if end != len(body) {
			t.Errorf("%s: %d bytes of tensors, the last ends at %d", path, len(body), end)
		}
		if len(header) != tensors {
			t.Errorf("%s: %d tensors, want %d", path, len(header), tensors)
		}
	}
}

func readJSON(t *testing.T, path string) map[string]any {
	t.Helper()
	data, err := fs.ReadFile(FS(), path)
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return v
}
