package vae

import (
	"math"
	"slices"
	"strings"
	"testing"

	"percept/internal/golden"
)

func TestMoments(t *testing.T) {
	// Two images of one latent value: [mean, log-variance] each.
	mean, logVar, err := Moments([]float32{1, -31, 2, 21}, 2)
	if err != nil {
		t.Fatal(err)
	}
	if want := []float32{1, 2}; !slices.Equal(mean, want) {
		t.Errorf("mean %v, want %v", mean, want)
	}
	if want := []float32{-30, 20}; !slices.Equal(logVar, want) {
		t.Errorf("log-variance %v, want %v: clamped", logVar, want)
	}
	if _, _, err := Moments(make([]float32, 6), 2); err == nil || !strings.Contains(err.Error(), "6 moments") {
		t.Errorf("six moments of two images: error %v", err)
	}
}

// The whole way from moments to a scaled sample, with the moments of the reference run.
func TestSample(t *testing.T) {
	ref := golden.Open(t, "testdata/vae_io.safetensors")
	mean, logVar, err := Moments(ref.Float32("encode.moments"), 1)
	if err != nil {
		t.Fatal(err)
	}
	z := make([]float32, len(mean))
	if err := Sample(z, mean, logVar, ref.Float32("encode.noise"), SD14().ScalingFactor); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		got  []float32
	}{
		{"encode.mean", mean},
		{"encode.logvar_clamped", logVar},
		{"encode.std", Std(logVar)},
		{"encode.sample_scaled", z},
	} {
		golden.Near(t, c.name, c.got, ref.Float32(c.name), golden.Error{RMS: rms(c.got)})
	}
	if err := Sample(z, mean, logVar, nil, 2); err != nil || z[3] != 2*mean[3] {
		t.Errorf("without noise: %g, %v, want twice the mean %g", z[3], err, mean[3])
	}
	if err := Sample(z, mean, logVar[1:], nil, 1); err == nil {
		t.Error("no error for too few log-variances")
	}
}

func rms(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(len(x)))
}
