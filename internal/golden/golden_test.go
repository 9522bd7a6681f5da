package golden

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"percept/weights/safetensors"
)

func TestDistance(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		name      string
		got, want []float32
		d         float64
		at        int
	}{
		{"nothing", nil, nil, 0, 0},
		{"equal", []float32{1, inf}, []float32{1, inf}, 0, 0},
		{"the largest", []float32{1, 2.5, 3}, []float32{1.25, 2, 3}, 0.5, 1},
		{"NaN is worst", []float32{1, nan, 9}, []float32{1, 2, 3}, math.NaN(), 1},
		{"also in the reference", []float32{1, 2}, []float32{nan, 2}, math.NaN(), 0},
		{"infinities of two signs", []float32{-inf}, []float32{inf}, math.Inf(1), 0},
	} {
		d, at, err := Distance(c.got, c.want)
		if err != nil || at != c.at || d != c.d && !(math.IsNaN(d) && math.IsNaN(c.d)) {
			t.Errorf("%s: %v at %d (%v), want %v at %d", c.name, d, at, err, c.d, c.at)
		}
	}
	if _, _, err := Distance([]float64{1}, nil); err == nil {
		t.Error("arrays of two lengths are compared")
	}
	if at := Differ([]float32{1, nan, 0}, []float32{1, -nan, float32(math.Copysign(0, -1))}); at != 2 {
		t.Errorf("-0 and 0 differ at %d, want 2", at)
	}
	if at := Differ([]float32{1, nan}, []float32{1, nan}); at != -1 {
		t.Errorf("equal arrays differ at %d", at)
	}
}

// recorder is a test that is told of failures.
type recorder struct{ said []string }

func (r *recorder) Helper()                   {}
func (r *recorder) Cleanup(func())            {}
func (r *recorder) Logf(string, ...any)       {}
func (r *recorder) Errorf(f string, a ...any) { r.said = append(r.said, fmt.Sprintf(f, a...)) }
func (r *recorder) Fatalf(f string, a ...any) { r.Errorf(f, a...) }

func TestTensors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	named := []safetensors.Named{safetensors.NamedF32("x", []float32{1, 2}, 2), safetensors.NamedI32("rows", []int32{1, 2, 3, 4}, 2, 2),
		safetensors.NamedI32("row", []int32{1}, 1)}
	if err := safetensors.Write(path, named, nil); err != nil {
		t.Fatal(err)
	}
	r := &recorder{}
	s := Open(r, path)
	defer s.file.Close()
	if x, rows := Values[float32](s, "x"), s.Int32Rows("rows"); len(x) != 2 || x[1] != 2 || len(rows) != 2 || rows[1][0] != 3 {
		t.Errorf("read %v and %v", x, rows)
	}
	if Near(r, "x", s.Float32("x"), []float32{1, 2.5}, Error{F32MaxAbs: 0.05, RMS: 1}); len(r.said) > 0 {
		t.Errorf("complaints: %q", r.said)
	}
	for want, f := range map[string]func(){
		"no tensor y":             func() { s.Float32("y") },
		"expected type F64":       func() { Values[float64](s, "x") },
		"expected rows":           func() { s.Int32Rows("row") },
		"shape [2], expected [3]": func() { s.Float64("x", 3) },
		"above the tolerance":     func() { Near(r, "x", s.Float32("x"), []float32{1, 2.6}, Error{F32MaxAbs: 0.05}) },
		"the reference has 1":     func() { Near(r, "x", s.Float32("x"), []float32{1}, Error{F32MaxAbs: 0.05}) },
	} {
		r.said = nil
		f()
		if len(r.said) != 1 || !strings.Contains(r.said[0], want) {
			t.Errorf("said %q, want %q", r.said, want)
		}
	}
}
