package metrics

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func noise(r *rand.Rand, h, w int) Image {
	m := Image{h, w, make([]float64, 3*h*w)}
	for i := range m.Pix {
		m.Pix[i] = r.Float64()
	}
	return m
}

func TestPixCorrIgnoresContrastAndBrightness(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	a, b := noise(r, 20, 30), noise(r, 20, 30)
	want, err := PixCorr(a, b)
	if err != nil {
		t.Fatal(err)
	}
	c := Image{b.H, b.W, slices.Clone(b.Pix)}
	for i := range c.Pix {
		c.Pix[i] = 0.3*c.Pix[i] + 0.5
	}
	if got, _ := PixCorr(a, c); math.Abs(got-want) > 1e-12 {
		t.Errorf("%v after an affine change, %v before", got, want)
	}
	for i := range c.Pix {
		c.Pix[i] = 1 - a.Pix[i]
	}
	if got, _ := PixCorr(a, c); math.Abs(got+1) > 1e-12 {
		t.Errorf("negative picture: %v, want -1", got)
	}
	grey := Image{b.H, b.W, make([]float64, len(b.Pix))}
	for i := range grey.Pix {
		grey.Pix[i] = 0.1 // not exact in binary: the deviations are rounding, not variance
	}
	if got, _ := PixCorr(a, grey); !math.IsNaN(got) {
		t.Errorf("correlation with a picture of one colour: %v, want NaN", got)
	}
}

func TestSSIMOfEqualPictures(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	a, b := noise(r, 24, 31), noise(r, 24, 31)
	if got, _ := SSIM(a, a); math.Abs(got-1) > 1e-12 {
		t.Errorf("SSIM of a picture with itself: %v, want 1", got)
	}
	ab, _ := SSIM(a, b)
	ba, _ := SSIM(b, a)
	if ab != ba || ab > 0.2 {
		t.Errorf("SSIM of two noise pictures: %v and %v, want equal and small", ab, ba)
	}
}

