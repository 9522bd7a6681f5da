package unet

import (
	"os"
	"testing"

	"percept/internal/golden"
	"percept/nn"
	"percept/weights/synth"
)

// tiny is the configuration of the reference runs.
func tiny() Config {
	c := SD14()
	c.BlockOutChannels = []int{32, 64, 128, 128}
	c.CrossAttentionDim = 48
	return c
}

func tinyModel(t testing.TB) *Model {
	t.Helper()
	m, err := New(tiny(), synth.New("unet", golden.Seed))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// nanoModel reads its configuration from the file that diffusers wrote.
func nanoModel(t testing.TB) *Model {
	t.Helper()
	data, err := os.ReadFile("testdata/nano_config.json")
	if err != nil {
		t.Fatal(err)
	}
	c, err := ConfigFromJSON(data)
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(c, &synth.Weights{Component: "nano.unet", Seed: golden.Seed, Half: true})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// predict runs the case prefix of a reference file.
func predict(t *testing.T, m *Model, ref *golden.Tensors, prefix string) []float32 {
	t.Helper()
	shape := ref.Shape(prefix + "latent")
	n, h, w := shape[0], shape[2], shape[3]
	eps := make([]float32, n*m.Config.OutChannels*h*w)
	err := m.Predict(t.Context(), eps, ref.Float32(prefix+"latent"), ref.Float32(prefix+"timesteps"), ref.Float32(prefix+"context"), n,
		h, w)
	if err != nil {
		t.Fatal(err)
	}
	return eps
}

// Batches of two with unequal timesteps, square and not.
func TestPredict(t *testing.T) {
	tinyRef, nanoRef := golden.Open(t, "testdata/unet_io.safetensors"), golden.Open(t, "testdata/nano_io.safetensors")
	tiny, nano := tinyModel(t), nanoModel(t)
	for _, c := range []struct {
		name   string
		model  *Model
		ref    *golden.Tensors
		prefix string
		err    golden.Error // of torch in float32
	}{
		{"tiny square", tiny, tinyRef, "sq.", golden.Error{F32MaxAbs: 3.875590208424207e-06, RMS: 0.5615565045468539}},
		{"tiny not square", tiny, tinyRef, "ns.", golden.Error{F32MaxAbs: 4.245063590868625e-06, RMS: 0.5580155462307623}},
		{"nano square", nano, nanoRef, "unet.sq.", golden.Error{F32MaxAbs: 3.245548735986148e-06, RMS: 0.555879625331737}},
		{"nano not square", nano, nanoRef, "unet.ns.", golden.Error{F32MaxAbs: 2.906365492494345e-06, RMS: 0.558990585395342}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := predict(t, c.model, c.ref, c.prefix)
			t.Logf("%.2f of the tolerance", golden.Near(t, "eps", got, c.ref.Float32(c.prefix+"eps"), c.err))
		})
	}
}

// Three levels, and lists where SD v1 has one number.
func TestPredictVariants(t *testing.T) {
	table := golden.Modules(t, "testdata/variants.json")
	ref := golden.Open(t, "testdata/variants.safetensors")
	for _, c := range table {
		t.Run(c.Path, func(t *testing.T) {
			config, err := ConfigFromJSON(c.Config)
			if err != nil {
				t.Fatal(err)
			}
			m, err := New(config, synth.New("unet."+c.Path, golden.Seed))
			if err != nil {
				t.Fatal(err)
			}
			got := predict(t, m, ref, c.Path+".")
			t.Logf("%.2f of the tolerance", golden.Near(t, "eps", got, ref.Float32(c.Path+".eps"), c.Error))
		})
	}
}

// run runs a Program on the inputs of a reference file and returns the nodes asked for.
func run(t *testing.T, p *nn.Program, ref *golden.Tensors, paths []golden.Module) map[string]golden.Value {
	t.Helper()
	values := map[string]golden.Value{}
	for _, m := range paths {
		err := p.OnNode(m.Path, func(_ string, v nn.Value) { values[m.Path] = golden.Value{Shape: v.Shape, Data: v.Data()} })
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, in := range []string{"latent", "timesteps", "context"} {
		if err := p.Set(in, ref.Float32(in)); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return values
}

// Every module of the network, and the probabilities of every cross-attention.
func TestActivations(t *testing.T) {
	ref, probs := golden.Open(t, "testdata/unet_activations.safetensors"), golden.Open(t, "testdata/unet_attn2_probs.safetensors")
	modules, probModules := golden.Modules(t, "testdata/unet_activations.json"), golden.Modules(t, "testdata/unet_attn2_probs.json")
	shape := ref.Shape("latent")
	g, err := tinyModel(t).Compile(Shape{shape[0], shape[2], shape[3], ContextTokens}, nn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	values := run(t, g, ref, append(modules, probModules...))
	golden.CheckModules(t, modules, ref, values)
	golden.CheckModules(t, probModules, probs, values)
	if len(modules) != 550 || len(probModules) != 16 {
		t.Errorf("%d modules and %d attention maps, want 550 and 16", len(modules), len(probModules))
	}
}

// ok fails the test where a program could not do what the test rests on.
func ok(t testing.TB, err error) {
	if err != nil {
		t.Helper()
		t.Fatal(err)
	}
}
