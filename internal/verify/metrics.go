package verify

import (
	"image"
	"slices"

	"percept/fmri/metrics"
	"percept/internal/picture"
)

const (
	metricsFile   = "metrics/metrics.safetensors"
	metricsReport = "metrics/report.json"
)

// metricsCases are those of image scores, identification, preprocessing and feature networks.
func metricsCases(*set) []testCase {
	cases := []testCase{
		{"metrics: pixcorr, ssim, mse", pictureScores},
		{"metrics: identification", identification},
		{"metrics: retrieval", retrieval},
		{"metrics: preprocess, tensor", preprocessTensor},
		{"metrics: preprocess, Pillow and CLIP", preprocessPillow},
	}
	for _, net := range []string{"net_alexnet", "net_inception", "net_clip"} {
		cases = append(cases, testCase{"metrics: " + net, func(c *check) { c.later("metrics/"+net+".", "the network is not there") }})
	}
	return cases
}

// pictures reads 8-bit pictures [n, h, w, 3].
func (c *check) pictures(file, name string) []metrics.Image {
	shape := c.shape(file, name, 4)
	pix, size := c.ints(file, name), shape[1]*shape[2]*shape[3]
	list := make([]metrics.Image, shape[0])
	for i := range list {
		list[i] = metrics.Image{H: shape[1], W: shape[2], Pix: make([]float64, size)}
		for k := range list[i].Pix {
			list[i].Pix[k] = float64(pix[i*size+k]) / 255
		}
	}
	return list
}

func pictureScores(c *check) {
	const exact = 1e-10
	c.keyed(metricsReport).end("pixcorr_f32", "ssim_f32", "ssim_independent", "gray_independent", "ident", "ident_independent",
		"clip_processor_class", "clip_processor_vs_pil_bicubic", "alexnet", "inception", "clip")
	truth, recon := c.pictures(metricsFile, "truth_u8_nhwc"), c.pictures(metricsFile, "recon_u8_nhwc")
	plane := func(w metrics.Window, of func(metrics.Image) metrics.Plane) func(a, b metrics.Image) (float64, error) {
		return func(a, b metrics.Image) (float64, error) {
			mean, _, err := w.SSIM(of(a), of(b))
			return mean, err
		}
	}
	colours := func(a, b metrics.Image) (float64, error) {
		sum := 0.0
		for k := range 3 {
			v, _, err := metrics.GaussianWindow().SSIM(a.Channel(k), b.Channel(k))
			if err != nil {
				return 0, err
			}
			sum += v / 3
		}
		return sum, nil
	}
	for _, k := range []struct {
		key       string
		score     func(seen, decoded metrics.Image) (float64, error)
		edge      int // 0 for the pictures as they are
		antialias bool
	}{
		{"pixcorr", metrics.PixCorr, 0, false},
		{"pixcorr_resize85", metrics.PixCorr, 85, true},
		{"pixcorr_resize32_antialias", metrics.PixCorr, 32, true},
		{"pixcorr_resize32_no_antialias", metrics.PixCorr, 32, false},
		{"mse", metrics.MeanSquaredError, 0, false},
		{"ssim", metrics.SSIM, 0, false},
		{"ssim_resize85", metrics.SSIM, 85, true},
		{"ssim_columns_as_channels", metrics.SSIMColumnsAsChannels, 0, false},
		{"ssim_rgb", colours, 0, false},
		{"ssim_uniform7", plane(metrics.UniformWindow(7), metrics.Image.Grey), 0, false},
	} {
		got := make([]float64, len(truth))
		for i, a := range truth {
			b := recon[i]
			if k.edge > 0 {
				a, b = a.ResizeEdge(k.edge, k.antialias), b.ResizeEdge(k.edge, k.antialias)
			}
			got[i] = must(k.score(a, b))
		}
		near(c, k.key, got, c.float64s(metricsFile, k.key), exact)
	}
	var grey []float64
	for _, m := range truth {
		grey = append(grey, m.Grey().Pix...)
	}
	near(c, "gray_truth", converted[float32](grey), c.float32s(metricsFile, "gray_truth"), 1.2e-7)
	_, at, err := metrics.GaussianWindow().SSIM(truth[ssimMapPair].Grey(), recon[ssimMapPair].Grey())
	c.must(err)
	near(c, "ssim_map0", converted[float32](at.Pix), c.float32s(metricsFile, "ssim_map0"), 1.2e-7)
}

// ssimMapPair is the pair of pictures whose map of similarities a set holds.
const ssimMapPair = 5

// vectors reads features, of which a tensor's last dimension is one vector.
func (c *check) vectors(name string, dims int) (rows [][]float32, shape []int) {
	shape = c.shape(metricsFile, name, dims)
	return slices.Collect(slices.Chunk(c.float32s(metricsFile, name), shape[dims-1])), shape
}

// generated reads the features of generated pictures as repetitions of all images.
func (c *check) generatedSets() [][][]float32 {
	rows, shape := c.vectors("ident.gen", 3)
	sets := make([][][]float32, shape[1])
	for i, row := range rows {
		sets[i%shape[1]] = append(sets[i%shape[1]], row)
	}
	return sets
}

