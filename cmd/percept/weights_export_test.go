package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExportedModelMakesTheSamePictures: the embedded model as a folder is the embedded model.
func TestExportedModelMakesTheSamePictures(t *testing.T) {
	dir := t.TempDir()
	folder := filepath.Join(dir, "small")
	if code, out, errText := command(t, "weights", "export", folder); code != 0 || !strings.Contains(out, "unet") {
		t.Fatalf("status %d, %s%s", code, out, errText)
	}
	if code, _, errText := command(t, "weights", "export", folder); code != 1 || !strings.Contains(errText, "--force") {
		t.Errorf("over a folder that is there: status %d, %s", code, errText)
	}
	latents := func(name string, args ...string) []byte {
		t.Helper()
		path := filepath.Join(dir, name+".safetensors")
		args = append([]string{"generate", "--prompt", "a red house", "--seed", "3", "--steps", "2", "--save-latents", path,
			"--out", filepath.Join(dir, name+".png")}, args...)
		if code, _, errText := command(t, args...); code != 0 {
			t.Fatal(errText)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b[len(b)-4*4*12*12:] // the latent's values are last
	}
	if !bytes.Equal(latents("embedded"), latents("exported", "--model", folder)) {
		t.Error("the exported model makes other latents")
	}
}

// TestSmallSynthTakesCaptions: a generated model of any size takes the ids of the tokenizer that it is given.
func TestSmallSynthTakesCaptions(t *testing.T) {
	dir := t.TempDir()
	tokenizer := filepath.Join(dir, "tokenizer")
	if err := os.Mkdir(tokenizer, 0o777); err != nil {
		t.Fatal(err)
	}
	vocab, merges := map[string]int{}, "#version: 0.2\n"
	add := func(word string) { vocab[word] = len(vocab) }
	var letters []string
	for b := range 256 {
		c := rune(b)
		if b < 33 || b > 126 && b < 161 || b == 173 {
			c = rune(256 + len(vocab)) // as GPT-2 writes what cannot be printed; which one does not matter here
		}
		letters = append(letters, string(c))
		add(string(c))
	}
	for _, c := range letters {
		add(c + "</w>")
	}
	for a := 'a'; a <= 'z'; a++ {
		for b := 'a'; b <= 'z'; b++ {
			merges += fmt.Sprintf("%c %c\n", a, b)
			add(string(a) + string(b))
		}
	}
	add("<|startoftext|>")
	add("<|endoftext|>")
	b, err := json.Marshal(vocab)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(tokenizer, "vocab.json"), string(b))
	writeFile(t, filepath.Join(tokenizer, "merges.txt"), merges)
	folder := filepath.Join(dir, "tiny")
	if code, _, errText := command(t, "weights", "synth", folder, "--size", "tiny", "--tokenizer", tokenizer); code != 0 {
		t.Fatal(errText)
	}
	if code, _, errText := command(t, "generate", "--model", folder, "--prompt", "zz", "--steps", "2", "--out", filepath.Join(dir, "a.png")); code != 0 {
		t.Errorf("a caption: %s", errText)
	}
}
