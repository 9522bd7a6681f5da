package features

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"percept"
	"percept/fmri"
	"percept/scheduler"
	"percept/vae"
)

func TestAlignByHand(t *testing.T) {
	// Two captions of 5 tokens, width 1: start, words, end, padding. The first ends at 2, the second at 3.
	all := []float32{
		10, 1, 2, 3, 4,
		10, 5, 6, 7, 8,
	}
	got, err := align(all, []int{2, 3}, 5, 1)
	// Start; a word that the second alone has there; then the last words, the ends and the padding meet.
	want := []float32{10, 5, (1 + 6) / 2., (2 + 7) / 2., (3 + 8) / 2.}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if got, _ := align(all[:5], []int{2}, 5, 1); !slices.Equal(got, all[:5]) {
		t.Errorf("one caption came back as %v", got)
	}
	if _, err := align(all, []int{2, -1}, 5, 1); err == nil {
		t.Error("a caption without an end was aligned")
	}
}

func TestEmbed(t *testing.T) {
	p, err := percept.Embedded(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	one, two := "a red house", "a boat under a blue sky"
	by := func(how string, captions ...string) []float32 {
		t.Helper()
		c, err := embed(t.Context(), p, captions, how)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if !slices.Equal(by(First, one, two), by(Mean, one)) || !slices.Equal(by(Aligned, one), by(Mean, one)) {
		t.Error("of one caption there is more than one embedding")
	}
	a, b, mean := by(Mean, one), by(Mean, two), by(Mean, one, two)
	for i := range mean {
		if want := (a[i] + b[i]) / 2; math.Abs(float64(mean[i]-want)) > 1e-6 {
			t.Fatalf("value %d of the mean is %g, want %g", i, mean[i], want)
		}
	}
	if slices.Equal(by(Aligned, one, two), mean) {
		t.Error("captions of different lengths were not aligned")
	}
	if _, err := embed(t.Context(), p, nil, Mean); err == nil {
		t.Error("no caption was embedded")
	}
}

// noisy are pictures of random pixels, of several sizes, numbered from 5.
func noisy(n int) (images []Image) {
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range n {
		m := image.NewRGBA(image.Rect(0, 0, 40+3*i, 50))
		for k := range m.Pix {
			m.Pix[k] = uint8(rng.UintN(256)) | uint8(255*(k%4/3)) // opaque
		}
		images = append(images, Image{ID: fmri.ImageID(5 + i), Picture: func() (image.Image, error) { return m, nil },
			Captions: []string{"a boat", "a red house"}})
	}
	return images
}

func of(t *testing.T, e Extractor, images []Image) []float32 {
	t.Helper()
	x, err := e.Of(t.Context(), images)
	if err != nil {
		t.Fatal(err)
	}
	width := 1
	for _, d := range e.Shape {
		width *= d
	}
	if len(x) != len(images)*width {
		t.Fatalf("%s of %d images has %d values, want %d each", e.Name, len(images), len(x), width)
	}
	return x
}

// The mean is what the pipeline encodes; a sample is that with torch's noise of the image's number, computed here from the VAE.
func TestZ(t *testing.T) {
	p, err := percept.Embedded(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	images := noisy(3)
	const size, side, width = 32, 4, 4 * 4 * 4
	mean, err := Z(p, Options{Size: size})
	if err != nil {
		t.Fatal(err)
	}
	sample, err := New("z", p, Options{Size: size, Posterior: Sample, Seed: 9})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(mean.Shape, []int{4, side, side}) || !mean.Pictures || mean.Captions {
		t.Errorf("z is %+v", mean)
	}
	z, drawn := of(t, mean, images), of(t, sample, images)
	for i, m := range images {
		read, _ := m.Picture()
		small := Resize(read, size, size)
		want, err := p.Encode(t.Context(), []image.Image{small})
		if err != nil {
			t.Fatal(err)
		}
		x, h, w, err := percept.FromImages([]image.Image{small})
		if err != nil {
			t.Fatal(err)
		}
		moments := make([]float32, 2*width)
		if err := p.VAE.Encode(t.Context(), moments, x, 1, h, w); err != nil {
			t.Fatal(err)
		}
		mu, logVar, err := vae.Moments(moments, 1)
		if err != nil {
			t.Fatal(err)
		}
		noise := make([]float32, width)
		scheduler.NewTorch(9 + uint64(m.ID)).Randn(noise)
		for k := range width {
			if got, want := z[i*width+k], want.Data[k]; math.Abs(float64(got-want)) > 1e-5 {
				t.Fatalf("image %d, value %d of the mean is %g, want %g", i, k, got, want)
			}
			byHand := (float64(mu[k]) + math.Exp(float64(logVar[k])/2)*float64(noise[k])) * float64(p.Scale)
			if got := drawn[i*width+k]; math.Abs(float64(got)-byHand) > 1e-5 {
				t.Fatalf("image %d, value %d of the sample is %g, want %g", i, k, got, byHand)
			}
		}
		if alone := of(t, sample, images[i:i+1]); !slices.Equal(alone, drawn[i*width:(i+1)*width]) {
			t.Errorf("the sample of image %d depends on what it is made with", i)
		}
	}
	for key, want := range map[string]string{"model": p.Name, "model_sha256": p.Hash, "weights": p.Storage, "size": "32",
		"posterior":   "sample",
		"scaled_with": "Pillow's Lanczos", "seed": "9 plus the image's number, torch's generator"} {
		if got := sample.Meta[key]; got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if _, ok := mean.Meta["seed"]; ok || mean.Meta["posterior"] != Mean {
		t.Errorf("the mean is said to be %v", mean.Meta)
	}
	if own, err := Z(p, Options{}); err != nil || own.Shape[1] != p.Size/p.VAE.Config.Downscale() {
		t.Errorf("at the model's own size z is %v, %v", own.Shape, err)
	}
}

func TestC(t *testing.T) {
	p, err := percept.Embedded(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	images := noisy(2)
	images[1].Captions = []string{"a tree"}
	for _, how := range []string{"", Mean, First, Aligned} {
		e, err := New("c", p, Options{Captions: how})
		if err != nil {
			t.Fatal(err)
		}
		if how == "" {
			how = Mean
		}
		if !slices.Equal(e.Shape, []int{p.Tokens, p.Width}) || e.Pictures || !e.Captions || e.Meta["captions"] != how ||
			e.Meta["text"] == "" {
			t.Errorf("c is %+v", e)
		}
		c := of(t, e, images)
		for i, m := range images {
			want, err := embed(t.Context(), p, m.Captions, how)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(c[i*len(want):(i+1)*len(want)], want) {
				t.Errorf("%s: image %d has other values than its captions", how, i)
			}
		}
		if _, err := e.Of(t.Context(), []Image{{ID: 12}}); err == nil || !strings.Contains(err.Error(), "image 12") {
			t.Errorf("an image without captions: %v", err)
		}
	}
}

func TestExtractorsReject(t *testing.T) {
	p, err := percept.Embedded(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		o    Options
		want string
	}{
		{"z", Options{Size: -8}, "size is -8"},
		{"z", Options{Size: 33}, "multiple of 8"},
		{"z", Options{Posterior: "mode"}, `posterior is "mode", expected mean or sample`},
		{"c", Options{Captions: "last"}, `captions is "last", expected mean, first or aligned`},
		{"clip", Options{}, `feature "clip", expected z or c`},
	} {
		if _, err := New(c.name, p, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %+v: error %v, want %q", c.name, c.o, err, c.want)
		}
	}
}

func TestResize(t *testing.T) {
	m := image.NewRGBA(image.Rect(0, 0, 32, 32))
	if Resize(m, 32, 32) != image.Image(m) {
		t.Error("a picture of the size was not returned as it is")
	}
	one := image.NewUniform(color.RGBA{10, 200, 30, 255})
	wide := image.NewRGBA(image.Rect(0, 0, 60, 20))
	for y := range 20 {
		for x := range 60 {
			wide.Set(x, y, one.At(x, y))
		}
	}
	small := Resize(wide, 16, 12)
	if small.Bounds() != image.Rect(0, 0, 16, 12) || small.At(7, 9) != one.At(0, 0) {
		t.Errorf("%v of %v", small.Bounds(), small.At(7, 9))
	}
}
