package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"percept/weights/safetensors"
)

// tokenizerJSON is a vocabulary in the form that transformers 5 saves.
func tokenizerJSON(t *testing.T, folder string) []byte {
	t.Helper()
	vocab, err := os.ReadFile(filepath.Join(folder, "tokenizer", "vocab.json"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(folder, "tokenizer", "merges.txt"))
	if err != nil {
		t.Fatal(err)
	}
	merges := [][]string{}
	for line := range strings.Lines(string(text)) {
		if pair := strings.Fields(line); len(pair) == 2 && pair[0] != "#version:" {
			merges = append(merges, pair)
		}
	}
	pairs, err := json.Marshal(merges)
	if err != nil {
		t.Fatal(err)
	}
	return []byte(`{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"},
  {"type": "Replace", "pattern": {"Regex": "\\s+"}, "content": " "}, {"type": "Lowercase"}]},
"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex":
  "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+"},
  "behavior": "Removed", "invert": true}, {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}]},
"post_processor": null, "decoder": null,
"model": {"type": "BPE", "dropout": null, "unk_token": "<|endoftext|>", "continuing_subword_prefix": "", "end_of_word_suffix": "</w>",
  "fuse_unk": false, "byte_fallback": false, "ignore_merges": false, "vocab": ` + string(vocab) + `, "merges": ` + string(pairs) + `}}`)
}

// A folder with tokenizer.json alone, as transformers 5 saves it, makes the same pictures; so do its conversion, and a
// single file that is given that file or its folder.
func TestTokenizerJSON(t *testing.T) {
	folder := embeddedFolder(t)
	want := drawn(t, folder)
	file := original(t, folder, unchanged)
	whole := tokenizerJSON(t, folder)
	dir := filepath.Join(folder, "tokenizer")
	for _, name := range []string{"vocab.json", "merges.txt"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	code, _, stderr := command(t, "model", "check", folder)
	if code != 1 || !strings.Contains(stderr, "there is no tokenizer (tokenizer.json") {
		t.Errorf("without: exit status %d, %s", code, stderr)
	}
	path := filepath.Join(dir, "tokenizer.json")
	if err := os.WriteFile(path, whole, 0o644); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(drawn(t, folder), want) {
		t.Error("another picture")
	}
	if stdout, _ := must(t, "model", "check", folder); strings.Count(stdout, "  yes\n") != 5 {
		t.Errorf("model check: %s", stdout)
	}
	for name, tokenizer := range map[string]string{"file": path, "folder": dir} {
		if !bytes.Equal(drawn(t, file, "--config", folder, "--tokenizer", tokenizer), want) {
			t.Errorf("--tokenizer %s: another picture", name)
		}
		out := filepath.Join(t.TempDir(), "out")
		must(t, "weights", "convert", file, out, "--config", folder, "--tokenizer", tokenizer)
		if b, err := os.ReadFile(filepath.Join(out, "tokenizer", "tokenizer.json")); err != nil || !bytes.Equal(b, whole) {
			t.Errorf("converted with the %s: %v", name, err)
		}
		if !bytes.Equal(drawn(t, out), want) {
			t.Errorf("converted with the %s: another picture", name)
		}
		synth := filepath.Join(t.TempDir(), "synth")
		must(t, "weights", "synth", synth, "--size", "nano", "--tokenizer", tokenizer)
		if _, err := os.Stat(filepath.Join(synth, "tokenizer", "tokenizer.json")); err != nil {
			t.Error(err)
		}
	}
	broken := bytes.Replace(whole, []byte(`{"type": "NFC"}`), []byte(`{"type": "NFKC"}`), 1)
	if err := os.WriteFile(path, broken, 0o644); err != nil {
		t.Fatal(err)
	}
	code, _, stderr = command(t, "generate", "--prompt", "a house", "--no-cache", "--model", folder, "--out",
		filepath.Join(t.TempDir(), "x.png"))
	if code != 1 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "tokenizer.json: normalizer is ") {
		t.Errorf("another normalizer: exit status %d, %s", code, stderr)
	}
}

// Words of the tokenizer's folder count: the padding token, the length, a taught word that the text encoder has no row for.
func TestTokenizerSettings(t *testing.T) {
	folder := embeddedFolder(t)
	want := drawn(t, folder)
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, "tokenizer", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("tokenizer_config.json", `{"model_max_length": 1000000000000000019884624838656, "pad_token": "<|endoftext|>"}`)
	if !bytes.Equal(drawn(t, folder), want) {
		t.Error("usual settings: another picture")
	}
	for _, text := range []string{`{"pad_token": "!"}`, `{"model_max_length": 9}`} {
		write("tokenizer_config.json", text)
		if bytes.Equal(drawn(t, folder), want) {
			t.Errorf("%s: the same picture", text)
		}
	}
	write("tokenizer_config.json", `{"padding_side": "left"}`)
	code, stdout, _ := command(t, "model", "check", folder)
	if code != 1 || !strings.Contains(stdout, `padding_side is "left", expected right`) {
		t.Errorf("padding at the left: exit status %d, %s", code, stdout)
	}
	write("tokenizer_config.json", `{}`)
	write("added_tokens.json", `{"<cat-toy>": 730}`)
	if code, _, stderr := command(t, "model", "check", folder); code != 1 || !strings.Contains(stderr, "ids up to 730") {
		t.Errorf("a word without a row: exit status %d, %s", code, stderr)
	}
}

// Diffusers' names in a CompVis file's VAE, and a tensor of a type that nothing needs beside the model: the same picture. A
// tensor of such a type that the model needs is refused by its name and type.
func TestExportersNamesAndTypes(t *testing.T) {
	folder := embeddedFolder(t)
	want := drawn(t, folder)
	names := strings.NewReplacer("attn_1.q.", "attn_1.to_q.", "attn_1.k.", "attn_1.to_k.", "attn_1.v.", "attn_1.to_v.",
		"attn_1.proj_out.", "attn_1.to_out.0.")
	renamed := 0
	file := original(t, folder, func(_ string, n *safetensors.Named) {
		if name := names.Replace(n.Name); name != n.Name {
			renamed++
			n.Name, n.Shape = name, n.Shape[:min(len(n.Shape), 2)]
		}
	})
	if renamed != 16 {
		t.Fatalf("%d tensors renamed", renamed)
	}
	with := withTensor(t, file, "extra", "F8_E8M0", 4)
	for name, path := range map[string]string{"names": file, "type": with} {
		if !bytes.Equal(drawn(t, path, "--config", folder, "--tokenizer", filepath.Join(folder, "tokenizer")), want) {
			t.Errorf("%s: another picture", name)
		}
	}
	stdout, _ := must(t, "weights", "inspect", with, "--config", folder, "--tensors")
	if !strings.Contains(stdout, "\tother\textra\t\tF8_E8M0\t4\t0\t0\n") {
		t.Errorf("inspect: no extra in %s", stdout)
	}
	lacking := original(t, folder, func(name string, n *safetensors.Named) {
		if name == "conv_in.bias" {
			n.Name = ""
		}
	})
	needed := withTensor(t, lacking, "model.diffusion_model.input_blocks.0.0.bias", "C64", 64)
	code, stdout, stderr := command(t, "weights", "inspect", needed, "--config", folder)
	if code != 1 || !strings.Contains(stdout, "unreadable  unet conv_in.bias: type \"C64\"\n") ||
		!strings.Contains(stderr, "unet: 1 unreadable") {
		t.Errorf("inspect: exit status %d, %s%s", code, stdout, stderr)
	}
	for _, args := range [][]string{
		{"generate", "--prompt", "a house", "--no-cache", "--out", filepath.Join(t.TempDir(), "x.png"), "--model", needed},
		{"weights", "convert", needed, filepath.Join(t.TempDir(), "out")}, {"model", "check", needed},
	} {
		code, _, stderr := command(t, append(args, "--config", folder, "--tokenizer", filepath.Join(folder, "tokenizer"))...)
		if code != 1 || !strings.Contains(stderr, "conv_in.bias") || !strings.Contains(stderr, "C64") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit status %d, %s", args[0], code, stderr)
		}
	}
}

