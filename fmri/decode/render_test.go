package decode

import (
	"bytes"
	"context"
	"errors"
	"image"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept"
	"percept/fmri/table"
	"percept/internal/picture"
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

// pictures renders some rows of tables, of which nothing is left out.
func pictures(t *testing.T, p *percept.Pipeline, m Method, z, c *table.Table, o RenderOptions) []*image.RGBA {
	t.Helper()
	all, err := Render(t.Context(), p, m, z, c, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func drawn(t *testing.T, rows int, shape ...int) *table.Table {
	t.Helper()
	r := rand.New(rand.NewPCG(5, uint64(rows)))
	cols := table.Columns{Shape: shape}
	m := linalg.New[float32](rows, cols.N())
	for i := range m.Data {
		m.Data[i] = float32(r.NormFloat64())
	}
	x, err := table.New("drawn", m, table.Rows{}, cols)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// A picture depends on its row, its seed and its method, and on c where the method uses it; views of the features will do.
func TestPicturesDependOnWhatTheyShould(t *testing.T) {
	p, err := percept.Embedded(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	z, c := drawn(t, 2, 4, 4, 4), drawn(t, 2, p.Tokens, p.Width)
	o := RenderOptions{Strength: 0.75, Seed: 3, Height: 32, Width: 32}
	o.Sampling.Steps, o.Sampling.Guidance = 4, 1
	seeded, kept, weak := o, o, o
	seeded.Seed, kept.KeepZ, weak.Strength = 4, true, 0.5
	unseen, err := c.Take([]int{1, 0})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []Method{ZOnly, COnly, ZC} {
		first := pictures(t, p, m, z, c, o)
		if len(first) != 2 || first[0].Rect.Dx() != 32 || bytes.Equal(first[0].Pix, first[1].Pix) {
			t.Fatalf("%s: %d pictures of %v", m, len(first), first[0].Rect)
		}
		for what, v := range map[string]struct {
			pictures []*image.RGBA
			same     bool
		}{
			"again":         {pictures(t, p, m, z, c, o), true},
			"another seed":  {pictures(t, p, m, z, c, seeded), m == ZOnly},
			"another c":     {pictures(t, p, m, z, unseen, o), m == ZOnly},
			"another z":     {pictures(t, p, m, z.Shuffled(3), c, o), m == COnly || !moved(t, z, 3)},
			"ẑ itself":      {pictures(t, p, m, z, c, kept), m != ZC},
			"less strength": {pictures(t, p, m, z, c, weak), m != ZC},
		} {
			if same := bytes.Equal(first[0].Pix, v.pictures[0].Pix); same != v.same {
				t.Errorf("%s, %s: the same picture: %v, want %v", m, what, same, v.same)
			}
		}
	}
}

// moved says whether a shuffle moved the first row.
func moved(t *testing.T, x *table.Table, seed uint64) bool {
	t.Helper()
	a, err := x.Matrix(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b, err := x.Shuffled(seed).Matrix(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return a.At(0, 0) != b.At(0, 0)
}

// ẑ of another size is brought to that of the diffusion, as published: decoded, scaled by the bicubic filter.
func TestRenderAtAnotherSize(t *testing.T) {
	p, err := percept.Embedded(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	z := drawn(t, 1, 4, 4, 4)
	own := pictures(t, p, ZOnly, z, nil, RenderOptions{})[0]
	large := pictures(t, p, ZOnly, z, nil, RenderOptions{Height: 48, Width: 64})[0]
	if own.Rect.Dx() != 4*p.VAE.Config.Downscale() || !bytes.Equal(large.Pix, picture.Resize(own, 64, 48, picture.Bicubic).Pix) {
		t.Errorf("a picture of %v is not that of %v scaled", large.Rect, own.Rect)
	}
}

// Progress counts pictures by the batch; what fails on the way ends the rendering, and nothing panics.
func TestRenderTellsProgressAndErrors(t *testing.T) {
	p, err := percept.Embedded(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	z := drawn(t, RenderBatch+1, 4, 1, 1)
	var told []int
	if _, err := Render(t.Context(), p, ZOnly, z, nil, RenderOptions{},
		func(done, total int) { told = append(told, done, total) }); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(told, []int{RenderBatch, RenderBatch + 1, RenderBatch + 1, RenderBatch + 1}) {
		t.Errorf("told of %v", told)
	}
	full := errors.New("the disk is full")
	if err := RenderEach(t.Context(), p, ZOnly, z, nil, RenderOptions{}, nil,
		func(int, []*image.RGBA) error { return full }); !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Render(ctx, p, ZOnly, z, nil, RenderOptions{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	// Features whose file goes while they are in use.
	path := filepath.Join(t.TempDir(), "c.safetensors")
	if _, err := table.Write(t.Context(), path, drawn(t, RenderBatch+1, p.Tokens, p.Width), nil); err != nil {
		t.Fatal(err)
	}
	c, err := table.OpenFeatures(path, "drawn")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	for m, of := range map[Method][2]*table.Table{ZC: {z, c}, COnly: {nil, c}} {
		if _, err := Render(t.Context(), p, m, of[0], of[1], RenderOptions{}, nil); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s without its file: %v", m, err)
		}
	}
}
