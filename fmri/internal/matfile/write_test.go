package matfile

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/internal/golden"
)

func TestRoundTrip(t *testing.T) {
	vars := []Matrix{
		{"bytes", []int{2, 3}, []float64{0, 1, 2, 3, 254, 255}},
		{"words", []int{1, 3}, []float64{1, 255, 65535}},
		{"signed", []int{1, 2}, []float64{-300, 5}},
		{"long", []int{1, 3}, []float64{70000, -3, math.MinInt32}},
		{"large", []int{1, 1}, []float64{1 << 40}},
		{"fractions", []int{1, 3}, []float64{0.1, math.Pi, -1e300}},
		{"special", []int{1, 3}, []float64{math.Inf(1), math.Inf(-1), math.Copysign(0, -1)}},
		{"empty", []int{0, 2}, nil},
		{"nd", []int{2, 1, 2}, []float64{1, 2, 3, 4}},
		{"a_name_of_more_than_four_letters", []int{1, 1}, []float64{3}},
		{"x", []int{1, 1}, []float64{-1}},
	}
	path := filepath.Join(t.TempDir(), "sub", "x.mat")
	if err := Write(path, vars...); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range vars {
		a := variable(t, f, v.Name)
		x := floats(t, a)
		if a.Class != Double || !slices.Equal(a.Dims, v.Dims) || !slices.Equal(x, v.Data) {
			t.Errorf("%s: %s %v %v, want %v %v", v.Name, a.Class, a.Dims, x, v.Dims, v.Data)
		}
		for i := range x {
			if math.Signbit(x[i]) != math.Signbit(v.Data[i]) {
				t.Errorf("%s[%d]: sign of %v", v.Name, i, v.Data[i])
			}
		}
	}
}

func TestWriterRejects(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.mat")
	for _, m := range []Matrix{{"a", []int{2, 2}, []float64{1}}, {"a", []int{1}, []float64{1}}, {"", []int{1, 1}, []float64{1}},
		{"a", []int{-1, -1}, []float64{1}}} {
		if err := Write(path, m); err == nil || !strings.HasPrefix(err.Error(), path+": ") {
			t.Errorf("%+v: %v", m, err)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestRejects(t *testing.T) {
	good, err := os.ReadFile("testdata/mat_edge_cases.mat")
	if err != nil {
		t.Fatal(err)
	}
	zipped, err := os.ReadFile("testdata/nsd_expdesign.mat")
	if err != nil {
		t.Fatal(err)
	}
	with := func(b []byte, at int, v ...byte) []byte {
		b = slices.Clone(b)
		copy(b[at:], v)
		return b
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty":       {nil, "offset 0: file of 0 bytes is too short"},
		"v7.3":        {with(good, 124, 0, 2), "no HDF5 signature"},
		"byte order":  {with(good, 126, 'X', 'X'), "offset 126: byte order mark"},
		"version":     {with(good, 124, 9, 9), "version 0x909"},
		"truncated":   {good[:len(good)-16], "only"},
		"cut zip":     {zipped[:len(zipped)-3], "only"},
		"damaged zip": {with(zipped, 180, 0xff, 0xff), "compressed variable"},
	} {
		_, err := Parse("x.mat", c.data)
		if err == nil || !strings.HasPrefix(err.Error(), "x.mat: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "absent.mat")); err == nil {
		t.Error("a file that is not there was read")
	}
}

// FuzzParse reads damaged files of version 5: any result but a panic, a hang or a huge allocation is fine here.
func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.mat")
	files = append(files, "../../array/testdata/v4.mat", "../../array/testdata/v4_big.mat", "../../array/testdata/flags_struct.mat")
	fuzz(f, slices.DeleteFunc(files, func(p string) bool { return strings.Contains(p, "v73") })...)
}

// FuzzV73 is FuzzParse for version 7.3.
func FuzzV73(f *testing.F) { fuzz(f, "testdata/all_v73.mat", "testdata/all_v73z.mat") }

func fuzz(f *testing.F, files ...string) {
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, uint16(0), byte(0))
		f.Add(b, uint16(600), byte(1))
	}
	f.Fuzz(func(t *testing.T, b []byte, at uint16, change byte) {
		if len(b) > 1<<16 {
			return
		}
		if int(at) < len(b) { // damage that the fuzzer would take long to find in a large file
			b = slices.Clone(b)
			b[at] ^= change
		}
		golden.WithinMemory(t, len(b), true, func() { readAll(t, b) })
	})
}

func readAll(t *testing.T, b []byte) {
	file, err := Parse("fuzz.mat", b)
	if err != nil {
		if !strings.HasPrefix(err.Error(), "fuzz.mat: ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %q", err)
		}
		return
	}
	for _, n := range file.Names() {
		if a, err := file.Var(n); err == nil {
			_, _ = a.Ints()
			_, _ = complexes(a)
			if _, err := a.Float64s(); err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q", err)
			}
		}
	}
}
