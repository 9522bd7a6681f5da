// Package golden compares the models with reference values in their tests.
//
// The values were made by torch, diffusers and transformers in float64, rounded once to float32; the weights come from
// weights.Synth, so that none are stored. sample.py makes the files in the packages' testdata.
package golden

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"percept/weights"
)

// Seed is the one of weights.Synth and weights.SynthInput in the reference runs.
const Seed = 0x53445f31

// Float32 errors of the reference libraries and RMS of the reference: what Tolerance is made of.
type Error struct {
	F32MaxAbs float64 `json:"f32_max_abs"`
	RMS       float64 `json:"rms"`
}

// Tolerance is what a correct float32 implementation with another order of summation stays below: ten times the error
// that the reference library itself has in float32, and a millionth of the RMS.
func (e Error) Tolerance() float64 { return 10*e.F32MaxAbs + 1e-6*e.RMS }

// Module is a module of a reference model with the properties of its output.
type Module struct {
	Path   string `json:"path"`
	Type   string `json:"type"`
	Shape  []int  `json:"shape"`
	SameAs string `json:"same_as"` // module with the same output, under whose path it is stored

	Config json.RawMessage `json:"config"` // of the whole model, where the table is of models
	Error
}

// Modules reads the table of modules of a reference run.
func Modules(t testing.TB, path string) []Module {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var table struct{ Modules []Module }
	if err := json.Unmarshal(data, &table); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return table.Modules
}

// Tensors are the values of a reference run.
type Tensors struct {
	t     testing.TB
	store *weights.Store
}

// Open reads a safetensors file.
func Open(t testing.TB, path string) *Tensors {
	t.Helper()
	s, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return &Tensors{t, s}
}

// Float32 returns a tensor; integers are converted.
func (s *Tensors) Float32(name string) []float32 {
	s.t.Helper()
	x, err := s.store.Float32(name)
	if err != nil {
		s.t.Fatal(err)
	}
	return x
}

// Int32Rows returns a matrix of integers.
func (s *Tensors) Int32Rows(name string) [][]int32 {
	s.t.Helper()
	x, err := s.store.Int64(name)
	if err != nil {
		s.t.Fatal(err)
	}
	width := s.Shape(name)[1]
	var rows [][]int32
	for row := range slices.Chunk(x, width) {
		var r []int32
		for _, v := range row {
			r = append(r, int32(v))
		}
		rows = append(rows, r)
	}
	return rows
}

// Shape returns the shape of a tensor.
func (s *Tensors) Shape(name string) []int {
	s.t.Helper()
	_, shape, ok := s.store.Info(name)
	if !ok {
		s.t.Fatalf("no tensor %s", name)
	}
	return shape
}

// Names returns the names of all tensors.
func (s *Tensors) Names() []string { return s.store.Names() }

// sampleSize is how many values of a module's output are stored.
const sampleSize = 256

// Sample takes the values of a module's output that are stored: elements floor(j·n/256) of n, all of fewer.
func Sample(x []float32) []float32 {
	if len(x) <= sampleSize {
		return x
	}
	s := make([]float32, sampleSize)
	for j := range s {
		s[j] = x[j*len(x)/sampleSize]
	}
	return s
}

// Near fails the test where got is not within the tolerance of want, and returns the largest error as a fraction of the
// tolerance.
func Near(t testing.TB, name string, got, want []float32, e Error) float64 {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", name, len(got), len(want))
		return math.Inf(1)
	}
	worst, at := 0.0, 0
	for i, w := range want {
		d := math.Abs(float64(got[i]) - float64(w))
		if !(d <= worst) { // NaN counts as worst
			worst, at = d, i
			if math.IsNaN(d) {
				break
			}
		}
	}
	if tol := e.Tolerance(); !(worst <= tol) {
		t.Errorf("%s: value %d is %g, want %g: error %.3g above the tolerance %.3g", name, at, got[at], want[at], worst, tol)
	}
	return worst / e.Tolerance()
}

// A Value is the output of a module in its published shape.
type Value struct {
	Shape []int
	Data  []float32
}

// CheckModules compares every module's output with the reference: values has them by path. The batch of the stored
// values may be the first part of the run's. It reports the largest error as a fraction of the tolerance in the log.
func CheckModules(t testing.TB, modules []Module, ref *Tensors, values map[string]Value) {
	t.Helper()
	worst, at := 0.0, ""
	for _, m := range modules {
		got, ok := values[m.Path]
		if !ok {
			t.Errorf("%s: no node of this name", m.Path)
			continue
		}
		stored := m.Path
		if m.SameAs != "" {
			stored = m.SameAs
		}
		if size(got.Shape) != len(got.Data) || size(got.Shape) != size(m.Shape) {
			t.Errorf("%s: %d values of shape %v, want %v", m.Path, len(got.Data), got.Shape, m.Shape)
			continue
		}
		// The attention norm of the VAE is [N, C, H·W] there and [N, C, H, W] here; all others agree.
		if m.Type != "GroupNorm" && !slices.Equal(got.Shape, m.Shape) {
			t.Errorf("%s: shape %v, want %v", m.Path, got.Shape, m.Shape)
		}
		if r := Near(t, m.Path, Sample(got.Data), ref.Float32("mod:"+stored), m.Error); r > worst {
			worst, at = r, m.Path
		}
	}
	t.Logf("%d modules, largest error %.2f of its tolerance at %s", len(modules), worst, at)
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
