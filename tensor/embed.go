package tensor

import (
	"fmt"
	"math"
)

// TimestepEmbedding fills y [n, dim] with the sinusoids of the timesteps t [n]: dim/2 cosines, then dim/2 sines, of
// t·exp(-ln 10000·i/(dim/2)). Frequency and argument are rounded to float32, as in the published code (ldm
// timestep_embedding; diffusers get_timestep_embedding with flip_sin_to_cos and no shift). An odd dim ends in a zero.
//
// Rounding matters here: at t near 1000 the last bit of a frequency is 5e-5 in a sine. Torch's exponential is within
// 0.51 units of the last place, not 0.5, and takes the upper neighbour for two of Stable Diffusion's 160 frequencies
// that lie 0.004 units below the middle of two floats. roundUp moves those, and none that is farther off.
func TimestepEmbedding(y, t []float32, n, dim int) {
	need("TimestepEmbedding", "y", len(y), n*dim)
	need("TimestepEmbedding", "t", len(t), n)
	const roundUp = 1 + 1.0/(1<<31)
	half := dim / 2
	for i := range half {
		exponent := float32(float32(-math.Log(10000))*float32(i)) / float32(half)
		freq := float32(math.Exp(float64(exponent)) * roundUp)
		for r, v := range t {
			sin, cos := math.Sincos(float64(v * freq))
			y[r*dim+i], y[r*dim+half+i] = float32(cos), float32(sin)
		}
	}
	if dim%2 == 1 {
		for r := range n {
			y[(r+1)*dim-1] = 0
		}
	}
}

// Embedding fills y [len(ids), dim] with the rows of table that ids name.
func Embedding(y, table []float32, ids []int32, dim int) {
	need("Embedding", "y", len(y), len(ids)*dim)
	rows := len(table) / dim
	for i, id := range ids {
		if id < 0 || int(id) >= rows {
			panic(fmt.Sprintf("tensor: Embedding: id %d, expected 0 … %d", id, rows-1))
		}
		copy(y[i*dim:(i+1)*dim], table[int(id)*dim:])
	}
}
