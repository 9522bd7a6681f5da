package ridge

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"percept/tensor"
	"percept/tensor/linalg"
)

// withBand runs f with the method of large problems for every problem.
func withBand(f func()) {
	side := exactSide
	exactSide = 0
	defer func() { exactSide = side }()
	f()
}

// brain returns responses as of neighbouring voxels, whose spectrum falls over four decades,
// and targets from unpredictable to almost determined.
func brain(r *rand.Rand, n, p, t int) (x, y linalg.Matrix[float32]) {
	sources := p / 6
	mix := gaussian(r, sources, p)
	x = linalg.New[float32](n, p)
	for i := range n {
		row := x.Row(i)
		for s := range sources {
			v := float32(r.NormFloat64() * 6 / math.Sqrt(1+float64(s)))
			for j, w := range mix.Row(s) {
				row[j] += v * w
			}
		}
		for j := range row {
			row[j] += float32(r.NormFloat64()) + 3
		}
	}
	y = linalg.New[float32](n, t)
	for j := range t {
		w := make([]float64, p)
		for k := range 5 {
			w[(j*31+k*17)%p] = r.NormFloat64()
		}
		noise := math.Pow(10, 2*float64(j)/float64(t)) // 1 to 100
		for i := range n {
			sum := 7 + noise*r.NormFloat64()
			for k, v := range x.Row(i) {
				sum += w[k] * float64(v)
			}
			y.Row(i)[j] = float32(sum)
		}
	}
	return x, y
}

// rounded returns the relative error that a score has with any float64 solution of normal equations: S, the largest
// eigenvalue of which is the sum's, is rounded to 2⁻⁵³ of that, and (S + α)⁻¹ lets this through times its condition, at most
// 1 + largest/α; then samples are summed up.
func rounded(t *testing.T, x linalg.Matrix[float32], standardised bool, alpha float64) float64 {
	t.Helper()
	if standardised {
		s, err := FitScaler(x)
		if err != nil {
			t.Fatal(err)
		}
		if x, err = s.Transform(x); err != nil {
			t.Fatal(err)
		}
	}
	var d mat.SVD
	if !d.Factorize(mat.NewDense(x.Rows, x.Cols, wide(x.Data)), mat.SVDNone) {
		t.Fatal("no singular values")
	}
	largest := d.Values(nil)[0]
	return 0x1p-53 * (1 + largest*largest/alpha + float64(x.Rows))
}

// byQR returns the L2 score of every penalty and target without squaring the condition: least squares of X on √α·1, by
// Householder's QR.
func byQR(t *testing.T, x, y linalg.Matrix[float32], alphas []float64) []float64 {
	t.Helper()
	table := make([]float64, len(alphas)*y.Cols)
	folds, err := Folds(x.Rows, 5, nil)
	if err != nil {
		t.Fatal(err)
	}
	xs, ys := mat.NewDense(x.Rows, x.Cols, wide(x.Data)), mat.NewDense(y.Rows, y.Cols, wide(y.Data))
	for _, held := range folds { // contiguous
		lo, hi := held[0], held[len(held)-1]+1
		n := x.Rows - len(held)
		a, b := mat.NewDense(n+x.Cols, x.Cols, nil), mat.NewDense(n+x.Cols, y.Cols, nil)
		for i, to := 0, 0; i < x.Rows; i++ {
			if i < lo || i >= hi {
				a.SetRow(to, xs.RawRowView(i))
				b.SetRow(to, ys.RawRowView(i))
				to++
			}
		}
		for k, alpha := range alphas {
			for j := range x.Cols {
				a.Set(n+j, j, math.Sqrt(alpha))
			}
			var w, p mat.Dense
			if err := w.Solve(a, b); err != nil {
				t.Fatal(err)
			}
			p.Mul(xs.Slice(lo, hi, 0, x.Cols), &w)
			for j := range y.Cols {
				for i := range held {
					d := ys.At(lo+i, j) - p.At(i, j)
					table[k*y.Cols+j] -= d * d / float64(len(held)*len(folds))
				}
			}
		}
	}
	return table
}

