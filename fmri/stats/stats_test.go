package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"percept/internal/golden"
)

// testdata/significance.safetensors: adjusted p-values by scipy 1.17.1 (equal to
// statsmodels), and a block permutation test computed with numpy.
func openGolden(t *testing.T) *golden.Tensors {
	t.Helper()
	return golden.Open(t, "testdata/significance.safetensors")
}

func near(t *testing.T, what string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range got {
		if d := math.Abs(got[i] - want[i]); !(d <= tol) && !(math.IsNaN(got[i]) && math.IsNaN(want[i])) {
			t.Errorf("%s: value %d is %v, want %v, tolerance %.3g", what, i, got[i], want[i], tol)
		}
	}
}

func TestAdjustedPGolden(t *testing.T) {
	s := openGolden(t)
	p := s.Float64("fdr.p")
	for name, adjust := range map[string]func([]float64) []float64{"bh": BenjaminiHochberg, "by": BenjaminiYekutieli} {
		got := adjust(p)
		near(t, name, got, s.Float64("fdr."+name+"_adjusted"), 1e-15)
		for i, reject := range s.Ints("fdr." + name + "_reject_0.05") {
			if (got[i] <= 0.05) != (reject == 1) {
				t.Errorf("%s: p = %v, adjusted %v: rejection differs", name, p[i], got[i])
			}
		}
	}
	blockP := s.Float64("perm.p")
	near(t, "permutation", BenjaminiHochberg(blockP), s.Float64("perm.fdr_bh"), 1e-15)
}

func TestAdjustedPEdges(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name    string
		p, want []float64
	}{
		{"no tests", nil, []float64{}},
		{"all ones", []float64{1, 1}, []float64{1, 1}},
		{"masked voxels are no tests", []float64{nan, 0.02, nan, 0.01}, []float64{nan, 0.02, nan, 0.02}},
		{"all masked", []float64{nan, nan}, []float64{nan, nan}},
	} {
		near(t, c.name, BenjaminiHochberg(c.p), c.want, 1e-15)
	}
}

func TestBlockPermutationGolden(t *testing.T) {
	s := openGolden(t)
	truth := s.Float32("perm.true", 60, 25)
	pred := s.Float32("perm.pred", 60, 25)
	flat := s.Ints("perm.block_order")
	var orders [][]int
	for i := 0; i < len(flat); i += 6 {
		orders = append(orders, flat[i:i+6])
	}
	got, err := PermuteBlocks(truth, pred, 60, 25, 10, orders)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "observed", got.Observed, s.Float64("perm.observed"), 1e-12)
	near(t, "p", got.P, s.Float64("perm.p"), 1e-15)
	if want := s.Ints("perm.count_ge"); !slices.Equal(got.Count, want) {
		t.Errorf("counts %v, want %v", got.Count, want)
	}
	null := s.Float64("perm.null")
	for o, r := range got.Null {
		near(t, "null", r, null[o*25:(o+1)*25], 6e-8) // stored as float32
	}
}

func TestBlockPermutationRejects(t *testing.T) {
	x := []float32{1, 2, 3, 4, 4, 4, 4, 4}
	for name, c := range map[string]struct {
		rows, cols, block int
		orders            [][]int
		want              string
	}{
		"size":       {3, 2, 1, nil, "expected 3×2"},
		"block":      {4, 2, 5, nil, "blocks of 5 rows"},
		"repeated":   {4, 2, 2, [][]int{{0, 0}}, "not a permutation of 2 blocks"},
		"missing":    {4, 2, 2, [][]int{{0}}, "not a permutation"},
		"outside":    {4, 2, 2, [][]int{{0, 2}}, "not a permutation"},
		"last order": {8, 1, 4, [][]int{{0, 1}, {-1, 0}}, "order 1"},
	} {
		if _, err := PermuteBlocks(x, x, c.rows, c.cols, c.block, c.orders); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", name, err, c.want)
		}
	}
	// Blocks of 3 in 8 rows: the last is shorter. A constant truth has no correlation.
	got, err := PermuteBlocks(x, x, 8, 1, 3, [][]int{{2, 0, 1}})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "observed", got.Observed, []float64{1}, 1e-15)
	constant, err := PermuteBlocks(make([]float32, 8), x, 8, 1, 4, [][]int{{1, 0}})
	if err != nil || !math.IsNaN(constant.Observed[0]) || !math.IsNaN(constant.P[0]) {
		t.Errorf("constant truth: %+v, %v, want NaN", constant, err)
	}
}

