package ridge

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"percept/tensor/linalg"
)

func mustKernel(t *testing.T, a, b linalg.Matrix[float32]) linalg.Matrix[float64] {
	t.Helper()
	k, err := LinearKernel(a, b)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// columnsOf returns columns lo … hi−1 of m.
func columnsOf(m linalg.Matrix[float32], lo, hi int) linalg.Matrix[float32] {
	p := linalg.New[float32](m.Rows, hi-lo)
	for i := range m.Rows {
		copy(p.Row(i), m.Row(i)[lo:hi])
	}
	return p
}

func narrow(m linalg.Matrix[float64]) linalg.Matrix[float32] {
	s := linalg.New[float32](m.Rows, m.Cols)
	for i, v := range m.Data {
		s.Data[i] = float32(v)
	}
	return s
}

func TestKernelGolden(t *testing.T) {
	g := openGolden(t)
	x := g.matrix("scaler.X")
	k := mustKernel(t, x, x)
	m, err := FitKernelCV(ctx, k, g.matrix("Y_centred"), Options{Alphas: g.float64s("alphas"), NoIntercept: true})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "scores", m.CVScores, g.float64s("kernelridgecv.cv_scores"), 1e-8)
	sameAlphas(t, "kernel", m.Alphas, g.float64s("kernelridgecv.best_alphas"))
	g.within("kernelridgecv.dual_coef", narrow(m.Dual), 8.37e-8)
	p, err := m.Predict(mustKernel(t, g.matrix("scaler.Xtest"), x))
	if err != nil {
		t.Fatal(err)
	}
	g.within("kernelridgecv.pred", p, 7.23e-7)
}

// A linear kernel is ridge regression, whose features are not standardised, by both methods
// and with folds that are not contiguous.
func TestKernelIsRidge(t *testing.T) {
	r := rand.New(rand.NewPCG(30, 1))
	x, xTest := gaussian(r, 45, 70), gaussian(r, 6, 70)
	for i := range x.Data {
		x.Data[i] += 2
	}
	y, _ := linear(r, x, 4, 3)
	groups := make([]int, 45)
	for i := range groups {
		groups[i] = i * 7 % 15
	}
	k, kTest := mustKernel(t, x, x), mustKernel(t, xTest, x)
	for _, plain := range []bool{false, true} {
		o := Options{Alphas: LogSpace(-1, 4, 6), Groups: groups, Score: Correlation, NoStandardise: true, NoIntercept: plain,
			Precision: Double}
		want := mustFit(t, x, y, o)
		check := func() {
			got, err := FitKernelCV(ctx, k, y, o)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "scores", got.CVScores, want.CVScores, 1e-9)
			near(t, "table", got.CandidateTables[0], want.CVTable, 1e-9)
			sameAlphas(t, "kernel", got.Alphas, want.Alphas)
			p, err := got.Predict(kTest)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "prediction", wide(p.Data), wide(mustPredict(t, want, xTest).Data), 2e-5)
			if got.Edge != want.Edge {
				t.Errorf("edge %v, want %v", got.Edge, want.Edge)
			}
		}
		check()
		withBand(check)
	}
}

func goldenSearch(g golden) Search {
	all := g.float64s("banded.gammas")
	var s Search
	for i := 0; i < len(all); i += 2 {
		s.Gammas = append(s.Gammas, all[i:i+2])
	}
	return s
}

func (g golden) sameSearch(chosen []int, deltas linalg.Matrix[float64], tables [][]float64, each [][]float64, tol float64) {
	g.t.Helper()
	for i, v := range g.float64s("banded.best_gamma_index") {
		if chosen[i] != int(v) {
			g.t.Errorf("target %d chose candidate %d, want %v", i, chosen[i], v)
		}
	}
	near(g.t, "deltas", deltas.Data, g.float64s("banded.deltas"), 1e-8)
	near(g.t, "tables", slices.Concat(tables...), g.float64s("banded.cv_table"), tol)
	near(g.t, "scores", slices.Concat(each...), g.float64s("banded.cv_scores_per_gamma"), 1e-8)
}

