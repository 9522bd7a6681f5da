package weights

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/weights/safetensors"
)

// variantFolder writes files of one tensor each, which says in the metadata what it is.
func variantFolder(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	tensor := map[string]string{"unet": "time_embedding.linear_1.weight", "vae": "decoder.conv_in.weight",
		"text_encoder": "final_layer_norm.weight"}
	for part, name := range tensor {
		writeText(t, dir, map[string]string{part + "/config.json": "{}"})
		for _, f := range files {
			if in, _, _ := strings.Cut(f, "/"); in != part {
				continue
			}
			one := []safetensors.Named{safetensors.NamedF32(name, []float32{1}, 1)}
			if err := safetensors.Write(filepath.Join(dir, f), one, map[string]string{"is": f}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// Parts without the variant are taken from their plain files, as diffusers does (tools/checkpoint/saved.py), and it is said.
func TestVariantOfSomeParts(t *testing.T) {
	const plainUNet, halfUNet = "unet/diffusion_pytorch_model.safetensors", "unet/diffusion_pytorch_model.fp16.safetensors"
	const plainVAE, plainText = "vae/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors"
	for _, c := range []struct {
		name, variant string
		files         []string
		want          [3]string // of Components()
		notes         int
		err           []string
	}{
		{"one part has it", "fp16", []string{plainUNet, halfUNet, plainVAE, plainText}, [3]string{halfUNet, plainVAE, plainText}, 1, nil},
		{"all have it", "fp16", []string{halfUNet, "vae/diffusion_pytorch_model.fp16.safetensors", "text_encoder/model.fp16.safetensors"},
			[3]string{halfUNet, "vae/diffusion_pytorch_model.fp16.safetensors", "text_encoder/model.fp16.safetensors"}, 0, nil},
		{"a word of one's own", "ema-9", []string{plainUNet, plainVAE, "vae/diffusion_pytorch_model.ema-9.safetensors", plainText},
			[3]string{plainUNet, "vae/diffusion_pytorch_model.ema-9.safetensors", plainText}, 1, nil},
		{"none has it", "bf16", []string{plainUNet, halfUNet, plainVAE, plainText, "vae/diffusion_pytorch_model.non_ema.safetensors"},
			[3]string{}, 0, []string{"no weights of the variant bf16 in any part", "there is fp16, non_ema"}},
		{"there are none", "fp16", []string{plainUNet, plainVAE, plainText}, [3]string{}, 0, []string{"fp16", "there is no variant"}},
		{"a part has neither", "fp16", []string{halfUNet, plainVAE}, [3]string{}, 0,
			[]string{"text_encoder: no weights, expected model.safetensors"}},
		{"another variant in its place", "fp16", []string{halfUNet, "vae/diffusion_pytorch_model.bf16.safetensors", plainText},
			[3]string{}, 0, []string{"vae: no weights, expected diffusion_pytorch_model.safetensors"}},
		{"a word in a word", "16", []string{plainUNet, halfUNet, plainVAE, plainText}, [3]string{}, 0, []string{"variant 16", "there is fp16"}},
	} {
		dir := variantFolder(t, c.files...)
		f, err := OpenModel(dir, ModelOptions{Variant: c.variant})
		if c.err != nil {
			if err == nil {
				t.Errorf("%s: opened", c.name)
				continue
			}
			for _, says := range append(c.err, dir) {
				if !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
					t.Errorf("%s: %v, want one line that says %q", c.name, err, says)
				}
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for i, part := range Components() {
			if got := f.Parts[part].File.Metadata()["is"]; got != c.want[i] {
				t.Errorf("%s: %s is of %s, want %s", c.name, part, got, c.want[i])
			}
		}
		notes := f.Notes()
		if len(notes) != c.notes || slices.ContainsFunc(notes, func(n string) bool { return !strings.Contains(n, c.variant) }) {
			t.Errorf("%s: notes %q", c.name, notes)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A part that is opened alone is taken from its plain files where another part has the variant.
func TestVariantOfOnePart(t *testing.T) {
	dir := variantFolder(t, "unet/diffusion_pytorch_model.fp16.safetensors", "vae/diffusion_pytorch_model.safetensors")
	f, err := OpenModel(dir, ModelOptions{Variant: "fp16", Components: []Component{VAE}})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if len(f.Notes()) != 1 {
		t.Errorf("notes %q", f.Notes())
	}
}
