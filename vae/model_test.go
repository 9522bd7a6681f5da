package vae

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"percept/internal/golden"
	"percept/weights/synth"
)

func TestEncodeRejects(t *testing.T) {
	m := nanoModel(t)
	for _, test := range []struct {
		name           string
		moments, image int // lengths
		n, h, w        int
		want           string
	}{
		{"height", 8 * 8, 3 * 60 * 64, 1, 60, 64, "60×64 (height × width), expected positive multiples of 8"},
		{"width", 8 * 8, 3 * 64 * 4, 1, 64, 4, "64×4 (height × width), expected positive multiples of 8"},
		{"batch", 8, 3 * 64, 0, 8, 8, "batch of 0"},
		{"image", 8, 3*64 - 1, 1, 8, 8, "image"},
		{"room", 7, 3 * 64, 1, 8, 8, "room for 7 values of moments, expected 8"},
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
	if _, err := New(Config{}, synth.New("vae", golden.Seed)); err == nil || !strings.Contains(err.Error(), "block_out_channels") {
		t.Errorf("error %v for an empty configuration", err)
	}
}

// Images of a batch do not see one another, whatever the shape.
func TestBatch(t *testing.T) {
	m := nanoModel(t)
	const n, h, w = 3, 16, 24
	image := synth.Input("image", golden.Seed, 1, n*3*h*w)
	all := make([]float32, n*8*2*3)
	if err := m.Encode(t.Context(), all, image, n, h, w); err != nil {
		t.Fatal(err)
	}
	one := make([]float32, 8*2*3)
	if err := m.Encode(t.Context(), one, image[2*3*h*w:], 1, h, w); err != nil {
		t.Fatal(err)
	}
	golden.Near(t, "moments of one image alone", all[2*len(one):], one, golden.Error{RMS: 10})
	back := make([]float32, n*3*h*w)
	latent := synth.Input("latent", golden.Seed, 1, n*4*2*3)
	if err := m.Decode(t.Context(), back, latent, n, 2, 3); err != nil {
		t.Fatal(err)
	}
	if err := m.Decode(t.Context(), image[:3*h*w], latent[4*2*3:2*4*2*3], 1, 2, 3); err != nil {
		t.Fatal(err)
	}
	golden.Near(t, "image of one latent alone", back[3*h*w:2*3*h*w], image[:3*h*w], golden.Error{RMS: 10})
}

// Both halves may be asked for at the same time, also for different shapes, and stopped.
func TestConcurrent(t *testing.T) {
	m := nanoModel(t)
	decode := func(ctx context.Context, h int) ([]float32, error) {
		y := make([]float32, 3*8*h*8)
		return y, m.Decode(ctx, y, synth.Input("latent", golden.Seed, 1, 4*h), 1, h, 1)
	}
	want, err := decode(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			switch i % 4 {
			case 0:
				if got, err := decode(t.Context(), 2); err != nil || !slices.Equal(got, want) {
					t.Errorf("another result than alone, or error %v", err)
				}
			case 1:
				if _, err := decode(t.Context(), 2+i); err != nil {
					t.Error(err)
				}
			case 2:
				if err := m.Encode(t.Context(), make([]float32, 8), make([]float32, 3*64), 1, 8, 8); err != nil {
					t.Error(err)
				}
			case 3:
				if _, err := decode(stopped, 2); !errors.Is(err, context.Canceled) {
					t.Errorf("error %v, want context.Canceled", err)
				}
			}
		})
	}
	wg.Wait()
}
