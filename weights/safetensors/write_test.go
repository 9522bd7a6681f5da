package safetensors

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestWriteRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.safetensors")
	in := []Named{
		NamedF32("b", []float32{1, -2.5, float32(math.Inf(1))}, 3),
		NamedF16("a\n\"é", []float32{0.5, 65504}, 2, 1),
		NamedBF16("h", []float32{1}, 1),
		NamedF64("d", []float64{math.Pi}),
		NamedI32("i", []int32{-7, 8}, 2),
		NamedF32("empty", nil, 0, 7),
		{Name: "raw", DType: U8, Shape: []int{3}, Data: []byte{1, 2, 3}},
	}
	if err := Write(path, in, map[string]string{"made": "by a test"}); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	if got := s.Metadata()["made"]; got != "by a test" {
		t.Errorf("metadata %q", got)
	}
	for _, want := range in {
		dtype, shape, ok := s.Info(want.Name)
		got, err := s.Bytes(want.Name)
		if err != nil || !ok || dtype != want.DType || !slices.Equal(shape, want.Shape) || !slices.Equal(got, want.Data) {
			t.Errorf("%q: %s %v %v (%v), want %s %v %v", want.Name, dtype, shape, got, err, want.DType, want.Shape, want.Data)
		}
	}
	left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*"))
	if len(left) != 0 {
		t.Errorf("temporary files left: %v", left)
	}
}

func TestWriteRejects(t *testing.T) {
	dir := t.TempDir()
	tests := []struct {
		name, path string
		tensors    []Named
	}{
		{"folder missing", filepath.Join(dir, "no", "x.safetensors"), nil},
		{"folder is a file", filepath.Join("../testdata/formats/manifest.json", "x.safetensors"), nil},
		{"same name twice", filepath.Join(dir, "x.safetensors"), []Named{NamedF32("a", []float32{1}, 1), NamedF32("a", []float32{1}, 1)}},
		{"shape and data differ", filepath.Join(dir, "x.safetensors"), []Named{NamedF32("a", []float32{1}, 2)}},
		{"negative shape", filepath.Join(dir, "x.safetensors"), []Named{NamedF32("a", nil, -2)}},
		{"unknown dtype", filepath.Join(dir, "x.safetensors"), []Named{{Name: "a", DType: "Q7", Shape: []int{1}, Data: []byte{1}}}},
	}
	for _, tt := range tests {
		err := Write(tt.path, tt.tensors, nil)
		if err == nil || !strings.Contains(err.Error(), "x.safetensors") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line that names the file", tt.name, err)
		}
		if _, err := os.Stat(tt.path); err == nil {
			t.Errorf("%s: a file was left", tt.name)
		}
	}
}
