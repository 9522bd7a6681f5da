package main

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/internal/picture"
	"percept/weights"
	"percept/weights/embedded"
	"percept/weights/safetensors"
)

// smallVocabulary is a file like OpenAI's bpe_simple_vocab_16e6.txt, of 518 tokens.
const smallVocabulary = "\"bpe_simple_vocab_16e6.txt#version: 0.2\nt h\nth e</w>\na n\nan d</w>\nh o\nho u\nhou s\nhous e</w>\n"

// must runs a command line that has to succeed.
func must(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	code, stdout, stderr := command(t, args...)
	if code != 0 {
		t.Fatalf("percept %s: exit status %d: %s", strings.Join(args, " "), code, stderr)
	}
	return stdout, stderr
}

// embeddedFolder is the embedded model as a folder.
func embeddedFolder(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "model")
	if err := os.CopyFS(dir, embedded.FS()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// original writes a model folder as one file with the original code's names; change may alter tensors.
func original(t *testing.T, folder string, change func(name string, n *safetensors.Named)) string {
	t.Helper()
	f, err := weights.OpenModel(folder, weights.ModelOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []safetensors.Named
	for c, p := range f.Parts {
		to, err := weights.CompVisNames(p.Store.Names(), c)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range p.Store.Names() {
			dtype, shape, _ := p.Store.Info(name)
			b, err := p.Store.Bytes(name)
			if err != nil {
				t.Fatal(err)
			}
			n := safetensors.Named{Name: to[name], DType: dtype, Shape: shape, Data: slices.Clone(b)}
			if c == weights.VAE && strings.Contains(name, ".attentions.") && len(shape) == 2 {
				n.Shape = append(slices.Clone(shape), 1, 1)
			}
			change(name, &n)
			if n.Name != "" {
				all = append(all, n)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "original.safetensors")
	if err := safetensors.Write(path, all, nil); err != nil {
		t.Fatal(err)
	}
	return path
}

func unchanged(string, *safetensors.Named) {}

// drawn makes a picture and returns its pixels.
func drawn(t *testing.T, model string, more ...string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "x.png")
	must(t, append([]string{"generate", "--prompt", "a red house", "--steps", "2", "--no-cache", "--model", model, "--out", out},
		more...)...)
	m, err := picture.Read(out)
	if err != nil {
		t.Fatal(err)
	}
	return m.Pix
}

// A model that went through the original code's names and back makes the same picture.
func TestConvertBothWays(t *testing.T) {
	folder := embeddedFolder(t)
	file, out := original(t, folder, unchanged), filepath.Join(t.TempDir(), "out")

	// Without the configuration it would be taken for one of Stable Diffusion's sizes.
	code, _, stderr := command(t, "weights", "convert", file, out, "--tokenizer", filepath.Join(folder, "tokenizer"))
	if code != 1 || !strings.Contains(stderr, "not a multiple of the 32 groups") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("shapes that do not tell all: exit status %d, %s", code, stderr)
	}
	stdout, _ := must(t, "weights", "convert", file, out, "--config", folder)
	if strings.Count(stdout, "\n") != 3 || !strings.Contains(stdout, filepath.Join(out, "unet", "diffusion_pytorch_model.safetensors")) {
		t.Errorf("convert: %s", stdout)
	}
	if !bytes.Equal(drawn(t, out), drawn(t, folder)) {
		t.Error("another picture")
	}
	for _, c := range weights.Components() {
		a, b := componentBytes(t, folder, c), componentBytes(t, out, c)
		for name := range a {
			if !bytes.Equal(a[name], b[name]) {
				t.Errorf("%s: %s has other bytes", c, name)
			}
		}
	}
	if stdout, _ := must(t, "model", "check", out); strings.Count(stdout, "  yes\n") != 5 {
		t.Errorf("model check: %s", stdout)
	}
	if stdout, _ := must(t, "weights", "inspect", out); strings.Count(stdout, "complete, all values finite") != 3 {
		t.Errorf("inspect: %s", stdout)
	}
	stdout, _ = must(t, "weights", "inspect", file, "--config", folder, "--fast", "--json")
	var in inspection
	if err := json.Unmarshal([]byte(stdout), &in); err != nil || len(in.Parts) != 3 || in.Format != "safetensors" ||
		in.Parts[0].Names != "CompVis" {
		t.Errorf("inspect --json: %v, %s", err, stdout)
	}
	stdout, _ = must(t, "weights", "inspect", file, "--config", folder, "--tensors")
	tensors := in.Parts[0].Tensors + in.Parts[1].Tensors + in.Parts[2].Tensors
	if lines := strings.Split(strings.TrimSpace(stdout), "\n"); len(lines) != 1+tensors ||
		!strings.Contains(stdout, "\tunet\tmodel.diffusion_model.input_blocks.0.0.weight\tconv_in.weight\tfloat16\t64x4x3x3\t0\t0\n") {
		t.Errorf("inspect --tensors: %d lines", len(lines))
	}
	// Once more, over the folder that is there, in another type.
	if code, _, stderr := command(t, "weights", "convert", file, out, "--config", folder, "--dtype", "bfloat16"); code != 1 ||
		!strings.Contains(stderr, "--force") {
		t.Errorf("over a folder: %d, %s", code, stderr)
	}
	must(t, "weights", "convert", file, out, "--config", folder, "--dtype", "bfloat16", "--force")
	if stdout, _ := must(t, "weights", "inspect", out, "--fast"); strings.Count(stdout, "bfloat16") != 3 {
		t.Errorf("inspect: %s", stdout)
	}
}

func componentBytes(t *testing.T, folder string, c weights.Component) map[string][]byte {
	t.Helper()
	f, err := weights.OpenModel(folder, weights.ModelOptions{Components: []weights.Component{c}})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string][]byte{}
	for _, name := range f.Parts[c].Store.Names() {
		b, err := f.Parts[c].Store.Bytes(name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = slices.Clone(b)
	}
	return all
}

func TestInspectFindsWhatIsWrong(t *testing.T) {
	folder := embeddedFolder(t)
	file := original(t, folder, func(name string, n *safetensors.Named) {
		switch name {
		case "conv_in.bias":
			n.Name = ""
		case "decoder.conv_in.bias":
			n.DType, n.Data = safetensors.F32, make([]byte, 4*n.Shape[0])
			bits := math.Float32bits(float32(math.NaN()))
			n.Data[0], n.Data[1], n.Data[2], n.Data[3] = byte(bits), byte(bits>>8), byte(bits>>16), byte(bits>>24)
		case "decoder.conv_out.bias":
			n.Name += "2"
		case "text_model.final_layer_norm.bias":
			n.Shape = []int{2, n.Shape[0] / 2}
		}
	})
	code, stdout, stderr := command(t, "weights", "inspect", file, "--config", folder)
	for _, want := range []string{
		"missing     unet conv_in.bias [64]",
		"misshapen   text_encoder text_model.final_layer_norm.bias [2 64], the model wants [128]",
		"missing     vae decoder.conv_out.bias [3]",
		"unexpected  vae decoder.conv_out.bias2",
		"not finite  vae first_stage_model.decoder.conv_in.bias: 1 NaN, 0 Inf",
	} {
		if !strings.Contains(stdout, want+"\n") {
			t.Errorf("no line %q in:\n%s", want, stdout)
		}
	}
	if code != 1 || !strings.Contains(stderr, "unet: 1 missing; vae: 1 missing, 1 unexpected, 1 not finite; text_encoder: 1 misshapen") {
		t.Errorf("exit status %d, %s", code, stderr)
	}
	if code, _, stderr := command(t, "weights", "convert", file, filepath.Join(t.TempDir(), "out"), "--config", folder); code != 1 ||
		!strings.Contains(stderr, "conv_in.bias is missing") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("convert: exit status %d, %s", code, stderr)
	}
	if code, stdout, stderr := command(t, "model", "check", file, "--config", folder); code != 1 ||
		!strings.Contains(stdout, "conv_in.bias is missing") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("model check: exit status %d, %s%s", code, stdout, stderr)
	}
}