// The band gives what the eigendecomposition gives, in both forms and with all options, and both what least squares give.
func TestBandEqualsEigen(t *testing.T) {
	r := rand.New(rand.NewPCG(20, 1))
	for _, shape := range []struct{ n, p int }{{190, 150}, {150, 190}} {
		x, y := brain(r, shape.n, shape.p, 9)
		for _, score := range []Score{L2, R2, Correlation} {
			for _, plain := range []bool{false, true} {
				o := Options{Alphas: LogSpace(-2, 6, 9), Score: score, NoIntercept: plain, NoStandardise: plain, Precision: Double}
				a := mustFit(t, x, y, o)
				var b *Model
				withBand(func() { b = mustFit(t, x, y, o) })
				var truth []float64
				if plain && score == L2 {
					truth = byQR(t, x, y, o.Alphas)
				}
				for k, alpha := range o.Alphas {
					rounding := rounded(t, x, !plain, alpha)
					for i := k * y.Cols; i < (k+1)*y.Cols; i++ {
						size := 1 + math.Abs(a.CVTable[i])
						if d := math.Abs(a.CVTable[i] - b.CVTable[i]); d > 2*rounding*size {
							t.Errorf("%v %v plain %v: score %d is %v by the band, %v by eigenvalues, rounding is %.2g",
								shape, score, plain, i, b.CVTable[i], a.CVTable[i], rounding*size)
						}
						if truth == nil {
							continue
						}
						if d := max(math.Abs(a.CVTable[i]-truth[i]), math.Abs(b.CVTable[i]-truth[i])); d > rounding*size {
							t.Errorf("%v: score %d is %v by the band, %v by eigenvalues, %v by least squares, rounding is %.2g",
								shape, i, b.CVTable[i], a.CVTable[i], truth[i], rounding*size)
						}
					}
				}
				sameAlphas(t, fmt.Sprint(shape, score), b.Alphas, a.Alphas)
				near(t, "coefficients", wide(b.Coef.Data), wide(a.Coef.Data), 1e-5)
				near(t, "intercept", b.Intercept, a.Intercept, 1e-6)
			}
		}
	}
}

// Penalties are those of float64, except where two scores are closer than float32's error.
func TestSingleChoosesAsDouble(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 1))
	for _, shape := range []struct{ n, p int }{{700, 530}, {530, 700}} {
		x, y := brain(r, shape.n, shape.p, 40)
		for _, score := range []Score{R2, Correlation} {
			o := Options{Alphas: LogSpace(0, 6, 7), Score: score, Precision: Double}
			if o.Precision = AutoPrecision; o.double(x) {
				t.Fatal("this size and grid are fitted in float64")
			}
			single := mustFit(t, x, y, o)
			o.Precision = Double
			double := mustFit(t, x, y, o)
			worst, differ := 0.0, 0
			for j := range y.Cols {
				miss := 0.0
				for a := range o.Alphas {
					want := double.CVTable[a*y.Cols+j]
					d := math.Abs(single.CVTable[a*y.Cols+j] - want)
					miss = max(miss, d)
					worst = max(worst, d)
				}
				if single.Alphas[j] == double.Alphas[j] {
					continue
				}
				differ++
				at := func(alpha float64) float64 {
					return double.CVTable[slices.Index(o.Alphas, alpha)*y.Cols+j]
				}
				if gap := at(double.Alphas[j]) - at(single.Alphas[j]); gap > 2*miss+1e-8 {
					t.Errorf("%v %v: target %d has penalty %g, in float64 %g, whose score is %g better; error of the scores %g", shape,
						score, j, single.Alphas[j], double.Alphas[j], gap, miss)
				}
			}
			t.Logf("%v %v: largest error of a score %.2g; %d of %d penalties differ", shape, score, worst, differ, y.Cols)
			if worst > 3e-5 {
				t.Errorf("%v %v: a score is off by %g", shape, score, worst)
			}
			p, q := mustPredict(t, single, x), mustPredict(t, double, x)
			sum, off := 0.0, 0.0
			for i, v := range q.Data {
				if single.Alphas[i%y.Cols] == double.Alphas[i%y.Cols] {
					d := float64(v - p.Data[i])
					sum, off = sum+float64(v)*float64(v), off+d*d
				}
			}
			if e := math.Sqrt(off / sum); e > 5e-5 {
				t.Errorf("%v %v: predictions are off by %g of their size", shape, score, e)
			}
		}
	}
}

func TestTinyPenaltiesAreDouble(t *testing.T) {
	r := rand.New(rand.NewPCG(22, 1))
	x := gaussian(r, 700, 600)
	for _, c := range []struct {
		alphas []float64
		want   bool
	}{{LogSpace(-6, 0, 7), true}, {LogSpace(0, 6, 7), false}} {
		if got := (Options{Alphas: c.alphas}).double(x); got != c.want {
			t.Errorf("penalties %v: float64 %v, want %v", c.alphas, got, c.want)
		}
	}
	if !(Options{Alphas: []float64{1}}).double(gaussian(r, 40, 512)) || (Options{Alphas: []float64{1}}).double(gaussian(r, 600, 520)) {
		t.Error("the size at which float32 begins is not 512")
	}
}