// withTensor writes a safetensors file again with one tensor more, of any type, of n elements that are zero.
func withTensor(t *testing.T, path, name, dtype string, n int) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	size := int(b[0]) | int(b[1])<<8 | int(b[2])<<16
	var header map[string]any
	if err := json.Unmarshal(b[8:8+size], &header); err != nil {
		t.Fatal(err)
	}
	data := b[8+size:]
	bytesEach := map[string]int{"F8_E8M0": 1, "C64": 8}[dtype]
	header[name] = map[string]any{"dtype": dtype, "shape": []int{n}, "data_offsets": []int{len(data), len(data) + n*bytesEach}}
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	k := len(text)
	file := append([]byte{byte(k), byte(k >> 8), byte(k >> 16), 0, 0, 0, 0, 0}, text...)
	file = append(append(file, data...), make([]byte, n*bytesEach)...)
	out := filepath.Join(t.TempDir(), "more.safetensors")
	if err := os.WriteFile(out, file, 0o644); err != nil {
		t.Fatal(err)
	}
	return out
}

// Parts without the variant that is asked for are said; one that there is not is refused with those that there are.
func TestVariantIsSaid(t *testing.T) {
	folder := embeddedFolder(t)
	want := drawn(t, folder)
	plain := filepath.Join(folder, "unet", "diffusion_pytorch_model.safetensors")
	b, err := os.ReadFile(plain)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "unet", "diffusion_pytorch_model.fp16.safetensors"), b, 0o644); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(drawn(t, folder, "--variant", "fp16"), want) {
		t.Error("another picture")
	}
	const says = ": no weights of the variant fp16 for vae and text_encoder: those without are taken\n"
	_, stderr := must(t, "generate", "--prompt", "a house", "--steps", "2", "--no-cache", "--model", folder, "--variant", "fp16", "--out",
		filepath.Join(t.TempDir(), "x.png"))
	if strings.Count(stderr, "percept: "+folder+says) != 1 {
		t.Errorf("generate says %s", stderr)
	}
	if _, stderr := must(t, "weights", "inspect", folder, "--fast", "--variant", "fp16"); !strings.Contains(stderr, folder+says) {
		t.Errorf("inspect says %s", stderr)
	}
	for _, args := range [][]string{{"model", "check", folder}, {"weights", "inspect", folder},
		{"generate", "--prompt", "a", "--model", folder, "--out", filepath.Join(t.TempDir(), "x.png")}} {
		code, _, stderr := command(t, append(args, "--variant", "bf16")...)
		if code != 1 || !strings.Contains(stderr, "no weights of the variant bf16 in any part") || !strings.Contains(stderr, "there is fp16") ||
			strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit status %d, %s", args[0], code, stderr)
		}
	}
}
