package unet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"percept/internal/golden"
	"percept/nn"
	"percept/weights"
	"percept/weights/synth"
)

func TestPredictRejects(t *testing.T) {
	m := nanoModel(t)
	for _, test := range []struct {
		name                    string
		eps, latent, time, text int // lengths
		n, h, w                 int
		want                    string
	}{
		{"height", 4 * 12 * 16, 4 * 12 * 16, 1, 77 * 48, 1, 12, 16, "12×16 (height × width), expected positive multiples of 8"},
		{"width", 4 * 16 * 15, 4 * 16 * 15, 1, 77 * 48, 1, 16, 15, "16×15 (height × width), expected positive multiples of 8"},
		{"empty", 0, 0, 1, 77 * 48, 1, 0, 8, "0×8"},
		{"no batch", 0, 0, 0, 77 * 48, 0, 8, 8, "batch of 0 latents, expected 1 or more"},
		{"negative size", 256, 256, 1, 77 * 48, 1, -8, -8, "-8×-8"},
		{"context", 256, 256, 1, 47, 1, 8, 8, "context of 47 values, expected [1, tokens, 48]"},
		{"room", 255, 256, 1, 77 * 48, 1, 8, 8, "room for 255 values of eps, expected 256: [1 4 8 8]"},
		{"latent", 256, 255, 1, 77 * 48, 1, 8, 8, "latent"},
		{"timesteps", 256, 256, 2, 77 * 48, 1, 8, 8, "timesteps"},
	} {
		t.Run(test.name, func(t *testing.T) {
			make := func(n int) []float32 { return make([]float32, n) }
			err := m.Predict(t.Context(), make(test.eps), make(test.latent), make(test.time), make(test.text), test.n, test.h, test.w)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

// without gives generated weights but for those that a file lacks.
type without struct {
	*synth.Weights
	missing func(name string) bool
}

func (w without) Float32(name string, shape ...int) ([]float32, error) {
	if w.missing(name) {
		return nil, &weights.MissingError{File: "model", Name: name, Want: shape}
	}
	return w.Weights.Float32(name, shape...)
}

// All missing tensors are named at once.
func TestNewRejects(t *testing.T) {
	missing := []string{"conv_in.bias", "down_blocks.1.resnets.0.conv_shortcut.weight",
		"mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight"}
	_, err := New(tiny(), without{synth.New("unet", golden.Seed), func(name string) bool {
		return slices.Contains(missing, name)
	}})
	if err == nil {
		t.Fatal("no error")
	}
	for _, name := range missing {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("error %q does not name %s", err, name)
		}
	}
	if _, err := New(Config{}, synth.New("unet", golden.Seed)); err == nil || !strings.Contains(err.Error(), "block_out_channels") {
		t.Errorf("error %v for an empty configuration", err)
	}
}

// Predictions after the first of their shape allocate nothing.
func TestPredictAllocates(t *testing.T) {
	m := nanoModel(t)
	ctx, eps, latent, timesteps, text := t.Context(), make([]float32, 4*64), make([]float32, 4*64), []float32{1}, make([]float32, 3*48)
	predict := func() {
		if err := m.Predict(ctx, eps, latent, timesteps, text, 1, 8, 8); err != nil {
			t.Error(err)
		}
	}
	for range 10 { // the engine's lists of free workspaces grow to what is needed at the same time
		predict()
	}
	if n := testing.AllocsPerRun(5, predict); n > 0 {
		t.Errorf("%v allocations a prediction", n)
	}
}

// What Predict keeps from one call to the next shows in no result.
func TestPredictAgain(t *testing.T) {
	m := nanoModel(t)
	p, err := m.Compile(Shape{1, 8, 8, 3}, nn.Options{NoFusion: true})
	if err != nil {
		t.Fatal(err)
	}
	input := func(name string, i, n int) []float32 {
		return synth.Input(fmt.Sprint(name, i), golden.Seed, 1.7, n)
	}
	eps := make([]float32, 256)
	for _, c := range [][3]int{{0, 0, 0}, {1, 0, 0}, {1, 1, 0}, {1, 1, 1}, {1, 1, 1}, {1, 2, 1}, {0, 0, 0}} { // latent, timestep, context
		latent, timesteps, text := input("latent", c[0], 256), []float32{float32(1 + 300*c[1])}, input("context", c[2], 3*48)
		if err := m.Predict(t.Context(), eps, latent, timesteps, text, 1, 8, 8); err != nil {
			t.Fatal(err)
		}
		ok(t, p.Set("latent", latent))
		ok(t, p.Set("timesteps", timesteps))
		ok(t, p.Set("context", text))
		if err := p.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(eps, p.Output("eps")) {
			t.Errorf("latent %d, timestep %d, context %d: another result than that of a new program", c[0], c[1], c[2])
		}
	}
	shared, err := m.Program(Shape{1, 8, 8, 3})
	if err != nil {
		t.Fatal(err)
	}
	if r := shared.Report(); r.Steady < 32 {
		t.Errorf("%v: want the keys and values of 16 attentions steady", r)
	}
}

// Predictions of one model may be asked for at the same time, also of different shapes.
func TestPredictConcurrent(t *testing.T) {
	m := nanoModel(t)
	ref := golden.Open(t, "testdata/nano_io.safetensors")
	want := predict(t, m, ref, "unet.sq.")
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			prefix := []string{"unet.sq.", "unet.ns."}[i%2]
			if got := predict(t, m, ref, prefix); i%2 == 0 && !slices.Equal(got, want) {
				t.Error("another result than alone")
			}
		})
	}
	wg.Wait()
}

