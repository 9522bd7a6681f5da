// Package synth makes the parameters of a model from their names alone, so that a model of any size can be tested against
// reference values without a checkpoint.
//
//	component, name, seed ──► hash ──► uniform numbers ──┐
//	name, shape ──► Rule ──► scale, centre at 0 or 1 ────┴──► Weights.Float32 ──► unet.New, vae.New, clip.NewText
//
// The numbers are those of a counter-based generator with variances that keep activations near 1; they do not depend on the
// order of the calls. A reference library makes the same ones: they are checked against numpy's, bit for bit.
package synth

import (
	"fmt"
	"math"
	"strings"

	"percept/internal/half"
	"percept/internal/parts"
	"percept/weights/safetensors"
)

// Weights are the parameters of one component. Their names are those of diffusers, transformers and torchvision.
type Weights struct {
	Component string // "unet", "vae", "text_encoder", …: part of every hashed name
	Seed      uint64 // of the whole set
	Half      bool   // round every value to float16, so that float16 files hold the same values
}

// New returns the generator of one component.
func New(component string, seed uint64) *Weights {
	return &Weights{Component: component, Seed: seed}
}

// Float32 returns the parameter of that name and shape.
func (s *Weights) Float32(name string, shape ...int) ([]float32, error) {
	return s.Lend(name, shape, func(n int) []float32 { return make([]float32, n) })
}

// Lend is Float32 in memory from room.
func (s *Weights) Lend(name string, shape []int, room func(n int) []float32) ([]float32, error) {
	n, err := safetensors.Elements(shape)
	if err != nil {
		return nil, fmt.Errorf("weights: %s.%s: %w", s.Component, name, err)
	}
	full := s.Component + "." + name
	norm, scale := Rule(full, shape)
	x := room(n)
	parts.Each(n, func(lo, hi int) {
		part := x[lo:hi]
		fillUniform(part, full, s.Seed, scale, lo)
		if norm {
			for i, v := range part {
				part[i] = float32(1 + v)
			}
		}
		if s.Half {
			for i, v := range part {
				part[i] = half.FromF16(half.ToF16(v))
			}
		}
	})
	return x, nil
}

// Have returns nil for every shape that can be made.
func (s *Weights) Have(name string, shape ...int) error {
	if _, err := safetensors.Elements(shape); err != nil {
		return fmt.Errorf("weights: %s.%s: %w", s.Component, name, err)
	}
	return nil
}

// Identity names the whole set; see packed.Source.
func (s *Weights) Identity() string {
	return fmt.Sprintf("synth %s seed %#x half %v", s.Component, s.Seed, s.Half)
}

// Input returns n values uniform in [-scale, scale) for a model input; name is hashed as "input."
// plus name. A scale of sqrt(3) gives variance 1.
func Input(name string, seed uint64, scale float32, n int) []float32 {
	x := make([]float32, n)
	fillUniform(x, "input."+name, seed, scale, 0)
	return x
}

// Rule returns the scale of a parameter's values and whether they are centred at 1 (the scales of
// norm layers) instead of 0. name includes the component. The first rule that fits counts.
func Rule(name string, shape []int) (norm bool, scale float32) {
	switch {
	case hasSuffix(name, "token_embedding.weight", "position_embedding.weight", "class_embedding"):
		return false, 0.05
	case hasSuffix(name, "running_var"):
		return true, 0.1
	case hasSuffix(name, ".bias", "running_mean"):
		return false, 0.02
	case len(shape) >= 2:
		fanIn := 1
		for _, d := range shape[1:] {
			fanIn *= d
		}
		gain := 1.0
		if hasSuffix(name, "to_q.weight", "to_k.weight", "q_proj.weight", "k_proj.weight") {
			gain = 1.5 // makes attention maps that are far from uniform
		}
		if strings.HasPrefix(name, "alexnet.") || strings.HasPrefix(name, "inception_v3.") {
			gain *= math.Sqrt2 // half of each ReLU's input is lost
		}
		return false, float32(gain * math.Sqrt(3/float64(fanIn)))
	case hasSuffix(name, ".weight"):
		return true, 0.1
	}
	return false, 0.02
}

func hasSuffix(s string, suffixes ...string) bool {
	for _, x := range suffixes {
		if strings.HasSuffix(s, x) {
			return true
		}
	}
	return false
}

// fillUniform fills x, elements from at on of a tensor, with scale·u, u uniform in [-1, 1) with 24 bits: a SplitMix64 counter
// keyed by the FNV-1a hash of the name.
func fillUniform(x []float32, name string, seed uint64, scale float32, at int) {
	key := uint64(0xCBF29CE484222325)
	for i := 0; i < len(name); i++ {
		key = (key ^ uint64(name[i])) * 0x100000001B3
	}
	key ^= seed
	for i := range x {
		z := key + uint64(at+i) + 0x9E3779B97F4A7C15
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		z ^= z >> 31
		u := float32(z>>40)*0x1p-23 - 1
		x[i] = float32(u * scale) // the conversion forbids a fused multiply-add with what follows
	}
}
