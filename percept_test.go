package percept_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"percept"
	"percept/scheduler"
)

var embeddedPipeline = sync.OnceValues(func() (*percept.Pipeline, error) { return percept.Embedded(context.Background()) })

func pipeline(t *testing.T) *percept.Pipeline {
	t.Helper()
	p, err := embeddedPipeline()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// flat is a picture of one colour.
func flat(size int, c color.Color) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, size, size))
	for i := range size * size {
		m.Set(i%size, i/size, c)
	}
	return m
}

func TestEncodeDecodeKeepsAPicture(t *testing.T) {
	p := pipeline(t)
	sky := color.RGBA{110, 170, 230, 255}
	z, err := p.Encode(t.Context(), []image.Image{flat(p.Size, sky), flat(p.Size, color.RGBA{90, 160, 60, 255})})
	if err != nil {
		t.Fatal(err)
	}
	back, err := p.Decode(t.Context(), z)
	if err != nil {
		t.Fatal(err)
	}
	r, g, b, _ := back[0].At(p.Size/2, p.Size/2).RGBA()
	for i, c := range []struct{ got, want int }{{int(r >> 8), 110}, {int(g >> 8), 170}, {int(b >> 8), 230}} {
		if d := c.got - c.want; d < -30 || d > 30 {
			t.Errorf("channel %d of a flat picture came back as %d, was %d", i, c.got, c.want)
		}
	}
}

