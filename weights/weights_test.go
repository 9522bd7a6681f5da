package weights

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// manifestEntry is one file of testdata/formats: the safetensors library's verdict and the contents.
type manifestEntry struct {
	Valid     *bool                      `json:"valid"`
	What      string                     `json:"what"`
	Expect    map[string]json.RawMessage `json:"expect"`
	ExpectF32 map[string][]uint32        `json:"expect_f32_bits"`
	ExpectInt map[string][]json.Number   `json:"expect_int"`
}

func readManifest(t *testing.T) map[string]manifestEntry {
	t.Helper()
	b, err := os.ReadFile("testdata/formats/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]manifestEntry
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

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

func TestOpenFollowsTheReferenceLibrary(t *testing.T) {
	for name, m := range readManifest(t) {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata/formats", name)
			s, err := Open(path)
			wantValid := m.Valid != nil && *m.Valid // null: either way; this package refuses a name that occurs twice
			if !wantValid {
				if err == nil {
					t.Fatalf("opened a file with: %s", m.What)
				}
				if msg := err.Error(); !strings.Contains(msg, name) || strings.Contains(msg, "\n") {
					t.Errorf("error is not one line that names the file: %q", msg)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			for tensor, raw := range m.Expect {
				checkValues(t, s, tensor, raw)
			}
			for tensor, bits := range m.ExpectF32 {
				x, err := s.Float32(tensor)
				if err != nil {
					t.Fatal(err)
				}
				for i, want := range bits {
					if got := math.Float32bits(x[i]); got != want && !(isNaN(got) && isNaN(want)) {
						t.Errorf("%s[%d] = %#08x, want %#08x", tensor, i, got, want)
					}
				}
			}
			for tensor, want := range m.ExpectInt {
				x, err := s.Int64(tensor)
				if err != nil {
					t.Fatal(err)
				}
				for i, w := range want {
					var n int64
					if u, err := json.Number(w).Int64(); err == nil {
						n = u
					} else {
						n = math.MinInt64 // 2^63, the one value of the file that int64 lacks
					}
					if x[i] != n {
						t.Errorf("%s[%d] = %d, want %s", tensor, i, x[i], w)
					}
				}
			}
		})
	}
}

func isNaN(bits uint32) bool { return bits&0x7FFFFFFF > 0x7F800000 }

// checkValues compares a tensor with nested JSON lists, which flatten to C order.
func checkValues(t *testing.T, s *Store, name string, raw json.RawMessage) {
	t.Helper()
	got, err := s.Float64(name)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	var want []float64
	var flatten func(any)
	flatten = func(v any) {
		if l, ok := v.([]any); ok {
			for _, e := range l {
				flatten(e)
			}
			return
		}
		want = append(want, v.(float64))
	}
	flatten(v)
	if !slices.Equal(got, want) {
		t.Errorf("%s = %v, want %v", name, got, want)
	}
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

func TestHalfTables(t *testing.T) {
	s := open(t, "testdata/formats/half_tables.safetensors")
	ints := func(s *Store, name string) []int64 {
		x, err := s.Int64(name)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	bits, f16, bf16 := ints(s, "bits_u16_as_i32"), ints(s, "f16_to_f32_bits"), ints(s, "bf16_to_f32_bits")
	for i, b := range bits {
		if got := math.Float32bits(F16ToF32(uint16(b))); got != uint32(f16[i]) && !(isNaN(got) && isNaN(uint32(f16[i]))) {
			t.Errorf("F16ToF32(%#04x) = %#08x, want %#08x", b, got, uint32(f16[i]))
		}
		if got := math.Float32bits(BF16ToF32(uint16(b))); got != uint32(bf16[i]) && !(isNaN(got) && isNaN(uint32(bf16[i]))) {
			t.Errorf("BF16ToF32(%#04x) = %#08x, want %#08x", b, got, uint32(bf16[i]))
		}
	}
	r := open(t, "testdata/formats/half_rounding.safetensors")
	x, err := r.Float32("f32")
	if err != nil {
		t.Fatal(err)
	}
	toF16, toBF16 := ints(r, "to_f16_bits"), ints(r, "to_bf16_bits")
	for i, v := range x {
		if got, want := F32ToF16(v), uint16(toF16[i]); got != want && v == v {
			t.Errorf("F32ToF16(%g) = %#04x, want %#04x", v, got, want)
		}
		if got, want := F32ToBF16(v), uint16(toBF16[i]); got != want && v == v {
			t.Errorf("F32ToBF16(%g) = %#04x, want %#04x", v, got, want)
		}
		if v != v && (F16ToF32(F32ToF16(v)) == 0 || !isNaN(math.Float32bits(F16ToF32(F32ToF16(v)))) || !isNaN(math.Float32bits(BF16ToF32(F32ToBF16(v))))) {
			t.Errorf("NaN %#08x does not stay NaN", math.Float32bits(v))
		}
	}
}

// Every 16-bit pattern survives the way up and back.
func TestHalfRoundTrip(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		if f := F16ToF32(h); f == f && F32ToF16(f) != h {
			t.Fatalf("float16 %#04x comes back as %#04x", h, F32ToF16(f))
		}
		if f := BF16ToF32(h); f == f && F32ToBF16(f) != h {
			t.Fatalf("bfloat16 %#04x comes back as %#04x", h, F32ToBF16(f))
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
		{"model_wrong_shape.safetensors", "misshapen", "conv_in.weight [8 3 3 3] in the file, the model wants [8 4 3 3]"},
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

func TestWriteSafetensorsRoundTrip(t *testing.T) {
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
	if err := WriteSafetensors(path, in, map[string]string{"made": "by a test"}); err != nil {
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

func TestWriteSafetensorsRejects(t *testing.T) {
	dir := t.TempDir()
	tests := []struct {
		name, path string
		tensors    []Named
	}{
		{"folder missing", filepath.Join(dir, "no", "x.safetensors"), nil},
		{"folder is a file", filepath.Join("testdata/formats/manifest.json", "x.safetensors"), nil},
		{"same name twice", filepath.Join(dir, "x.safetensors"), []Named{NamedF32("a", []float32{1}, 1), NamedF32("a", []float32{1}, 1)}},
		{"shape and data differ", filepath.Join(dir, "x.safetensors"), []Named{NamedF32("a", []float32{1}, 2)}},
		{"negative shape", filepath.Join(dir, "x.safetensors"), []Named{NamedF32("a", nil, -2)}},
		{"unknown dtype", filepath.Join(dir, "x.safetensors"), []Named{{Name: "a", DType: "Q7", Shape: []int{1}, Data: []byte{1}}}},
	}
	for _, tt := range tests {
		err := WriteSafetensors(tt.path, tt.tensors, nil)
		if err == nil || !strings.Contains(err.Error(), "x.safetensors") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line that names the file", tt.name, err)
		}
		if _, err := os.Stat(tt.path); err == nil {
			t.Errorf("%s: a file was left", tt.name)
		}
	}
}
