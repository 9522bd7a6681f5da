package freesurfer

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/fmri/internal/source"
	"percept/internal/golden"
)

// all reads whatever a file holds, as each kind of file.
var all = map[string]func(name string, b []byte) error{
	"mgh": func(name string, b []byte) error {
		f, err := source.Bytes(name, mghFormat, b)
		if err != nil {
			return err
		}
		m, err := newImage(f)
		if err != nil {
			return err
		}
		if _, err := m.ReadAll64(); err != nil {
			return err
		}
		return readVoxels(m, make([]float32, m.Frames()), []int{m.Voxels() - 1})
	},
	"surface": func(name string, b []byte) error {
		_, err := parseSurface(&fields{file: name, format: "FreeSurfer surface", b: b})
		return err
	},
	"curv": func(name string, b []byte) error {
		_, err := parseCurv(&fields{file: name, format: "FreeSurfer curv", b: b})
		return err
	},
	"annot": func(name string, b []byte) error {
		_, err := parseAnnot(&fields{file: name, format: "FreeSurfer annot", b: b})
		return err
	},
	"patch": func(name string, b []byte) error {
		_, err := parsePatch(&fields{file: name, format: "FreeSurfer patch", b: b})
		return err
	},
	"label": func(name string, b []byte) error { _, err := parseLabel(name, b); return err },
}

