package decoding

import (
	"bytes"
	"image/png"
	"path/filepath"
	"strings"
	"testing"

	"percept/fmri"
	"percept/fmri/decode"
	"percept/fmri/ridge"
	"percept/tensor/linalg"
)

// Every diagnosis can be drawn, also of features that do not vary, and twice with the same bytes.
func TestDraw(t *testing.T) {
	truth := linalg.Of([]float32{1, 2, 3, 1, 5, 5}, 3, 2)
	flat := linalg.Of(make([]float32, 6), 3, 2)
	two := linalg.Of(truth.Data[:4], 2, 2)
	rows := &decode.Rows{Images: []fmri.ImageID{70, 71}, Read: func(dst []float32, i int) error { copy(dst, truth.Row(i)); return nil }}
	none := &decode.Rows{Images: []fmri.ImageID{70}, Read: func(dst []float32, _ int) error { clear(dst); return nil }}
	for name, c := range map[string]struct {
		truth, decoded linalg.Matrix[float32]
		train          *decode.Rows
	}{
		"itself": {truth, truth, rows}, "nothing decoded": {truth, flat, rows}, "nothing to decode": {flat, truth, nil}, "nothing at all": {flat, flat, none}, "two images": {two, two, nil},
	} {
		d, err := decode.Diagnose(c.truth, c.decoded, decode.DiagnoseOptions{Train: c.train})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, penalties := range [][]decode.Penalty{nil, {{Alpha: 1, Targets: 2}}, {{Alpha: 1}, {Alpha: 1e5, Targets: 2}}} {
			r := &Report{Fit: Fitted{Penalties: penalties, High: 1, Flat: 1}, Diagnosis: d}
			a, err := r.Draw()
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if _, err := png.Decode(bytes.NewReader(a)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if b, err := r.Draw(); err != nil || !bytes.Equal(a, b) {
				t.Errorf("%s: drawn again, other bytes (%v)", name, err)
			}
		}
	}
}

func TestEdgeWarning(t *testing.T) {
	m := &decode.Model{Model: &ridge.Model{Edge: ridge.Edge{Low: 2, High: 3, Flat: 4, Targets: 20}}, Feature: "c", Penalties: []decode.Penalty{{Alpha: 10}, {Alpha: 1}, {Alpha: 100}}}
	if got, want := EdgeWarning(m), "of 16 targets of c 2 chose the smallest penalty, 1, and 3 chose the largest penalty, 100: a wider grid may be better"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	m.Edge = ridge.Edge{Flat: 4, Targets: 4}
	if got := EdgeWarning(m); got != "" {
		t.Errorf("%q, want nothing", got)
	}
}

func TestReadArrayRejects(t *testing.T) {
	for text, want := range map[string]string{
		filepath.Join(t.TempDir(), "none.npy"):     "expected a file of an array",
		filepath.Join(t.TempDir(), "none.mat:a:b"): "none.mat:a:b: no such file",
	} {
		if _, err := readArray(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
}
