package safetensors

import (
	"os"
	"path/filepath"
	"testing"
)

// The parser neither panics nor hands out tensors whose bytes disagree with their shape.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("../testdata/formats/*.safetensors")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seed corpus: %v", err)
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		tensors, _, err := Parse(b)
		if err != nil {
			return
		}
		total := 0
		for name, x := range tensors {
			n, err := Elements(x.Shape)
			if err != nil || x.DType.Readable() && n*x.DType.Size() != len(x.Data) || x.Len() != n {
				t.Fatalf("%q: %s %v in %d bytes (%v)", name, x.DType, x.Shape, len(x.Data), err)
			}
			total += len(x.Data)
			if v, err := x.Float32(); err == nil && len(v) != n {
				t.Fatalf("%q: %d values, shape %v", name, len(v), x.Shape)
			} else if err == nil != x.DType.Readable() {
				t.Fatalf("%q: values of type %s: %v", name, x.DType, err)
			}
		}
		if total > len(b) {
			t.Fatalf("%d bytes of tensors in a file of %d", total, len(b))
		}
	})
}