// samples is a good file of each kind.
var samples = map[string]string{"mgh": "f32.mgh", "surface": "lh.plain", "curv": "lh.curv", "annot": "lh.parts.annot",
	"patch": "lh.flat.patch.3d", "label": "lh.V1.label"}

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(data(name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestTruncated cuts good files everywhere: always an error that names the file, in one line.
func TestTruncated(t *testing.T) {
	for kind, name := range samples {
		b := read(t, name)
		end := len(b)
		switch kind {
		case "mgh":
			end = mghHeader + 3*4*5*7*4 // the footer may be short
		case "label":
			end-- // the last newline
			end = bytes.LastIndexByte(b[:end], ' ') + 1
		}
		for n := range end {
			err := all[kind]("the/file", b[:n])
			if err == nil || !strings.HasPrefix(err.Error(), "the/file: ") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s cut to %d of %d bytes: %v", name, n, len(b), err)
			}
		}
	}
	z := read(t, "f32.mgz")
	for n := range len(z) {
		if err := all["mgh"]("the/file", z[:n]); err == nil || !strings.HasPrefix(err.Error(), "the/file: ") {
			t.Errorf("f32.mgz cut to %d bytes: %v", n, err)
		}
	}
}

// TestRejects changes one field of a good file each.
func TestRejects(t *testing.T) {
	word := func(at int, v int64) func([]byte) []byte {
		return func(b []byte) []byte {
			binary.BigEndian.PutUint32(b[at:], uint32(v))
			return b
		}
	}
	after := len("\xff\xff\xfecreated by make.py\n\n")
	faces := after + 8 + 18*12
	annotTable := 4 + 18*8
	for _, c := range []struct {
		kind, want string
		change     func([]byte) []byte
	}{
		{"mgh", "offset 0: version 2, expected 1", word(0, 2)},
		{"mgh", "offset 4: dimension 1 is 0", word(4, 0)},
		{"mgh", "offset 8: dimension 2 is -4", word(8, -4)},
		{"mgh", "dimensions [2147483647 4 5 7] of float32 need", word(4, math.MaxInt32)},
		{"mgh", "offset 8: dimension 2 is 2147483647", func(b []byte) []byte { return word(8, math.MaxInt32)(word(4, math.MaxInt32)(b)) }},
		{"mgh", "offset 20: values of type 2 cannot be read", word(20, 2)},
		{"mgh", "orientation is 256", func(b []byte) []byte { b[28] = 1; b[29] = 0; return b }},
		{"surface", "offset 3: 6517349 vertices of 6 bytes and 6386789 quadrangles of 12, the file has 622 more bytes",
			func(b []byte) []byte { b[2] = 0xff; return b }},
		{"surface", "offset 0: magic number 0x00fffe", func(b []byte) []byte { b[0] = 0; return b }},
		{"surface", "vertices and", word(after, 1<<30)},
		{"surface", "vertices and", word(after+4, -1)},
		{"surface", "face 2 has vertex 18, there are 18", word(faces+24, 18)},
		{"surface", "face 0 has vertex -1", word(faces, -1)},
		{"surface", "after the faces comes 0", func(b []byte) []byte { return append(b, 0, 0, 0, 0) }},
		{"curv", "magic number 0x00ffff, expected 0xffffff", func(b []byte) []byte { b[0] = 0; return b }},
		{"curv", "3 values a vertex", word(11, 3)},
		{"curv", "needs 1000000 floats", word(3, 1000000)},
		{"curv", "1 bytes too many", func(b []byte) []byte { return append(b, 0) }},
		{"annot", "1073741824 vertices of 8 bytes", word(0, 1<<30)},
		{"annot", "vertex 18 is listed", word(4, 18)},
		{"annot", "vertex 1 is listed", word(4, 1)},
		{"annot", "colour table mark 0", word(annotTable, 0)},
		{"annot", "colour table version 3", word(annotTable+4, -3)},
		{"annot", "entries of 24 bytes", word(annotTable+16+len("NOFILE\x00"), 1<<30)},
		{"patch", "begins with 5", word(0, 5)},
		{"patch", "vertices of 16 bytes", word(4, 1<<29)},
		{"patch", "number 0", word(8, 0)},
		{"patch", "number -2147483648", word(8, math.MinInt32)},
		{"patch", "in the patch twice", func(b []byte) []byte { copy(b[24:28], b[8:12]); return b }},
		{"patch", "4 bytes too many", func(b []byte) []byte { return append(b, 0, 0, 0, 0) }},
		{"label", "line 1", func(b []byte) []byte { return b[1:] }},
		{"label", "expected the number of rows", func(b []byte) []byte { return []byte("#x\n999999999\n") }},
		{"label", "line 3: \"1 2 3\": 3 columns", func(b []byte) []byte { return []byte("#x\n1\n1 2 3\n      ") }},
		{"label", "more than 1 rows", func(b []byte) []byte { return []byte("#x\n1\n1 2 3 4 5\n1 2 3 4 5\n") }},
		{"label", "ends after 1 rows, expected 2", func(b []byte) []byte { return []byte("#comment\n2\n1 2 3 4 5\n") }},
	} {
		err := all[c.kind]("the/file", c.change(read(t, samples[c.kind])))
		if err == nil || !strings.HasPrefix(err.Error(), "the/file: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.kind, err, c.want)
		}
	}
	for _, open := range []func(string) error{
		func(p string) error { _, err := OpenMGH(p); return err },
		func(p string) error { _, err := ReadSurface(p); return err },
		func(p string) error { _, err := ReadLabel(p); return err },
	} {
		if err := open("no/such"); err == nil || err.Error() != "no/such: no such file or directory" {
			t.Errorf("a missing file: %v", err)
		}
		if err := open("testdata"); err == nil || !strings.HasPrefix(err.Error(), "testdata: is a ") {
			t.Errorf("a folder: %v", err)
		}
	}
}

// TestGzipDamage flips bits in the values of a compressed file: never values without an error.
func TestGzipDamage(t *testing.T) {
	z := read(t, "f32.mgz")
	for at := 100; at < len(z); at += 7 {
		b := slices.Clone(z)
		b[at] ^= 0x10
		if err := all["mgh"]("the/file", b); err == nil {
			t.Errorf("a flipped bit of byte %d of %d was not noticed", at, len(z))
		}
	}
}

// TestWriteMGH writes all types, whole and in pieces, and reads them back.
func TestWriteMGH(t *testing.T) {
	dir := t.TempDir()
	h := Header{Dims: [4]int{3, 2, 1, 4}, DOF: 5, GoodRAS: true, Delta: [3]float32{1.5, 2, 3},
		Axes: [3][3]float32{{0, -1, 0}, {1, 0, 0}, {0, 0, 1}}, Center: [3]float32{3, -0.25, -6}}
	values := make([]float32, 24)
	for i := range values {
		values[i] = float32(i*i) / 3
	}
	for _, name := range []string{"a.mgh", "a.mgz"} {
		w, err := CreateMGH[float32](filepath.Join(dir, name), h)
		if err != nil {
			t.Fatal(err)
		}
		w.Footer = []byte("footer")
		for _, part := range [][]float32{values[:5], values[5:5], values[5:]} {
			if err := w.Append(part); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Append([]float32{1}); err == nil {
			t.Error("more values than there is room for")
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		w.Abort()
		m, err := OpenMGH(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := m.ReadAll()
		if err != nil || !slices.Equal(got, values) || m.DOF != 5 || m.Affine() != h.Affine() {
			t.Errorf("%s: %v %v %+v", name, got, err, m.Header)
		}
		if f, err := footer(m); err != nil || string(f) != "footer" {
			t.Errorf("%s: footer %q %v", name, f, err)
		}
	}
	if a := h.Affine(); a != [4][4]float64{{0, 2, 0, 1}, {-1.5, 0, 0, 2}, {0, 0, 3, -7.5}, {0, 0, 0, 1}} {
		t.Errorf("affine %v", a)
	}
	ints := []int32{1, -2, math.MaxInt32}
	path := filepath.Join(dir, "b.mgh")
	if err := WriteMGH(path, Header{Dims: [4]int{3, 1, 1, 1}}, ints); err != nil {
		t.Fatal(err)
	}
	m, err := OpenMGH(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := m.ReadAll64(); err != nil || !slices.Equal(got, []float64{1, -2, math.MaxInt32}) {
		t.Errorf("%v %v", got, err)
	}
	if a := m.Affine(); a != [4][4]float64{{-1, 0, 0, 1.5}, {0, 0, 1, -0.5}, {0, -1, 0, 0.5}, {0, 0, 0, 1}} {
		t.Errorf("default affine %v", a)
	}
	if err := WriteMGH(path, Header{Dims: [4]int{3, 1, 1, 1}}, []uint8{1}); err == nil {
		t.Error("values are missing and it was written")
	}
	if err := WriteMGH(path, Header{Dims: [4]int{3, 0, 1, 1}}, []int16{}); err == nil {
		t.Error("a dimension of 0 was written")
	}
	left, _ := os.ReadDir(dir)
	if len(left) != 3 {
		t.Errorf("the folder holds %v", left)
	}
}

// TestBig reads a few vertices of a map that is larger than any buffer.
func TestBig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "big.mgh")
	const vertices, frames = 163842, 3
	w, err := CreateMGH[float32](path, Header{Dims: [4]int{vertices, 1, 1, frames}})
	if err != nil {
		t.Fatal(err)
	}
	for f := range frames {
		x := make([]float32, vertices)
		for v := range x {
			x[v] = float32(v + 1000000*f)
		}
		if err := w.Append(x); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	m, err := OpenMGH(path)
	if err != nil {
		t.Fatal(err)
	}
	index := []int{vertices - 1, 0, 9000, 9001, 100000}
	for v := 20000; v < 95000; v++ { // more than fits in a span
		index = append(index, v)
	}
	got := make([]float32, frames*len(index))
	golden.WithinMemory(t, 0, false, func() { err = readVoxels(m, got, index) })
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range got {
		if w := float32(index[i%len(index)] + 1000000*(i/len(index))); v != w {
			t.Fatalf("value %d is %v, want %v", i, v, w)
		}
	}
}

// others is where tools/formats/make.py wrote more files, for package array.
const others = "../../../array/testdata/"

func fuzz(f *testing.F, kind string, seeds ...string) {
	for _, s := range seeds {
		f.Add(read(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		compressed := kind == "mgh" && bytes.HasPrefix(b, []byte{0x1f, 0x8b})
		golden.WithinMemory(t, len(b), compressed, func() {
			if err := all[kind]("f", b); err != nil && (!strings.HasPrefix(err.Error(), "f: ") || strings.Contains(err.Error(), "\n")) {
				t.Errorf("error %q", err)
			}
		})
	})
}

func FuzzMGH(f *testing.F) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Write(read(f, "i16.mgh"))
	w.Close()
	f.Add(z.Bytes())
	fuzz(f, "mgh", "i16.mgh", "f32.mgh", "u8.mgz")
}

func FuzzSurface(f *testing.F) {
	fuzz(f, "surface", "lh.white", "lh.plain", others+"lh.one10", others+"lh.quad", others+"lh.quad_old")
}
func FuzzCurv(f *testing.F)  { fuzz(f, "curv", "lh.curv", others+"lh.curv_old") }
func FuzzAnnot(f *testing.F) { fuzz(f, "annot", "lh.parts.annot", "lh.old.annot") }
func FuzzPatch(f *testing.F) { fuzz(f, "patch", "lh.flat.patch.3d") }
func FuzzLabel(f *testing.F) { fuzz(f, "label", "lh.V1.label") }
