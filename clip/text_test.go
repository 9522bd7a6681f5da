package clip

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"percept/internal/golden"
	"percept/nn"
	"percept/weights/synth"
)

func nanoText(t testing.TB, params nn.Params) *Text {
	t.Helper()
	data, err := os.ReadFile("testdata/nano_config.json")
	if err != nil {
		t.Fatal(err)
	}
	c, err := TextConfigFromJSON(data)
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewText(c, params)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// tinyText has the configuration of the nano model and other weights.
func tinyText(t testing.TB) *Text {
	return nanoText(t, synth.New("text_encoder", golden.Seed))
}

func TestEncode(t *testing.T) {
	for _, c := range []struct {
		name, file, prefix string
		params             nn.Params
		err                golden.Error // of transformers in float32
	}{
		{"tiny", "text_io", "", synth.New("text_encoder", golden.Seed),
			golden.Error{F32MaxAbs: 4.704838630797958e-06, RMS: 0.999193337898117}},
		{"nano", "nano_io", "text.", &synth.Weights{Component: "nano.text_encoder", Seed: golden.Seed, Half: true},
			golden.Error{F32MaxAbs: 2.872787274232902e-06, RMS: 0.9951849861901946}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ref := golden.Open(t, "testdata/"+c.file+".safetensors")
			ids := ref.Int32Rows(c.prefix + "input_ids")
			m := nanoText(t, c.params)
			got, err := m.Encode(t.Context(), ids)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%.2f of the tolerance", golden.Near(t, "last_hidden_state", got, ref.Float32(c.prefix+"last_hidden_state"), c.err))
			if !slices.Contains(ref.Names(), c.prefix+"pooler_output") {
				return
			}
			pooled, err := m.Pooled(got, ids)
			if err != nil {
				t.Fatal(err)
			}
			golden.Near(t, "pooler_output", pooled, ref.Float32(c.prefix+"pooler_output"), c.err)
		})
	}
}

// GELU, another epsilon, fewer positions, and the end token of old configurations.
func TestEncodeVariant(t *testing.T) {
	table := golden.Modules(t, "testdata/variants.json")
	ref := golden.Open(t, "testdata/variants.safetensors")
	c, err := TextConfigFromJSON(table[0].Config)
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewText(c, synth.New("text_encoder.gelu", golden.Seed))
	if err != nil {
		t.Fatal(err)
	}
	ids := ref.Int32Rows("input_ids")
	hidden, err := m.Encode(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	golden.Near(t, "last_hidden_state", hidden, ref.Float32("last_hidden_state"), table[0].Error)
	pooled, err := m.Pooled(hidden, ids)
	if err != nil {
		t.Fatal(err)
	}
	golden.Near(t, "pooler_output", pooled, ref.Float32("pooler_output"), table[1].Error)
}

// Every module, for the first text, and all hidden states.
func TestActivations(t *testing.T) {
	ref := golden.Open(t, "testdata/text_io.safetensors")
	modules := golden.Modules(t, "testdata/text_io.json")
	for i := range modules {
		modules[i].Shape[0] = 1
	}
	values := map[string]golden.Value{}
	m := tinyText(t)
	p, err := m.Program(1)
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range modules {
		path := module.Path
		err := p.OnNode(path, func(_ string, v nn.Value) { values[path] = golden.Value{Shape: v.Shape, Data: v.Data()} })
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := m.Encode(t.Context(), ref.Int32Rows("input_ids")[:1]); err != nil {
		t.Fatal(err)
	}
	golden.CheckModules(t, modules, ref, values)
}

func TestHiddenStates(t *testing.T) {
	ref := golden.Open(t, "testdata/text_io.safetensors")
	errors := map[string]golden.Error{}
	for _, m := range golden.Modules(t, "testdata/text_io.json") {
		errors[m.Path] = m.Error
	}
	m := tinyText(t)
	p, err := m.Program(3)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	err = p.OnNode("hidden_states.*", func(path string, v nn.Value) {
		module := "text_model.embeddings"
		if layer := path[len(path)-1] - '0'; layer > 0 {
			module = "text_model.encoder.layers." + string('0'+layer-1)
		}
		golden.Near(t, path, v.Data(), ref.Float32(path), errors[module])
		seen++
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Encode(t.Context(), ref.Int32Rows("input_ids")); err != nil {
		t.Fatal(err)
	}
	if seen != 4 {
		t.Errorf("%d hidden states, want 4", seen)
	}
}

// A text depends on nothing but its own tokens up to each position, and on no other text of the batch.
func TestEncodeCausal(t *testing.T) {
	m := tinyText(t)
	d := m.Config.HiddenSize
	ids := [][]int32{{998, 3, 5, 7, 999, 999}, {998, 3, 5, 8, 1, 2}}
	both, err := m.Encode(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	first, err := m.Encode(t.Context(), ids[:1])
	if err != nil {
		t.Fatal(err)
	}
	rounding := golden.Error{RMS: 10}
	golden.Near(t, "a text in a batch and alone", both[:6*d], first, rounding)
	golden.Near(t, "rows of equal first tokens", both[6*d:9*d], both[:3*d], rounding)
	if slices.Equal(both[3*d:4*d], both[9*d:10*d]) {
		t.Error("unequal tokens, equal rows")
	}
}

// More numbers of texts than programs are kept, at the same time.
func TestEncodeConcurrent(t *testing.T) {
	m := tinyText(t)
	text := []int32{998, 3, 5, 7, 999, 999}
	want, err := m.Encode(t.Context(), [][]int32{text})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			ids := make([][]int32, 1+i%6)
			for k := range ids {
				ids[k] = text
			}
			got, err := m.Encode(t.Context(), ids)
			if err != nil {
				t.Error(err)
				return
			}
			for k := range ids {
				golden.Near(t, "one of equal texts", got[k*len(want):][:len(want)], want, golden.Error{RMS: 10})
			}
		})
	}
	wg.Wait()
}

func TestEncodeRejects(t *testing.T) {
	m := tinyText(t)
	for _, test := range []struct {
		name string
		ids  [][]int32
		want string
	}{
		{"no text", nil, "no text"},
		{"no token", [][]int32{{}}, "1 texts of 0 tokens"},
		{"too long", [][]int32{make([]int32, 78)}, "1 to 77 tokens"},
		{"unequal lengths", [][]int32{{1, 2}, {1}}, "text 1 has 1 tokens, text 0 has 2"},
		{"negative", [][]int32{{1, -1}}, "token 1 of text 0 is -1"},
		{"beyond the vocabulary", [][]int32{{1}, {1000}}, "token 0 of text 1 is 1000, expected 0 to 999"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := m.Encode(t.Context(), test.ids)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
	if _, err := m.Pooled(make([]float32, 3), [][]int32{{1}}); err == nil {
		t.Error("no error for a hidden state of other texts")
	}
}