func TestInspectQuotesNames(t *testing.T) {
	file := filepath.Join(t.TempDir(), "odd.safetensors")
	if err := safetensors.Write(file, []safetensors.Named{safetensors.NamedF32("a\tb\n\x1b[31m", []float32{1}, 1),
		safetensors.NamedF32("naïve", []float32{1}, 1)}, nil); err != nil {
		t.Fatal(err)
	}
	const want = `"a\tb\n\x1b[31m"`
	if stdout, _ := must(t, "weights", "inspect", file, "--tensors"); strings.Count(stdout, "\n") != 3 ||
		!strings.Contains(stdout, "\t"+want+"\t") || !strings.Contains(stdout, "\tnaïve\t") {
		t.Errorf("--tensors: %q", stdout)
	}
	if stdout, _ := must(t, "weights", "inspect", file); !strings.Contains(stdout, "other tensors: "+want+", naïve\n") {
		t.Errorf("inspect: %q", stdout)
	}
}

// A generated model of a small size, with a tokenizer that follows from a file like OpenAI's, makes pictures.
func TestSynthAndTokenizer(t *testing.T) {
	dir := t.TempDir()
	vocabulary, out := filepath.Join(dir, "bpe.txt"), filepath.Join(dir, "nano")
	if err := os.WriteFile(vocabulary, []byte(smallVocabulary), 0o644); err != nil {
		t.Fatal(err)
	}
	must(t, "weights", "synth", out, "--size", "nano", "--dtype", "float16", "--tokenizer", vocabulary)
	if stdout, _ := must(t, "model", "check", out); strings.Count(stdout, "  yes\n") != 5 {
		t.Errorf("model check: %s", stdout)
	}
	drawn(t, out)
	// The same shapes with other weights.
	like := filepath.Join(dir, "like")
	_, stderr := must(t, "weights", "synth", like, "--like", out, "--seed", "5")
	if !strings.Contains(stderr, "no tokenizer") {
		t.Errorf("synth --like: %s", stderr)
	}
	if code, stdout, _ := command(t, "model", "check", like); code != 1 || !strings.Contains(stdout, "there is no tokenizer") ||
		strings.Count(stdout, "  from Go; commands load whole models alone\n") != 2 {
		t.Errorf("model check: exit status %d, %s", code, stdout)
	}
	if bytes.Equal(componentBytes(t, out, weights.UNet)["conv_in.bias"], componentBytes(t, like, weights.UNet)["conv_in.bias"]) {
		t.Error("the same weights")
	}
}