func identification(c *check) {
	org, _ := c.vectors("ident.org", 2)
	sets := c.generatedSets()
	all, first := must(metrics.Correlations(org, sets...)), must(metrics.Correlations(org, sets[0]))
	counts := c.float64s(metricsFile, "ident.mindeye_count")
	for i := range counts {
		counts[i] /= float64(len(counts) - 1)
	}
	near(c, "ident.mindeye_count", first.Identify(metrics.FixGenerated).PerImage(), counts, 1e-12)
	near(c, "ident.takagi_per_image", all.Identify(metrics.FixOriginal).PerImage(), c.float64s(metricsFile, "ident.takagi_per_image"),
		1e-12)
	for name, got := range map[string][]float64{
		"ident.mean_corr_org_row_gen_col": all.Data,
		"ident.mindeye_corr":              first.Data,
		"correlation_distance":            must(metrics.CorrelationDistance(org, sets[0])),
		"cosine_similarity":               must(metrics.CosineSimilarity(org, sets[0])),
	} {
		near(c, name, got, c.float64s(metricsFile, name), 1e-10)
	}
}

func retrieval(c *check) {
	org, _ := c.vectors("ident.org", 2)
	s := must(metrics.Cosines(org, c.generatedSets()[0]))
	byGenerated := make([]float64, len(s.Data))
	for i := range s.N {
		for j := range s.N {
			byGenerated[j*s.N+i] = s.At(i, j)
		}
	}
	near(c, "retrieval.cosine_gen_row_org_col", byGenerated, c.float64s(metricsFile, "retrieval.cosine_gen_row_org_col"), 1e-10)
	c.each(metricsFile, "retrieval.rank_of_true", s.Ranks())
	c.each(metricsFile, "retrieval.top1_index", s.Best())
}

const preprocessFile = "metrics/preprocess.safetensors"

// preprocessPillow scales an 8-bit picture so that the smaller edge fits, cuts out the centre and normalises it: as
// torchvision with a Pillow picture, as OpenAI's CLIP, and as transformers' CLIP, which scales by torch and may differ
// from Pillow by two levels.
func preprocessPillow(c *check) {
	shape := c.shape(preprocessFile, "image_u8_hwc", 3)
	h, w := shape[0], shape[1]
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for i, v := range c.ints(preprocessFile, "image_u8_hwc") {
		m.Pix[i/3*4+i%3] = uint8(v)
	}
	// CLIP's is made of the upper left square.
	square := m.SubImage(image.Rect(0, 0, min(w, h), min(w, h))).(*image.RGBA)
	for _, k := range []struct {
		key       string
		m         *image.RGBA
		filter    picture.Filter
		mean, std [3]float32
		levels    float64 // by which the reference may be off
	}{
		{"pil_resize_centercrop_normalize", m, picture.Bilinear, picture.ImageNetMean, picture.ImageNetStd, 0},
		{"clip_pil_bicubic", square, picture.Bicubic, picture.CLIPMean, picture.CLIPStd, 0},
		{"clip_image_processor", square, picture.Bicubic, picture.CLIPMean, picture.CLIPStd, 2},
	} {
		edge := c.shape(preprocessFile, k.key, 3)[1]
		got := picture.CenterCrop(picture.ResizeEdge(k.m, edge, k.filter), edge, edge)
		want := c.float32s(preprocessFile, k.key)
		if k.levels == 0 {
			near(c, k.key, picture.Normalize(got, k.mean, k.std), want, 1e-5)
			continue
		}
		near(c, k.key+", levels", levels(picture.Normalize(got, k.mean, k.std), k.mean, k.std), levels(want, k.mean, k.std), k.levels+1e-3)
	}
}

// levels undoes picture.Normalize.
func levels(x []float32, mean, std [3]float32) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		ch := i / (len(x) / 3)
		y[i] = (v*std[ch] + mean[ch]) * 255
	}
	return y
}

// preprocessTensor scales a picture so that the smaller edge fits, and normalises it as ImageNet networks want.
func preprocessTensor(c *check) {
	shape := c.shape(preprocessFile, "image_u8_hwc", 3)
	h, w := shape[0], shape[1]
	x := make([]float32, 3*h*w)
	for i, v := range c.ints(preprocessFile, "image_u8_hwc") {
		x[i%3*h*w+i/3] = float32(v) / 255
	}
	out := c.shape(preprocessFile, "tensor_resize_normalize", 4)
	edge := slices.Min(out[2:])
	outH, outW := edge*h/min(h, w), edge*w/min(h, w)
	got := must(picture.Interpolate(x, 1, 3, h, w, outH, outW, picture.InterpolateBilinear, picture.InterpolateOptions{Antialias: true}))
	c.that(outH == out[2] && outW == out[3], "tensor_resize_normalize: %d×%d, the reference has %d×%d", outH, outW, out[2], out[3])
	for i, v := range got {
		k := i / (outH * outW)
		got[i] = (v - picture.ImageNetMean[k]) / picture.ImageNetStd[k]
	}
	near(c, "tensor_resize_normalize", got, c.float32s(preprocessFile, "tensor_resize_normalize"), 1e-5)
}
