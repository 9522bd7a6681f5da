package weights

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"percept/weights/packed"
	"percept/weights/safetensors"
)

// A Store's identity follows its tensors wherever the file lies.
func TestIdentity(t *testing.T) {
	dir := t.TempDir()
	when := time.Unix(1700000000, 5)
	identity := func(name string, x []float32, when time.Time) string {
		path := filepath.Join(dir, name)
		if err := safetensors.Write(path, []safetensors.Named{safetensors.NamedF32("a", x, len(x)),
			safetensors.NamedF32("b", []float32{1}, 1)}, nil); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
		s, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		return s.Identity()
	}
	x := make([]float32, 3000)
	first := identity("one", x, when)
	if other := identity("two", x, when); first == "" || other != first {
		t.Errorf("a copy is %s, want %s", other, first)
	}
	if other := identity("one", x, when.Add(time.Second)); other == first {
		t.Error("a later file is the same")
	}
	x[1500] = 1
	if other := identity("one", x, when); other == first {
		t.Error("other values are the same")
	}
	s, err := OpenBytes("memory", nil)
	if err == nil || s != nil {
		t.Error("empty bytes are a store")
	}
}

// What a Store lends is what it returns, for every type, and counts for Check.
func TestStoreLends(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	x := []float32{1, -2, 0.5, float32(math.Inf(1))}
	tensors := []safetensors.Named{safetensors.NamedF32("f32", x, 4), safetensors.NamedF16("f16", x, 4),
		safetensors.NamedBF16("bf16", x, 2, 2)}
	if err := safetensors.Write(path, tensors, nil); err != nil {
		t.Fatal(err)
	}
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p := packed.New(s, packed.Options{NoCache: true})
	for _, n := range tensors {
		if err := p.Have(n.Name, n.Shape...); err != nil {
			t.Error(err)
		}
		got, err := p.Lend(n.Name, n.Shape...)
		if err != nil || !slices.Equal(got, x) {
			t.Errorf("%s: %v, %v", n.Name, got, err)
		}
	}
	p.Done("")
	p.Release()
	var missing *MissingError
	if err := p.Have("g", 1); !errors.As(err, &missing) {
		t.Errorf("missing: %v", err)
	}
	var shape *ShapeError
	if err := p.Have("f32", 2, 2); !errors.As(err, &shape) {
		t.Errorf("misshapen: %v", err)
	}
	var check *CheckError
	if err := s.Check(); !errors.As(err, &check) || len(check.NonFinite) != 3 || len(check.Missing) != 1 || len(check.Misshapen) != 1 {
		t.Errorf("Check: %v", err)
	}
}
