package scheduler

import "math"

// Torch is torch.Generator("cpu"): with the same seed and the same calls it gives the values that torch gives,
// bit for bit, so a seed of published work means here what it means there.
//
// torch draws normal values in two ways, by the size of the tensor. Fewer than 16 come one at a time,
// computed in float64, and the second of each pair waits for the next such call; 16 or more come in blocks
// of 16 from a vectorised Box–Muller transform in float32. So the first 10 of torch.randn(20) are not
// torch.randn(10), and one Randn has to be made for each torch.randn, with the tensor's whole size.
//
// Randn follows what torch does on x86 processors with AVX2 (AVX-512 has no code of its own there), which is
// nearly every torch; RandnScalar is its plain form, for machines without. They differ in the last bits of
// 38 % of the values. Both are float32: torch draws float16, as in a half-precision pipeline, in
// another way. Values drawn on a GPU come from another generator altogether: TorchCUDA.
//
// Source: ATen/native/cpu/DistributionTemplates.h and ATen/core/DistributionsHelper.h of torch 2.15, and the
// machine code of the Linux packages of torch 1.13 and 2.15, which fuse the same multiplications and sums.
type Torch struct {
	words mt19937
	spare float64 // second value of the pair drawn last by a call for fewer than 16
	has   bool
}

// NewTorch returns the generator that torch.manual_seed(seed) leaves. Only the low 32 bits of the seed count.
// Python's negative seeds are those of their two's complement: -1 is math.MaxUint64.
func NewTorch(seed uint64) *Torch {
	return &Torch{words: newMT19937(seed)}
}

// Randn fills x as one torch.randn(len(x)) does.
func (t *Torch) Randn(x []float32) { t.randn(x, normalVector) }

// RandnScalar fills x as one torch.randn(len(x)) does on Linux where torch has no vector code for it: on a
// processor without AVX2, on 64-bit ARM, or with ATEN_CPU_CAPABILITY=default. There torch calls the C library's
// logf, sinf and cosf. The bits are those of glibc from 2.28 on; another library, like that of macOS, may
// differ from it in the last bit of some values.
func (t *Torch) RandnScalar(x []float32) { t.randn(x, normalScalar) }

// randn draws; block turns 16 uniform values in [0, 1) into normal ones.
func (t *Torch) randn(x []float32, block func(*[16]float32)) {
	if len(x) < 16 {
		for i := range x {
			x[i] = float32(t.normal())
		}
		return
	}
	t.Rand(x)
	for i := 0; i+16 <= len(x); i += 16 {
		block((*[16]float32)(x[i:]))
	}
	if len(x)%16 != 0 { // the last 16 are drawn again, over values that were ready
		last := (*[16]float32)(x[len(x)-16:])
		t.Rand(last[:])
		block(last)
	}
}

// normal draws one value by the Box–Muller transform in float64.
func (t *Torch) normal() float64 {
	if t.has {
		t.has = false
		return t.spare
	}
	u, v := t.uniform64(), t.uniform64()
	radius := math.Sqrt(-2 * math.Log1p(-v))
	sin, cos := math.Sincos(2 * math.Pi * u)
	t.spare, t.has = radius*sin, true
	return radius * cos
}

// Rand fills x as one torch.rand(len(x)) does: uniform in [0, 1), multiples of 2⁻²⁴.
func (t *Torch) Rand(x []float32) {
	for i := range x {
		x[i] = float32(t.words.uint32()&(1<<24-1)) * 0x1p-24
	}
}

// uniform64 draws a multiple of 2⁻⁵³ in [0, 1).
func (t *Torch) uniform64() float64 {
	return float64(t.words.uint64()&(1<<53-1)) * 0x1p-53
}
