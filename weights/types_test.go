package weights

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

// equalBits compares values with those of tools/checkpoint/goldens.py.
func equalBits(x []float32, want []int32) bool {
	return slices.EqualFunc(x, want, func(v float32, b int32) bool {
		w := math.Float32frombits(uint32(b))
		return v == w || v != v && w != w
	})
}

func readJSONFile(t *testing.T, path string, v any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatal(err)
	}
}

// A file with every type of safetensors 0.8 opens; the values of those that are numbers are torch's, of the others the
// tensor is refused by its name and type, and by what a model would say of it.
func TestSafetensorsTypes(t *testing.T) {
	s := open(t, "testdata/types.safetensors")
	var want map[string][]int32
	readJSONFile(t, "testdata/types.json", &want)
	if len(s.Names()) != 22 || len(want) != 15 {
		t.Fatalf("%d types, %d with values", len(s.Names()), len(want))
	}
	parameters := map[string][]int{}
	var refused []string
	for _, name := range s.Names() {
		parameters[name] = []int{2, 4}
		dtype, shape, _ := s.Info(name)
		if string(dtype) != name || !slices.Equal(shape, []int{2, 4}) {
			t.Errorf("%s: %s %v", name, dtype, shape)
		}
		x, err := s.Float32(name, 2, 4)
		if bits, ok := want[name]; ok {
			if err != nil || !equalBits(x, bits) || s.Unreadable(name) != "" {
				t.Errorf("%s: %v, %v", name, x, err)
			}
			continue
		}
		refused = append(refused, name)
		if err == nil || !strings.Contains(err.Error(), "types.safetensors: "+name+": type \""+name+"\", expected ") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := s.CountNonFinite(name); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: counted: %v", name, err)
		}
		if s.Size(name) == 0 {
			t.Errorf("%s: no bytes", name)
		}
	}
	bad := s.Compare(parameters)
	if bad == nil || len(bad.Unreadable) != len(refused) || len(bad.Missing)+len(bad.Misshapen)+len(bad.Unexpected) > 0 ||
		!strings.Contains(bad.Error(), "  unreadable  C64: type \"C64\"") || !strings.Contains(bad.Summary(), "7 unreadable") {
		t.Errorf("against a model: %v", bad)
	}
	for _, name := range refused {
		delete(parameters, name)
	}
	if bad := s.Compare(parameters); bad == nil || !slices.Equal(bad.Unexpected, refused) {
		t.Errorf("against a model without them: %v", bad)
	}
}

// A state_dict of a module with parametrizations, as torch 2.15 saves it.
func TestTorchParametrized(t *testing.T) {
	s := open(t, "testdata/parametrized.pt")
	var want map[string]struct {
		Shape []int
		Bits  []int32
	}
	readJSONFile(t, "testdata/parametrized.json", &want)
	if len(s.Names()) != len(want) {
		t.Errorf("%v", s.Names())
	}
	for name, w := range want {
		_, shape, ok := s.Info(name)
		x, err := s.Float32(name)
		switch {
		case !ok || !slices.Equal(shape, w.Shape):
			t.Errorf("%s: shape %v, want %v", name, shape, w.Shape)
		case w.Bits == nil:
			if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "float8_e8m0fnu") {
				t.Errorf("%s: %v", name, err)
			}
		case err != nil || !equalBits(x, w.Bits):
			t.Errorf("%s: %v, %v", name, x, err)
		}
	}
}
