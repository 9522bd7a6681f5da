package safetensors

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

// manifestEntry is one file of ../testdata/formats: the safetensors library's verdict and the contents.
type manifestEntry struct {
	Valid     *bool                      `json:"valid"`
	What      string                     `json:"what"`
	Expect    map[string]json.RawMessage `json:"expect"`
	ExpectF32 map[string][]uint32        `json:"expect_f32_bits"`
	ExpectInt map[string][]json.Number   `json:"expect_int"`
}

func readManifest(t *testing.T) map[string]manifestEntry {
	t.Helper()
	b, err := os.ReadFile("../testdata/formats/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]manifestEntry
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func open(t *testing.T, path string) *File {
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
			path := filepath.Join("../testdata/formats", name)
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
func checkValues(t *testing.T, s *File, name string, raw json.RawMessage) {
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
	for _, path := range []string{"../testdata/absent.safetensors", "../testdata"} {
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("Open(%s) = %v, want an error that names it", path, err)
		}
	}
	if _, err := Open("../testdata/absent.safetensors"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v does not say that the file does not exist", err)
	}
}
