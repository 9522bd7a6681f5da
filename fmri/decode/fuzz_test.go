package decode

import (
	"os"
	"path/filepath"
	"testing"

	"percept/weights/safetensors"
)

// A file that is no decoder, or lies about itself, is an error; one that is read is whole.
func FuzzReadModel(f *testing.F) {
	path := filepath.Join(f.TempDir(), "m")
	if err := fitted(f).Write(path); err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := safetensors.OpenBytes("m", b)
		if err != nil {
			return
		}
		defer s.Close()
		m, err := readModel(s)
		if err != nil {
			return
		}
		if len(m.Intercept) != m.Coef.Cols || len(m.Alphas) != m.Coef.Cols || len(m.Coef.Data) != m.Coef.Rows*m.Coef.Cols {
			t.Fatalf("%d intercepts and %d penalties of %d targets", len(m.Intercept), len(m.Alphas), m.Coef.Cols)
		}
		if m.Voxels.XYZ != nil && len(m.Voxels.XYZ) != 3*m.Coef.Rows || len(m.Voxels.Member) != len(m.Voxels.Regions)*m.Coef.Rows {
			t.Fatalf("%d coordinates and %d memberships of %d voxels", len(m.Voxels.XYZ), len(m.Voxels.Member), m.Coef.Rows)
		}
		m.Voxels.Named()
		if _, err := m.Voxels.At(m.Voxels); err != nil {
			t.Fatal(err)
		}
	})
}
