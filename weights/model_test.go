package weights

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/weights/safetensors"
	"percept/weights/synth"
)

// nanoTextConfig says what the shapes of the small text encoder do not: four heads of a width of 48.
const nanoTextConfig = `{"vocab_size": 1000, "hidden_size": 48, "intermediate_size": 192, "num_hidden_layers": 3, "num_attention_heads": 4}`

// writeText writes small files, by their names below dir.
func writeText(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// nanoValues gives a listed tensor the generator's values; betas are those of the schedule.
func nanoValues(l listed) []float32 {
	x := synth.Input(l.name, 1, 0.1, product(l.shape))
	if l.name == "betas" {
		x[0], x[len(x)-1] = 0.00085, 0.012
	}
	return x
}

// writeNano writes the small model as one CompVis file; drop removes names by their beginning.
func writeNano(t *testing.T, path string, drop ...string) {
	t.Helper()
	var list []listed
	for _, l := range readListing(t)["compvis"] {
		if !hasPrefix(l.name, drop...) {
			list = append(list, l)
		}
	}
	writeListed(t, path, list, nanoValues)
}

func TestOpenModelSingleFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "sd.safetensors")
	writeNano(t, file)
	config := filepath.Join(t.TempDir(), "config")
	writeText(t, config, map[string]string{"text_encoder/config.json": nanoTextConfig})

	_, err := OpenModel(file, ModelOptions{})
	wantLine(t, "width without heads", err, file, "48 wide", "config.json")
	o := ModelOptions{Config: config}
	_, err = OpenModel(file, o)
	wantLine(t, "no tokenizer", err, file, "--tokenizer", "vocab.json", "merges.txt", "bpe_simple_vocab_16e6.txt.gz",
		"openai/clip-vit-large-patch14")

	writeText(t, dir, map[string]string{"tokenizer/vocab.json": "{}", "tokenizer/merges.txt": "#version: 0.2\n"})
	for how, path := range map[string]string{"file": file, "folder of the file": dir} {
		f, err := OpenModel(path, o)
		if err != nil {
			t.Fatalf("%s: %v", how, err)
		}
		files := readListing(t)
		for _, c := range Components() {
			want := map[string][]int{}
			for _, l := range files[string(c)] {
				want[l.name] = l.shape
			}
			if err := f.Parts[c].Store.CheckAgainst(want); err != nil {
				t.Errorf("%s: %s: %v", how, c, err)
			}
			b, err := f.Read(string(c) + "/config.json")
			if err != nil || string(b) != string(f.Parts[c].Config) {
				t.Errorf("%s: %s/config.json: %s, %v", how, c, b, err)
			}
		}
		var unet unetConfig
		if err := json.Unmarshal(f.Parts[UNet].Config, &unet); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(unet.BlockOutChannels, []int{32, 32, 32, 32}) || unet.CrossAttentionDim != 48 || unet.LayersPerBlock != 2 {
			t.Errorf("%s: %s", how, f.Parts[UNet].Config)
		}
		if string(f.Parts[TextEncoder].Config) != nanoTextConfig || !strings.HasPrefix(f.Parts[TextEncoder].ConfigFile, config) {
			t.Errorf("%s: text configuration %s of %s", how, f.Parts[TextEncoder].Config, f.Parts[TextEncoder].ConfigFile)
		}
		if b, err := f.Read("tokenizer/vocab.json"); err != nil || string(b) != "{}" {
			t.Errorf("%s: vocabulary %s, %v", how, b, err)
		}
		if b, err := f.Read(schedulerFile); err != nil || !json.Valid(b) || !f.Has(schedulerFile) {
			t.Errorf("%s: scheduler %s, %v", how, b, err)
		}
		if _, err := f.Read("feature_extractor/x.json"); err == nil || f.Has("feature_extractor/x.json") {
			t.Errorf("%s: a file that is not there", how)
		}
		if got := fileNamesOf(f); !slices.Equal(got, []string{"sd.safetensors", "text_encoder/config.json", "tokenizer/merges.txt",
			"tokenizer/vocab.json"}) {
			t.Errorf("%s: files %v", how, got)
		}
		for _, m := range f.Files() {
			if r, err := m.FS.Open(m.Path); err != nil {
				t.Errorf("%s: %v", m.Name, err)
			} else if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	// OpenAI's file in place of the pair.
	vocabulary := filepath.Join(t.TempDir(), "v.txt")
	writeText(t, filepath.Dir(vocabulary), map[string]string{"v.txt": "OpenAI's"})
	o.Tokenizer = vocabulary
	_, err = OpenModel(file, o)
	wantLine(t, "no way to read it", err, vocabulary, "OpenAI's vocabulary file")
	o.Vocabulary = func(b []byte) (vocab, merges []byte, err error) {
		return append([]byte("the vocabulary of "), b...), []byte("the merges"), nil
	}
	f, err := OpenModel(file, o)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	vocab, err := f.Read("tokenizer/vocab.json")
	merges, err2 := f.Read("tokenizer/merges.txt")
	if err := errors.Join(err, err2); err != nil || string(vocab) != "the vocabulary of OpenAI's" || string(merges) != "the merges" {
		t.Errorf("%q and %q, %v", vocab, merges, err)
	}
	if got := fileNamesOf(f); !slices.Contains(got, "tokenizer/bpe_simple_vocab_16e6.txt") || len(got) != 3 {
		t.Errorf("files %v", got)
	}
}

func fileNamesOf(f *Folder) []string {
	var names []string
	for _, m := range f.Files() {
		names = append(names, m.Name)
	}
	return names
}

// wantLine checks that an error is one line that holds some words.
func wantLine(t *testing.T, what string, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", what)
		return
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("%s: more than one line: %v", what, err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%s: %q does not name %q", what, err, w)
		}
	}
}

