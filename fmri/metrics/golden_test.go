package metrics

import (
	"math"
	"testing"

	"percept/internal/golden"
)

// testdata/metrics.safetensors holds scores of 12 pairs of pictures and of random features
// by scipy 1.17.1, skimage 0.26.0 and torchvision 0.29.2, and the identification of the
// released codes of Takagi & Nishimoto and of MindEye.
type reference struct{ *golden.Tensors }

func openGolden(t *testing.T) reference {
	t.Helper()
	return reference{golden.Open(t, "testdata/metrics.safetensors")}
}

func (g reference) images(name string) []Image {
	pix, shape := g.Ints(name), g.Shape(name)
	h, w := shape[1], shape[2]
	out := make([]Image, shape[0])
	for i := range out {
		out[i] = Image{h, w, make([]float64, 3*h*w)}
		for k := range out[i].Pix {
			out[i].Pix[k] = float64(pix[i*3*h*w+k]) / 255
		}
	}
	return out
}

// features returns the rows of a float32 tensor whose last dimension is the features.
func (g reference) features(name string) [][]float32 {
	v, shape := g.Float32(name), g.Shape(name)
	f := shape[len(shape)-1]
	var rows [][]float32
	for i := 0; i < len(v); i += f {
		rows = append(rows, v[i:i+f])
	}
	return rows
}

// repetitions splits ident.gen [12, 5, F] into 5 sets of 12.
func (g reference) repetitions() [][][]float32 {
	rows := g.features("ident.gen")
	shape := g.Shape("ident.gen")
	sets := make([][][]float32, shape[1])
	for i, row := range rows {
		sets[i%shape[1]] = append(sets[i%shape[1]], row)
	}
	return sets
}

func near(t *testing.T, what string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	worst, at := 0.0, 0
	for i := range got {
		if d := math.Abs(got[i] - want[i]); !(d <= worst) {
			worst, at = d, i
		}
	}
	if !(worst <= tol) {
		t.Errorf("%s: value %d is %v, want %v: off by %.3g, tolerance %.3g", what, at, got[at], want[at], worst, tol)
	}
	t.Logf("%s: largest error %.3g, tolerance %.3g", what, worst, tol)
}

func TestPictureScoresGolden(t *testing.T) {
	g := openGolden(t)
	truth, recon := g.images("truth_u8_nhwc"), g.images("recon_u8_nhwc")
	colour := func(a, b Image) (float64, error) {
		sum := 0.0
		for c := range 3 {
			v, _, err := GaussianWindow().SSIM(a.Channel(c), b.Channel(c))
			if err != nil {
				return 0, err
			}
			sum += v / 3
		}
		return sum, nil
	}
	uniform := func(a, b Image) (float64, error) {
		v, _, err := UniformWindow(7).SSIM(a.Grey(), b.Grey())
		return v, err
	}
	for _, c := range []struct {
		key       string
		score     func(a, b Image) (float64, error)
		edge      int // 0: not resized
		antialias bool
	}{
		{"pixcorr", PixCorr, 0, false},
		{"pixcorr_resize85", PixCorr, 85, true},
		{"pixcorr_resize85", PixCorr, 85, false}, // the filter only matters when shrinking
		{"pixcorr_resize32_antialias", PixCorr, 32, true},
		{"pixcorr_resize32_no_antialias", PixCorr, 32, false},
		{"mse", MeanSquaredError, 0, false},
		{"ssim", SSIM, 0, false},
		{"ssim_resize85", SSIM, 85, true},
		{"ssim_columns_as_channels", SSIMColumnsAsChannels, 0, false},
		{"ssim_rgb", colour, 0, false},
		{"ssim_uniform7", uniform, 0, false},
	} {
		got := make([]float64, len(truth))
		for i := range truth {
			a, b := truth[i], recon[i]
			if c.edge > 0 {
				a, b = a.ResizeEdge(c.edge, c.antialias), b.ResizeEdge(c.edge, c.antialias)
			}
			var err error
			if got[i], err = c.score(a, b); err != nil {
				t.Fatal(err)
			}
		}
		near(t, c.key, got, g.Float64(c.key), 1e-10)
	}
}

func TestSSIMMapGolden(t *testing.T) {
	g := openGolden(t)
	a, b := g.images("truth_u8_nhwc")[5].Grey(), g.images("recon_u8_nhwc")[5].Grey()
	_, at, err := GaussianWindow().SSIM(a, b)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "ssim_map0", at.Pix, g.Float64("ssim_map0"), 1.2e-7) // stored as float32
	var grey []float64
	for _, m := range g.images("truth_u8_nhwc") {
		grey = append(grey, m.Grey().Pix...)
	}
	near(t, "gray_truth", grey, g.Float64("gray_truth"), 1.2e-7)
}

func TestIdentificationGolden(t *testing.T) {
	g := openGolden(t)
	org, sets := g.features("ident.org"), g.repetitions()
	all, err := Correlations(org, sets...)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "mean correlation", all.Data, g.Float64("ident.mean_corr_org_row_gen_col"), 1e-12)
	near(t, "Takagi", all.Identify(FixOriginal).PerImage(), g.Float64("ident.takagi_per_image"), 1e-15)

	first, err := Correlations(org, sets[0])
	if err != nil {
		t.Fatal(err)
	}
	near(t, "MindEye correlation", first.Data, g.Float64("ident.mindeye_corr"), 1e-12)
	want := g.Float64("ident.mindeye_count")
	for i := range want {
		want[i] /= float64(len(want) - 1)
	}
	near(t, "MindEye", first.Identify(FixGenerated).PerImage(), want, 1e-15)

	distance, err := CorrelationDistance(org, sets[0])
	if err != nil {
		t.Fatal(err)
	}
	near(t, "correlation distance", distance, g.Float64("correlation_distance"), 1e-12)
	cosine, err := CosineSimilarity(org, sets[0])
	if err != nil {
		t.Fatal(err)
	}
	near(t, "cosine similarity", cosine, g.Float64("cosine_similarity"), 1e-12)
}

func TestRetrievalGolden(t *testing.T) {
	g := openGolden(t)
	s, err := Cosines(g.features("ident.org"), g.repetitions()[0])
	if err != nil {
		t.Fatal(err)
	}
	want := g.Float64("retrieval.cosine_gen_row_org_col")
	transposed := make([]float64, len(want))
	for i := range s.N {
		for j := range s.N {
			transposed[j*s.N+i] = s.At(i, j)
		}
	}
	near(t, "cosines", transposed, want, 1e-12)
	ranks, best := g.Ints("retrieval.rank_of_true"), g.Ints("retrieval.top1_index")
	for i, r := range s.Ranks() {
		if r != ranks[i] {
			t.Errorf("picture %d: rank %d, want %d", i, r, ranks[i])
		}
	}
	for i, b := range s.Best() {
		if b != best[i] {
			t.Errorf("picture %d: best original %d, want %d", i, b, best[i])
		}
	}
}
