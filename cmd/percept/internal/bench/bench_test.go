package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tiny are networks of the same make that take milliseconds.
func tiny() *Models {
	m := NewModels(Options{Runs: 2, Progress: func(what string) (func(done, total int), func()) {
		return func(done, total int) {
			if done < 0 || done > total {
				panic(what)
			}
		}, func() {}
	}})
	m.UNet.BlockOutChannels = []int{32, 32, 64, 64}
	m.UNet.CrossAttentionDim = 48
	m.VAE.BlockOutChannels = []int{32, 32, 32, 32}
	m.Text.VocabSize, m.Text.HiddenSize, m.Text.IntermediateSize, m.Text.Layers, m.Text.Heads = 1000, 48, 192, 2, 4
	m.Latents, m.Picture, m.Texts = "1x4x16x16,2x4x8x16", 32, []int{3}
	return m
}

func tinyCases(t *testing.T) []Case {
	t.Helper()
	cases, err := tiny().Cases()
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

func TestModels(t *testing.T) {
	report := NewReport()
	for _, c := range tinyCases(t) {
		r, err := Time(t.Context(), c, Options{Runs: 2})
		if err != nil {
			t.Fatal(err)
		}
		if !r.Model || len(r.Times) != 2 || !(r.Median >= r.Min && r.Min > 0) || r.FLOP < 1e6 || r.Bytes != 0 {
			t.Errorf("%+v", r)
		}
		report.Results = append(report.Results, r)
	}
	var out bytes.Buffer
	if err := report.Print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"unet-1x4x16x16", "unet-2x4x8x16", "vae-encode-1x3x32x32", "vae-decode-1x4x4x4", "text-3x77"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in the table\n%s", want, &out)
		}
	}
}

// Twice the batch is twice the work, but for the time embedding's layers.
func TestWorkOfBatch(t *testing.T) {
	m := tiny()
	m.Latents = "1x4x16x16,2x4x16x16"
	cases, err := m.Cases()
	if err != nil {
		t.Fatal(err)
	}
	var flop []int64
	for _, c := range cases[:2] {
		r, err := Time(t.Context(), c, Options{Runs: 1})
		if err != nil {
			t.Fatal(err)
		}
		flop = append(flop, r.FLOP)
	}
	if flop[1] != 2*flop[0] {
		t.Errorf("%d operations for one latent, %d for two", flop[0], flop[1])
	}
}

func TestLayers(t *testing.T) {
	c := tinyCases(t)[0]
	r, err := Time(t.Context(), c, Options{Runs: 1})
	if err != nil {
		t.Fatal(err)
	}
	p, err := Layers(t.Context(), c, Options{Runs: 2})
	if err != nil {
		t.Fatal(err)
	}
	var flop int64
	for _, n := range p.Nodes {
		flop += n.FLOP
		if n.Median < 0 || n.Name == "" {
			t.Errorf("%+v", n)
		}
	}
	if flop != r.FLOP {
		t.Errorf("the nodes make %d operations, the whole %d", flop, r.FLOP)
	}
	var kinds []string
	sum, count := 0.0, 0
	for _, g := range p.Groups(false) {
		kinds = append(kinds, g.Kind)
		sum += g.Time
		count += g.Count
	}
	if math.Abs(sum-p.Total) > 1e-9 || count != len(p.Nodes) {
		t.Errorf("groups of %d nodes take %g, the whole of %d %g", count, sum, len(p.Nodes), p.Total)
	}
	for _, want := range []string{"Conv2d 3×3", "Conv2d 3×3 /2", "Attention to itself", "Attention to 77"} {
		if !slices.ContainsFunc(kinds, func(k string) bool { return strings.HasPrefix(k, want) }) {
			t.Errorf("no %s among %q", want, kinds)
		}
	}
	if s := p.Slowest(3); len(s) != 3 || s[0].Median < s[2].Median {
		t.Errorf("slowest are %+v", s)
	}
	report := &Report{Peak: 1e9, Layers: []Profile{p}}
	var out bytes.Buffer
	if err := report.Print(&out); err != nil || !strings.Contains(out.String(), "Conv2d 3×3") {
		t.Errorf("%v\n%s", err, &out)
	}
	file := filepath.Join(t.TempDir(), "r.json")
	if err := report.WriteFile(file); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(b, &back); err != nil || len(back.Layers) != 1 || len(back.Layers[0].Nodes) != len(p.Nodes) {
		t.Errorf("%v, %s", err, b)
	}
}

func TestKernelsRun(t *testing.T) {
	cases, err := Choose(Kernels(), "layernorm-*,probs-*,groupnorm-silu-*,attention-cross-256*,conv3x3-*8x8,product-64x*")
	if err != nil || len(cases) != 6 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	want := map[string][2]int64{ // operations, bytes
		"layernorm-4096x320":        {0, 4 * 2 * 4096 * 320},
		"probs-256x8x160":           {2 * 256 * 256 * 1280, 4 * (2*256*1280 + 8*256*256)},
		"groupnorm-silu-320x64x64":  {0, 4 * 2 * 4096 * 320},
		"attention-cross-256x8x160": {2 * 2 * 256 * 77 * 1280, 0},
		"conv3x3-1280x8x8":          {2 * 9 * 64 * 1280 * 1280, 0},
		"product-64x1280x11520":     {2 * 64 * 1280 * 11520, 0},
	}
	for _, c := range cases {
		r, err := Time(t.Context(), c, Options{Runs: 1})
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]int64{r.FLOP, r.Bytes}; got != want[c.Name] {
			t.Errorf("%s: operations and bytes %v, want %v", c.Name, got, want[c.Name])
		}
	}
}

func TestChooseErrors(t *testing.T) {
	for _, p := range []string{"none", "add-*,none", "[", "add-*,"} {
		if _, err := Choose(Kernels(), p); err == nil {
			t.Errorf("%q: no error", p)
		}
	}
}

func TestInterruptedWhileWeightsAreMade(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Time(ctx, tinyCases(t)[0], Options{}); err == nil || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("error %v", err)
	}
}

func TestServe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "y.f32")
	in := "run\nload nothing\nload text-3x77\nrun\nrun 2\nrun 0\nsave " + file + "\nmemory\nwhat\n\nquit\nrun"
	var out bytes.Buffer
	if err := Serve(t.Context(), tinyCases(t), strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	want := []string{"error", "error", "ok ", "ms ", "ms ", "error", "ok 3x77x48", "mib ", "error", "error"}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != len(want) {
		t.Fatalf("answers %q", lines)
	}
	for i, w := range want {
		if !strings.HasPrefix(lines[i], w) {
			t.Errorf("answer %d is %q, want %q …", i, lines[i], w)
		}
	}
	b, err := os.ReadFile(file)
	if err != nil || len(b) != 4*3*77*48 {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	for i := range len(b) / 4 {
		if v := math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:])); !(math.Abs(float64(v)) < 100) {
			t.Fatalf("value %d is %g", i, v)
		}
	}
}
