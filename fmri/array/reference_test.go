package array

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// sum is the sha256 of values as tools/formats takes it.
func sum(x []float64) string {
	h := sha256.New()
	for _, v := range x {
		bits := math.Float64bits(v)
		if math.IsNaN(v) {
			bits = 0x7ff8000000000000
		}
		h.Write(binary.LittleEndian.AppendUint64(nil, bits))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// TestReference reads files that only some programs write, with what the reference libraries read from them, by
// tools/formats/make.py: every value, and the affine to rounding.
func TestReference(t *testing.T) {
	b, err := os.ReadFile("testdata/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []struct {
		Path, Name, SHA256 string
		Shape              []int
		Values             []any
		Affine             []float64
	}
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) < 120 {
		t.Fatalf("%d arrays, expected at least 120", len(all))
	}
	for _, c := range all {
		a, err := Read(filepath.Join("testdata", c.Path), c.Name)
		if err != nil {
			t.Errorf("%s %s: %v", c.Path, c.Name, err)
			continue
		}
		if !slices.Equal(a.Shape, c.Shape) || sum(a.Data) != c.SHA256 {
			t.Errorf("%s %s: %v %v ..., want %v %v ...", c.Path, c.Name, a.Shape, a.Data[:min(len(a.Data), 4)], c.Shape, c.Values)
		}
		for i, want := range c.Affine {
			if got := a.Affine[i/4][i%4]; !(math.Abs(got-want) <= 1e-6*max(1, math.Abs(want))) {
				t.Errorf("%s: affine %v, want %v", c.Path, *a.Affine, c.Affine)
				break
			}
		}
		info, err := Inspect(filepath.Join("testdata", c.Path))
		if err != nil {
			t.Errorf("%s: %v", c.Path, err)
			continue
		}
		i := slices.IndexFunc(info.Arrays, func(a ArrayInfo) bool { return a.Name == c.Name })
		if i < 0 || !slices.Equal(info.Arrays[i].Shape, c.Shape) || info.Arrays[i].Note != "" {
			t.Errorf("%s %s: Inspect says %s, want shape %v", c.Path, c.Name, summary(info), c.Shape)
		}
	}
}
