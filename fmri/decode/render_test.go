package decode

import (
	"bytes"
	"image"
	"math/rand/v2"
	"strings"
	"testing"

	"percept"
	"percept/fmri/table"
	"percept/tensor/linalg"
)

func tableOf(t *testing.T, rows int, shape ...int) *table.Table {
	t.Helper()
	cols := table.Columns{Shape: shape}
	x, err := table.New("", linalg.New[float32](rows, cols.N()), table.Rows{}, cols)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// All of this is told before a network runs.
func TestRenderRejects(t *testing.T) {
	p, err := percept.Embedded(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	z, c := tableOf(t, 2, 4, 6, 8), tableOf(t, 2, p.Tokens, p.Width)
	for _, e := range []struct {
		name   string
		method Method
		z, c   *table.Table
		o      RenderOptions
		want   string
	}{
		{"unknown method", "zc", z, c, RenderOptions{}, `unknown method "zc", expected "z", "c" or "z+c"`},
		{"nothing to render", ZC, z, nil, RenderOptions{}, `method "z+c" without what it needs`},
		{"z without its shape", ZC, tableOf(t, 2, 192), c, RenderOptions{}, "z of shape [192], expected a latent as [4, height, width]"},
		{"z of other channels", ZOnly, tableOf(t, 2, 3, 6, 8), nil, RenderOptions{}, "z of shape [3 6 8]"},
		{"c of another size", COnly, nil, tableOf(t, 2, 14), RenderOptions{}, "c of shape [14], expected ["},
		{"more z than c", ZC, z, tableOf(t, 1, p.Tokens, p.Width), RenderOptions{}, "1 rows of c, expected 2 as of z"},
		{"size", ZOnly, z, nil, RenderOptions{Height: 48, Width: 63}, "48×63 pixels (height × width), expected multiples of 8"},
		{"only a height", ZOnly, z, nil, RenderOptions{Height: 48}, "48×0 pixels"},
		{"z itself at another size", ZC, z, c, RenderOptions{Height: 64, Width: 64, KeepZ: true}, "from ẑ of 48×64 itself"},
	} {
		_, err := Render(t.Context(), p, e.method, e.z, e.c, e.o, nil)
		if err == nil || !strings.Contains(err.Error(), e.want) {
			t.Errorf("%s: error %v, want %q", e.name, err, e.want)
		}
	}
}

// A latent need not be square: its pictures have its sides, by every method that has one, and what is not asked for is skipped.
func TestRenderOfLatentsThatAreNotSquare(t *testing.T) {
	p, err := percept.Embedded(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	z := linalg.New[float32](9, 4*4*8)
	for i := range z.Data {
		z.Data[i] = float32(r.NormFloat64())
	}
	latents, err := table.New("z", z, table.Rows{}, table.Columns{Shape: []int{4, 4, 8}})
	if err != nil {
		t.Fatal(err)
	}
	c := tableOf(t, 9, p.Tokens, p.Width)
	o := RenderOptions{Strength: 0.5, Seed: 3}
	o.Sampling.Steps, o.Sampling.Guidance = 2, 1
	f := p.VAE.Config.Downscale()
	for _, m := range []Method{ZOnly, ZC} {
		pictures, err := Render(t.Context(), p, m, latents, c, o, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(pictures) != 9 || pictures[8].Rect.Dx() != 8*f || pictures[8].Rect.Dy() != 4*f {
			t.Fatalf("%s: %d pictures of %v, expected 9 of %d×%d", m, len(pictures), pictures[0].Rect, 8*f, 4*f)
		}
		var kept []*image.RGBA
		err = RenderEach(t.Context(), p, m, latents, c, o, func(lo, _ int) bool { return lo == 0 }, func(lo int, part []*image.RGBA) error {
			if lo != RenderBatch {
				t.Errorf("%s: rows from %d were rendered, expected those from %d alone", m, lo, RenderBatch)
			}
			kept = append(kept, part...)
			return nil
		})
		if err != nil || len(kept) != 1 || !bytes.Equal(kept[0].Pix, pictures[8].Pix) {
			t.Errorf("%s: the last picture alone has other pixels (%v)", m, err)
		}
	}
	// The latent is the picture's, not its transpose: decoded by itself it is the same.
	alone, err := p.Decode(t.Context(), percept.Latents{Data: z.Row(0), N: 1, H: 4, W: 8})
	if err != nil {
		t.Fatal(err)
	}
	pictures, err := Render(t.Context(), p, ZOnly, latents, nil, o, nil)
	if err != nil || !bytes.Equal(pictures[0].Pix, alone[0].Pix) {
		t.Errorf("z alone is not the decoded latent (%v)", err)
	}
}
