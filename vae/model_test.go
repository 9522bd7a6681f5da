package vae

import (
	"strings"
	"testing"

	"percept/internal/golden"
	"percept/weights"
)

func TestEncodeRejects(t *testing.T) {
	m := nanoModel(t)
	for _, test := range []struct {
		name           string
		moments, image int // lengths
		n, h, w        int
		want           string
	}{
		{"height", 8 * 8, 3 * 60 * 64, 1, 60, 64, "60×64 (height × width), both must be positive multiples of 8"},
		{"width", 8 * 8, 3 * 64 * 4, 1, 64, 4, "64×4 (height × width), both must be positive multiples of 8"},
		{"batch", 8, 3 * 64, 0, 8, 8, "batch of 0"},
		{"image", 8, 3*64 - 1, 1, 8, 8, "image"},
		{"room", 7, 3 * 64, 1, 8, 8, "room for 7 values of moments, must be 8"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := m.Encode(t.Context(), make([]float32, test.moments), make([]float32, test.image), test.n, test.h, test.w)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

func TestDecodeRejects(t *testing.T) {
	m := nanoModel(t)
	err := m.Decode(t.Context(), nil, nil, 1, 0, 1)
	if want := "1 latents of 0×1"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
	err = m.Decode(t.Context(), make([]float32, 3*64), make([]float32, 5), 1, 1, 1)
	if want := "latent"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}

func TestNewRejects(t *testing.T) {
	if _, err := New(Config{}, weights.NewSynth("vae", golden.Seed)); err == nil || !strings.Contains(err.Error(), "block_out_channels") {
		t.Errorf("error %v for an empty configuration", err)
	}
}
