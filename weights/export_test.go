package weights

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/internal/half"
	"percept/weights/safetensors"
	"percept/weights/synth"
)

// nanoModel opens the small model from a CompVis file, with what it should hold.
func nanoModel(t *testing.T) (*Folder, map[Component]map[string][]int) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "sd.safetensors")
	writeNano(t, file)
	writeText(t, dir, map[string]string{"config/text_encoder/config.json": nanoTextConfig, "tokenizer/vocab.json": "{}",
		"tokenizer/merges.txt": "#version: 0.2\n"})
	f, err := OpenModel(file, ModelOptions{Config: filepath.Join(dir, "config")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	want := map[Component]map[string][]int{}
	files := readListing(t)
	for _, c := range Components() {
		want[c] = map[string][]int{}
		for _, l := range files[string(c)] {
			want[c][l.name] = l.shape
		}
	}
	return f, want
}

// An exported folder holds the same values, or those that rounding gives, and all that a model folder has.
func TestExport(t *testing.T) {
	f, want := nanoModel(t)
	round := map[safetensors.DType]func(float32) float32{
		"":               func(x float32) float32 { return x },
		safetensors.F32:  func(x float32) float32 { return x },
		safetensors.F16:  func(x float32) float32 { return half.FromF16(half.ToF16(x)) },
		safetensors.BF16: func(x float32) float32 { return half.FromBF16(half.ToBF16(x)) },
	}
	for d, r := range round {
		parent := t.TempDir()
		dir := filepath.Join(parent, "out")
		last := map[Component]int64{}
		written, err := Export(t.Context(), f, dir, ExportOptions{DType: d, Parameters: want,
			Progress: func(c Component, done, total int64) {
				if done <= last[c] || done > total {
					t.Errorf("%s: progress %d of %d after %d", c, done, total, last[c])
				}
				last[c] = done
			}})
		if err != nil {
			t.Fatal(err)
		}
		if len(written) != 3 || written[0].Tensors != 682 || written[0].Bytes != last[UNet] {
			t.Errorf("%s: %+v", d, written)
		}
		g, err := OpenModel(dir, ModelOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for c, list := range want {
			if string(g.Parts[c].Config) != string(f.Parts[c].Config) || g.Parts[c].File.Metadata()["format"] != "pt" {
				t.Errorf("%s: %s: another configuration, or metadata %v", d, c, g.Parts[c].File.Metadata())
			}
			if bad := g.Parts[c].Store.Compare(list); bad != nil {
				t.Errorf("%s: %v", d, bad)
			}
			for name := range list {
				x, err := f.Parts[c].Store.Float32(name)
				y, err2 := g.Parts[c].Store.Float32(name)
				if err := errors.Join(err, err2); err != nil {
					t.Fatal(err)
				}
				for i := range x {
					if r(x[i]) != y[i] {
						t.Fatalf("%s: %s[%d] is %g, want %g", d, name, i, y[i], r(x[i]))
					}
				}
				if got, _, _ := g.Parts[c].Store.Info(name); d != "" && got != d {
					t.Fatalf("%s: %s is %s", d, name, got)
				}
			}
		}
		for _, name := range []string{schedulerFile, "tokenizer/vocab.json", "tokenizer/merges.txt", indexFile, "tokenizer/tokenizer_config.json",
			"tokenizer/special_tokens_map.json"} {
			if b, err := g.Read(name); err != nil || strings.HasSuffix(name, ".json") && !json.Valid(b) {
				t.Errorf("%s: %s: %v, %s", d, name, err, b)
			}
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
		if entries, err := os.ReadDir(parent); err != nil || len(entries) != 1 {
			t.Errorf("left beside the folder: %v, %v", entries, err)
		}
	}
}

func TestExportRejects(t *testing.T) {
	f, want := nanoModel(t)
	vae := filepath.Join(t.TempDir(), "vae.safetensors")
	damaged := func(change func(name string, x []float32)) *Folder {
		t.Helper()
		var list []safetensors.Named
		for _, l := range readListing(t)["vae"] {
			x := make([]float32, product(l.shape))
			change(l.name, x)
			list = append(list, safetensors.NamedF32(l.name, x, l.shape...))
		}
		if err := safetensors.Write(vae, list, nil); err != nil {
			t.Fatal(err)
		}
		g, err := OpenModel(vae, ModelOptions{Partial: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { g.Close() })
		return g
	}
	set := func(v float32) func(string, []float32) {
		return func(name string, x []float32) {
			if name == "decoder.conv_in.weight" {
				x[5] = v
			}
		}
	}
	without := map[Component]map[string][]int{VAE: {"decoder.conv_in.weight": {32, 4, 3, 3}}}
	full, foreign := t.TempDir(), t.TempDir()
	writeText(t, full, map[string]string{"unet/config.json": "{}"})
	writeText(t, foreign, map[string]string{"unet/config.json": "{}", "thesis.tex": "x"})
	file := filepath.Join(foreign, "thesis.tex")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	parent := t.TempDir()
	out := filepath.Join(parent, "out")
	for _, c := range []struct {
		name string
		ctx  context.Context
		f    *Folder
		dir  string
		o    ExportOptions
		want []string
	}{
		{"NaN", t.Context(), damaged(set(float32(math.NaN()))), out, ExportOptions{Parameters: want},
			[]string{"decoder.conv_in.weight", "1 NaN"}},
		{"beyond float16", t.Context(), damaged(set(-70000)), out, ExportOptions{Parameters: want, DType: safetensors.F16},
			[]string{"decoder.conv_in.weight", "1 values beyond float16's 65504", "70000"}},
		{"beyond bfloat16", t.Context(), damaged(set(3.4e38)), out, ExportOptions{Parameters: want, DType: safetensors.BF16},
			[]string{"decoder.conv_in.weight", "1 values beyond bfloat16's"}},
		{"no name", t.Context(), f, "", ExportOptions{Parameters: want}, []string{"no name"}},
		{"excess", t.Context(), f, out, ExportOptions{Parameters: without}, []string{"unexpected"}},
		{"type", t.Context(), f, out, ExportOptions{Parameters: want, DType: safetensors.I8}, []string{"I8"}},
		{"not empty", t.Context(), f, full, ExportOptions{Parameters: want}, []string{full, "not empty", "--force"}},
		{"not a model", t.Context(), f, foreign, ExportOptions{Parameters: want, Replace: true}, []string{foreign, "thesis.tex"}},
		{"a file", t.Context(), f, file, ExportOptions{Parameters: want, Replace: true}, []string{file}},
		{"no parent", t.Context(), f, filepath.Join(parent, "no", "out"), ExportOptions{Parameters: want}, []string{"out", "cannot write"}},
		{"interrupted", cancelled, f, out, ExportOptions{Parameters: want}, []string{"canceled"}},
	} {
		_, err := Export(c.ctx, c.f, c.dir, c.o)
		if c.name == "excess" { // a list, of which the first line says all
			if err == nil || !strings.Contains(err.Error(), c.want[0]) {
				t.Errorf("%s: %v", c.name, err)
			}
		} else {
			wantLine(t, c.name, err, c.want...)
			if err != nil && strings.Contains(err.Error(), ".part-") {
				t.Errorf("%s: names the temporary folder: %v", c.name, err)
			}
		}
		if entries, err := os.ReadDir(parent); err != nil || len(entries) != 0 {
			t.Errorf("%s: left behind: %v, %v", c.name, entries, err)
		}
	}
	// What is rounded to the largest number that a type holds is no overflow.
	for d, v := range map[safetensors.DType]float32{safetensors.F16: 65519, safetensors.BF16: 0x1.fefffep127} {
		if _, err := Export(t.Context(), damaged(set(v)), out, ExportOptions{Parameters: want, DType: d, Replace: true}); err != nil {
			t.Error(err)
		}
	}
	// A folder has neither a moving average nor a configuration from elsewhere.
	for _, o := range []ModelOptions{{EMA: true}, {Config: out}} {
		if _, err := OpenModel(out, o); err == nil || !strings.Contains(err.Error(), out+": a folder") {
			t.Errorf("%+v of a folder: error %v", o, err)
		}
	}
	// A link stays, and what it points to is replaced.
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(out, link); err != nil {
		t.Fatal(err)
	}
	if _, err := Export(t.Context(), f, link, ExportOptions{Parameters: want, Replace: true}); err != nil || !isLink(link) {
		t.Errorf("the link was replaced: %v", err)
	}
	// Replacing leaves the new folder and nothing else.
	if _, err := Export(t.Context(), f, out, ExportOptions{Parameters: want, Replace: true}); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(parent); err != nil || len(entries) != 1 {
		t.Errorf("after replacing: %v, %v", entries, err)
	}
	g, err := OpenModel(out, ModelOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}

// Generated folders hold the generator's values under the names that the reference values were made with.
func TestExportSynth(t *testing.T) {
	files := readListing(t)
	for _, size := range Sizes() {
		if size.Name != "nano" {
			continue
		}
		configs, want := map[Component][]byte{}, map[Component]map[string][]int{}
		for _, c := range Components() {
			b, err := size.Config(c)
			if err != nil {
				t.Fatal(err)
			}
			configs[c], want[c] = b, map[string][]int{}
			for _, l := range files[string(c)] {
				want[c][l.name] = l.shape
			}
		}
		for d, exact := range map[safetensors.DType]bool{"": true, safetensors.F16: true, safetensors.BF16: false} {
			dir := filepath.Join(t.TempDir(), "out")
			made := synth.Weights{Component: size.Prefix, Seed: nanoSeed, Half: size.Half}
			if _, err := ExportSynth(t.Context(), made, configs, ModelOptions{}, dir,
				ExportOptions{DType: d, Parameters: want}); err != nil {
				t.Fatal(err)
			}
			f, err := OpenModel(dir, ModelOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for c := range want {
				for _, l := range files[string(c)] {
					x, err := f.Parts[c].Store.Float32(l.name, l.shape...)
					if err != nil {
						t.Fatal(err)
					}
					if exact && sha256F32(x)[:16] != l.sha {
						t.Errorf("%s %s as %q: other values than the reference", c, l.name, d)
					}
				}
				if got, _ := InferConfig(f.Parts[c].Store, c); c != TextEncoder && !sameKeys(got, configs[c], "sample_size") {
					t.Errorf("%s: inferred %s, made for %s", c, got, configs[c])
				}
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// sameKeys compares two JSON objects without some keys.
func sameKeys(a, b []byte, but ...string) bool {
	var x, y map[string]json.RawMessage
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	for key := range x {
		if string(x[key]) != string(y[key]) && !slices.Contains(but, key) {
			return false
		}
	}
	return len(x) == len(y)
}

// Tensors are read in parts: what a part holds does not depend on where it begins.
func TestScanLargeTensor(t *testing.T) {
	n := 2*scanPart + 77
	x := synth.Input("large", 1, 1, n)
	x[scanPart], x[n-1] = float32(math.Inf(1)), float32(math.NaN())
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := safetensors.Write(path, []safetensors.Named{safetensors.NamedF32("x", x, n), safetensors.NamedF16("half", x, n),
		safetensors.NamedF32("none", nil, 0)}, nil); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	for _, name := range []string{"x", "half"} {
		var got []float32
		if err := s.scan(name, func(part []float32, raw []byte) error {
			got = append(got, part...)
			if dtype, _, _ := s.Info(name); len(raw) != len(part)*dtype.Size() {
				t.Errorf("%s: %d bytes for %d elements", name, len(raw), len(part))
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		want, err := s.Float32(name)
		if err != nil {
			t.Fatal(err)
		}
		if sha256F32(got) != sha256F32(want) {
			t.Errorf("%s: other values", name)
		}
		if bad, err := s.CountNonFinite(name); err != nil || bad != (NonFinite{name, 1, 1}) {
			t.Errorf("%s: %+v, %v", name, bad, err)
		}
	}
	if bad, err := s.CountNonFinite("none"); err != nil || bad.NaN+bad.Inf != 0 {
		t.Errorf("empty: %+v, %v", bad, err)
	}
	if _, err := s.CountNonFinite("absent"); err == nil {
		t.Error("a tensor that is not there")
	}
}
