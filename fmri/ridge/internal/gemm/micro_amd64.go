package gemm

import "percept/tensor"

// kernel follows the set that package tensor has chosen for this processor.
func kernel() (k micro, ok bool) {
	switch tensor.KernelSet() {
	case "avx512":
		return micro{8, 24, microAVX512}, true
	case "avx2":
		return micro{4, 12, microAVX2}, true
	}
	return k, false
}

// microAVX512 computes tiles of 8×24; it wants AVX-512F.
//
//go:noescape
func microAVX512(tile, a, b *float64, k int)

// microAVX2 computes tiles of 4×12; it wants AVX2 and FMA.
//
//go:noescape
func microAVX2(tile, a, b *float64, k int)
