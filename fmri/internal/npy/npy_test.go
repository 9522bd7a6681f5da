package npy

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// plain is what npy_v1.npy holds: numpy wrote these numbers into the golden set's manifest.
var plain = []float64{0.9538437128067017, 1.7784677743911743, 0.4658837616443634, -0.7193801999092102, 0.451722651720047,
	0.04491342604160309, 1.1658604145050049, 0.33438488841056824, -0.7022624015808105, 1.663081169128418, -0.3266095519065857,
	1.3336868286132812, 0.5323076844215393, 1.7976323366165161, -0.4195083975791931, -0.6644594669342041, 0.8698704242706299,
	1.192662239074707, 0.8533955216407776, -0.6139461994171143, 1.1502481698989868, -0.2047649323940277, 1.9571144580841064,
	-2.6535050868988037}

func TestGolden(t *testing.T) {
	var bools []float64
	f16 := []float64{0.95361328125, 1.7783203125, 0.4658203125, -0.71923828125, 0.45166015625, 0.044921875, 1.166015625,
		0.33447265625, -0.7021484375, 1.6630859375, -0.32666015625, 1.333984375, 0.5322265625, 1.7978515625, -0.41943359375,
		-0.66455078125, 0.86962890625, 1.1923828125, 0.853515625, -0.61376953125, 1.150390625, -0.2047119140625, 1.95703125, -2.654296875}
	for _, v := range plain {
		b := 0.0
		if v > 0 {
			b = 1
		}
		bools = append(bools, b)
	}
	six := []float64{0, 1, 2, 3, 4, 5}
	for name, c := range map[string]struct {
		dtype string
		shape []int
		want  []float64
	}{
		"npy_v1": {"<f4", []int{4, 3, 2}, plain}, "npy_v2": {"<f4", []int{4, 3, 2}, plain}, "npy_v3": {"<f4", []int{4, 3, 2}, plain},
		"npy_fortran": {"<f4", []int{4, 3, 2}, plain}, "npy_be": {">f4", []int{4, 3, 2}, plain}, "npy_f64": {"<f8", []int{4, 3, 2}, plain},
		"npy_f16": {"<f2", []int{4, 3, 2}, f16}, "npy_bool": {"|b1", []int{4, 3, 2}, bools}, "npy_i64": {"<i8", []int{2, 3}, six},
		"npy_u8": {"|u1", []int{6}, six}, "npy_scalar": {"<f8", []int{}, []float64{1.5}}, "npy_empty": {"<f4", []int{0, 4}, nil},
		"npy_trailing": {"<f4", []int{4, 3, 2}, plain},
	} {
		a, err := ReadFile(filepath.Join("testdata", name+".npy"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if a.DType != c.dtype || !slices.Equal(a.Shape, c.shape) || !slices.Equal(a.Data, c.want) {
			t.Errorf("%s: %s %v %v, want %s %v %v", name, a.DType, a.Shape, a.Data, c.dtype, c.shape, c.want)
		}
	}
	for _, name := range []string{"npz.npz", "npz_compressed.npz"} {
		path := filepath.Join("testdata", name)
		if names, err := Names(path); err != nil || !slices.Equal(names, []string{"a", "b"}) {
			t.Errorf("%s: names %v, %v", name, names, err)
		}
		a, err := ReadMember(path, "a")
		if err != nil || !slices.Equal(a.Data, plain) {
			t.Errorf("%s: a = %v, %v", name, a, err)
		}
		if b, err := ReadMember(path, "b"); err != nil || !slices.Equal(b.Data, []float64{0, 1, 2}) {
			t.Errorf("%s: b = %v, %v", name, b, err)
		}
		if _, err := ReadMember(path, "c"); err == nil {
			t.Errorf("%s: an array that is not there was read", name)
		}
	}
}

func TestRejects(t *testing.T) {
	for name, want := range map[string]string{
		"npy_truncated.npy": "the file ends after", "npy_bad_magic.npy": "not an npy file", "npy_object.npy": "holds objects",
		"absent.npy": "no such file",
	} {
		path := filepath.Join("testdata", name)
		_, err := ReadFile(path)
		if err == nil || !strings.HasPrefix(err.Error(), path+": ") || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want file and %q", err, want)
		}
	}
}

// FuzzRead reads damaged files: any result but a panic, a hang or a huge allocation is fine here.
func FuzzRead(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.npy")
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := Read("fuzz.npy", bytes.NewReader(b)); err == nil && len(a.Data) > len(b) {
			t.Errorf("%d values out of %d bytes", len(a.Data), len(b))
		}
	})
}
