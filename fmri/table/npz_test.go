package table

import (
	"archive/zip"
	"os"
	"path/filepath"
	"testing"

	"percept/fmri/internal/npy"
)

// member is an array of an archive.
type member struct {
	name  string
	write func(path string) error // as a file of its own
}

func memberOf[E npy.Element](name string, shape []int, x []E) member {
	return member{name, func(path string) error { return npy.Write(path, shape, x) }}
}

// writeNPZ writes arrays as numpy.savez and, deflated, numpy.savez_compressed do.
func writeNPZ(t *testing.T, path string, deflate bool, members ...member) {
	t.Helper()
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	z := zip.NewWriter(out)
	for _, m := range members {
		file := filepath.Join(t.TempDir(), "x.npy")
		if err := m.write(file); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		h := &zip.FileHeader{Name: m.name + ".npy", Method: zip.Store}
		if deflate {
			h.Method = zip.Deflate
		}
		w, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
}
