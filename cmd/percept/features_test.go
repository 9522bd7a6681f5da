package main

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"percept"
	"percept/fmri"
	"percept/fmri/nsd"
	"percept/fmri/sim"
	"percept/fmri/study/features"
	"percept/fmri/table"
)

// tree writes a small simulated tree of one subject.
func tree(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "nsd")
	if err := sim.Write(t.Context(), dir, sim.Options{Subjects: 1, OwnImages: 60, SharedImages: 12, Seed: 3}, nil); err != nil {
		t.Fatal(err)
	}
	return dir
}

func bytesOf(t *testing.T, parts ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFeaturesOfATree(t *testing.T) {
	dir, data := t.TempDir(), tree(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	args := func(out string, more ...string) []string {
		return append([]string{"features", "--data", data, "--subject", "subj01", "--size", "64", "--out", at(out)}, more...)
	}
	must(t, args("whole")...)

	// The numbers are those of the library.
	f, err := table.OpenFile(filepath.Join(at("whole"), "z.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := percept.Embedded(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tree, err := nsd.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	if f.Len() != 72 || f.Width() != 4*8*8 || f.Meta["model_sha256"] != p.Hash || f.Meta["posterior"] != "mean" {
		t.Errorf("%d images of %v, %v", f.Len(), f.Shape, f.Meta)
	}
	m, err := tree.Stimulus(f.Images[40])
	if err != nil {
		t.Fatal(err)
	}
	want, err := p.Encode(t.Context(), []image.Image{features.Resize(m, 64, 64)})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "z", row(t, f, f.Images[40]), want.Data)
	captions, err := tree.Captions(t.Context(), f.Images[40])
	if err != nil {
		t.Fatal(err)
	}
	c, err := table.OpenFile(filepath.Join(at("whole"), "c.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	mean, err := p.MeanTextEmbed(t.Context(), captions[f.Images[40]])
	if err != nil {
		t.Fatal(err)
	}
	near(t, "c", row(t, c, f.Images[40]), mean)

	// Shards merge to the same bytes, and so does what was killed and went on.
	for k := 1; k <= 3; k++ {
		must(t, args("parts", "--shard", fmt.Sprintf("%d/3", k))...)
	}
	must(t, "features", "merge", at("parts"))
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, sign := range []string{"z.safetensors.part", "z.safetensors", "c.safetensors.part"} {
		p := exec.CommandContext(t.Context(), program, args("cut")...)
		p.Env = append(os.Environ(), asProgram+"=1")
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		for range 20000 {
			if _, err := os.Stat(filepath.Join(at("cut"), sign)); err == nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
		time.Sleep(20 * time.Millisecond)
		p.Process.Kill()
		p.Wait()
	}
	must(t, args("cut")...)
	for _, name := range []string{"z.safetensors", "c.safetensors"} {
		for _, other := range []string{"parts", "cut"} {
			if !bytes.Equal(bytesOf(t, at("whole"), name), bytesOf(t, at(other), name)) {
				t.Errorf("%s: %s has other bytes than at once", name, other)
			}
		}
	}
	if left, _ := filepath.Glob(filepath.Join(at("cut"), "*.part")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	code, _, stderr := command(t, args("whole", "--posterior", "sample")...)
	if code != 1 || !strings.Contains(stderr, "another posterior") {
		t.Errorf("other options into the same folder: %d, %s", code, stderr)
	}
	// An image's sample does not depend on which others are made.
	must(t, args("all", "--posterior", "sample", "--feature", "z")...)
	must(t, "features", "--data", data, "--images", fmt.Sprint(f.Images[40]), "--size", "64", "--posterior", "sample", "--feature", "z",
		"--out", at("one"))
	all, err := table.OpenFile(filepath.Join(at("all"), "z.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	one, err := table.OpenFile(filepath.Join(at("one"), "z.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	near(t, "sample", row(t, all, f.Images[40]), row(t, one, f.Images[40]))
}

// TestFeaturesOfOtherInputs changes captions and pictures under finished features: they are not up to date then.
func TestFeaturesOfOtherInputs(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	draw := func(v uint8) {
		var b bytes.Buffer
		if err := png.Encode(&b, &image.Gray{Pix: bytes.Repeat([]byte{v}, 64*64), Stride: 64, Rect: image.Rect(0, 0, 64, 64)}); err != nil {
			t.Fatal(err)
		}
		put("pictures/a.png", b.Bytes())
	}
	draw(10)
	captions := put("captions.tsv", []byte("a.png\ta red house\na.png\ta boat\n"))
	args := []string{"features", "--pictures", filepath.Join(dir, "pictures"), "--captions-file", captions, "--size", "64", "--out",
		filepath.Join(dir, "out")}
	must(t, args...)
	if _, stderr := must(t, args...); strings.Count(stderr, "up to date") != 2 {
		t.Errorf("the same again: %s", stderr)
	}
	put("captions.tsv", []byte("a.png\ta red house\n"))
	if code, _, stderr := command(t, args...); code != 1 || !strings.Contains(stderr,
		"c.safetensors: was made with another captions_sha256") {
		t.Errorf("other captions: %d, %s", code, stderr)
	}
	draw(200)
	if code, _, stderr := command(t, args...); code != 1 || !strings.Contains(stderr,
		"z.safetensors: was made with another pictures_sha256") {
		t.Errorf("another picture: %d, %s", code, stderr)
	}
}

// row is the values of some images, in a row.
func row(t *testing.T, f *table.File, ids ...fmri.ImageID) []float32 {
	t.Helper()
	taken, err := f.Table().ByImage(ids)
	if err != nil {
		t.Fatal(err)
	}
	x, err := taken.Matrix(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return x.Data
}

// near allows what the order of sums in batches of other sizes may change.
func near(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range got {
		if math.Abs(float64(got[i]-want[i])) > 1e-4 {
			t.Fatalf("%s: value %d is %g, want %g", what, i, got[i], want[i])
		}
	}
}

func TestFeaturesErrorsAreOneLine(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	for _, c := range []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"no folder", []string{"--data", dir, "--images", "all"}, 2, []string{"--out"}},
		{"no source", []string{"--out", out}, 2, []string{"--data", "--pictures"}},
		{"no images", []string{"--out", out, "--data", dir}, 2, []string{"--subject", "--images"}},
		{"feature", []string{"--out", out, "--data", dir, "--images", "all", "--feature", "zc"}, 2, []string{"--feature", "zc"}},
		{"type", []string{"--out", out, "--data", dir, "--images", "all", "--dtype", "int8"}, 2, []string{"--dtype", "int8", "float16"}},
		{"posterior", []string{"--out", out, "--data", dir, "--images", "all", "--posterior", "x"}, 2,
			[]string{"--posterior", "x", "sample"}},
		{"shard", []string{"--out", out, "--data", dir, "--images", "all", "--shard", "9/8"}, 2, []string{"--shard", "9/8", "2/8"}},
		{"captions for c", []string{"--out", out, "--pictures", dir}, 2, []string{"--captions-file"}},
		{"no tree", []string{"--out", out, "--data", dir, "--images", "all"}, 1, []string{dir, "nsddata"}},
		{"no pictures", []string{"--out", out, "--pictures", dir, "--feature", "z"}, 1, []string{dir, "no pictures"}},
		{"no shards", []string{"merge", dir}, 1, []string{dir, "no shards"}},
	} {
		code, _, stderr := command(t, append([]string{"features"}, c.args...)...)
		line, rest, _ := strings.Cut(stderr, "\n")
		if code != c.code || code == 1 && strings.TrimSpace(rest) != "" {
			t.Errorf("%s: exit status %d, want %d, of one line: %s", c.name, code, c.code, stderr)
		}
		for _, want := range c.want {
			if !strings.Contains(line, want) {
				t.Errorf("%s: %q does not name %q", c.name, line, want)
			}
		}
	}
}
