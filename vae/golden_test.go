package vae

import (
	"os"
	"strings"
	"testing"

	"percept/internal/golden"
	"percept/nn"
	"percept/weights/synth"
)

// tiny is the configuration of the reference runs.
func tiny() Config {
	c := SD14()
	c.BlockOutChannels = []int{32, 64, 64, 64}
	return c
}

func tinyModel(t testing.TB) *Model {
	t.Helper()
	m, err := New(tiny(), synth.New("vae", golden.Seed))
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
	m, err := New(c, &synth.Weights{Component: "nano.vae", Seed: golden.Seed, Half: true})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// check runs one half of a model on an input of a reference file and compares the output.
func check(t *testing.T, m *Model, ref *golden.Tensors, in, out string, e golden.Error) {
	t.Helper()
	run := m.Encode
	if strings.HasSuffix(out, ".image") {
		run = m.Decode
	}
	shape, want := ref.Shape(in), ref.Float32(out)
	got := make([]float32, len(want))
	if err := run(t.Context(), got, ref.Float32(in), shape[0], shape[2], shape[3]); err != nil {
		t.Fatal(err)
	}
	t.Logf("%.2f of the tolerance", golden.Near(t, out, got, want, e))
}

func TestEncodeDecode(t *testing.T) {
	tinyRef, nanoRef := golden.Open(t, "testdata/vae_io.safetensors"), golden.Open(t, "testdata/nano_io.safetensors")
	tiny, nano := tinyModel(t), nanoModel(t)
	for _, c := range []struct {
		name    string
		model   *Model
		ref     *golden.Tensors
		in, out string
		err     golden.Error // of torch in float32
	}{
		{"tiny encode", tiny, tinyRef, "encode.image", "encode.moments",
			golden.Error{F32MaxAbs: 2.6746456665005525e-06, RMS: 0.6402978198250048}},
		{"tiny decode", tiny, tinyRef, "decode.latent", "decode.image",
			golden.Error{F32MaxAbs: 5.461634471071175e-06, RMS: 0.5418102081489073}},
		{"nano encode", nano, nanoRef, "vae.encode.image", "vae.encode.moments",
			golden.Error{F32MaxAbs: 2.5837385100313526e-06, RMS: 0.5361241636978624}},
		{"nano decode", nano, nanoRef, "vae.decode.latent", "vae.decode.image",
			golden.Error{F32MaxAbs: 6.987297485827604e-06, RMS: 0.572345091126538}},
	} {
		t.Run(c.name, func(t *testing.T) { check(t, c.model, c.ref, c.in, c.out, c.err) })
	}
}

// Three levels, one resnet a block, three latent channels.
func TestVariants(t *testing.T) {
	table := golden.Modules(t, "testdata/variants.json")
	config, err := ConfigFromJSON(table[0].Config)
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(config, synth.New("vae.levels3", golden.Seed))
	if err != nil {
		t.Fatal(err)
	}
	ref := golden.Open(t, "testdata/variants.safetensors")
	check(t, m, ref, "encode.image", "encode.moments", table[0].Error)
	check(t, m, ref, "decode.latent", "decode.image", table[1].Error)
}

// Every module of both halves.
func TestActivations(t *testing.T) {
	m := tinyModel(t)
	for _, c := range []struct {
		name, input string
		program     func(n, h, w int) (*nn.Program, error)
		modules     int
	}{
		{"vae_encode_activations", "image", m.EncodeProgram, 84},
		{"vae_decode_activations", "latent", m.DecodeProgram, 108},
	} {
		t.Run(c.name, func(t *testing.T) {
			ref := golden.Open(t, "testdata/"+c.name+".safetensors")
			modules := golden.Modules(t, "testdata/"+c.name+".json")
			if len(modules) != c.modules {
				t.Errorf("%d modules, want %d", len(modules), c.modules)
			}
			shape := ref.Shape("input")
			p, err := c.program(shape[0], shape[2], shape[3])
			if err != nil {
				t.Fatal(err)
			}
			values := map[string]golden.Value{}
			for _, m := range modules {
				err := p.OnNode(m.Path, func(_ string, v nn.Value) { values[m.Path] = golden.Value{Shape: v.Shape, Data: v.Data()} })
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := p.Set(c.input, ref.Float32("input")); err != nil {
				t.Fatal(err)
			}
			if err := p.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			golden.CheckModules(t, modules, ref, values)
		})
	}
}
