package unet

import (
	"fmt"
	"math"
	"testing"

	"percept/internal/golden"
	"percept/tensor"
	"percept/weights/packed"
	"percept/weights/synth"
)

// A U-Net predicts the same bits from weights on the Go heap, packed for a cache file, and found in one; in every element
// type, with every kernel set, and with any number of threads.
func TestSameBitsFromCacheAndFresh(t *testing.T) {
	c := SD14()
	c.BlockOutChannels, c.CrossAttentionDim = []int{32, 64, 96, 128}, 48
	const n, h, w, tokens = 2, 8, 16, 9
	latent := synth.Input("latent", golden.Seed, 1.7, n*4*h*w)
	text := synth.Input("context", golden.Seed, 1.7, n*tokens*c.CrossAttentionDim)
	src := synth.New("unet", golden.Seed)
	eps := func(t *testing.T, m *Model, err error) []float32 {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		out := make([]float32, len(latent))
		if err := m.Predict(t.Context(), out, latent, []float32{981, 21}, text, n, h, w); err != nil {
			t.Fatal(err)
		}
		return out
	}
	far := func(a, b []float32) float64 {
		worst := 0.0
		for i := range a {
			worst = max(worst, math.Abs(float64(a[i]-b[i])))
		}
		return worst
	}
	for _, set := range tensor.KernelSets() {
		restore, err := tensor.UseKernels(set)
		if err != nil {
			t.Fatal(err)
		}
		m, err := New(c, src)
		plain := eps(t, m, err)
		for dtype, tol := range map[string]float64{"float32": 0, "float16": 0.01, "bfloat16": 0.1} {
			for _, low := range []bool{false, true} {
				o := packed.Options{Name: "unet", Variant: set, DType: dtype, Low: low, Dir: t.TempDir(), Min: 1}
				var first []float32
				for pass := range 2 {
					p := packed.New(src, o)
					m, err := New(c, p)
					got := eps(t, m, err)
					p.Keep()
					if err := p.Wait(); err != nil {
						t.Fatal(err)
					}
					if p.Cached() != (pass == 1) {
						t.Fatalf("%s, %s: pass %d, cached %t", set, dtype, pass, p.Cached())
					}
					if first == nil {
						first = got
					}
					sameEps(t, fmt.Sprintf("%s, %s, low %t, pass %d", set, dtype, low, pass), got, first)
					threads := tensor.SetThreads(5)
					sameEps(t, "5 threads", eps(t, m, nil), first)
					threads()
				}
				if d := far(first, plain); !(d <= tol) && !low {
					t.Errorf("%s, %s: off by %g, allowed %g", set, dtype, d, tol)
				}
			}
		}
		restore()
	}
}

func sameEps(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i, v := range want {
		if math.Float32bits(got[i]) != math.Float32bits(v) {
			t.Fatalf("%s: eps[%d] = %v, want the bits of %v", what, i, got[i], v)
		}
	}
}
