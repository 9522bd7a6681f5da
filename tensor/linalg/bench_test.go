//go:build unix

package linalg

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"percept/tensor"
)

func randomMatrix[E Float](r *rand.Rand, rows, cols int) Matrix[E] {
	m := New[E](rows, cols)
	for i := range m.Data {
		m.Data[i] = E(r.NormFloat64())
	}
	return m
}

func benchmark(b *testing.B, flops float64, f func()) {
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("threads=%d", threads), func(b *testing.B) {
			defer tensor.SetThreads(threads)()
			f()
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
			b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

func BenchmarkMul(b *testing.B) {
	b.Run("float32", benchmarkMul[float32])
	b.Run("float64", benchmarkMul[float64])
}

func benchmarkMul[E Float](b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, s := range [][3]int{{1000, 1000, 1000}, {2000, 2000, 3000}} {
		x, y, z := randomMatrix[E](r, s[0], s[2]), randomMatrix[E](r, s[2], s[1]), New[E](s[0], s[1])
		b.Run(fmt.Sprintf("%dx%dx%d", s[0], s[1], s[2]), func(b *testing.B) {
			benchmark(b, 2*float64(s[0])*float64(s[1])*float64(s[2]), func() { Mul(z, 1, x, y, 0) })
		})
	}
}