func TestSizesThatCannotBeCompared(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	a := noise(r, 20, 20)
	for name, c := range map[string]struct {
		got  error
		want string
	}{
		"other size": {second(PixCorr(a, noise(r, 20, 21))), "20×21, expected 20×20"},
		"too small":  {second(SSIM(noise(r, 10, 40), noise(r, 10, 40))), "at least 11 pixels"},
		"few rows":   {second(SSIMColumnsAsChannels(noise(r, 10, 40), noise(r, 10, 40))), "at least 11 rows"},
		"not filled": {second(SSIM(a, Image{20, 20, a.Pix[:7]})), "7 values"},
		"planar":     {second(FromPlanar(make([]float32, 11), 2, 2)), "11 values, expected 3×2×2"},
		"features":   {second(Correlations([][]float32{{1, 2}, {3, 4}}, [][]float32{{1, 2}, {3}})), "picture 1 has 1 features"},
		"one image":  {second(Correlations([][]float32{{1, 2}}, [][]float32{{1, 2}})), "at least 2"},
		"fewer":      {second(Correlations([][]float32{{1, 2}, {3, 4}}, [][]float32{{1, 2}})), "1 generated pictures, expected 2"},
		"no feature": {second(Cosines([][]float32{{}, {}}, [][]float32{{}, {}})), "no features"},
		"pairs":      {second(CosineSimilarity([][]float32{{1}}, nil)), "1 originals and 0"},
	} {
		if c.got == nil || !strings.Contains(c.got.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", name, c.got, c.want)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestPictureConversions(t *testing.T) {
	m := image.NewRGBA(image.Rect(3, 4, 5, 5)) // an origin that is not zero
	m.Set(3, 4, color.RGBA{255, 0, 51, 255})
	m.Set(4, 4, color.RGBA{0, 102, 0, 255})
	want := []float64{1, 0, 0.2, 0, 0.4, 0}
	got := FromImage(m)
	if got.H != 1 || got.W != 2 {
		t.Fatalf("%d×%d, want 1×2", got.H, got.W)
	}
	near(t, "from image", got.Pix, want, 0)
	planar, err := FromPlanar([]float32{1.5, 0, -1, 0.5, 0.25, 0}, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "from planar", planar.Pix, []float64{1, 0, 0.25, 0, 0.5, 0}, 0)
}

func TestResize(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	a := noise(r, 9, 14)
	near(t, "same size", a.Resize(9, 14, true).Pix, a.Pix, 1e-15)
	for _, antialias := range []bool{false, true} {
		flat := Image{9, 14, make([]float64, 9*14*3)}
		for i := range flat.Pix {
			flat.Pix[i] = 0.7
		}
		for _, v := range flat.Resize(4, 23, antialias).Pix {
			if math.Abs(v-0.7) > 1e-15 {
				t.Fatalf("a picture of 0.7 became %v", v)
			}
		}
	}
	if m := a.ResizeEdge(18, false); m.H != 18 || m.W != 28 {
		t.Errorf("%d×%d, want 18×28", m.H, m.W)
	}
}

// Both directions on a matrix where they differ, computed by hand.
func TestDirectionsDiffer(t *testing.T) {
	s := &Similarity{3, []float64{
		0.5, 0.9, 0.1, // original 0
		0.4, 0.8, 0.2,
		0.3, 0.7, 0.6,
	}}
	for d, want := range map[Direction][]float64{
		FixOriginal:   {0.5, 1, 0.5}, // 0.5>0.1; 0.8>0.4,0.2; 0.6>0.3
		FixGenerated:  {1, 0.5, 1},   // 0.5>0.4,0.3; 0.8>0.7; 0.6>0.1,0.2
		Symmetric:     {0.75, 0.75, 0.75},
		Direction(99): {0, 0, 0},
	} {
		near(t, d.String(), s.Identify(d).PerImage(), want, 1e-15)
	}
	if got := s.Identify(FixOriginal).Accuracy(); math.Abs(got-2.0/3) > 1e-15 {
		t.Errorf("accuracy %v, want 2/3", got)
	}
}

func TestTiesAndUndefinedFail(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		data []float64
		want []float64
	}{
		"all equal":        {[]float64{1, 1, 1, 1}, []float64{0, 0}},
		"tie in one row":   {[]float64{1, 1, 0, 1}, []float64{0, 1}},
		"own undefined":    {[]float64{nan, 0, 0, 1}, []float64{0, 1}},
		"other undefined":  {[]float64{1, nan, nan, 1}, []float64{0, 0}},
		"undefined decoys": {[]float64{1, 0, nan, 1}, []float64{1, 0}},
	} {
		s := &Similarity{2, c.data}
		near(t, name, s.Identify(FixOriginal).PerImage(), c.want, 0)
	}
	for name, c := range map[string]struct {
		data, want []float64
		ties       int
	}{
		"all equal":       {[]float64{1, 1, 1, 1}, []float64{0.5, 0.5}, 2},
		"tie in one row":  {[]float64{1, 1, 0, 1}, []float64{0.5, 1}, 1},
		"own undefined":   {[]float64{nan, 0, 0, 1}, []float64{0.5, 1}, 0},
		"other undefined": {[]float64{1, nan, nan, 1}, []float64{0.5, 0.5}, 0},
	} {
		s := &Similarity{2, c.data}
		near(t, name, s.IdentifyTies(FixOriginal).PerImage(), c.want, 0)
		if got := s.Ties(FixOriginal); got != c.ties {
			t.Errorf("%s: %d images with ties alone, expected %d", name, got, c.ties)
		}
	}
	tie := &Similarity{2, []float64{1, 0, 1, 1}}
	if r := tie.Ranks(); !slices.Equal(r, []int{1, 0}) {
		t.Errorf("ranks %v, want the tied picture last: [1 0]", r)
	}
}

// Random features are identified at chance, and the permuted score of the true pairing is
// the score itself.
func TestIdentificationOfNoiseIsChance(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	const n = 200
	org, gen := make([][]float32, n), make([][]float32, n)
	for i := range org {
		for range 30 {
			org[i] = append(org[i], float32(r.NormFloat64()))
			gen[i] = append(gen[i], float32(r.NormFloat64()))
		}
	}
	s, err := Correlations(org, gen)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []Direction{FixOriginal, FixGenerated, Symmetric} {
		id := s.Identify(d)
		// Each image's score is uniform on [0, 1] under chance: σ = 0.29/√200 = 0.02.
		if acc := id.Accuracy(); math.Abs(acc-0.5) > 0.08 {
			t.Errorf("%v: accuracy of noise is %v", d, acc)
		}
		same := make([]int, n)
		for i := range same {
			same[i] = i
		}
		if id.Permuted(same) != id.Accuracy() {
			t.Errorf("%v: the true pairing scores %v, the accuracy is %v", d, id.Permuted(same), id.Accuracy())
		}
	}
	perfect, err := Correlations(org, org)
	if err != nil {
		t.Fatal(err)
	}
	if acc := perfect.Identify(Symmetric).Accuracy(); acc != 1 {
		t.Errorf("copies are identified at %v, want 1", acc)
	}
}
