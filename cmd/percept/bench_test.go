package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBenchList(t *testing.T) {
	code, stdout, stderr := command(t, "bench", "--list", "--unet", "3x4x8x16")
	if code != 0 {
		t.Fatalf("exit status %d: %s", code, stderr)
	}
	for _, want := range []string{"unet-3x4x8x16\n", "vae-decode-1x4x64x64\n", "text-32x77\n", "product-64x1280x11520\n",
		"attention-cross-4096x8x40\n"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in %q", want, stdout)
		}
	}
	if _, stdout, _ = command(t, "bench", "models", "--list"); strings.Contains(stdout, "product") {
		t.Errorf("models lists %q", stdout)
	}
}

func TestBenchKernels(t *testing.T) {
	file := filepath.Join(t.TempDir(), "figures.json")
	code, stdout, stderr := command(t, "bench", "kernels", "--only", "layernorm-*,product-64x*", "--runs", "2", "--json", file,
		"--threads", "1")
	if code != 0 {
		t.Fatalf("exit status %d: %s", code, stderr)
	}
	for _, want := range []string{"threads 1", "GFLOP/s", "of peak", "GB/s", "layernorm-4096x320", "product-64x1280x11520"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in %q", want, stdout)
		}
	}
	if !strings.Contains(stderr, "layernorm-4096x320") {
		t.Errorf("no progress in %q", stderr)
	}
	var r struct {
		Threads int     `json:"threads"`
		Peak    float64 `json:"peak_flops"`
		Results []struct {
			Name   string    `json:"name"`
			Median float64   `json:"median_s"`
			Times  []float64 `json:"times_s"`
			FLOP   int64     `json:"flop"`
			Bytes  int64     `json:"bytes"`
		} `json:"results"`
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	if r.Threads != 1 || !(r.Peak > 0) || len(r.Results) != 2 {
		t.Fatalf("figures are %s", b)
	}
	product, norm := r.Results[0], r.Results[1]
	if product.FLOP != 2*64*1280*11520 || product.Bytes != 0 || norm.FLOP != 0 || norm.Bytes != 2*4*4096*320 {
		t.Errorf("work of product and norm: %+v, %+v", product, norm)
	}
	if len(norm.Times) != 2 || !(norm.Median > 0) {
		t.Errorf("times: %+v", norm)
	}
}

func TestBenchAlgebra(t *testing.T) {
	code, stdout, stderr := command(t, "bench", "algebra", "--size", "0.01", "--only", "gram-*,solve-held-float64", "--runs", "1")
	if code != 0 {
		t.Fatalf("exit status %d: %s", code, stderr)
	}
	for _, want := range []string{"gram-float32", "gram-float64", "solve-held-float64", "GFLOP/s"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in %q", want, stdout)
		}
	}
	for want, args := range map[string][]string{
		"--only lu: fits none of gram-float32": {"--only", "lu"},
		"--size 0: expected a number":          {"--size", "0"},
	} {
		code, _, stderr := command(t, append([]string{"bench", "algebra"}, args...)...)
		if code != 2 || !strings.Contains(stderr, want) {
			t.Errorf("%q: exit status %d, %q", args, code, stderr)
		}
	}
}
