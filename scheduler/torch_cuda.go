package scheduler

import "math"

// TorchCUDA is torch.Generator("cuda") to a few 1e-6: with the same seed and the same calls it gives the
// values that torch gives on an NVIDIA GPU, up to the rounding of the GPU's own logarithm, sine and cosine.
// A float16 tensor gets the same values, rounded. A seed of work that drew its noise on a GPU, as the original
// code of Stable Diffusion did, is one for it.
//
// Each GPU thread has a stream of its own, Philox4x32-10 (Salmon et al. 2011) with the thread's number as
// subsequence, and draws four values at a time. A tensor of no more values than the GPU runs threads at once gets
// the first of each four, so the GPU does not matter; a larger one gets more of them, and it does.
//
// Source: ATen/native/cuda/DistributionTemplates.h of torch 2.15 and cuRAND's documentation; compared with
// published values of four decimals.
type TorchCUDA struct {
	seed    uint64
	calls   uint64 // groups of four drawn by each thread so far
	threads int
}

// NewTorchCUDA returns the generator that torch.manual_seed(seed) leaves on a GPU; all 64 bits of the seed
// count. threads is how many threads the GPU runs at once, its multiprocessors times the threads of each
// rounded down to a multiple of 256: 40960 for a T4, 163840 for a V100, 221184 for an A100. Zero means no
// limit, which is right for tensors of up to that many values: ten latents of 4×64×64 on any of these but the T4,
// two there.
func NewTorchCUDA(seed uint64, threads int) *TorchCUDA {
	return &TorchCUDA{seed: seed, threads: max(threads, 0)}
}

// Randn fills x as one torch.randn(len(x), device="cuda") does.
func (t *TorchCUDA) Randn(x []float32) {
	const block = 256 // threads are launched in blocks
	if len(x) == 0 {
		return
	}
	threads := (len(x) + block - 1) / block * block
	if t.threads > 0 {
		threads = min(threads, t.threads)
	}
	for thread := range min(threads, len(x)) {
		call := t.calls
		for i := thread; i < len(x); call++ {
			words := philox(call, uint64(thread), t.seed)
			for pair := 0; pair < 4 && i < len(x); pair += 2 {
				sin, cos := boxMuller(words[pair], words[pair+1])
				x[i] = sin
				if i += threads; i < len(x) {
					x[i] = cos
				}
				i += threads
			}
		}
	}
	t.calls += uint64((len(x)-1)/(4*threads) + 1)
}

// philox is Philox4x32-10: ten rounds on the counter (call, thread) under a key.
func philox(call, thread, key uint64) [4]uint32 {
	c := [4]uint32{uint32(call), uint32(call >> 32), uint32(thread), uint32(thread >> 32)}
	k0, k1 := uint32(key), uint32(key>>32)
	for range 10 {
		p, q := uint64(c[0])*0xD2511F53, uint64(c[2])*0xCD9E8D57
		c = [4]uint32{uint32(q>>32) ^ c[1] ^ k0, uint32(q), uint32(p>>32) ^ c[3] ^ k1, uint32(p)}
		k0 += 0x9E3779B9 // fractional parts of the golden ratio and of √3
		k1 += 0xBB67AE85
	}
	return c
}

// boxMuller makes two normal values of two words, the sine's first.
func boxMuller(a, b uint32) (sin, cos float32) {
	u := float32(a)*0x1p-32 + 0x1p-33 // above 0: its logarithm is finite
	s, c := math.Sincos((float64(b) + 0.5) * (0x1p-32 * 2 * math.Pi))
	radius := math.Sqrt(-2 * math.Log(float64(u)))
	return float32(radius * s), float32(radius * c)
}