func TestCorrelationP(t *testing.T) {
	for _, c := range []struct { // by scipy.stats.t.sf
		r    float64
		n    int
		want float64
	}{
		{0.0525, 982, 0.05006489457614228},
		{0.3, 20, 0.09937885867227683},
		{-0.5, 10, 0.929443359375},
		{0.9, 5, 0.01869303673424931},
		{0, 30, 0.5},
		{0.8, 1000, 6.206545606626875e-224},
		{1, 10, 0},
		{-1, 10, 1},
		{0.5, 2, math.NaN()},
		{math.NaN(), 20, math.NaN()},
	} {
		near(t, "p", []float64{CorrelationP(c.r, c.n)}, []float64{c.want}, 1e-9*c.want)
	}
	for _, c := range []struct {
		p    float64
		n    int
		want float64
	}{
		{0.05, 982, 0.05252005271910165},
		{0.001, 982, 0.09849884161082613},
		{0.025, 12, 0.5759829864422641},
		{0, 12, math.NaN()},
	} {
		near(t, "critical r", []float64{CriticalCorrelation(c.p, c.n)}, []float64{c.want}, 1e-9)
	}
}

// The analytic p-value against correlations of independent Gaussian vectors.
func TestCorrelationPMonteCarlo(t *testing.T) {
	const n, runs = 50, 4000
	r := rand.New(rand.NewPCG(1, 1))
	critical := CriticalCorrelation(0.05, n)
	above := 0
	x, y := make([]float32, n), make([]float32, n)
	for range runs {
		for i := range x {
			x[i], y[i] = float32(r.NormFloat64()), float32(r.NormFloat64())
		}
		a, b := unitColumns(x, n, 1), unitColumns(y, n, 1)
		sum := 0.0
		for i := range a {
			sum += a[i] * b[i]
		}
		if sum > critical {
			above++
		}
	}
	// 200 expected, standard deviation √(4000·0.05·0.95) = 13.8.
	if above < 150 || above > 250 {
		t.Errorf("%d of %d null correlations above the 5 %% bound, want about %d", above, runs, runs/20)
	}
}

// 95 % intervals of the mean of 60 values cover the true mean about 95 times in 100.
func TestBootstrapCovers(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	const runs = 300
	covered := 0
	for run := range runs {
		values := make([]float64, 60)
		for i := range values {
			values[i] = 0.7 + 0.2*r.NormFloat64()
		}
		i, err := BootstrapMean(values, Resampling{Samples: 500, Seed: uint64(run)})
		if err != nil {
			t.Fatal(err)
		}
		if i.Contains(0.7) {
			covered++
		}
		if m := Mean(values); !i.Contains(m) {
			t.Fatalf("interval %v does not contain the mean %v itself", i, m)
		}
	}
	// 285 expected less a little for the percentile method; standard deviation 4.
	if covered < 268 || covered > 298 {
		t.Errorf("%d of %d intervals cover the mean, want about 283", covered, runs)
	}
}

func TestSameSeedSameInterval(t *testing.T) {
	values := []float64{0.1, 0.9, 0.4, 0.7, 0.3}
	a, _ := BootstrapMean(values, Resampling{Seed: 5})
	b, _ := BootstrapMean(values, Resampling{Seed: 5})
	c, _ := BootstrapMean(values, Resampling{Seed: 6})
	if a != b || a == c {
		t.Errorf("seeds 5, 5, 6 give %v, %v, %v", a, b, c)
	}
	if s := a.String(); !strings.HasPrefix(s, "[0.") {
		t.Errorf("interval prints as %q", s)
	}
}

