package decoding

import (
	"path/filepath"
	"strings"
	"testing"

	"percept/fmri/decode"
	"percept/fmri/ridge"
)

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
