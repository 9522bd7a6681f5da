package decode

import (
	"strings"
	"testing"

	"percept"
	"percept/tensor/linalg"
)

// TestRenderRejects: all of this is told before a network runs.
func TestRenderRejects(t *testing.T) {
	p := &percept.Pipeline{Tokens: 3, Width: 5}
	z, c := linalg.New[float32](2, 4*6*8), linalg.New[float32](2, 3*5)
	for _, e := range []struct {
		name   string
		method Method
		z, c   linalg.Matrix[float32]
		h, w   int
		want   string
	}{
		{"unknown method", "zc", z, c, 6, 8, `unknown method "zc", expected "z", "c" or "z+c"`},
		{"unknown method, no rows", "zc", linalg.Matrix[float32]{}, linalg.Matrix[float32]{}, 6, 8, `unknown method "zc"`},
		{"latent without sides", ZOnly, linalg.New[float32](2, 0), c, 0, 8, "latent of 0×8"},
		{"z of another size", ZC, linalg.New[float32](2, 7), c, 6, 8, "z has 7 columns, expected 192 of a latent of 4×6×8"},
		{"c of another size", COnly, z, linalg.New[float32](2, 14), 6, 8, "c has 14 columns, expected 3×5 of the text encoder"},
		{"more z than c", ZC, z, linalg.New[float32](1, 15), 6, 8, "1 rows of c, expected 2 as of z"},
	} {
		_, err := Render(t.Context(), p, e.method, e.z, e.c, e.h, e.w, RenderOptions{}, nil)
		if err == nil || !strings.Contains(err.Error(), e.want) {
			t.Errorf("%s: error %v, want %q", e.name, err, e.want)
		}
	}
}
