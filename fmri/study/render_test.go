package study

import (
	"bytes"
	"image"
	"image/png"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"percept/fmri/table"
	"percept/weights/safetensors"
)

// made is a folder of features of the finished run's images, as percept features would leave it: z of a shape, c as the run has it.
func made(t *testing.T, shape []int, change func(meta map[string]string)) string {
	t.Helper()
	dir := t.TempDir()
	own, err := table.OpenFeatures(filepath.Join(finished(t), "features"), "z")
	if err != nil {
		t.Fatal(err)
	}
	meta := maps.Clone(own.Meta)
	if change != nil {
		change(meta)
	}
	w, err := table.Create(filepath.Join(dir, "z"+tables), table.Spec{Name: "z", Shape: shape, DType: safetensors.F32,
		Images: own.Rows.Images, Meta: meta})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	width := table.Columns{Shape: shape}.N()
	random := rand.New(rand.NewPCG(1, 2))
	for c := range w.Chunks() {
		lo, hi := w.Rows(c)
		v := make([]float32, (hi-lo)*width)
		for i := range v {
			v[i] = float32(random.NormFloat64())
		}
		if err := w.Put(c, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	put(t, string(read(t, finished(t), "features", "c"+tables)), dir, "c"+tables)
	return dir
}

// A latent that is not square makes pictures of its sides, and they cannot be asked for in another size.
func TestLatentsThatAreNotSquare(t *testing.T) {
	dir, f := withData(t), model(t).VAE.Config.Downscale()
	c := parsed(t, tiny, func(c *Config) {
		c.Features.From, c.Render.Images, c.Score.Scenes = made(t, []int{4, 4, 8}, nil), 2, false
		c.Score.Bootstrap = 100
	})
	if _, names := do(t, dir, c); slices.Contains(names, "features") || !slices.Contains(names, "report") {
		t.Errorf("made %v, expected a report on features that were there", names)
	}
	pictures := 0
	for name, b := range files(t, dir) {
		if strings.HasPrefix(name, "pictures_") {
			m, err := png.Decode(bytes.NewReader(b))
			if err != nil || m.Bounds() != image.Rect(0, 0, 8*f, 4*f) {
				t.Errorf("%s: %v, %v, expected %d×%d pixels", name, m.Bounds(), err, 8*f, 4*f)
			}
			pictures++
		}
	}
	if want := 2 * (1 + len(allLooks)); pictures != want {
		t.Errorf("%d pictures, expected %d: two of each kind", pictures, want)
	}
	c.Render.Size = 64
	before := files(t, dir)
	_, err := New(dir, c, model(t), "test", nil)
	if after := files(t, dir); !reflect.DeepEqual(before, after) {
		t.Error("the run directory was changed before it was said")
	}
	rejects(t, "a size for pictures of such a latent", err, "render.size is 64, expected 0", "4×4×8")
}

// The size of pictures: the model's own, the one that was asked for, or that of a latent that is not square.
func TestPictureSize(t *testing.T) {
	p := model(t)
	f := p.VAE.Config.Downscale()
	for _, c := range []struct {
		shape      []int
		size, h, w int
	}{
		{[]int{4, 8, 8}, 0, p.Size, p.Size}, {[]int{4, 5, 5}, 0, p.Size, p.Size}, {[]int{4, 8, 8}, 96, 96, 96},
		{[]int{4, 4, 8}, 0, 4 * f, 8 * f}, {[]int{4, 8, 4}, 0, 8 * f, 4 * f},
	} {
		r := &Run{Model: p}
		r.Config.Render.Size = c.size
		if h, w, err := r.pictureSize(&table.Table{Cols: table.Columns{Shape: c.shape}}); err != nil || h != c.h || w != c.w {
			t.Errorf("z of %v, render.size %d: pictures of %d×%d, %v, expected %d×%d", c.shape, c.size, h, w, err, c.h, c.w)
		}
	}
}

// Features of a folder have to be those of the model, and of the images.
func TestFeaturesOfAFolderReject(t *testing.T) {
	dir, p := finished(t), model(t)
	for _, c := range []struct {
		name   string
		folder func() string
		want   []string
	}{
		{"none", func() string { return filepath.Join(t.TempDir(), "none") }, []string{"none"}},
		{"no latent", func() string { return made(t, []int{p.Tokens * p.Width}, nil) }, []string{"holds z of", "expected 4×height×width"}},
		{"a latent of other channels", func() string { return made(t, []int{3, 8, 8}, nil) },
			[]string{"z of 3×8×8, expected 4×height×width"}},
		{"another model", func() string {
			return made(t, []int{4, 8, 8}, func(m map[string]string) { m["model"], m["model_sha256"] = "big", "abcdef" })
		}, []string{"made with the model big", "abcdef", p.Name}},
		{"c of other tokens", func() string {
			folder := made(t, []int{4, 8, 8}, nil)
			if err := os.Rename(filepath.Join(folder, "z"+tables), filepath.Join(folder, "c"+tables)); err != nil {
				t.Fatal(err)
			}
			put(t, string(read(t, dir, "features", "z"+tables)), folder, "z"+tables)
			return folder
		}, []string{"c.safetensors: holds z, expected c"}},
	} {
		_, err := Plan(dir, parsed(t, tiny, func(k *Config) { k.Features.From = c.folder() }), p, "test")
		rejects(t, c.name, err, c.want...)
	}
}
