package features

import (
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/fmri"
	"percept/fmri/nsd"
	"percept/fmri/sim"
)

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
		if _, err := Folder(dir, put("bad.tsv", c.text)); err == nil || !strings.Contains(err.Error(), c.want) ||
			!strings.Contains(err.Error(), "bad.tsv") {
			t.Errorf("%q: %v, want an error that names %s", c.text, err, c.want)
		}
	}
}

// An error in a file says in which line of which file.
func TestErrorsNameTheLine(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct{ text, want string }{
		{"7\n2\nx\n", `ids: line 3: "x", expected`}, {"7\r\n8\r\n", `ids: line 2: "8", expected numbers from 0 to 7`},
		{"1 2 3,4\n", `ids: line 1: "3,4"`}, {"\n \n", "has no number"},
	} {
		if _, err := ParseImages("@"+put("ids", c.text), 8); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want %q", c.text, err, c.want)
		}
	}
	pictures := filepath.Join(dir, "pictures")
	os.MkdirAll(filepath.Join(pictures, "folder.png"), 0o777) // a folder is no picture
	put("pictures/a.png", "")
	put("pictures/notes.txt", "")
	for _, c := range []struct{ text, want string }{
		{"a.png\tone\n\na.png\t" + strings.Repeat("x", 1<<20) + "\n", "c.tsv: line 3 is longer"},
		{"\ufeffa.png\tone\nfolder.png\ttwo\n", "c.tsv: line 2: no picture folder.png"},
		{"a.png\tone\nnotes.txt\ttwo\n", "c.tsv: line 2: no picture notes.txt"},
		{"", "c.tsv: no caption of a.png"},
	} {
		if _, err := Folder(pictures, put("c.tsv", c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.40q: error %v, want %q", c.text, err, c.want)
		}
	}
	for _, c := range []struct{ dir, captions, want string }{
		{filepath.Join(dir, "none"), "", "none: no such file"}, {pictures, filepath.Join(dir, "none.tsv"), "none.tsv: no such file"},
	} {
		if _, err := Folder(c.dir, c.captions); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.dir, err, c.want)
		}
	}
}

// The pictures of a folder are read by number, and their sum changes with a picture, with a name and with nothing else.
func TestFolderReadsPictures(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, side int) {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(png.Encode(f, image.NewGray(image.Rect(0, 0, side, 9))), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	open := func() (Source, string) {
		t.Helper()
		s, err := Folder(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		sum, err := s.PictureSum(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s, sum
	}
	put("b.png", 20)
	put("a.png", 10)
	s, sum := open()
	if s.Captions != nil || !slices.Equal(s.Images, []fmri.ImageID{0, 1}) {
		t.Errorf("%+v", s)
	}
	for id, want := range map[fmri.ImageID]int{0: 10, 1: 20} {
		if m, err := s.Picture(id); err != nil || m.Bounds().Dx() != want {
			t.Errorf("picture %d: %v, want one %d wide", id, err, want)
		}
	}
	if _, again := open(); again != sum {
		t.Error("the sum of the same pictures is another")
	}
	put("b.png", 21)
	_, edited := open()
	put("c.png", 20)
	_, more := open()
	if sum == edited || edited == more {
		t.Error("other pictures have the same sum")
	}
	os.Remove(filepath.Join(dir, "c.png"))
	if _, err := s.PictureSum(t.Context()); err != nil {
		t.Error(err)
	}
	os.Remove(filepath.Join(dir, "b.png"))
	if _, err := s.PictureSum(t.Context()); err == nil || !strings.Contains(err.Error(), "b.png") {
		t.Errorf("a picture that went away: %v", err)
	}
}

// A tree gives the images that its subjects saw, their pictures and captions, and a sum that changes with them.
func TestTree(t *testing.T) {
	dir := t.TempDir()
	open := func(name string, seed uint64) *nsd.Dataset {
		t.Helper()
		root := filepath.Join(dir, name)
		if err := sim.Write(t.Context(), root, sim.Options{Subjects: 2, OwnImages: 30, SharedImages: 6, Seed: seed}, nil); err != nil {
			t.Fatal(err)
		}
		data, err := nsd.Open(root)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { data.Close() })
		return data
	}
	data := open("one", 3)
	one, err := SeenBy(data, []string{"subj01"})
	if err != nil {
		t.Fatal(err)
	}
	both, err := SeenBy(data, []string{"subj02", " subj01"})
	if err != nil {
		t.Fatal(err)
	}
	if len(one) != 36 || len(both) != 66 || !slices.IsSorted(both) || len(slices.Compact(slices.Clone(both))) != 66 {
		t.Errorf("one saw %d images and both %d, want 30 and 6, and twice 30 and 6", len(one), len(both))
	}
	for _, id := range one {
		if !slices.Contains(both, id) {
			t.Errorf("image %d was seen by one and not by both", id)
		}
	}
	if _, err := SeenBy(data, []string{"subj09"}); err == nil || !strings.Contains(err.Error(), "subj09") {
		t.Errorf("nobody's images: %v", err)
	}
	s := NSD(data, one)
	captions, err := s.Captions(t.Context())
	if err != nil || len(captions) != 36 || len(captions[one[7]]) == 0 {
		t.Errorf("captions of %d images, %v", len(captions), err)
	}
	want, err := data.Stimulus(one[7])
	if err != nil {
		t.Fatal(err)
	}
	if m, err := s.Picture(one[7]); err != nil || !slices.Equal(m.(*image.RGBA).Pix, want.Pix) {
		t.Errorf("another picture than the tree's, %v", err)
	}
	if !strings.Contains(s.What, "Natural Scenes Dataset") || !strings.Contains(s.What, "96×96") {
		t.Errorf("said to be %q", s.What)
	}
	sum := func(s Source) string {
		t.Helper()
		text, err := s.PictureSum(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	if sum(s) != sum(NSD(data, one)) || sum(s) == sum(NSD(data, one[1:])) || sum(s) == sum(NSD(open("other", 4), one)) {
		t.Error("sums of pictures that are the same differ, or of others agree")
	}
}

// Captions are told apart by their images, their order and where one ends.
func TestCaptionSum(t *testing.T) {
	ids := []fmri.ImageID{1, 2}
	base := captionSum(ids, map[fmri.ImageID][]string{1: {"a", "b"}, 2: {"c"}})
	for name, c := range map[string]map[fmri.ImageID][]string{
		"order": {1: {"b", "a"}, 2: {"c"}}, "end": {1: {"a b"}, 2: {"c"}}, "image": {1: {"a"},
			2: {"b", "c"}}, "none": {1: {"a", "b"}}, "quotes": {1: {`a" "b`}, 2: {"c"}},
	} {
		if captionSum(ids, c) == base {
			t.Errorf("%s: the same sum", name)
		}
	}
	if captionSum(ids, map[fmri.ImageID][]string{1: {"a", "b"}, 2: {"c"}, 3: {"of another image"}}) != base {
		t.Error("the caption of an image that is not asked for changes the sum")
	}
}