func TestOpenModelRejects(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, tensors ...safetensors.Named) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := safetensors.Write(path, tensors, nil); err != nil {
			t.Fatal(err)
		}
		return path
	}
	zeros := func(name string, shape ...int) safetensors.Named {
		return safetensors.NamedF32(name, make([]float32, product(shape)), shape...)
	}
	vae := filepath.Join(dir, "vae.safetensors")
	writeNano(t, vae, "model.", "cond_stage_model.", "betas", "alphas")
	otherNoise := filepath.Join(dir, "noise.safetensors")
	betas := make([]float32, 1000)
	for i := range betas {
		betas[i] = 0.0001 + float32(i)*2e-5
	}
	if err := safetensors.Write(otherNoise, []safetensors.Named{safetensors.NamedF32("betas", betas, 1000),
		zeros("model.diffusion_model.input_blocks.0.0.weight", 32, 4, 3, 3)}, nil); err != nil {
		t.Fatal(err)
	}
	two := filepath.Join(dir, "two")
	write("two/a.safetensors", zeros("x", 1))
	write("two/b.ckpt", zeros("x", 1))
	component := filepath.Join(dir, "component")
	write("component/diffusion_pytorch_model.safetensors", zeros("decoder.conv_in.weight", 1))
	writeText(t, component, map[string]string{"config.json": `{"_class_name": "AutoencoderKL"}`})
	strange := filepath.Join(dir, "strange")
	writeText(t, strange, map[string]string{"config.json": `{"_class_name": "VQModel"}`})
	brokenConfig := filepath.Join(dir, "broken")
	writeText(t, brokenConfig, map[string]string{"config.json": `{"_class`})
	empty := filepath.Join(dir, "empty")
	writeText(t, empty, map[string]string{"model_index.json": "{}"})
	xl := filepath.Join(dir, "xl")
	write("xl/unet/diffusion_pytorch_model.safetensors", zeros("time_embedding.linear_1.weight", 1),
		zeros("add_embedding.linear_1.weight", 1))
	writeText(t, xl, map[string]string{"unet/config.json": `{}`})
	nothing := filepath.Join(dir, "nothing")
	writeText(t, nothing, map[string]string{"readme.txt": ""})
	refuse := func([]byte) (vocab, merges []byte, err error) {
		return nil, nil, errors.New("clip: merge 1, want two tokens")
	}

	for _, c := range []struct {
		name, path string
		o          ModelOptions
		want       []string
	}{
		{"absent", filepath.Join(dir, "absent"), ModelOptions{}, []string{"absent", "no such file"}},
		{"LoRA", write("lora.safetensors", zeros("lora_te_text_model_encoder.lora_up.weight", 2, 2)), ModelOptions{},
			[]string{"lora.safetensors", "LoRA", "merge it"}},
		{"unknown", write("x.safetensors", zeros("x", 1)), ModelOptions{}, []string{"x.safetensors", "holds no unet"}},
		{"unknown, any part", filepath.Join(dir, "x.safetensors"), ModelOptions{Partial: true},
			[]string{"x.safetensors", "no U-Net, VAE or text encoder"}},
		{"VAE only", vae, ModelOptions{}, []string{"vae.safetensors", "holds no unet"}},
		{"VAE for a text encoder", vae, ModelOptions{Components: []Component{TextEncoder}}, []string{"holds no text_encoder"}},
		{"no averages", vae, ModelOptions{EMA: true, Partial: true}, []string{"vae.safetensors"}},
		{"variant of a file", vae, ModelOptions{Variant: "fp16", Partial: true}, []string{"vae.safetensors", "fp16"}},
		{"other noise", otherNoise, ModelOptions{Partial: true}, []string{"noise.safetensors", "betas", "0.00085"}},
		{"tokenizer absent", vae, ModelOptions{Partial: true, Tokenizer: filepath.Join(dir, "notok")}, []string{"notok"}},
		{"tokenizer not one", vae, ModelOptions{Partial: true, Tokenizer: nothing}, []string{"nothing", "vocab.json"}},
		{"tokenizer of another kind", vae, ModelOptions{Partial: true, Tokenizer: filepath.Join(nothing, "readme.txt"), Vocabulary: refuse},
			[]string{"readme.txt: merge 1"}},
		{"configuration absent", vae, ModelOptions{Partial: true, Config: filepath.Join(dir, "noconfig")}, []string{"noconfig"}},
		{"two files", two, ModelOptions{}, []string{"2 checkpoint files", "a.safetensors", "b.ckpt"}},
		{"component", component, ModelOptions{}, []string{"component", "VAE alone"}},
		{"another component", component, ModelOptions{Partial: true, Components: []Component{UNet}}, []string{"component", "VAE alone"}},
		{"component of another kind", strange, ModelOptions{Partial: true}, []string{"strange", "config.json", "VQModel", "AutoencoderKL"}},
		{"component's configuration cut short", brokenConfig, ModelOptions{Partial: true}, []string{"broken", "no model"}},
		{"no parts", empty, ModelOptions{Partial: true}, []string{"empty", "no weights"}},
		{"XL in a folder", xl, ModelOptions{Partial: true}, []string{"xl", "Stable Diffusion XL", "second embedding"}},
		{"no model", nothing, ModelOptions{}, []string{"nothing", "checkpoint file"}},
		{"both kinds of weights", empty, ModelOptions{EMA: true, Variant: VariantNonEMA}, []string{"non_ema"}},
	} {
		f, err := OpenModel(c.path, c.o)
		wantLine(t, c.name, err, c.want...)
		if err == nil {
			f.Close()
		}
	}
	f, err := OpenModel(vae, ModelOptions{Partial: true})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := slices.Collect(maps.Keys(f.Parts)); !slices.Equal(got, []Component{VAE}) || f.Has("tokenizer/vocab.json") {
		t.Errorf("parts %v", got)
	}
	one, err := OpenModel(component, ModelOptions{Partial: true})
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	if got := fileNamesOf(one); !slices.Equal(got, []string{"vae/config.json", "vae/diffusion_pytorch_model.safetensors"}) ||
		one.Parts[VAE] == nil {
		t.Errorf("a folder of the VAE alone: files %v", got)
	}
}

