package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/cmd/percept/internal/recipe"
	"percept/weights/safetensors"
)

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// gradient writes a picture of a size to a file and returns its name.
func gradient(t *testing.T, w, h int) string {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, color.RGBA{uint8(255 * x / w), uint8(255 * y / h), 120, 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "start.png")
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestGenerateCarriesItsRecipeAndMakesItAgain(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.png"), filepath.Join(dir, "b.png")
	must(t, "generate", "--prompt", "a red house, über alles", "--negative", "a tree", "--seed", "7", "--steps", "4", "--guidance",
		"2.5", "--sampler", "dpmpp-2m", "--out", a)
	recipes, err := recipe.Read(a)
	if err != nil {
		t.Fatal(err)
	}
	r := recipes[0]
	if r.Prompt != "a red house, über alles" || r.Negative != "a tree" || r.Seed != 7 || r.Steps != 4 || r.Guidance != 2.5 ||
		r.Sampler != "dpmpp-2m" ||
		r.Width != 96 || r.Height != 96 || r.Model != "embedded" || len(r.ModelHash) != 64 ||
		!strings.HasPrefix(r.Program, "percept "+version) || r.Init != nil {
		t.Errorf("recipe %+v", r)
	}
	must(t, "generate", "--like", a, "--out", b)
	if !bytes.Equal(read(t, a), read(t, b)) {
		t.Error("the picture made like another is another")
	}
	must(t, "generate", "--like", a, "--seed", "8", "--out", b)
	if bytes.Equal(read(t, a), read(t, b)) {
		t.Error("another seed gave the same picture")
	}
}

// TestGenerateLike makes pictures again whose recipes are more than a caption and a seed.
func TestGenerateLike(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.png"), filepath.Join(dir, "b.png")
	start := gradient(t, 150, 100)
	for name, args := range map[string][]string{
		"sheet":              {"--prompt", "a house", "--prompt", "a boat", "--count", "2"},
		"one caption":        {"--prompt", "a house", "--count", "2"},
		"same caption twice": {"--prompt", "a house", "--prompt", "a house"},
		"cleaning and storage": {"--prompt", "a &amp;amp; house", "--text-cleaning", "ftfy", "--weights-dtype", "float16", "--memory",
			"low"},
		"picture":           {"--prompt", "a house", "--image", start},
		"picture of a size": {"--prompt", "a house", "--image", start, "--size", "64x64"},
		"picture cut":       {"--prompt", "a house", "--image", start, "--size", "128x96"},
	} {
		must(t, append([]string{"generate", "--steps", "4", "--out", a}, args...)...)
		again := []string{"generate", "--like", a, "--out", b}
		if strings.HasPrefix(name, "picture") {
			again = append(again, "--image", start)
		}
		if _, stderr := must(t, again...); strings.Contains(stderr, "will differ") || !bytes.Equal(read(t, a), read(t, b)) {
			t.Errorf("%s: the picture made like another is another; %s", name, stderr)
		}
	}
	must(t, "generate", "--steps", "4", "--prompt", "a house", "--image", start, "--out", a)
	if _, stderr := must(t, "generate", "--like", a, "--image", gradient(t, 100, 100), "--out", b); !strings.Contains(stderr,
		"will differ") {
		t.Errorf("like a picture made from another: %s", stderr)
	}
}

func TestGenerateFromAPicture(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out.png")
	start := gradient(t, 150, 100)
	must(t, "generate", "--image", start, "--prompt", "a mountain", "--steps", "4", "--strength", "0.5", "--out", out)
	recipes, err := recipe.Read(out)
	if err != nil {
		t.Fatal(err)
	}
	if r := recipes[0]; r.Init == nil || r.Init.File != "start.png" || r.Init.Strength != 0.5 || len(r.Init.SHA256) != 64 ||
		r.Height != 96 || r.Width != 128 {
		t.Errorf("recipe %+v, init %+v; the shorter side should have become 96, the longer a multiple", r, r.Init)
	}
	must(t, "generate", "--image", start, "--size", "96x64", "--prompt", "a mountain", "--steps", "4", "--out", out)
	m, err := png.Decode(bytes.NewReader(read(t, out)))
	if err != nil {
		t.Fatal(err)
	}
	if m.Bounds().Size() != image.Pt(96, 64) {
		t.Errorf("picture of %v, want 96×64", m.Bounds().Size())
	}
}

func TestGenerateToAFolderGoesOnWhereItStopped(t *testing.T) {
	dir := t.TempDir()
	list := filepath.Join(t.TempDir(), "captions.txt")
	if err := os.WriteFile(list, []byte("a red house\n\n  a blue boat \n"), 0o666); err != nil {
		t.Fatal(err)
	}
	args := []string{"generate", "--prompts", list, "--count", "2", "--seed", "3", "--steps", "2", "--folder", dir}
	must(t, args...)
	first := readAll(t, dir)
	for _, name := range []string{"0001-seed3.png", "0001-seed4.png", "0002-seed3.png", "0002-seed4.png"} {
		if first[name] == nil {
			t.Errorf("no %s among %d files", name, len(first))
		}
	}
	if len(first) != 4 {
		t.Errorf("%d files, want 4", len(first))
	}
	if _, stderr := must(t, args...); !strings.Contains(stderr, "4 of 4") {
		t.Errorf("a second run said %q", stderr)
	}
	if err := os.Remove(filepath.Join(dir, "0001-seed4.png")); err != nil {
		t.Fatal(err)
	}
	if _, stderr := must(t, args...); !strings.Contains(stderr, "3 of 4") {
		t.Errorf("a third run said %q", stderr)
	}
	for name, b := range readAll(t, dir) {
		if !bytes.Equal(b, first[name]) {
			t.Errorf("%s has other bytes than in the first run", name)
		}
	}
	// What was made with other options is made anew.
	if _, stderr := must(t, append(args, "--guidance", "2")...); strings.Contains(stderr, "are there already") {
		t.Errorf("pictures of another guidance were taken over: %q", stderr)
	}
}

func TestGeneratePreviewsLatentsAndSheet(t *testing.T) {
	dir := t.TempDir()
	out, latents := filepath.Join(dir, "sheet.png"), filepath.Join(dir, "z.safetensors")
	must(t, "generate", "--steps", "4", "--preview-every", "2", "--save-latents", latents, "--out", out)
	files := readAll(t, dir)
	for _, name := range []string{"sheet.steps/0001-seed0-step002.png", "sheet.steps/0004-seed0-step004.png"} {
		if files[name] == nil {
			t.Errorf("no preview %s", name)
		}
	}
	recipes, err := recipe.Read(out)
	if err != nil || len(recipes) != len(exampleCaptions) {
		t.Errorf("%d recipes on the sheet (%v), want %d", len(recipes), err, len(exampleCaptions))
	}
	st, err := safetensors.Open(latents)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	for name, shape := range map[string][]int{"latents": {4, 4, 12, 12}, "conditioning": {4, 32, 128}, "unconditional": {32, 128}} {
		if _, err := st.Float32(name, shape...); err != nil {
			t.Error(err)
		}
	}
}

func TestGenerateSaysWhatDoesNotFit(t *testing.T) {
	long := strings.Repeat("a red house ", 40) + "and a black cat"
	_, stderr := must(t, "generate", "--prompt", long, "--steps", "1", "--out", filepath.Join(t.TempDir(), "x.png"))
	if !strings.Contains(stderr, "caption 1") || !strings.Contains(stderr, "black cat") {
		t.Errorf("a long caption was cut with %q", stderr)
	}
}

func TestReadPrompts(t *testing.T) {
	got, err := readPrompts(strings.NewReader("\ufeffa red house\r\n\n  a boat  \n"), "-")
	if err != nil || !slices.Equal(got, []string{"a red house", "a boat"}) {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := readPrompts(strings.NewReader("a\n\ncaf\xe9\n"), "-"); err == nil || !strings.Contains(err.Error(), "line 3") ||
		!strings.Contains(err.Error(), "UTF-8") {
		t.Errorf("Latin-1: %v", err)
	}
}
