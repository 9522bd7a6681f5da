package freesurfer

import (
	"bytes"
	"strings"
	"testing"
)

// TestOtherRejects damages files of the old formats, and surfaces with one newline behind the comment. Package array compares
// the values of the good ones.
func TestOtherRejects(t *testing.T) {
	set := func(at int, v ...byte) func([]byte) []byte {
		return func(b []byte) []byte { copy(b[at:], v); return b }
	}
	cut := func(n int) func([]byte) []byte { return func(b []byte) []byte { return b[:len(b)-n] } }
	comment := len("\xff\xff\xfecreated by make.py\n")
	for _, c := range []struct {
		kind, file, want string
		change           func([]byte) []byte
	}{
		{"surface", "lh.quad", "quadrangle 0 has vertex 9, there are 9", set(9+9*12, 0, 0, 9)},
		{"surface", "lh.quad", "9 vertices of 12 bytes and 5 quadrangles of 12, the file has 167 more bytes", cut(1)},
		{"surface", "lh.quad", "16777215 vertices of 12 bytes", set(3, 0xff, 0xff, 0xff)},
		{"surface", "lh.quad_old", "quadrangle 4 has vertex 255, there are 9", set(9+9*6+4*12+2, 255)},
		{"surface", "lh.quad_old", "9 vertices of 6 bytes and 5 quadrangles of 12, the file has 113 more bytes", cut(1)},
		{"surface", "lh.quad_old", "after the faces comes 0", func(b []byte) []byte { return append(b, 0, 0, 0, 0) }},
		{"surface", "lh.one4", "4 vertices and 11 faces", set(comment+7, 11)},
		{"surface", "lh.one4", "offset 22: 4 vertices and 10 faces of 12 bytes each, the file has 167 more bytes", cut(1)},
		{"surface", "lh.two10", "10 vertices and 16 faces of 12 bytes each, the file has 311 more bytes", cut(1)},
		{"surface", "lh.tags10", "after the faces comes", func(b []byte) []byte {
			return bytes.Replace(b, []byte{0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 5}, []byte{0, 9, 0, 3, 0, 0, 0, 0, 0, 0, 0, 5}, 1)
		}},
		{"curv", "lh.curv_old", "or in the old format the number of vertices, of which 19 bytes hold 6", cut(1)},
		{"annot", "../../internal/freesurfer/testdata/lh.parts.annot", "has no colour table: the file ends after its 18 vertices",
			func(b []byte) []byte { return b[:4+18*8] }},
		{"annot", "../../internal/freesurfer/testdata/lh.parts.annot", "the mark of a colour table needs 4 bytes, the file has 2 more",
			func(b []byte) []byte { return b[:4+18*8+2] }},
	} {
		err := all[c.kind]("the/file", c.change(read(t, others+c.file)))
		if err == nil || !strings.HasPrefix(err.Error(), "the/file: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.file, err, c.want)
		}
	}
}

// TestOldMarks: files of the old formats are known by their counts alone, so one byte more or less is not of them.
func TestOldMarks(t *testing.T) {
	quads, curv := read(t, others+"lh.quad_old"), read(t, others+"lh.curv_old")
	for d := int64(-2); d <= 2; d++ {
		if got := IsOldQuadrangles(quads, int64(len(quads))+d); got != (d == 0) {
			t.Errorf("quadrangles and %d bytes: %v", d, got)
		}
		if got := IsOldCurv(curv, int64(len(curv))+d); got != (d == 0) {
			t.Errorf("curv and %d bytes: %v", d, got)
		}
	}
	for _, file := range []string{"lh.curv", "lh.white", "f32.mgh", "lh.parts.annot", "lh.flat.patch.3d"} {
		b := read(t, file)
		if IsOldQuadrangles(b, int64(len(b))) || IsOldCurv(b, int64(len(b))) {
			t.Errorf("%s is taken for a file of an old format", file)
		}
	}
}
