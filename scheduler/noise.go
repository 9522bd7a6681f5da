package scheduler

import (
	"math"
	"math/rand/v2"
)

// NoiseSource draws standard normal values: PCG-DXSM with a 128-bit state, and the Box–Muller
// transform on pairs of 53-bit uniforms. The same seed gives the same values on every machine with the
// same math.Log, Sqrt and Sincos; they are not those of torch.
type NoiseSource struct {
	pcg   *rand.PCG
	spare float64
	has   bool
}

// NewNoise returns the source of a seed.
func NewNoise(seed uint64) *NoiseSource {
	// The second word only has to be fixed; it is the fractional part of the golden ratio.
	return &NoiseSource{pcg: rand.NewPCG(seed, 0x9E3779B97F4A7C15)}
}

// Fill writes len(x) values.
func (s *NoiseSource) Fill(x []float32) {
	for i := range x {
		x[i] = float32(s.next())
	}
}

func (s *NoiseSource) next() float64 {
	if s.has {
		s.has = false
		return s.spare
	}
	u := (float64(s.pcg.Uint64()>>11) + 1) * 0x1p-53 // (0, 1]: its logarithm is finite
	v := float64(s.pcg.Uint64()>>11) * 0x1p-53
	r := math.Sqrt(-2 * math.Log(u))
	sin, cos := math.Sincos(2 * math.Pi * v)
	s.spare, s.has = r*sin, true
	return r * cos
}

// Noise returns the first n values of a seed.
func Noise(seed uint64, n int) []float32 {
	x := make([]float32, n)
	NewNoise(seed).Fill(x)
	return x
}
