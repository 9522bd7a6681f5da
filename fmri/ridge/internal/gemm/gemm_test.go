package gemm

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"

	"percept/tensor"
)

// random returns a matrix inside a wider one whose other columns are NaN, so that reading
// or writing outside shows.
func random(r *rand.Rand, rows, cols int) blas64.General {
	g := blas64.General{Rows: rows, Cols: cols, Stride: cols + 3, Data: make([]float64, rows*(cols+3))}
	for i := range g.Data {
		g.Data[i] = math.NaN()
		if i%g.Stride < cols {
			g.Data[i] = r.NormFloat64()
		}
	}
	return g
}

// Every kernel against gonum, at sizes around the tiles, the blocks and the jobs.
func TestAgainstGonum(t *testing.T) {
	sizes := [][3]int{ // m, n, k
		{1, 1, 1}, {4, 4, 3}, {8, 24, 5}, {9, 25, 7}, {7, 23, 1}, {5, 13, 300}, {97, 31, 256},
		{30, 265, 257}, {390, 12, 40}, {385, 270, 16}, {3, 600, 2},
	}
	for _, set := range tensor.KernelSets() {
		t.Run(set, func(t *testing.T) {
			restore, err := tensor.UseKernels(set)
			if err != nil {
				t.Fatal(err)
			}
			defer restore()
			r := rand.New(rand.NewPCG(1, 1))
			for _, s := range sizes {
				m, n, k := s[0], s[1], s[2]
				for _, tA := range []blas.Transpose{blas.NoTrans, blas.Trans} {
					for _, tB := range []blas.Transpose{blas.NoTrans, blas.Trans} {
						for _, scale := range [][2]float64{{1, 0}, {-1, 1}, {0.5, 2}} {
							a, b, c := random(r, m, k), random(r, k, n), random(r, m, n)
							if tA == blas.Trans {
								a = random(r, k, m)
							}
							if tB == blas.Trans {
								b = random(r, n, k)
							}
							want := c
							want.Data = slices.Clone(c.Data)
							blas64.Gemm(tA, tB, scale[0], a, b, scale[1], want)
							Gemm(tA, tB, scale[0], a, b, scale[1], c)
							for i := range c.Data {
								// A sum of k products of numbers near 1, twice rounded.
								tol := 1e-15 * float64(k+10)
								if i%c.Stride >= n {
									if !math.IsNaN(c.Data[i]) {
										t.Fatalf("%v: wrote outside, at %d", s, i)
									}
								} else if math.Abs(c.Data[i]-want.Data[i]) > tol {
									t.Fatalf("%v, transposed %c %c, scales %v: element %d is %v, want %v", s, tA, tB, scale, i, c.Data[i], want.Data[i])
								}
							}
						}
					}
				}
			}
		})
	}
}

func TestSameBitsForAnyThreads(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	a, b := random(r, 500, 60), random(r, 60, 700)
	run := func(threads int) []float64 {
		defer tensor.SetThreads(threads)()
		c := blas64.General{Rows: 500, Cols: 700, Stride: 700, Data: make([]float64, 500*700)}
		Gemm(blas.NoTrans, blas.NoTrans, 1, a, b, 0, c)
		return c.Data
	}
	if !slices.Equal(run(1), run(5)) {
		t.Error("the product depends on the number of threads")
	}
}

func TestShapesThatDoNotFit(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	r := rand.New(rand.NewPCG(3, 3))
	Gemm(blas.NoTrans, blas.NoTrans, 1, random(r, 2, 3), random(r, 2, 3), 0, random(r, 2, 3))
}

func BenchmarkGemm(b *testing.B) {
	r := rand.New(rand.NewPCG(4, 4))
	for _, s := range [][3]int{{80, 256, 320}, {320, 256, 320}, {1500, 256, 400}, {400, 400, 1500}} {
		m, n, k := s[0], s[1], s[2]
		x, y, z := random(r, m, k), random(r, k, n), random(r, m, n)
		for _, set := range tensor.KernelSets() {
			b.Run(set, func(b *testing.B) {
				restore, err := tensor.UseKernels(set)
				if err != nil {
					b.Fatal(err)
				}
				defer restore()
				for b.Loop() {
					Gemm(blas.NoTrans, blas.NoTrans, 1, x, y, 0, z)
				}
				b.ReportMetric(2*float64(m*n*k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}