// A cancelled prediction says so and leaves the model working; sizes that were forgotten since are made again.
func TestPredictCancelled(t *testing.T) {
	m := nanoModel(t)
	ref := golden.Open(t, "testdata/nano_io.safetensors")
	want := predict(t, m, ref, "unet.sq.")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for n := range 6 {
		n++
		err := m.Predict(ctx, make([]float32, n*256), make([]float32, n*256), make([]float32, n), make([]float32, n*3*48), n, 8, 8)
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("error %v, want context.Canceled", err)
		}
	}
	if got := predict(t, m, ref, "unet.sq."); !slices.Equal(got, want) {
		t.Error("another result than before")
	}
}

// Sizes beyond any memory are errors, not panics.
func TestProgramTooLarge(t *testing.T) {
	m := nanoModel(t)
	for _, s := range []Shape{{1, 1 << 40, 1 << 40, 77}, {1, 1 << 24, 1 << 24, 77}, {1 << 50, 8, 8, 77}, {1, 8, 8, 1 << 60}} {
		if _, err := m.Program(s); err == nil {
			t.Errorf("no error for %+v", s)
		}
	}
}

// A probe on the shared Program sees Predict's values.
func TestProgramIsShared(t *testing.T) {
	m := nanoModel(t)
	p, err := m.Program(Shape{1, 8, 8, 3})
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	if err := p.OnNode("**.attn2.probs", func(_ string, v nn.Value) { seen++ }); err != nil {
		t.Fatal(err)
	}
	if err := m.Predict(t.Context(), make([]float32, 256), make([]float32, 256), []float32{1}, make([]float32, 3*48), 1, 8, 8); err != nil {
		t.Fatal(err)
	}
	if seen != 16 {
		t.Errorf("%d attention maps, want 16", seen)
	}
}