func TestPermuteImages(t *testing.T) {
	const n = 40
	// The score is the fraction of images paired with themselves: 1/n on average.
	fixed := func(pairing []int) float64 {
		sum := 0.0
		for i, j := range pairing {
			if i == j {
				sum++
			}
		}
		return sum / n
	}
	null, err := PermuteImages(n, Resampling{Seed: 3}, fixed)
	if err != nil {
		t.Fatal(err)
	}
	if m := Mean(null.Scores); math.Abs(m-1.0/n) > 0.003 { // standard error 1/n/√2000
		t.Errorf("mean under chance %v, want %v", m, 1.0/n)
	}
	if i := null.Interval(); !i.Contains(1.0/n) || i.Contains(0.5) {
		t.Errorf("chance interval %v", i)
	}
	if p := null.P(1); p != 1.0/2001 {
		t.Errorf("p of a perfect score %v, want 1/2001", p)
	}
	if p := null.P(0); p != 1 {
		t.Errorf("p of the lowest score %v, want 1", p)
	}
}

func TestResamplingRejects(t *testing.T) {
	for name, err := range map[string]error{
		"nan":     second(BootstrapMean([]float64{1, math.NaN()}, Resampling{})),
		"one":     second(BootstrapMean([]float64{1}, Resampling{})),
		"level":   second(BootstrapMean([]float64{1, 2}, Resampling{Level: 1})),
		"samples": second(PermuteImages(5, Resampling{Samples: -1}, nil)),
		"images":  second(PermuteImages(1, Resampling{}, nil)),
		"orders":  second(BlockOrders(3, Resampling{Level: -1})),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "stats: ") {
			t.Errorf("%s: %v, want an error", name, err)
		}
	}
	orders, err := BlockOrders(4, Resampling{Samples: 3})
	if err != nil || len(orders) != 3 || len(orders[0]) != 4 {
		t.Errorf("orders %v, %v", orders, err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestQuantile(t *testing.T) {
	x := []float64{1, 2, 4, 8}
	for q, want := range map[float64]float64{0: 1, 0.5: 3, 1: 8, 0.1: 1.3, 0.9: 6.8} { // numpy.quantile
		if got := Quantile(x, q); math.Abs(got-want) > 1e-12 {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
}

func TestNoiseCeiling(t *testing.T) {
	for _, c := range []struct{ ncsnr, repeats, want float64 }{
		{1, 1, 0.5},
		{1, 3, 0.75},
		{0.5, 3, 0.25 / (0.25 + 1.0/3)},
		{0, 3, 0},
		{-1, 3, 0},
		{math.NaN(), 3, math.NaN()},
		{2, EffectiveRepeats([]int{1, 2, 3, 0}), 4 / (4 + 11.0/18)}, // an average of no trial is none
		{1, EffectiveRepeats(nil), math.NaN()},
		{0, EffectiveRepeats([]int{0}), math.NaN()},
	} {
		near(t, "ceiling", []float64{NoiseCeiling(c.ncsnr, c.repeats)}, []float64{c.want}, 1e-15)
	}
	// NSD's rule for mixed repeats: (A/3 + B/2 + C) / (A + B + C) in place of 1/n.
	counts := []int{3, 3, 2, 1, 0}
	want := 1 / ((2.0/3 + 1.0/2 + 1) / 4)
	near(t, "repeats", []float64{EffectiveRepeats(counts)}, []float64{want}, 1e-15)
}

func TestUndefinedScoresHaveNoP(t *testing.T) {
	null := &Null{Scores: []float64{0.4, 0.5, 0.6}}
	if p := null.P(math.NaN()); !math.IsNaN(p) {
		t.Errorf("p of an undefined score is %v, want NaN", p)
	}
	undefined := func([]int) float64 { return math.NaN() }
	if _, err := PermuteImages(4, Resampling{Samples: 10}, undefined); err == nil ||
		!strings.Contains(err.Error(), "permutation 0 is NaN") {
		t.Errorf("permutation of an undefined score: %v", err)
	}
	if _, err := Bootstrap(4, Resampling{Samples: 10}, undefined); err == nil || !strings.Contains(err.Error(), "resample 0 is NaN") {
		t.Errorf("bootstrap of an undefined statistic: %v", err)
	}
	for _, q := range []float64{-0.1, 1.1, math.NaN()} {
		if v := Quantile([]float64{1, 2}, q); !math.IsNaN(v) {
			t.Errorf("quantile %v is %v, want NaN", q, v)
		}
	}
	if v := Quantile(nil, 0.5); !math.IsNaN(v) {
		t.Errorf("median of nothing is %v, want NaN", v)
	}
}
