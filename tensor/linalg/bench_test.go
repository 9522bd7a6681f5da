//go:build unix

package linalg

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"syscall"
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

// benchmark times f with one and two threads. GFLOP/s is by the clock on the wall; GFLOP/cpu-s is by the processor time
// of the process, and says what the code does on a machine that others use as well.
func benchmark(b *testing.B, flops float64, f func()) {
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("threads=%d", threads), func(b *testing.B) {
			defer tensor.SetThreads(threads)()
			f()
			b.ReportAllocs()
			before := processorSeconds()
			for b.Loop() {
				f()
			}
			b.ReportMetric(flops*float64(b.N)/(processorSeconds()-before)/1e9, "GFLOP/cpu-s")
			b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

func processorSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// Ridge regression on a subject of NSD: 8859 trials, 5000 features, 6400 targets, of which a fifth is left out. A size
// below 1 makes everything as much smaller.
var size = flag.Float64("size", 0.2, "of the benchmarks' matrices")

func BenchmarkAlgebra(b *testing.B) {
	b.Run("float32", benchmarkAlgebra[float32])
	b.Run("float64", benchmarkAlgebra[float64])
}

func benchmarkAlgebra[E Float](b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	scaled := func(n int) int { return int(float64(n) * *size) }
	n, p, targets, held := scaled(8859), scaled(5000), scaled(6400), scaled(1772)
	x, y := randomMatrix[E](r, n, p), randomMatrix[E](r, n, targets)
	gram, w := New[E](p, p), New[E](p, targets)
	f := func(n ...int) float64 {
		product := 1.0
		for _, v := range n {
			product *= float64(v)
		}
		return product
	}
	b.Run("Gram", func(b *testing.B) { benchmark(b, f(n, p, p), func() { Gram(gram, 1, x.T(), 0) }) })
	b.Run("XtY", func(b *testing.B) { benchmark(b, 2*f(n, p, targets), func() { Mul(w, 1, x.T(), y, 0) }) })
	Gram(gram, 1/E(n), x.T(), 0)
	for i := range p {
		gram.Set(i, i, gram.At(i, i)+1)
	}
	l := New[E](p, p)
	b.Run("Cholesky", func(b *testing.B) {
		benchmark(b, f(p, p, p)/3, func() {
			copy(l.Data, gram.Data)
			if err := Cholesky(l); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run("ReduceToBand", func(b *testing.B) {
		benchmark(b, 4*f(p, p, p)/3, func() {
			copy(l.Data, gram.Data)
			ReduceToBand(l)
		})
	})
	band, q := ReduceToBand(clone(gram))
	b.Run("BandSolve", func(b *testing.B) {
		var factor BandFactor[E]
		if err := band.Factor(&factor, 1); err != nil {
			b.Fatal(err)
		}
		x := randomMatrix[E](r, p, held)
		benchmark(b, 6*f(p, held, BandWidth), func() { factor.Solve(x) })
	})
	b.Run("Rotate", func(b *testing.B) {
		x, work := randomMatrix[E](r, p, held), make([]E, WorkPerColumn*held)
		benchmark(b, 2*f(p, p, held), func() { q.MulT(x, work) })
	})
	copy(l.Data, gram.Data)
	if err := Cholesky(l); err != nil {
		b.Fatal(err)
	}
	b.Run("SolveHeld", func(b *testing.B) {
		rhs := w.Slice(0, p, 0, held)
		benchmark(b, f(p, p, held), func() { SolveLower(l, rhs) })
	})
	b.Run("SolveTargets", func(b *testing.B) { benchmark(b, f(p, p, targets), func() { SolveLower(l, w) }) })
	b.Run("SolveTransposed", func(b *testing.B) { benchmark(b, f(p, p, targets), func() { SolveUpper(l.T(), w) }) })
}