// Of the files of a component the one is taken that the order of preference says.
func TestWhichFileOfAFolder(t *testing.T) {
	order := []string{
		"diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.safetensors.index.json",
		"diffusion_pytorch_model.bin", "diffusion_pytorch_model.bin.index.json", // what a file is, its contents tell
		"diffusion_pytorch_model.fp16.safetensors", "diffusion_pytorch_model.safetensors.index.fp16.json",
		"diffusion_pytorch_model.fp16.safetensors.index.json",
		"diffusion_pytorch_model.bf16.safetensors", "diffusion_pytorch_model.non_ema.safetensors",
	}
	dir := t.TempDir()
	for _, name := range order {
		path := filepath.Join(dir, "vae", name)
		if !strings.HasSuffix(name, ".json") {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := safetensors.Write(path, []safetensors.Named{safetensors.NamedF32("decoder.conv_in.weight", []float32{1}, 1)},
				map[string]string{"is": name}); err != nil {
				t.Fatal(err)
			}
			continue
		}
		shard := strings.ReplaceAll(name, ".", "-") + "-00001.safetensors"
		writeText(t, dir, map[string]string{
			"vae/" + name: fmt.Sprintf(`{"metadata": {"total_size": 4}, "weight_map": {"decoder.conv_in.weight": %q}}`, shard),
		})
		if err := safetensors.Write(filepath.Join(dir, "vae", shard),
			[]safetensors.Named{safetensors.NamedF32("decoder.conv_in.weight", []float32{1}, 1)},
			map[string]string{"is": name}); err != nil {
			t.Fatal(err)
		}
	}
	writeText(t, dir, map[string]string{"vae/config.json": "{}"})
	taken := func(o ModelOptions) string {
		o.Components = []Component{VAE}
		f, err := OpenModel(dir, o)
		if err != nil {
			return err.Error()
		}
		defer f.Close()
		if f.Parts[VAE].Store.Identity() == "" {
			t.Errorf("%s: no identity", f.Parts[VAE].File.File())
		}
		return f.Parts[VAE].File.Metadata()["is"]
	}
	for v, want := range map[string]string{VariantFP16: order[4], VariantBF16: order[7], VariantNonEMA: order[8]} {
		if got := taken(ModelOptions{Variant: v}); got != want {
			t.Errorf("variant %s: took %s, want %s", v, got, want)
		}
	}
	if got := taken(ModelOptions{Variant: "pruned"}); !strings.Contains(got, "diffusion_pytorch_model.pruned.safetensors") {
		t.Errorf("a variant that is not there: %s", got)
	}
	for i, want := range order {
		if got := taken(ModelOptions{}); got != want {
			t.Errorf("took %s, want %s", got, want)
		}
		if err := os.Remove(filepath.Join(dir, "vae", order[i])); err != nil {
			t.Fatal(err)
		}
	}
}