func TestBandedGolden(t *testing.T) {
	g := openGolden(t)
	bands := make([]int, 80)
	for j := 50; j < 80; j++ {
		bands[j] = 1
	}
	x := g.matrix("scaler.X")
	for _, form := range []Form{Primal, Dual} {
		o := Options{Alphas: g.float64s("alphas"), NoIntercept: true, NoStandardise: true, Form: form}
		m, err := FitBandedCV(ctx, x, bands, g.matrix("Y_centred"), o, goldenSearch(g))
		if err != nil {
			t.Fatal(err)
		}
		g.sameSearch(m.Chosen, m.Deltas, m.CandidateTables, m.CandidateScores, 1e-8)
		sameAlphas(t, "banded", m.Alphas, g.float64s("banded.best_alphas"))
		g.within("banded.coef", m.Coef, 2.13e-5)
		g.within("banded.pred", mustPredict(t, &m.Model, g.matrix("scaler.Xtest")), 2.13e-5)
	}
}

func TestKernelsGolden(t *testing.T) {
	g := openGolden(t)
	x, xTest := g.matrix("scaler.X"), g.matrix("scaler.Xtest")
	var k, kTest []linalg.Matrix[float64]
	for _, b := range [][2]int{{0, 50}, {50, 80}} {
		of := columnsOf(x, b[0], b[1])
		k, kTest = append(k, mustKernel(t, of, of)), append(kTest, mustKernel(t, columnsOf(xTest, b[0], b[1]), of))
	}
	m, err := FitKernelsCV(ctx, k, g.matrix("Y_centred"), Options{Alphas: g.float64s("alphas"), NoIntercept: true}, goldenSearch(g))
	if err != nil {
		t.Fatal(err)
	}
	// The kernels of 50 and 30 features have 220 directions without variance, and penalties go down to 10⁻⁵.
	g.sameSearch(m.Chosen, m.Deltas, m.CandidateTables, m.CandidateScores, 1e-6)
	dual := narrow(m.Dual)
	for i := range dual.Rows {
		for j := range dual.Row(i) {
			dual.Row(i)[j] = float32(m.Dual.Row(i)[j] * m.Alphas[j]) // himalaya's are for weights γ/α
		}
	}
	g.within("mkr.dual_coef", dual, 0)
	p, err := m.Predict(kTest...)
	if err != nil {
		t.Fatal(err)
	}
	g.within("mkr.pred", p, 0)
	parts, err := m.PredictSplit(kTest...)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "split", slices.Concat(parts[0].Data, parts[1].Data), g.float64s("mkr.pred_split"), 1e-5)
}

// One band is ridge; two bands of which one is nothing but noise prefer the other; parts add
// up; kernels of the bands give the same model.
func TestBanded(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 1))
	x := gaussian(r, 80, 40)
	y, _ := linear(r, columnsOf(x, 0, 15), 5, 1)
	for i := range y.Data {
		y.Data[i] += 3
	}
	bands := make([]int, 40)
	o := Options{Alphas: LogSpace(-1, 4, 6), Score: R2}
	one, err := FitBandedCV(ctx, x, bands, y, o, Search{Gammas: [][]float64{{1}}})
	if err != nil {
		t.Fatal(err)
	}
	want := mustFit(t, x, y, o)
	near(t, "table", one.CandidateTables[0], want.CVTable, 1e-10)
	near(t, "coefficients", wide(one.Coef.Data), wide(want.Coef.Data), 1e-6)
	near(t, "intercept", one.Intercept, want.Intercept, 1e-9)

	for j := 15; j < 40; j++ {
		bands[j] = 1
	}
	s := Search{Candidates: 20, Seed: 3}
	m, err := FitBandedCV(ctx, x, bands, y, o, s)
	if err != nil {
		t.Fatal(err)
	}
	for j, g := range m.Chosen {
		if gamma := m.Gammas[g]; gamma[0] < 0.8 {
			t.Errorf("target %d weighs its band by %.2f, the noise by %.2f", j, gamma[0], gamma[1])
		}
		if m.CVScores[j] <= want.CVScores[j] {
			t.Errorf("target %d: score %.4f with bands, %.4f without", j, m.CVScores[j], want.CVScores[j])
		}
	}
	parts, err := m.PredictSplit(x)
	if err != nil {
		t.Fatal(err)
	}
	p := mustPredict(t, &m.Model, x)
	sum := make([]float64, len(p.Data))
	for i := range sum {
		sum[i] = parts[0].Data[i] + parts[1].Data[i] + m.Intercept[i%5]
	}
	near(t, "parts", sum, wide(p.Data), 1e-5)

	o.StandardiseOnce = true
	if m, err = FitBandedCV(ctx, x, bands, y, o, s); err != nil {
		t.Fatal(err)
	}
	z, err := m.Scaler.Transform(x)
	if err != nil {
		t.Fatal(err)
	}
	a, b := columnsOf(z, 0, 15), columnsOf(z, 15, 40)
	k := []linalg.Matrix[float64]{mustKernel(t, a, a), mustKernel(t, b, b)}
	km, err := FitKernelsCV(ctx, k, y, o, s)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(km.Chosen, m.Chosen) || !slices.Equal(km.Alphas, m.Alphas) {
		t.Errorf("kernels chose %v %v, bands %v %v", km.Chosen, km.Alphas, m.Chosen, m.Alphas)
	}
	kp, err := km.Predict(k...)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "by kernels", wide(kp.Data), wide(mustPredict(t, &m.Model, x).Data), 1e-4)
}

