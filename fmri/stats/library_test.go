package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"percept/internal/golden"
)

// testdata/library.safetensors: by testdata/make.py with numpy 2.4.6, scipy 1.17.1 and statsmodels 0.15.0.
func openLibrary(t *testing.T) *golden.Tensors {
	t.Helper()
	return golden.Open(t, "testdata/library.safetensors")
}

func TestCorrelationGolden(t *testing.T) {
	s := openLibrary(t)
	n := s.Ints("corr.n")
	for i, want := range s.Float64("corr.p") {
		r := s.Float64("corr.r")[i]
		if got := CorrelationP(r, n[i]); !(math.Abs(got-want) <= 1e-9*want) {
			t.Errorf("p of r = %v over %d is %v, want %v", r, n[i], got, want)
		}
	}
	n = s.Ints("crit.n")
	for i, want := range s.Float64("crit.r") {
		p := s.Float64("crit.p")[i]
		got := CriticalCorrelation(p, n[i])
		if !(math.Abs(got-want) <= 1e-9) {
			t.Errorf("critical r at %v over %d is %v, want %v", p, n[i], got, want)
		}
		if back := CorrelationP(got, n[i]); !(math.Abs(back-p) <= 1e-9*p+1e-15*p/(1-got)) {
			t.Errorf("p of the critical r at %v over %d is %v", p, n[i], back)
		}
	}
}

func TestCriticalCorrelationEnds(t *testing.T) {
	near(t, "far end", []float64{CriticalCorrelation(1e-200, 3), CriticalCorrelation(0.5, 3)}, []float64{1, 0}, 1e-15)
}

func TestAdjustedPLibrary(t *testing.T) {
	s := openLibrary(t)
	p := s.Float64("fdr.p")
	near(t, "bh", BenjaminiHochberg(p), s.Float64("fdr.bh"), 1e-15)
	near(t, "by", BenjaminiYekutieli(p), s.Float64("fdr.by"), 1e-15)
}

