package weights

import (
	"os"
	"path/filepath"
	"testing"

	"percept/weights/safetensors"
)

// The parser neither panics nor hands out tensors whose bytes disagree with their shape.
func FuzzOpenBytes(f *testing.F) {
	files, err := filepath.Glob("testdata/formats/*.safetensors")
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
		s, err := OpenBytes("fuzz", b)
		if err != nil {
			return
		}
		total := 0
		for _, name := range s.Names() {
			dtype, shape, _ := s.Info(name)
			n, err := safetensors.Elements(shape)
			raw, rerr := s.Bytes(name)
			if err != nil || rerr != nil || dtype.Readable() && n*dtype.Size() != len(raw) {
				t.Fatalf("%q: %s %v in %d bytes (%v, %v)", name, dtype, shape, len(raw), err, rerr)
			}
			total += len(raw)
			if x, err := s.Float32(name); err == nil && len(x) != n {
				t.Fatalf("%q: %d values, shape %v", name, len(x), shape)
			}
		}
		if total > len(b) {
			t.Fatalf("%d bytes of tensors in a file of %d", total, len(b))
		}
		for _, c := range []Component{UNet, VAE, TextEncoder} {
			if v, err := s.Component(c); err == nil && len(v.Names()) > len(s.Names()) {
				t.Fatalf("%s: more names than the file has", c)
			}
		}
	})
}
