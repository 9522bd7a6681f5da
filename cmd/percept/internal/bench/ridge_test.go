package bench

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRidge(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, n int) {
		b := make([]byte, 4*n)
		for i := range n {
			binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(float32(i*i%37)-18))
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	r := Ridge{Samples: 30, Features: 6, Targets: 4, Folds: 3, Penalties: 5}
	if got, err := r.Run(t.Context(), nil); err != nil || !(got.Seconds > 0) || !(got.Score < 0) {
		t.Errorf("random data: %+v, %v", got, err)
	}
	r.Data = dir
	write("x.f32", 180)
	if _, err := r.Run(t.Context(), nil); err == nil {
		t.Error("no y.f32: no error")
	}
	write("y.f32", 119)
	if _, err := r.Run(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "476 bytes, expected 480 of 30×4 float32") {
		t.Errorf("a short y.f32: %v", err)
	}
	write("y.f32", 120)
	if _, err := r.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	out, err := os.ReadFile(filepath.Join(dir, "percept.f64"))
	if err != nil || len(out) != 8*8 {
		t.Errorf("percept.f64 has %d bytes, %v; want a penalty and a score for each of 4 targets", len(out), err)
	}
	r.Folds = 31
	if _, err := r.Run(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "folds 31: expected 1 to 30") {
		t.Errorf("too many folds: %v", err)
	}
}