func TestIntervalsGolden(t *testing.T) {
	s := openLibrary(t)
	values := s.Float64("mean.values")
	for name, level := range map[string]float64{"mean.t0.5": 0.5, "mean.t0.95": 0, "mean.t0.999": 0.999} {
		got, err := MeanInterval(values, Resampling{Level: level})
		if err != nil {
			t.Fatal(err)
		}
		near(t, name, []float64{got.Low, got.High}, s.Float64(name), 1e-12)
	}
	few, all := s.Float64("boot.values"), s.Float64("boot.quantiles")
	for k, level := range []float64{0.95, 0.5} { // against the quantiles of all 3125 resamples
		got, err := BootstrapMean(few, Resampling{Samples: 200000, Level: level, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		near(t, "bootstrap", []float64{got.Low, got.High}, all[2*k:2*k+2], 0.0101) // the means are multiples of 0.01
	}
	x := s.Float64("quantile.x")
	for i, q := range s.Float64("quantile.q") {
		near(t, "quantile", []float64{Quantile(x, q)}, s.Float64("quantile.value")[i:i+1], 1e-15)
	}
}

// Random pairings against all 720.
func TestPairingsGolden(t *testing.T) {
	s := openLibrary(t)
	x, y := s.Float64("perm.x"), s.Float64("perm.y")
	score := func(pairing []int) float64 {
		sum := 0.0
		for i, j := range pairing {
			sum += x[i] * y[j]
		}
		return sum
	}
	null, err := PermuteImages(6, Resampling{Samples: 50000, Seed: 2}, score)
	if err != nil {
		t.Fatal(err)
	}
	observed := score([]int{0, 1, 2, 3, 4, 5})
	want := s.Float64("perm.p")[0]
	if got := null.P(observed); math.Abs(got-want) > 4*math.Sqrt(want/50000) {
		t.Errorf("p is %v, want %v of all pairings", got, want)
	}
	exact, err := NewNull(s.Float64("perm.null"), Resampling{})
	if err != nil {
		t.Fatal(err)
	}
	// scipy counts the observed pairing among all; our p-value adds it.
	if got := exact.P(observed); math.Abs(got-(want*720+1)/721) > 1e-12 {
		t.Errorf("p of all pairings is %v, want %v", got, (want*720+1)/721)
	}
}

func TestEffectiveSamplesGolden(t *testing.T) {
	s := openLibrary(t)
	x, y, run := s.Float64("eff.x"), s.Float64("eff.y"), s.Ints("eff.run")
	one, err := EffectiveSamples(x[:50], y[:50], run[:50], 12)
	if err != nil {
		t.Fatal(err)
	}
	all, err := EffectiveSamples(x, y, run, 12)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "one run", []float64{one}, s.Float64("eff.one_run"), 1e-10)
	near(t, "runs", []float64{all}, s.Float64("eff.runs"), 1e-10)
	if flat, err := EffectiveSamples(make([]float64, 50), y[:50], run[:50], 3); err != nil || !math.IsNaN(flat) {
		t.Errorf("a constant series: %v, %v", flat, err)
	}
	alternating := []float64{1, -1, 1, -1, 1, -1, 1, -1}
	up := []float64{1, 2, 3, 4, 5, 6, 7, 8}
	if n, err := EffectiveSamples(alternating, up, make([]int, 8), 1); err != nil || n != 8 {
		t.Errorf("negative dependence: %v samples of 8, %v", n, err)
	}
}

// Of independent AR(1) series, correlations taken as of independent samples are found too often, and about as often as they
// should with the effective number and with circular shifts.
func TestAutocorrelatedNull(t *testing.T) {
	const runs, length, pairs = 4, 100, 400
	r := rand.New(rand.NewPCG(5, 5))
	run := make([]int, runs*length)
	for i := range run {
		run[i] = i / length
	}
	series := func() ([]float32, []float64) {
		x := make([]float64, len(run))
		for i := range x {
			x[i] = r.NormFloat64()
			if i%length > 0 {
				x[i] += 0.7 * x[i-1]
			}
		}
		y := make([]float32, len(x))
		for i, v := range x {
			y[i] = float32(v)
		}
		return y, x
	}
	orders, err := CircularShifts(run, Resampling{Samples: 99, Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	naive, effective, shifted := 0, 0, 0
	for range pairs {
		x, x64 := series()
		y, y64 := series()
		test, err := PermuteRows(x, y, len(run), 1, orders)
		if err != nil {
			t.Fatal(err)
		}
		n, err := EffectiveSamples(x64, y64, run, 20)
		if err != nil {
			t.Fatal(err)
		}
		if CorrelationP(test.Observed[0], len(run)) <= 0.05 {
			naive++
		}
		if CorrelationP(test.Observed[0], int(n)) <= 0.05 {
			effective++
		}
		if test.P[0] <= 0.05 {
			shifted++
		}
	}
	// 20 expected with a standard deviation of 4.4; of the naive test 400·P(z > 1.645·√(0.51/1.49)) = 67.
	if naive < 45 || effective < 7 || effective > 36 || shifted < 7 || shifted > 36 {
		t.Errorf("of %d null correlations %d (naive), %d (effective samples) and %d (shifts) are below 5 %%", pairs, naive, effective,
			shifted)
	}
}

func TestSignalToNoiseGolden(t *testing.T) {
	s := openLibrary(t)
	for _, name := range []string{"balanced", "unbalanced"} {
		x := s.Float32("snr." + name + ".x")
		got, err := SignalToNoise(x, 8, s.Ints("snr."+name+".item"))
		if err != nil {
			t.Fatal(err)
		}
		near(t, name, got, s.Float64("snr."+name), 1e-10)
	}
	flat, err := SignalToNoise([]float32{5, 1, 5, 1, 5, 2, 5, 2}, 2, []int{0, 0, 1, 1})
	if err != nil || !math.IsNaN(flat[0]) || !math.IsInf(flat[1], 1) || NoiseCeiling(flat[1], 1) == 0 {
		t.Errorf("a constant column and one without noise: %v, %v", flat, err)
	}
}

func TestWithinGroups(t *testing.T) {
	group := []int{5, 5, 2, 5, 2, 2, 9}
	orders, err := WithinGroups(group, Resampling{Samples: 3000, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	at := make([][7]int, 7)
	for _, o := range orders {
		sorted := slices.Sorted(slices.Values(o))
		for i, from := range o {
			if group[i] != group[from] || sorted[i] != i {
				t.Fatalf("%v is not a permutation within groups", o)
			}
			at[i][from]++
		}
	}
	for i := range 6 { // each member with probability 1/3: 1000 of 3000, standard deviation 26
		for j := range 6 {
			if group[i] == group[j] && (at[i][j] < 880 || at[i][j] > 1120) {
				t.Errorf("%d takes the place of %d %d times, want about 1000", j, i, at[i][j])
			}
		}
	}
	again, _ := WithinGroups(group, Resampling{Samples: 3000, Seed: 1})
	if !slices.EqualFunc(orders, again, slices.Equal) {
		t.Error("one seed, two results")
	}
}

func TestCircularShifts(t *testing.T) {
	run := []int{0, 0, 0, 0, 0, 1, 1, 1}
	orders, err := CircularShifts(run, Resampling{Samples: 4000, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	first := map[[2]int]int{}
	for _, o := range orders {
		for i := range 5 {
			if o[i] != (o[0]+i)%5 {
				t.Fatalf("%v is no rotation of runs", o)
			}
		}
		for i := range 3 {
			if o[5+i] != 5+(o[5]-5+i)%3 {
				t.Fatalf("%v is no rotation of runs", o)
			}
		}
		first[[2]int{o[0], o[5]}]++
	}
	for k, n := range first { // 15 pairs of shifts: 267 each, standard deviation 16
		if len(first) != 15 || n < 190 || n > 350 {
			t.Errorf("shifts %v occur %d times of 4000, of %d pairs", k, n, len(first))
		}
	}
}

func TestMaxControlsFamilyWiseError(t *testing.T) {
	test, err := CompareNull([]float64{0.5, math.NaN(), 2}, [][]float64{{0.1, math.NaN(), 1}, {0.5, 0.2, 0.3}, {0.4, 3, 0.1}})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "p", test.P, []float64{0.5, math.NaN(), 0.25}, 1e-15)
	largest, err := test.Max(Resampling{})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "largest", largest.Scores, []float64{0.5, 1, 3}, 0)
	near(t, "p of all", []float64{largest.P(2)}, []float64{0.5}, 1e-15)
}

// Scores that are equal but for the order in which they were summed are ties.
func TestTies(t *testing.T) {
	x := []float64{0.1, 0.2, 0.3}
	a, b := x[0]+x[1]+x[2], x[2]+x[1]+x[0]
	if a == b {
		t.Fatal("the sums are equal, which this test is not about")
	}
	low, high := min(a, b), max(a, b)
	if p := (&Null{Scores: []float64{low, low}}).P(high); p != 1 {
		t.Errorf("p is %v, want 1", p)
	}
	if p := (&Null{Scores: []float64{low * (1 - 1e-9)}}).P(high); p != 0.5 {
		t.Errorf("p of a score that is lower is %v, want 0.5", p)
	}
	test, err := CompareNull([]float64{high}, [][]float64{{low}})
	if err != nil || test.P[0] != 1 {
		t.Errorf("p %v, %v, want 1", test, err)
	}
}

func TestPermuteRowsIsPermuteBlocks(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	x, y := make([]float32, 60), make([]float32, 60)
	for i := range x {
		x[i], y[i] = float32(r.NormFloat64()), float32(r.NormFloat64())
	}
	blocks, err := PermuteBlocks(x, y, 20, 3, 10, [][]int{{1, 0}})
	if err != nil {
		t.Fatal(err)
	}
	order := make([]int, 20)
	for i := range order {
		order[i] = (i + 10) % 20
	}
	rows, err := PermuteRows(x, y, 20, 3, [][]int{order})
	if err != nil || !slices.Equal(rows.Null[0], blocks.Null[0]) || !slices.Equal(rows.P, blocks.P) {
		t.Errorf("rows %v, blocks %v, %v", rows, blocks, err)
	}
}

func TestAdditionsReject(t *testing.T) {
	x := []float32{1, 2, 3, 4}
	long := make([]int, 30)
	series := []float64{1, 2, 3, 4}
	for want, err := range map[string]error{
		"3 items in 3 groups":          second(WithinGroups([]int{1, 2, 3}, Resampling{})),
		"1 rows":                       second(CircularShifts([]int{1}, Resampling{})),
		"at level 2":                   second(CircularShifts([]int{1, 1}, Resampling{Level: 2})),
		"no scores":                    second(NewNull(nil, Resampling{})),
		"permutation 1 is NaN":         second(NewNull([]float64{1, math.NaN()}, Resampling{})),
		"1 scores of permutation 0":    second(CompareNull([]float64{1, 2}, [][]float64{{1}})),
		"permutation 0 has no score":   second((&BlockTest{Null: [][]float64{{math.NaN()}}}).Max(Resampling{})),
		"series of 4 and 3 rows":       second(EffectiveSamples(series, series[:3], []int{0, 0, 0, 0}, 1)),
		"over 4 rows in a run of 4":    second(EffectiveSamples(series, series, []int{0, 0, 0, 0}, 4)),
		"over -1 rows":                 second(EffectiveSamples(series, series, []int{0, 0, 0, 0}, -1)),
		"1 values":                     second(MeanInterval([]float64{1}, Resampling{})),
		"value 1 is NaN":               second(MeanInterval([]float64{1, math.NaN()}, Resampling{})),
		"4 responses, expected 3 rows": second(SignalToNoise(x, 1, []int{0, 0, 1})),
		"4 items in 4 rows":            second(SignalToNoise(x, 1, []int{0, 1, 2, 3})),
		"1 items in 4 rows":            second(SignalToNoise(x, 1, []int{0, 0, 0, 0})),
		"4 and 4 values, expected 2×1": second(PermuteRows(x, x, 2, 1, nil)),
		"not a permutation of 4 rows":  second(PermuteRows(x, x, 4, 1, [][]int{{0, 1, 2, 2}})),
		"30 numbers are not a permuta": second(PermuteRows(x, x, 4, 1, [][]int{long})),
		"1 blocks":                     second(BlockOrders(1, Resampling{})),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "stats: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %q", err, want)
		}
	}
}