// The residual stream and the heads have names: each residual is the one before it and what was added.
func TestResidualNames(t *testing.T) {
	m := nanoModel(t)
	const block = "up_blocks.1.attentions.0.transformer_blocks.0"
	parts := [][3]string{
		{".residual.1", ".residual.0", ".attn1"},
		{".residual.2", ".residual.1", ".attn2"},
		{"", ".residual.2", ".ff"},
	}
	o := steady
	for _, p := range parts {
		o.Keep = append(o.Keep, block+p[0], block+p[1], block+p[2])
	}
	o.Keep = append(o.Keep, block+".attn1.heads")
	p, err := m.Compile(Shape{1, 8, 8, 3}, o)
	if err != nil {
		t.Fatal(err)
	}
	for name, n := range map[string]int{"latent": 256, "timesteps": 1, "context": 3 * m.Config.CrossAttentionDim} {
		if err := p.Set(name, synth.Input(name, golden.Seed, 1, n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	value := func(name string) nn.Value {
		v, err := p.Value(block + name)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, part := range parts {
		sum, before, added := value(part[0]).Data(), value(part[1]).Data(), value(part[2]).Data()
		for i, v := range sum {
			if v != before[i]+added[i] {
				t.Fatalf("%q is not %q + %q", part[0], part[1], part[2])
			}
		}
	}
	if heads, out := value(".attn1.heads").Shape, value(".attn1").Shape; !slices.Equal(heads, out) {
		t.Errorf("heads %v, expected as their sum %v", heads, out)
	}
}

// Predictions with taps have the bits of those without, the taps those of their reductions, and each set of taps keeps its
// Program.
func TestPredictWithTaps(t *testing.T) {
	m := nanoModel(t)
	in := func(name string, n int) []float32 { return synth.Input(name, golden.Seed, 1, n) }
	latent, text, s := in("latent", 2*256), in("context", 2*3*m.Config.CrossAttentionDim), Shape{2, 8, 8, 3}
	predict := func(taps ...nn.Tap) (eps []float32) {
		t.Helper()
		eps = make([]float32, len(latent))
		if err := m.Predict(t.Context(), eps, latent, []float32{981, 21}, text, 2, 8, 8, taps...); err != nil {
			t.Fatal(err)
		}
		return eps
	}
	want := predict()
	const heads, block = "down_blocks.1.attentions.0.transformer_blocks.0.attn2.heads", "mid_block"
	a := []nn.Tap{{Node: heads, By: []nn.Reduction{nn.Mean}}, {Node: block, By: []nn.Reduction{nn.Grid(1)}}}
	b := []nn.Tap{{Node: heads, By: []nn.Reduction{nn.First(2), nn.Max}}}
	var programs []*nn.Program
	for _, taps := range [][]nn.Tap{a, b, nil, a, b} {
		if eps := predict(taps...); !slices.Equal(eps, want) {
			t.Errorf("eps differs with taps %v", taps)
		}
		p, err := m.Program(s, taps...)
		if err != nil {
			t.Fatal(err)
		}
		programs = append(programs, p)
	}
	if programs[0] != programs[3] || programs[1] != programs[4] || programs[0] == programs[1] {
		t.Error("a Program was thrown away for other taps")
	}

	o := steady
	o.Keep = []string{heads, block}
	whole, err := m.Compile(s, o)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string][]float32{"latent": latent, "timesteps": {981, 21}, "context": text} {
		if err := whole.Set(name, x); err != nil {
			t.Fatal(err)
		}
	}
	if err := whole.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, path := range []string{heads, block} {
		v, err := whole.Value(path)
		if err != nil {
			t.Fatal(err)
		}
		c := v.RawShape[len(v.RawShape)-1]
		positions := v.Len() / c / 2
		for k, got := range programs[0].Output(a[i].Output()) {
			sum := 0.0
			for p := range positions {
				sum += float64(v.Raw()[(k/c*positions+p)*c+k%c])
			}
			if mean := float32(sum / float64(positions)); got != mean {
				t.Fatalf("%s, value %d: %v, expected %v", a[i].Output(), k, got, mean)
			}
		}
	}
	if got := programs[1].OutputShape(b[0].Output()); !slices.Equal(got, []int{2, 2}) {
		t.Errorf("%s is %v, expected [2 2]", b[0].Output(), got)
	}
}
