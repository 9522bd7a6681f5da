package npy

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/fmri/internal/source"
	"percept/internal/golden"
)

// member is the bytes of a .npy file in all.npz.
func member(t testing.TB, z *zip.Reader, name string) []byte {
	t.Helper()
	r, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func openZip(t testing.TB) *zip.Reader {
	t.Helper()
	b, err := os.ReadFile("testdata/all.npz")
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// value is value i of an array of make.py of a type as "i2".
func value(i int, kind string) float64 {
	v := (i*7919+13)%4001 - 2000
	size := int(kind[1] - '0')
	switch kind[0] {
	case 'b':
		if v%3 == 0 {
			return 1
		}
		return 0
	case 'f':
		return float64(v) / 16
	case 'u':
		m := 1 << min(20, 8*size)
		return float64((v%m + m) % m)
	}
	if size == 1 {
		return float64((v+128+25600)%256 - 128)
	}
	return float64(v)
}

// TestAll reads every number type that numpy writes in both byte and axis orders: whole, and in slabs of rows.
func TestAll(t *testing.T) {
	z := openZip(t)
	shapes := [][]int{{}, {7}, {3, 4}, {2, 3, 5}, {2, 0, 3}}
	count := 0
	for _, m := range z.File {
		name := strings.TrimSuffix(m.Name, ".npy")
		part := strings.Split(name, ".")
		if part[0] == "refused" {
			continue
		}
		count++
		shape := shapes[part[3][0]-'0']
		a, err := ReadMember("testdata/all.npz", name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := make([]float64, 0, 30)
		for i := range len(a.Data) {
			want = append(want, value(i, part[0]))
		}
		n := 1
		for _, d := range shape {
			n *= d
		}
		if !slices.Equal(a.Shape, shape) || len(a.Data) != n || !slices.Equal(a.Data, want) {
			t.Errorf("%s: %v %v, want %v %v", name, a.Shape, a.Data, shape, want)
			continue
		}
		src, err := source.Bytes(name, "npy", member(t, z, m.Name))
		if err != nil {
			t.Fatal(err)
		}
		f, err := newFile(src)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		slabs(t, name, f, want)
	}
	if count != 3*2*5+9*2*2*5 {
		t.Errorf("%d arrays", count)
	}
}

func slabs(t *testing.T, name string, f *File, want []float64) {
	t.Helper()
	width := f.Width()
	for first := range f.Rows() + 1 {
		for rows := range f.Rows() - first + 1 {
			x, y := make([]float64, rows*width), make([]float32, rows*width)
			if err := ReadRows(f, x, first); err != nil {
				t.Fatalf("%s: %d rows from %d: %v", name, rows, first, err)
			}
			if err := ReadRows(f, y, first); err != nil {
				t.Fatalf("%s: %d rows from %d: %v", name, rows, first, err)
			}
			for i, v := range x {
				if w := want[first*width+i]; v != w || float64(y[i]) != w {
					t.Fatalf("%s: %d rows from %d: value %d is %v and %v, want %v", name, rows, first, i, v, y[i], w)
				}
			}
		}
	}
	if err := ReadRows(f, make([]float64, width), f.Rows()); width > 0 && err == nil {
		t.Errorf("%s: a row after the last was read", name)
	}
	r, err := f.OpenRows()
	if f.Fortran && len(f.Shape) > 1 && err == nil {
		t.Errorf("%s: rows were read in Fortran order", name)
	}
	if f.Fortran && len(f.Shape) > 1 || width == 0 {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for row := f.Rows() - 1; row >= 0; row-- {
		for _, columns := range [][]int{nil, {0}, {width - 1}, {width - 1, 0, 0}, {0, 1, 2, 3}} {
			if len(columns) == 4 {
				columns = columns[:min(4, width)]
			}
			dst := make([]float32, len(columns))
			if err := r.Read(dst, row, columns); err != nil {
				t.Fatalf("%s: columns %v of row %d: %v", name, columns, row, err)
			}
			for k, c := range columns {
				if w := want[row*width+c]; float64(dst[k]) != w {
					t.Fatalf("%s: row %d, column %d is %v, want %v", name, row, c, dst[k], w)
				}
			}
		}
	}
	for _, bad := range [][]int{{f.Rows(), 0}, {-1, 0}, {0, width}, {0, -1}} {
		if err := r.Read(make([]float32, 1), bad[0], bad[1:]); err == nil {
			t.Errorf("%s: row %d, column %d was read", name, bad[0], bad[1])
		}
	}
}

func TestRefused(t *testing.T) {
	for name, want := range map[string]string{"c8": `dtype "<c8" holds complex numbers`, "U3": `dtype "<U3" holds text`,
		"S3": `dtype "|S3" holds text`, "M8": "holds dates", "O": "holds objects", "V": "structured array",
		"f16": "holds floats of that width",
		"i8":  "value 0 is about 1152921504606846976, which float64 cannot hold exactly"} {
		_, err := ReadMember("testdata/all.npz", "refused."+name)
		if err == nil || !strings.HasPrefix(err.Error(), "testdata/all.npz: refused."+name+".npy: npy, offset ") ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	for text, want := range map[string]string{
		"{'descr': '=c8', 'fortran_order': False, 'shape': (1,), }":                     "holds complex numbers",
		"{'descr': '<float32', 'fortran_order': False, 'shape': (1,), }":                "is not known",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }":         "the file ends after 0 values",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 1000000), }": "too many elements",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }":                    `shape "(-1,)"`,
		"{'descr': '<f4', 'fortran_order': 0, 'shape': (1,), }":                         "neither True nor False",
		"{'descr': '<f4', 'fortran_order': False}":                                      "expected descr, fortran_order and shape",
		"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }":     "key \"descr\"",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}":            "key \"more\" is not known",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (1 1), }":                    `shape "(1 1)"`,
		"['descr']": "expected a dictionary",
	} {
		b := append([]byte(magic), 1, 0, byte(len(text)), 0)
		_, err := Read("x", bytes.NewReader(append(b, text...)))
		if err == nil || !strings.HasPrefix(err.Error(), "x: npy, offset ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// TestWrite writes arrays whole, in pieces and in archives, and reads them back.
func TestWrite(t *testing.T) {
	dir := t.TempDir()
	x := []float32{1, 2.5, -3, 1e30, 5, 6}
	for _, shape := range [][]int{{6}, {2, 3}, {3, 1, 2}, {1, 6, 1, 1}} {
		path := filepath.Join(dir, "x.npy")
		w, err := Create[float32](path, shape)
		if err != nil {
			t.Fatal(err)
		}
		sum := w.SHA256()
		if err := w.Append(x[:4]); err != nil {
			t.Fatal(err)
		}
		if err := w.Append(x[:3]); err == nil || !strings.Contains(err.Error(), "more values than shape") {
			t.Errorf("too many values: %v", err)
		}
		if err := w.Append(x[4:]); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		w.Abort()
		a, err := ReadFile(path)
		if err != nil || a.DType != "<f4" || !slices.Equal(a.Shape, shape) || a.Data[3] != float64(x[3]) || len(a.Data) != 6 {
			t.Errorf("%v: %+v %v", shape, a, err)
		}
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		row := make([]float32, f.Width())
		if err := ReadRows(f, row, f.Rows()-1); err != nil || !slices.Equal(row, x[6-len(row):]) {
			t.Errorf("%v: last row %v %v", shape, row, err)
		}
		b, _ := os.ReadFile(path)
		if (len(b)-24)%64 != 0 {
			t.Errorf("%v: the values begin at %d", shape, len(b)-24)
		}
		if got := sha256.Sum256(b); !bytes.Equal(sum.Sum(nil), got[:]) {
			t.Errorf("%v: the sum is not that of the file", shape)
		}
		if err := os.WriteFile(path, append(b, "tail"...), 0o666); err != nil {
			t.Fatal(err)
		}
		if g, err := Open(path); err != nil || f.Trailing != 0 || g.Trailing != 4 {
			t.Errorf("%v: bytes behind the values: %v, %+v", shape, err, g)
		}
	}
	for _, deflate := range []bool{false, true} {
		path := filepath.Join(dir, fmt.Sprintf("%v.npz", deflate))
		err := writeZip(path, deflate, of("x", []int{2, 3}, x), of("b", []int{3}, []bool{true, false, true}),
			of("none", []int{0}, []int64{}),
			of("scalar", nil, []uint16{65535}))
		if err != nil {
			t.Fatal(err)
		}
		if n, err := Names(path); err != nil || !slices.Equal(n, []string{"x", "b", "none", "scalar"}) {
			t.Errorf("names %v %v", n, err)
		}
		for name, want := range map[string][]float64{"x": {1, 2.5, -3, float64(float32(1e30)), 5, 6}, "b": {1, 0, 1}, "none": nil,
			"scalar": {65535}} {
			if a, err := ReadMember(path, name); err != nil || !slices.Equal(a.Data, want) {
				t.Errorf("%s: %+v %v", name, a, err)
			}
		}
	}
	bad := filepath.Join(dir, "bad.npz")
	for _, members := range [][]zipped{{of("x", []int{5}, x)}, {of("", []int{6}, x)}, {of("x", []int{6}, x), of("x", []int{6}, x)},
		{of("x", []int{-6}, x)}} {
		if err := writeZip(bad, false, members...); err == nil || !strings.HasPrefix(err.Error(), bad+": ") {
			t.Errorf("%v", err)
		}
	}
	if err := Write(filepath.Join(dir, "y.npy"), []int{7}, x); err == nil {
		t.Error("values are missing and it was written")
	}
	if left, _ := os.ReadDir(dir); len(left) != 3 {
		t.Errorf("the folder holds %v", left)
	}
}

// FuzzFile reads damaged files row by row.
func FuzzFile(f *testing.F) {
	z := openZip(f)
	for _, n := range []string{"i2.be.F.3", "f8.le.C.2", "b1.le.F.3", "u8.le.C.1"} {
		f.Add(member(f, z, n+".npy"))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		golden.WithinMemory(t, len(b), bytes.HasPrefix(b, []byte{0x1f, 0x8b}), func() {
			src, err := source.Bytes("f", "npy", b)
			if err != nil {
				return
			}
			file, err := newFile(src)
			if err != nil {
				if !strings.HasPrefix(err.Error(), "f: ") || strings.Contains(err.Error(), "\n") {
					t.Errorf("error %q", err)
				}
				return
			}
			if n := file.Len(); n <= len(b) {
				_ = ReadRows(file, make([]float32, n), 0)
			}
		})
	})
}

// FuzzZip reads damaged archives.
func FuzzZip(f *testing.F) {
	for _, name := range []string{"npz.npz", "npz_compressed.npz"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		golden.WithinMemory(t, len(b), true, func() {
			z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
			if err != nil {
				return
			}
			for _, n := range names(z)[:min(len(z.File), 16)] {
				_, _ = readMember("f", z, n)
			}
		})
	})
}
