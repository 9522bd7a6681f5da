package golden

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
)

// Module is a module of a reference model with the properties of its output.
type Module struct {
	Path   string `json:"path"`
	Type   string `json:"type"`
	Shape  []int  `json:"shape"`
	SameAs string `json:"same_as"` // module with the same output, under whose path it is stored

	Config json.RawMessage `json:"config"` // of the whole model, where the table is of models
	Error
}

// ReadModules reads the table of modules of a reference run.
func ReadModules(path string) ([]Module, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var table struct{ Modules []Module }
	if err := json.Unmarshal(data, &table); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return table.Modules, nil
}

// Modules is ReadModules for a test.
func Modules(t T, path string) []Module {
	t.Helper()
	m, err := ReadModules(path)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return m
}

// A Value is the output of a module in its published shape.
type Value struct {
	Shape []int
	Data  []float32
}

// CheckModules compares every module's output with the reference: values has them by path. The batch of the stored
// values may be the first part of the run's. It reports the largest error as a fraction of the tolerance in the log.
func CheckModules(t T, modules []Module, ref *Tensors, values map[string]Value) {
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
			t.Errorf("%s: %d values of shape %v, expected %v", m.Path, len(got.Data), got.Shape, m.Shape)
			continue
		}
		// The attention norm of the VAE is [N, C, H·W] there and [N, C, H, W] here; all others agree.
		if m.Type != "GroupNorm" && !slices.Equal(got.Shape, m.Shape) {
			t.Errorf("%s: shape %v, expected %v", m.Path, got.Shape, m.Shape)
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