func TestADenoisedPictureDoesNotDependOnItsBatch(t *testing.T) {
	p := pipeline(t)
	captions := make([]string, 9) // more than one batch
	for i := range captions {
		captions[i] = []string{"a red house", "a white boat on the sea", "a black cat at night"}[i%3]
	}
	c, err := p.TextEmbed(t.Context(), captions)
	if err != nil {
		t.Fatal(err)
	}
	row := p.Tokens * p.Width
	if len(c) != len(captions)*row {
		t.Fatalf("conditioning has %d values, want %d", len(c), len(captions)*row)
	}
	s := percept.Sampling{Steps: 2, Guidance: 3, Eta: 0.5, Seed: 7}
	const h, w = 12, 12
	all, err := p.Denoise(t.Context(), percept.NoiseFor(1, 0, 9, h, w), c, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.First = 8
	alone, err := p.Denoise(t.Context(), percept.NoiseFor(1, 8, 9, h, w), c[8*row:], s, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range alone.Data {
		if d := math.Abs(float64(v - all.At(8)[i])); d > 1e-4 {
			t.Fatalf("value %d differs by %g from the one made in a batch", i, d)
		}
	}
}

// A picture depends on its own seed and prompt, whatever else is asked for beside it.
func TestGenerateDoesNotDependOnNeighbours(t *testing.T) {
	p := pipeline(t)
	prompts := []string{"a red house", "a white boat on the sea", "a black cat at night"}
	s := percept.Sampling{Sampler: "euler-a", Steps: 3, Guidance: 2, Seeds: []uint64{5, 9, 5}}
	var steps, done []int
	r := percept.Request{Prompts: prompts, Negative: "a tree", Sampling: s,
		Progress: func(n, total int) { steps = append(steps, n, total) },
		Done: func(i int, p percept.Picture) error {
			done = append(done, i)
			return nil
		}}
	all, err := p.Generate(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 3 || !slices.Equal(done, []int{0, 1, 2}) || !slices.Equal(steps, []int{1, 3, 2, 3, 3, 3}) {
		t.Errorf("%d pictures, done %v, progress %v", len(all), done, steps)
	}
	alone := percept.Request{Prompts: prompts[1:2], Negative: "a tree",
		Sampling: percept.Sampling{Sampler: "euler-a", Steps: 3, Guidance: 2, Seed: 9}}
	one, err := p.Generate(t.Context(), alone)
	if err != nil {
		t.Fatal(err)
	}
	if all[1].Seed != 9 || one[0].Seed != 9 || all[1].Prompt != prompts[1] {
		t.Errorf("seeds %d and %d, prompt %q", all[1].Seed, one[0].Seed, all[1].Prompt)
	}
	for i, v := range one[0].Latents.Data {
		if d := math.Abs(float64(v - all[1].Latents.Data[i])); d > 1e-4 {
			t.Fatalf("value %d differs by %g from the one made beside others", i, d)
		}
	}
	stop := errors.New("enough")
	r.Done, r.Batch = func(i int, p percept.Picture) error { return stop }, 1
	if made, err := p.Generate(t.Context(), r); !errors.Is(err, stop) || len(made) != 1 {
		t.Errorf("%d pictures and error %v after Done refused the first", len(made), err)
	}
	r.Done, r.Watch = nil, func(st percept.Step) error {
		if st.First == 1 && st.Index == 1 {
			return stop
		}
		return nil
	}
	if made, err := p.Generate(t.Context(), r); !errors.Is(err, stop) || len(made) != 1 {
		t.Errorf("%d pictures and error %v after Watch refused a step of the second", len(made), err)
	}
}

func TestDenoiseFromStaysNearItsStartAtLowStrength(t *testing.T) {
	p := pipeline(t)
	z, err := p.Encode(t.Context(), []image.Image{flat(p.Size, color.RGBA{110, 170, 230, 255})})
	if err != nil {
		t.Fatal(err)
	}
	c, err := p.TextEmbed(t.Context(), []string{""})
	if err != nil {
		t.Fatal(err)
	}
	noise := percept.NoiseFor(2, 0, 1, z.H, z.W)
	distance := func(strength float64) float64 {
		x, err := p.DenoiseFrom(t.Context(), z, noise, strength, c, percept.Sampling{Steps: 20, Guidance: 1}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var sum float64
		for i := range x.Data {
			d := float64(x.Data[i] - z.Data[i])
			sum += d * d
		}
		return math.Sqrt(sum / float64(len(x.Data)))
	}
	if low, high := distance(0.1), distance(0.9); low >= high {
		t.Errorf("rms distance from the start is %g at strength 0.1 and %g at 0.9", low, high)
	}
}

func TestMeanTextEmbedIsTheMean(t *testing.T) {
	p := pipeline(t)
	captions := []string{"a red house", "a big tree on the left"}
	all, err := p.TextEmbed(t.Context(), captions)
	if err != nil {
		t.Fatal(err)
	}
	mean, err := p.MeanTextEmbed(t.Context(), captions)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range mean {
		if want := (all[i] + all[len(mean)+i]) / 2; math.Abs(float64(v-want)) > 1e-6 {
			t.Fatalf("value %d is %g, want %g", i, v, want)
		}
	}
}

func TestPipelineRejects(t *testing.T) {
	p := pipeline(t)
	noise := percept.NoiseFor(1, 0, 1, 12, 12)
	c := make([]float32, p.Tokens*p.Width)
	for _, e := range []struct {
		name string
		call func() error
		want string
	}{
		{"picture of an odd size", func() error {
			_, err := p.Encode(t.Context(), []image.Image{flat(100, color.White)})
			return err
		}, "multiples of 8"},
		{"latent that the U-Net cannot take", func() error {
			_, err := p.Denoise(t.Context(), percept.NoiseFor(1, 0, 1, 10, 12), c, percept.Sampling{Steps: 2}, nil)
			return err
		}, "multiple"},
		{"strength 1", func() error {
			_, err := p.DenoiseFrom(t.Context(), noise, noise, 1, c, percept.Sampling{}, nil)
			return err
		}, "fewer than all"},
		{"strength beyond 1", func() error {
			_, err := p.DenoiseFrom(t.Context(), noise, noise, 1.5, c, percept.Sampling{Sampler: "ddim-diffusers"}, nil)
			return err
		}, "at most 1"},
		{"unknown sampler", func() error {
			_, err := p.Denoise(t.Context(), noise, c, percept.Sampling{Sampler: "dpm-fast"}, nil)
			return err
		}, "dpm-fast"},
		{"no prompt", func() error {
			_, err := p.Generate(t.Context(), percept.Request{})
			return err
		}, "no prompt"},
		{"size that no latent has", func() error {
			_, err := p.Generate(t.Context(), percept.Request{Prompts: []string{""}, Width: 100})
			return err
		}, "multiples of 32"},
		{"too many pictures to start from", func() error {
			_, err := p.Generate(t.Context(), percept.Request{Prompts: []string{""},
				Init: []image.Image{flat(96, color.White), flat(96, color.White)}})
			return err
		}, "2 pictures to start from"},
		{"seeds for other prompts", func() error {
			_, err := p.Generate(t.Context(), percept.Request{Prompts: []string{""}, Sampling: percept.Sampling{Seeds: []uint64{1, 2}}})
			return err
		}, "2 seeds"},
		{"steps that leave the schedule", func() error {
			_, err := p.Denoise(t.Context(), noise, c, percept.Sampling{Steps: 3}, nil)
			return err
		}, "steps"},
		{"conditioning of another size", func() error {
			_, err := p.Denoise(t.Context(), noise, c[1:], percept.Sampling{Steps: 2}, nil)
			return err
		}, "conditioning"},
		{"no caption", func() error {
			_, err := p.MeanTextEmbed(t.Context(), nil)
			return err
		}, "caption"},
	} {
		if err := e.call(); err == nil || !strings.Contains(err.Error(), e.want) {
			t.Errorf("%s: error %v, want one with %q", e.name, err, e.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Denoise(ctx, noise, c, percept.Sampling{Steps: 2}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}

func TestLoadOptions(t *testing.T) {
	want := pipeline(t)
	caption := []string{"a red house"}
	c, err := want.TextEmbed(t.Context(), caption)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []percept.Options{{WeightsDType: "float16", Memory: "low"}, {WeightsDType: "bfloat16"}, {Memory: "full"}} {
		o.SkipHash = true
		p, err := percept.LoadEmbedded(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.TextEmbed(t.Context(), caption)
		if err != nil {
			t.Fatal(err)
		}
		tol := map[string]float64{"bfloat16": 0.1}[o.WeightsDType] // the embedded weights are float16 numbers
		worst := 0.0
		for i := range c {
			worst = max(worst, math.Abs(float64(got[i]-c[i])))
		}
		if !(worst <= tol) || tol > 0 && worst == 0 {
			t.Errorf("%+v: embedding is off by %g, allowed up to %g and not 0 unless that is 0", o, worst, tol)
		}
		if p.Storage == "" || o.WeightsDType != "" && p.Storage == want.Storage {
			t.Errorf("%+v: storage %q", o, p.Storage)
		}
	}
	for _, c := range []struct {
		o    percept.Options
		want string
	}{
		{percept.Options{WeightsDType: "int8"}, `weights dtype "int8", expected float32, float16 or bfloat16`},
		{percept.Options{Memory: "none"}, `memory "none", expected full or low`},
	} {
		if _, err := percept.LoadEmbedded(t.Context(), c.o); err == nil || err.Error() != c.want {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
}

// Image to image is made of the parts that the library has: a sample of the posterior with the first draw of the
// generator, noise with the second.
func TestGenerateFromAPictureDrawsAsTheOriginals(t *testing.T) {
	p := pipeline(t)
	start := []image.Image{flat(p.Size, color.RGBA{200, 120, 40, 255})}
	s := percept.Sampling{Sampler: "ddim-diffusers", Steps: 4, Guidance: 1, Seed: 11}
	made, err := p.Generate(t.Context(), percept.Request{Prompts: []string{"a house"}, Init: start, Strength: 0.5, Sampling: s})
	if err != nil {
		t.Fatal(err)
	}
	side := p.Size / p.VAE.Config.Downscale()
	first, second := percept.Latents{N: 1, H: side, W: side}, percept.Latents{N: 1, H: side, W: side}
	first.Data, second.Data = make([]float32, first.Len()), make([]float32, first.Len())
	g := scheduler.NewTorch(11)
	g.Randn(first.Data)
	g.Randn(second.Data)
	z, err := p.EncodeSample(t.Context(), start, first)
	if err != nil {
		t.Fatal(err)
	}
	c, err := p.TextEmbed(t.Context(), []string{"a house"})
	if err != nil {
		t.Fatal(err)
	}
	want, err := p.DenoiseFrom(t.Context(), z, second, 0.5, c, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(want.Data, made[0].Latents.Data) {
		t.Error("the latents differ from those of the parts")
	}
	mean, err := p.Encode(t.Context(), start)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Equal(mean.Data, z.Data) {
		t.Error("a sample of the posterior is its mean")
	}
	zero := percept.Latents{Data: make([]float32, len(z.Data)), N: 1, H: side, W: side}
	if z, err = p.EncodeSample(t.Context(), start, zero); err != nil || !slices.Equal(mean.Data, z.Data) {
		t.Errorf("a sample without noise is not the mean (%v)", err)
	}
}

// The noise of a seed is what torch.manual_seed(42); torch.randn(1, 4, 64, 64) gives with torch 2.15 (sha256 of the
// float32 values, little-endian).
func TestNoiseIsTorchs(t *testing.T) {
	h := sha256.New()
	if err := binary.Write(h, binary.LittleEndian, percept.NoiseFor(40, 2, 3, 64, 64).Data); err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != "e97f3de04c7c6ba86354db4402b91d4402ede9c72aabed29a96dd7d635a798ba" {
		t.Errorf("sha256 %s", got)
	}
}

// A folder's scheduler_config.json is in the pipeline as a StableDiffusionPipeline takes it; another file is as it is.
func TestSchedulerOfAPipeline(t *testing.T) {
	p, err := embeddedPipeline()
	if err != nil {
		t.Fatal(err)
	}
	if name, err := p.SamplerName(percept.Sampling{Sampler: percept.SamplerAuto}); err != nil || name != "ddim-diffusers" {
		t.Errorf("auto is %s, %v", name, err)
	}
	if name, err := p.SamplerName(percept.Sampling{}); err != nil || name != "ddim" {
		t.Errorf("the default is %s, %v", name, err)
	}
	file := filepath.Join(t.TempDir(), "scheduler_config.json")
	const text = `{"_class_name": "EulerDiscreteScheduler", "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
		"timestep_spacing": "leading", "steps_offset": 0, "clip_sample": true}`
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	other, err := percept.LoadEmbedded(t.Context(), percept.Options{Scheduler: file, SkipHash: true})
	if err != nil {
		t.Fatal(err)
	}
	s := percept.Sampling{Sampler: percept.SamplerAuto, Steps: 5, Guidance: 1}
	sampler, err := other.Sampler(s)
	if err != nil || sampler.Name() != "euler" || sampler.Steps() != 5 {
		t.Fatalf("auto of another file: %v, %v", sampler, err)
	}
	var asked []float64
	s.OnCall = func(c percept.Call) error {
		asked = append(asked, c.Timestep)
		return nil
	}
	c := make([]float32, other.Tokens*other.Width)
	if _, err := other.Denoise(t.Context(), percept.NoiseFor(1, 0, 1, 8, 8), c, s, nil); err != nil {
		t.Fatal(err)
	}
	if want := []float64{800, 600, 400, 200, 0}; !slices.Equal(asked, want) { // of steps_offset 0
		t.Errorf("asked at %v, want %v", asked, want)
	}
	without := *other
	without.Scheduler = nil
	if _, err := without.SamplerName(s); err == nil || !strings.Contains(err.Error(), "scheduler_config.json") {
		t.Errorf("auto without a file: %v", err)
	}
	for _, bad := range []struct{ text, want string }{{`{`, "JSON"}, {`{"beta_schedule": "sigmoid"}`, "beta_schedule"}} {
		if err := os.WriteFile(file, []byte(bad.text), 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := percept.LoadEmbedded(t.Context(), percept.Options{Scheduler: file, SkipHash: true})
		if err == nil || !strings.HasPrefix(err.Error(), file) || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%s: %v", bad.text, err)
		}
	}
}