func TestShards(t *testing.T) {
	dir := t.TempDir()
	shard := func(name string, tensors ...safetensors.Named) {
		if err := safetensors.Write(filepath.Join(dir, name), tensors, nil); err != nil {
			t.Fatal(err)
		}
	}
	shard("1.safetensors", safetensors.NamedF32("a", []float32{1}, 1), safetensors.NamedF32("b", []float32{2}, 1))
	shard("2.safetensors", safetensors.NamedF32("c", []float32{3}, 1))
	shard("3.safetensors", safetensors.NamedF32("a", []float32{4}, 1))
	openIndex := func(text string) (*Store, error) {
		index, err := parseIndex([]byte(text))
		if err != nil {
			return nil, err
		}
		return openShards("index.json", index, diskOpener(dir))
	}
	s, err := openIndex(`{"weight_map": {"a": "1.safetensors", "b": "1.safetensors", "c": "2.safetensors"}}`)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float32{"a": 1, "b": 2, "c": 3} {
		if x, err := s.Float32(name, 1); err != nil || x[0] != want {
			t.Errorf("%s is %v, %v; want %g", name, x, err, want)
		}
	}
	other, err := openIndex(`{"weight_map": {"a": "1.safetensors", "b": "1.safetensors"}}`)
	if err != nil {
		t.Fatal(err)
	}
	if id := s.Identity(); id == "" || id == other.Identity() {
		t.Errorf("identity %q, of other shards %q", id, other.Identity())
	}
	if err := errorsOf(s.Close(), other.Close()); err != nil {
		t.Error(err)
	}
	for _, c := range []struct{ text, want string }{
		{``, "weight_map"},
		{`{}`, "weight_map"},
		{`{"weight_map": {"a": 1}}`, "weight_map"},
		{`{"weight_map": {"a": "../1.safetensors"}}`, "beside the index"},
		{`{"weight_map": {"a": ""}}`, "beside the index"},
		{`{"weight_map": {"a": "absent.safetensors"}}`, "absent.safetensors"},
		{`{"weight_map": {"c": "1.safetensors"}}`, "tensor c is not in 1.safetensors"},
		{`{"weight_map": {"a": "1.safetensors", "c": "3.safetensors"}}`, "tensor a is in two"},
	} {
		_, err := openIndex(c.text)
		wantLine(t, c.text, err, c.want)
	}
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
