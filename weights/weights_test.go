package weights

import (
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/weights/safetensors"
)

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestOpenRejectsWhatIsNoFile(t *testing.T) {
	for _, path := range []string{"testdata/absent.safetensors", "testdata"} {
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("Open(%s) = %v, want an error that names it", path, err)
		}
	}
	if _, err := Open("testdata/absent.safetensors"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v does not say that the file does not exist", err)
	}
}

// A Store hands out what the container does.
func TestStoreFollowsTheContainer(t *testing.T) {
	files, err := filepath.Glob("testdata/formats/*.safetensors")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, path := range files {
		f, ferr := safetensors.Open(path)
		s, err := Open(path)
		if (err == nil) != (ferr == nil) {
			t.Errorf("%s: %v, the container says %v", path, err, ferr)
		}
		if err != nil || ferr != nil {
			continue
		}
		if !slices.Equal(s.Names(), f.Names()) || !maps.Equal(s.Metadata(), f.Metadata()) || s.Format() != "safetensors" {
			t.Errorf("%s: %s with %v %v, the container has %v %v", path, s.Format(), s.Names(), s.Metadata(), f.Names(), f.Metadata())
		}
		for _, name := range f.Names() {
			dtype, shape, _ := s.Info(name)
			wantType, wantShape, _ := f.Info(name)
			got, err := s.Float64(name)
			want, ferr := f.Float64(name)
			same := slices.EqualFunc(got, want, func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) })
			if dtype != wantType || !slices.Equal(shape, wantShape) || !same || (err == nil) != (ferr == nil) {
				t.Errorf("%s: %s is %s %v %v (%v), the container has %s %v %v (%v)", path, name, dtype, shape, got, err, wantType,
					wantShape, want, ferr)
			}
		}
		if err := errors.Join(s.Close(), f.Close()); err != nil {
			t.Error(err)
		}
	}
}

// modelShapes is what the model_* files were made for.
var modelShapes = map[string][]int{
	"conv_in.weight": {8, 4, 3, 3}, "conv_in.bias": {8}, "norm.weight": {8}, "norm.bias": {8},
}

func TestCheckNamesEveryProblem(t *testing.T) {
	tests := []struct{ file, problem, name string }{
		{"model_ok.safetensors", "", ""},
		{"model_missing_key.safetensors", "missing", "norm.bias"},
		{"model_wrong_shape.safetensors", "misshapen", "conv_in.weight [8 3 3 3] in the file, expected [8 4 3 3]"},
		{"model_extra_key.safetensors", "unexpected", "extra.weight"},
		{"model_nan.safetensors", "not finite", "norm.weight: "},
	}
	for _, tt := range tests {
		s := open(t, "testdata/formats/"+tt.file)
		for name, shape := range modelShapes {
			_, _ = s.Float32(name, shape...) // the errors come back from Check
		}
		for how, err := range map[string]error{"Check": s.Check(), "CheckAgainst": s.CheckAgainst(modelShapes)} {
			if tt.problem == "" {
				if err != nil {
					t.Errorf("%s: %s: %v", tt.file, how, err)
				}
				continue
			}
			var ce *CheckError
			if !errors.As(err, &ce) {
				t.Errorf("%s: %s = %v, want a *CheckError", tt.file, how, err)
				continue
			}
			first, rest, _ := strings.Cut(err.Error(), "\n")
			if !strings.Contains(first, tt.file) || !strings.Contains(first, "1 "+tt.problem) {
				t.Errorf("%s: %s: first line %q", tt.file, how, first)
			}
			if fields := strings.Join(strings.Fields(rest), " "); !strings.HasPrefix(fields, tt.problem+" "+strings.TrimSpace(tt.name)) {
				t.Errorf("%s: %s: %q, want %s %s", tt.file, how, rest, tt.problem, tt.name)
			}
		}
	}
}

func TestFloat32ErrorsAreTyped(t *testing.T) {
	s := open(t, "testdata/formats/model_ok.safetensors")
	var missing *MissingError
	if _, err := s.Float32("nowhere", 3); !errors.As(err, &missing) || missing.Name != "nowhere" {
		t.Errorf("missing tensor: %v", err)
	}
	var shape *ShapeError
	if _, err := s.Float32("norm.bias", 9); !errors.As(err, &shape) || !slices.Equal(shape.Got, []int{8}) {
		t.Errorf("misshapen tensor: %v", err)
	}
	if _, err := s.Int64("norm.bias"); err == nil {
		t.Error("float32 values handed out as integers")
	}
}