func TestSearchCandidates(t *testing.T) {
	a, err := Search{Seed: 1}.candidates(3)
	if err != nil {
		t.Fatal(err)
	}
	if len(a) != 100 || a[0][0] != 1.0/3 {
		t.Errorf("%d candidates, the first %v", len(a), a[0])
	}
	b, _ := Search{Seed: 1}.candidates(3)
	corners := [2]int{}
	for i, g := range a {
		if math.Abs(g[0]+g[1]+g[2]-1) > 1e-12 {
			t.Errorf("candidate %d sums to %v", i, g[0]+g[1]+g[2])
		}
		if !slices.Equal(g, b[i]) {
			t.Error("the seed does not fix the candidates")
		}
		if i > 0 && max(g[0], g[1], g[2]) > 0.9 {
			corners[i%2]++
		}
	}
	if corners[0] <= 2*corners[1] {
		t.Errorf("%d corners at concentration 0.1 and %d at 1, want more of the first", corners[0], corners[1])
	}
	if c, _ := (Search{Candidates: 2, Concentration: []float64{math.Inf(1)}}).candidates(4); c[1][2] != 0.25 {
		t.Errorf("infinite concentration: %v", c[1])
	}
}

func TestSearchRejects(t *testing.T) {
	r := rand.New(rand.NewPCG(32, 1))
	x, y := gaussian(r, 12, 4), gaussian(r, 12, 2)
	k := mustKernel(t, x, x)
	for _, c := range []struct {
		name  string
		bands []int
		s     Search
		want  string
	}{
		{"bands", []int{0, 1}, Search{}, "bands of 2 features, expected those of 4"},
		{"negative band", []int{0, -1, 0, 0}, Search{}, "feature 1 is in band -1"},
		{"empty band", []int{0, 2, 2, 0}, Search{}, "bands up to 2, of which 2 have features"},
		{"weights", []int{0, 1, 1, 0}, Search{Gammas: [][]float64{{1}}}, "candidate 0 has 1 weights"},
		{"negative", []int{0, 1, 1, 0}, Search{Gammas: [][]float64{{1, -1}}}, "the weight -1"},
		{"nothing", []int{0, 1, 1, 0}, Search{Gammas: [][]float64{{0, 0}}}, "no weight above 0"},
		{"none", []int{0, 1, 1, 0}, Search{Gammas: [][]float64{}}, "empty list"},
		{"count", []int{0, 1, 1, 0}, Search{Candidates: -1}, "-1 candidates"},
		{"concentration", []int{0, 1, 1, 0}, Search{Concentration: []float64{0}}, "concentration 0"},
	} {
		if _, err := FitBandedCV(ctx, x, c.bands, y, Options{}, c.s); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", c.name, err, c.want)
		}
	}
	if _, err := FitKernelsCV(ctx, nil, y, Options{}, Search{}); err == nil {
		t.Error("no kernel: no error")
	}
	if _, err := FitKernelCV(ctx, mustKernel(t, x, gaussian(r, 3, 4)), y, Options{}); err == nil ||
		!strings.Contains(err.Error(), "12×3, expected 12×12") {
		t.Errorf("a kernel that is not square: %v", err)
	}
	m, err := FitKernelCV(ctx, k, y, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Predict(); err == nil {
		t.Error("prediction without a kernel: no error")
	}
	if _, err := m.Predict(mustKernel(t, x, gaussian(r, 3, 4))); err == nil {
		t.Error("prediction from another kernel: no error")
	}
}
