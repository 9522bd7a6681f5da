package picture

import (
	"bytes"
	"image"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestReadTextPillow(t *testing.T) {
	got, err := ReadText("testdata/files/text.png") // by testdata/make.py
	want := []Text{{"Title", "café"}, {"parameters", "a cat\nSteps: 50, Seed: 1"}, {"Comment", "雪の猫"}, {"Long", strings.Repeat("雪", 300)}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
}

func TestEncodePNG(t *testing.T) {
	m := noisy(13, 7, 1)
	text := []Text{{"parameters", "a café\nSteps: 50"}, {"Prompt", "雪の猫"}, {"empty", ""}}
	var a, b bytes.Buffer
	for _, w := range []*bytes.Buffer{&a, &b} {
		if err := EncodePNG(w, m, text); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the same picture gave other bytes")
	}
	path := filepath.Join(t.TempDir(), "m.png")
	if err := os.WriteFile(path, a.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	back, err := Read(path)
	if err != nil || !bytes.Equal(back.Pix, m.Pix) {
		t.Errorf("the picture came back otherwise (%v)", err)
	}
	got, err := ReadText(path)
	if err != nil || !reflect.DeepEqual(got, text) {
		t.Errorf("text %q, %v; want %q", got, err, text)
	}
	if !bytes.Contains(a.Bytes(), []byte("tEXtparameters\x00a caf\xe9")) ||
		!bytes.Contains(a.Bytes(), []byte("iTXtPrompt\x00\x00\x00\x00\x00雪")) {
		t.Error("want Latin-1 in tEXt, the rest in iTXt")
	}
}

func TestEncodePNGRejects(t *testing.T) {
	for _, c := range []Text{
		{"", "no key"}, {strings.Repeat("k", 80), "long"}, {" k", ""}, {"k ", ""}, {"a  b", ""}, {"a\nb", ""}, {"雪", ""}, {"\u00a0", ""},
		{"k", "\xff\xfe"}, {"k", "a\x00b"}, {"k", strings.Repeat("v", maxText+1)},
	} {
		var b bytes.Buffer
		if err := EncodePNG(&b, image.NewRGBA(image.Rect(0, 0, 1, 1)), []Text{c}); err == nil || b.Len() > 0 {
			t.Errorf("%.20q: %.20q was written (%v)", c.Key, c.Value, err)
		}
	}
}

// withText is a small PNG file with one more chunk.
func withText(t testing.TB, kind, data string) []byte {
	var b, c bytes.Buffer
	if err := EncodePNG(&b, image.NewGray(image.Rect(0, 0, 1, 1)), nil); err != nil {
		t.Fatal(err)
	}
	writeChunk(&c, kind, []byte(data))
	return append(append(b.Bytes()[:33:33], c.Bytes()...), b.Bytes()[33:]...)
}

func TestDecodeTextRejects(t *testing.T) {
	good := withText(t, "tEXt", "k\x00v")
	broken := bytes.Clone(good)
	broken[45] ^= 1
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"not a PNG", []byte("GIF89a"), "expected a PNG picture"},
		{"cut short", good[:40], "cut short"},
		{"checksum", broken, "checksum"},
		{"no NUL", withText(t, "tEXt", "key"), "no key"},
		{"empty key", withText(t, "tEXt", "\x00v"), "no key"},
		{"method", withText(t, "zTXt", "k\x00\x01abc"), "unknown method"},
		{"zlib", withText(t, "zTXt", "k\x00\x00abc"), "zlib"},
		{"iTXt cut short", withText(t, "iTXt", "k\x00\x00"), "cut short"},
		{"iTXt without language", withText(t, "iTXt", "k\x00\x00\x00en"), "language"},
		{"iTXt of no UTF-8", withText(t, "iTXt", "k\x00\x00\x00\x00\x00\xff"), "UTF-8"},
		{"long", withText(t, "tEXt", "k\x00"+strings.Repeat("v", maxText+1)), "expected at most"},
	} {
		if _, err := DecodeText(c.name, c.data); err == nil || !strings.HasPrefix(err.Error(), c.name) ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}
