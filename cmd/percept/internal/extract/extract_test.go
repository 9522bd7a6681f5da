package extract

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept"
	"percept/fmri"
)

func TestAlignByHand(t *testing.T) {
	// Two captions of 5 tokens, width 1: start, words, end, padding. The first ends at 2, the second at 3.
	all := []float32{
		10, 1, 2, 3, 4,
		10, 5, 6, 7, 8,
	}
	got, err := align(all, []int{2, 3}, 5, 1)
	// Start; a word that the second alone has there; then the last words, the ends and the padding meet.
	want := []float32{10, 5, (1 + 6) / 2., (2 + 7) / 2., (3 + 8) / 2.}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if got, _ := align(all[:5], []int{2}, 5, 1); !slices.Equal(got, all[:5]) {
		t.Errorf("one caption came back as %v", got)
	}
	if _, err := align(all, []int{2, -1}, 5, 1); err == nil {
		t.Error("a caption without an end was aligned")
	}
}

func TestEmbed(t *testing.T) {
	p, err := percept.Embedded(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	one, two := "a red house", "a boat under a blue sky"
	by := func(how string, captions ...string) []float32 {
		t.Helper()
		c, err := embed(t.Context(), p, captions, how)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if !slices.Equal(by(First, one, two), by(Mean, one)) || !slices.Equal(by(Aligned, one), by(Mean, one)) {
		t.Error("of one caption there is more than one embedding")
	}
	a, b, mean := by(Mean, one), by(Mean, two), by(Mean, one, two)
	for i := range mean {
		if want := (a[i] + b[i]) / 2; math.Abs(float64(mean[i]-want)) > 1e-6 {
			t.Fatalf("value %d of the mean is %g, want %g", i, mean[i], want)
		}
	}
	if slices.Equal(by(Aligned, one, two), mean) {
		t.Error("captions of different lengths were not aligned")
	}
	if _, err := embed(t.Context(), p, nil, Mean); err == nil {
		t.Error("no caption was embedded")
	}
}

func TestParseImages(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ids")
	if err := os.WriteFile(file, []byte("7\n2\n\n4-5\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text string
		want []fmri.ImageID
	}{
		{"all", []fmri.ImageID{0, 1, 2, 3, 4, 5, 6, 7}},
		{"3, 0-1,1", []fmri.ImageID{0, 1, 3}},
		{"@" + file, []fmri.ImageID{2, 4, 5, 7}},
		{"8", nil}, {"-1", nil}, {"2-1", nil}, {"a", nil}, {"", nil}, {"1-", nil}, {"@none", nil}, {"0-99999999999999999999", nil},
	} {
		got, err := ParseImages(c.text, 8)
		if !slices.Equal(got, c.want) || err == nil != (c.want != nil) {
			t.Errorf("%q: %v, %v", c.text, got, err)
		}
	}
}

func TestFolderRejects(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	captions := put("captions.tsv", "b.png\tone\r\n\nb.png\ttwo\na.JPG\tthree\n")
	if _, err := Folder(dir, captions); err == nil || !strings.Contains(err.Error(), "no pictures") {
		t.Errorf("an empty folder: %v", err)
	}
	put("b.png", "")
	put("a.JPG", "")
	s, err := Folder(dir, captions)
	if err != nil || !slices.Equal(s.Names, []string{"a.JPG", "b.png"}) {
		t.Fatalf("%v, %v", s.Names, err)
	}
	if c, _ := s.Captions(t.Context()); !slices.Equal(c[1], []string{"one", "two"}) || !slices.Equal(c[0], []string{"three"}) {
		t.Errorf("captions %v", c)
	}
	for _, c := range []struct{ text, want string }{
		{"b.png one\n", "line 1"}, {"b.png\tone\nc.png\ttwo\n", "line 2"}, {"b.png\tone\n", "a.JPG"},
	} {
		if _, err := Folder(dir, put("bad.tsv", c.text)); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "bad.tsv") {
			t.Errorf("%q: %v, want an error that names %s", c.text, err, c.want)
		}
	}
}