func TestWeightsFilesErrors(t *testing.T) {
	dir := t.TempDir()
	folder := embeddedFolder(t)
	lora := filepath.Join(dir, "lora.safetensors")
	if err := safetensors.Write(lora, []safetensors.Named{safetensors.NamedF32("lora_unet_x.lora_up.weight", []float32{1}, 1)},
		nil); err != nil {
		t.Fatal(err)
	}
	garbage := filepath.Join(dir, "garbage.ckpt")
	if err := os.WriteFile(garbage, []byte("not a checkpoint at all"), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"weights", "inspect"}, 2, "a file of weights or a model folder"},
		{[]string{"weights", "inspect", filepath.Join(dir, "absent")}, 1, "absent"},
		{[]string{"weights", "inspect", garbage}, 1, "garbage.ckpt"},
		{[]string{"weights", "inspect", lora, "--variant", "fp16"}, 1, "fp16"},
		{[]string{"weights", "inspect", dir}, 1, "2 checkpoint files"},
		{[]string{"weights", "convert", lora}, 2, "expected two"},
		{[]string{"weights", "convert", lora, out}, 1, "LoRA"},
		{[]string{"weights", "convert", folder, out, "--dtype", "int8"}, 2, "--dtype int8"},
		{[]string{"weights", "convert", folder, dir}, 1, "not empty"},
		{[]string{"weights", "convert", folder, dir, "--force"}, 1, "no part of a model"},
		{[]string{"weights", "convert", folder, out, "--variant", "fp16"}, 1, "fp16"},
		{[]string{"weights", "convert", brokenModel(t, "tokenizer/vocab.json", -1), out}, 1, "--tokenizer"},
		{[]string{"weights", "convert", brokenModel(t, "unet/diffusion_pytorch_model.safetensors", 100_000), out}, 1,
			"unet/diffusion_pytorch_model.safetensors"},
		{[]string{"weights", "convert", editedModel(t, "unet/config.json", `"freq_shift": 0`, `"freq_shift": 1`), out}, 1, "freq_shift"},
		{[]string{"weights", "synth"}, 2, "a folder to write"},
		{[]string{"weights", "synth", out, "--size", "huge"}, 2, "sd14, tiny, nano"},
		{[]string{"weights", "synth", out, "--seed", "-1"}, 2, "--seed -1"},
		{[]string{"weights", "synth", out, "--like", dir}, 1, "unet/config.json"},
		{[]string{"weights", "synth", out, "--like", folder, "--size", "nano"}, 2, "--like"},
		{[]string{"weights", "synth", out, "--size", "nano", "--tokenizer", lora}, 1, "lora.safetensors"},
		{[]string{"model", "check"}, 2, "a model folder or checkpoint"},
		{[]string{"model", "check", lora}, 1, "LoRA"},
		{[]string{"model", "check", filepath.Join(dir, "absent")}, 1, "absent"},
		{[]string{"model", "check", brokenModel(t, "vae/config.json", 20)}, 1, "vae/config.json"},
		{[]string{"model", "check", editedModel(t, "scheduler/scheduler_config.json", `"scaled_linear"`, `"sigmoid"`)}, 1, "sigmoid"},
	} {
		code, _, stderr := command(t, c.args...)
		if code != c.code || !strings.Contains(stderr, c.want) {
			t.Errorf("percept %s: exit status %d, want %d; %q, want %q in it", strings.Join(c.args, " "), code, c.code, stderr, c.want)
		}
		if code == 1 && strings.Count(stderr, "percept: ") != 1 {
			t.Errorf("percept %s: %q", strings.Join(c.args, " "), stderr)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("percept %s: left %s", strings.Join(c.args, " "), out)
		}
	}
	// A file that cannot be run is still said to be what it is.
	if stdout, _ := must(t, "weights", "inspect", lora); !strings.Contains(stdout, "LoRA\ncannot be run: ") {
		t.Errorf("inspect: %s", stdout)
	}
}