// What lies in memory at once changes nothing, in any of the ways through the data.
func TestSameBitsForAnyMemory(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 1))
	for _, c := range []struct {
		name    string
		n, p, t int
		prec    Precision
		alphas  int
	}{
		{"primal, targets turned", 110, 80, 90, Single, 5},
		{"primal, predictors turned", 110, 80, 90, Single, 2},
		{"primal, float64", 110, 80, 90, Double, 5},
		{"dual", 80, 110, 70, Single, 5},
		{"dual, predictors turned", 80, 110, 70, Double, 2},
	} {
		x, y := brain(r, c.n, c.p, c.t)
		o := Options{Alphas: LogSpace(0, 5, c.alphas), Precision: c.prec, Score: Correlation}
		for _, side := range []int{0, 512} {
			old := exactSide
			exactSide = side
			want := mustFit(t, x, y, o)
			full := size{c.n, c.p, c.t, (c.n + 4) / 5, c.p < c.n, c.prec == Double, 0, true}.bytes(c.t, c.alphas)
			least := size{c.n, c.p, c.t, (c.n + 4) / 5, c.p < c.n, c.prec == Double, 0, true}.bytes(1, 1)
			for _, limit := range []int64{full, (full + least) / 2, least} {
				for _, threads := range []int{1, 3} {
					if threads == 3 && limit == full {
						continue
					}
					o := o
					o.MaxMemory = limit
					restore := tensor.SetThreads(threads)
					got := mustFit(t, x, y, o)
					restore()
					if !slices.Equal(got.CVTable, want.CVTable) || !slices.Equal(got.Coef.Data, want.Coef.Data) ||
						!slices.Equal(got.Intercept, want.Intercept) {
						t.Errorf("%s, eigenvalues up to %d: %d bytes and %d threads change the result", c.name, side, limit, threads)
					}
				}
			}
			o.MaxMemory = least - 1
			if _, err := FitCV(ctx, x, y, o); err == nil || !strings.Contains(err.Error(), "of memory is too little") {
				t.Errorf("%s: with a byte too few: %v", c.name, err)
			}
			exactSide = old
		}
	}
}

// The matrices of a fit are never more than what was announced.
func TestMemoryIsAnnounced(t *testing.T) {
	r := rand.New(rand.NewPCG(24, 1))
	for _, c := range []struct{ n, p, t int }{{150, 100, 50}, {150, 100, 2500}, {100, 150, 50}, {100, 150, 2300}, {60, 1300, 20}} {
		x, y := gaussian(r, c.n, c.p), gaussian(r, c.n, c.t)
		for _, limit := range []int64{0, 20 << 20} {
			o, err := Options{MaxMemory: limit, Alphas: LogSpace(0, 3, 4)}.withDefaults(c.n)
			if err != nil {
				t.Fatal(err)
			}
			parts, err := Folds(c.n, o.Folds, nil)
			if err != nil {
				t.Fatal(err)
			}
			check := func(m *memory, pl plan, err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
				if m.peak > pl.bytes || limit > 0 && pl.bytes > limit {
					t.Errorf("%v, limit %d: %d bytes at once, announced %d", c, limit, m.peak, pl.bytes)
				}
				if m.live > m.peak || m.live < 0 {
					t.Errorf("%v: %d bytes live after the fit", c, m.live)
				}
			}
			withBand(func() {
				single, err := newProblem[float32](x, y, parts, o)
				if err == nil {
					_, err = single.run(ctx)
				}
				check(single.m, single.plan, err)
				double, err := newProblem[float64](x, y, parts, o)
				if err == nil {
					_, err = double.run(ctx)
				}
				check(double.m, double.plan, err)
			})
		}
	}
	// A subject of NSD: z of 6,400 numbers in 4 GiB with the data, c of 59,136 in 8.
	for _, c := range []struct {
		p, t int
		most int64
	}{{5000, 6400, 4 << 30}, {6000, 59136, 8 << 30}} {
		o := Options{Alphas: LogSpace(0, 6, 10)}
		pl, err := o.plan(size{8859, c.p, c.t, 1772, true, false, 0, true})
		if err != nil {
			t.Fatal(err)
		}
		data := 4 * 8859 * int64(c.p+c.t)
		t.Logf("8859×%d, %d targets: %.2f GiB beyond data of %.2f GiB", c.p, c.t, float64(pl.bytes)/(1<<30), float64(data)/(1<<30))
		if pl.bytes+data > c.most {
			t.Errorf("8859×%d, %d targets: %d bytes, want at most %d", c.p, c.t, pl.bytes+data, c.most)
		}
	}
}
