package ridge

import (
	"context"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"percept/tensor"
	"percept/tensor/linalg"
)

var ctx = context.Background()

func gaussian(r *rand.Rand, rows, cols int) linalg.Matrix[float32] {
	m := linalg.New[float32](rows, cols)
	for i := range m.Data {
		m.Data[i] = float32(r.NormFloat64())
	}
	return m
}

// linear returns x·w + noise, and w.
func linear(r *rand.Rand, x linalg.Matrix[float32], targets int, noise float64) (y, w linalg.Matrix[float32]) {
	w = gaussian(r, x.Cols, targets)
	y = linalg.New[float32](x.Rows, targets)
	for i := range x.Rows {
		for j := range targets {
			sum := noise * r.NormFloat64()
			for k, v := range x.Row(i) {
				sum += float64(v) * float64(w.Data[k*targets+j])
			}
			y.Row(i)[j] = float32(sum)
		}
	}
	return y, w
}

func mustFit(t *testing.T, x, y linalg.Matrix[float32], o Options) *Model {
	t.Helper()
	m, err := FitCV(ctx, x, y, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func mustPredict(t *testing.T, m *Model, x linalg.Matrix[float32]) linalg.Matrix[float32] {
	t.Helper()
	p, err := m.Predict(x)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestNoPenaltyIsLeastSquares(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	x := gaussian(r, 60, 9)
	y, _ := linear(r, x, 4, 0.5)
	a, b := mat.NewDense(60, 10, nil), mat.NewDense(60, 4, nil)
	for i := range 60 {
		for j, v := range x.Row(i) {
			a.Set(i, j, float64(v))
		}
		a.Set(i, 9, 1)
		for j, v := range y.Row(i) {
			b.Set(i, j, float64(v))
		}
	}
	var ols mat.Dense
	if err := ols.Solve(a, b); err != nil { // by QR
		t.Fatal(err)
	}
	for _, form := range []Form{Primal, Dual} {
		for _, alpha := range []float64{0, 1e-9} {
			m, err := Fit(ctx, x, y, []float64{alpha}, Options{NoStandardise: true, Form: form})
			if err != nil {
				t.Fatal(err)
			}
			near(t, "coefficients", wide(m.Coef.Data), ols.RawMatrix().Data[:36], 1e-6)
			near(t, "intercept", m.Intercept, ols.RawRowView(9), 1e-8)
		}
	}
}

// With orthonormal features every coefficient is shrunk by 1/(1 + α).
func TestOrthonormalFeatures(t *testing.T) {
	const n = 16 // columns of a Hadamard matrix
	x, y := linalg.New[float32](n, 5), gaussian(rand.New(rand.NewPCG(13, 1)), n, 3)
	for i := range n {
		for j := range 5 {
			x.Row(i)[j] = 0.25
			if bits.OnesCount(uint(i&(j+1)))%2 == 1 {
				x.Row(i)[j] = -0.25
			}
		}
	}
	for _, form := range []Form{Primal, Dual} {
		for _, alpha := range []float64{0, 0.5, 3} {
			m, err := Fit(ctx, x, y, []float64{alpha}, Options{NoStandardise: true, Form: form})
			if err != nil {
				t.Fatal(err)
			}
			var want []float64
			for j := range 5 {
				for k := range 3 {
					sum := 0.0
					for i := range n {
						sum += float64(x.Row(i)[j]) * float64(y.Row(i)[k])
					}
					want = append(want, sum/(1+alpha))
				}
			}
			near(t, "coefficients", wide(m.Coef.Data), want, 1e-6)
		}
	}
}

// The scores are those of fitting the other rows of every fold and predicting it, with all
// that a fit does to them.
func TestCrossValidationIsRefitting(t *testing.T) {
	r := rand.New(rand.NewPCG(14, 1))
	for _, shape := range [][2]int{{60, 25}, {30, 55}} {
		n, p := shape[0], shape[1]
		x := gaussian(r, n, p)
		for i := range x.Data {
			x.Data[i] = x.Data[i]*float32(1+i%p) + 9
		}
		y, _ := linear(r, x, 4, 30)
		groups := make([]int, n)
		for i := range groups {
			groups[i] = i * 11 % 17
		}
		o := Options{Alphas: LogSpace(-1, 4, 6), Groups: groups, Folds: 4, Score: R2, Precision: Double}
		parts, err := Folds(n, 4, groups)
		if err != nil {
			t.Fatal(err)
		}
		for _, plain := range []bool{false, true} {
			o.NoIntercept, o.NoStandardise = plain, plain
			want := make([]float64, len(o.Alphas)*4)
			for _, held := range parts {
				var rest []int
				for i := range n {
					if !slices.Contains(held, i) {
						rest = append(rest, i)
					}
				}
				for a, alpha := range o.Alphas {
					m, err := Fit(ctx, x.Take(rest), y.Take(rest), []float64{alpha}, o)
					if err != nil {
						t.Fatal(err)
					}
					// The mean of Y is that of the other rows, not of those predicted.
					scores, err := R2.Of(y.Take(held), mustPredict(t, m, x.Take(held)))
					if err != nil {
						t.Fatal(err)
					}
					for j, v := range scores {
						want[a*4+j] += v / 4
					}
				}
			}
			for _, form := range []Form{Primal, Dual} {
				o.Form = form
				near(t, "table", mustFit(t, x, y, o).CVTable, want, 1e-5)
				withBand(func() { near(t, "table by the band", mustFit(t, x, y, o).CVTable, want, 1e-5) })
			}
		}
	}
}

func TestRecoversPlantedWeights(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	x := gaussian(r, 300, 20)
	y, w := linear(r, x, 6, 0.01)
	m := mustFit(t, x, y, Options{NoStandardise: true, Alphas: LogSpace(-4, 4, 9)})
	near(t, "weights", wide(m.Coef.Data), wide(w.Data), 0.01)
}

// More features than samples and the reverse, with both forms and Y in one or many batches.
func TestPrimalEqualsDual(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, shape := range []struct{ n, p, targets int }{{40, 15, 3}, {25, 70, 5}, {30, 30, targetBatch + 7}} {
		for _, plain := range []bool{false, true} {
			x := gaussian(r, shape.n, shape.p)
			for i := range x.Data {
				x.Data[i] = x.Data[i]*3 + 5 // far from zero, so that centring matters
			}
			y, _ := linear(r, x, shape.targets, 2)
			o := Options{Alphas: LogSpace(-2, 4, 7), NoIntercept: plain, NoStandardise: plain, Score: R2}
			o.Form = Primal
			a := mustFit(t, x, y, o)
			o.Form = Dual
			b := mustFit(t, x, y, o)
			near(t, "table", a.CVTable, b.CVTable, 1e-8)
			if !slices.Equal(a.Alphas, b.Alphas) {
				t.Errorf("%v: penalties differ: %v and %v", shape, a.Alphas, b.Alphas)
			}
			near(t, "coefficients", wide(a.Coef.Data), wide(b.Coef.Data), 1e-5)
			near(t, "intercept", a.Intercept, b.Intercept, 1e-6)
		}
	}
}

func TestSameBitsForAnyThreads(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	x := gaussian(r, 90, 130)
	y, _ := linear(r, x, 2*targetBatch+50, 3)
	fit := func(threads int) *Model {
		defer tensor.SetThreads(threads)()
		return mustFit(t, x, y, Options{Score: Correlation})
	}
	one, three := fit(1), fit(3)
	if !slices.Equal(one.Coef.Data, three.Coef.Data) || !slices.Equal(one.CVTable, three.CVTable) {
		t.Error("the fit depends on the number of threads")
	}
}

func TestScaleOfFeaturesDoesNotMatter(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	x := gaussian(r, 50, 8)
	y, _ := linear(r, x, 3, 1)
	z := x.Take(seq(50))
	for i := range z.Data {
		z.Data[i] = z.Data[i]*8 + 16 // exact in binary up to the addition
	}
	a, b := mustFit(t, x, y, Options{}), mustFit(t, z, y, Options{})
	near(t, "prediction", wide(mustPredict(t, a, x).Data), wide(mustPredict(t, b, z).Data), 1e-4)
}

// Without an intercept on raw targets, what is missing from each prediction is the mean of
// Y, up to the shrinkage of a mean that X happens to explain; standardised X has no mean.
func TestNoInterceptDropsTheMean(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	x := gaussian(r, 80, 10)
	y, _ := linear(r, x, 2, 1)
	for i := range y.Rows {
		y.Row(i)[0] += 100
	}
	with, err := Fit(ctx, x, y, []float64{10}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	without, err := Fit(ctx, x, y, []float64{10}, Options{NoIntercept: true})
	if err != nil {
		t.Fatal(err)
	}
	p, q := mustPredict(t, with, x), mustPredict(t, without, x)
	for i := range p.Rows {
		if d := float64(p.Row(i)[0] - q.Row(i)[0]); math.Abs(d-with.Intercept[0]) > 1e-3 {
			t.Fatalf("sample %d: predictions differ by %v, want the mean of Y, %v", i, d, with.Intercept[0])
		}
	}
}

func TestFolds(t *testing.T) {
	for _, c := range []struct {
		name   string
		n, k   int
		groups []int
		want   [][]int
	}{
		{"contiguous, longer first", 7, 3, nil, [][]int{{0, 1, 2}, {3, 4}, {5, 6}}},
		{"repeats stay together", 6, 2, []int{9, 4, 9, 7, 4, 7}, [][]int{{0, 1, 2, 4}, {3, 5}}},
		{"leave one run out", 6, 3, []int{1, 1, 2, 2, 3, 3}, [][]int{{0, 1}, {2, 3}, {4, 5}}},
	} {
		got, err := Folds(c.n, c.k, c.groups)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if !slices.EqualFunc(got, c.want, slices.Equal[[]int]) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	for _, c := range []struct {
		n, k   int
		groups []int
		want   string
	}{
		{5, 1, nil, "at least 2 folds"},
		{4, 5, nil, "5 folds of 4 samples"},
		{4, 3, []int{1, 1, 2, 2}, "3 folds of 2 groups"},
		{4, 2, []int{1, 2}, "2 group labels"},
	} {
		if _, err := Folds(c.n, c.k, c.groups); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Folds(%d, %d, %v): %v, want an error with %q", c.n, c.k, c.groups, err, c.want)
		}
	}
}

// Every image is shown three times with the same response pattern and the same random
// target, so that there is nothing to learn about new images. Splits that ignore the images
// find a score all the same; grouped ones must not.
func TestGroupedFoldsDoNotLeak(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	const images, repeats, targets = 60, 3, 40
	patterns, labels := gaussian(r, images, 50), gaussian(r, images, targets)
	var rows, groups []int
	for k := range repeats {
		for i := range images {
			rows = append(rows, (i*7+k*13)%images)
		}
	}
	groups = slices.Clone(rows)
	x, y := patterns.Take(rows), labels.Take(rows)
	noise := gaussian(r, x.Rows, x.Cols)
	for i := range x.Data {
		x.Data[i] += 0.3 * noise.Data[i]
	}
	mean := func(groups []int) float64 {
		m := mustFit(t, x, y, Options{Score: Correlation, Groups: groups, Alphas: []float64{1}})
		sum := 0.0
		for _, v := range m.CVScores {
			sum += v
		}
		return sum / targets
	}
	grouped, plain := mean(groups), mean(nil)
	// The mean of 40 correlations over 36 left-out samples each of 5 folds; with repeats,
	// 12 independent images a fold: standard error near (1/√12)/√(5·40) = 0.02.
	if math.Abs(grouped) > 0.08 {
		t.Errorf("grouped folds score %.3f on random targets, want about 0", grouped)
	}
	if plain < 0.3 {
		t.Errorf("folds that split repeats score %.3f, want the leak to show", plain)
	}
}

func TestTiesGoToTheLargerPenalty(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	x, y := gaussian(r, 30, 4), linalg.New[float32](30, 2)
	for i := range 30 {
		y.Row(i)[0] = 3 // constant: every penalty predicts the mean
		y.Row(i)[1] = x.Row(i)[0]
	}
	m := mustFit(t, x, y, Options{Alphas: []float64{1, 100, 0.01, 10}})
	if m.Alphas[0] != 100 {
		t.Errorf("constant target: penalty %v, want the largest, 100", m.Alphas[0])
	}
	if want := (Edge{Low: 1, Flat: 1, Targets: 2}); m.Edge != want {
		t.Errorf("edge %+v, want %+v", m.Edge, want)
	}
	if s := m.Edge.String(); !strings.Contains(s, "1 chose the smallest") {
		t.Errorf("warning %q", s)
	}
	if s := (Edge{Flat: 2, Targets: 2}).String(); s != "" {
		t.Errorf("warning %q where no target is at the edge", s)
	}
}

func TestConstantFeature(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	x := gaussian(r, 40, 3)
	for i := range 40 {
		x.Row(i)[1] = 0.1
	}
	y, _ := linear(r, x, 1, 0.1)
	m := mustFit(t, x, y, Options{})
	if m.Scaler.Scale[1] != 1 || m.Coef.Row(1)[0] != 0 {
		t.Errorf("constant feature: scale %v, coefficient %v, want 1 and 0", m.Scaler.Scale[1], m.Coef.Row(1)[0])
	}
}

func TestProgress(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 10))
	x := gaussian(r, 30, 4)
	y, _ := linear(r, x, targetBatch+1, 1)
	last, of := 0, 0
	mustFit(t, x, y, Options{Progress: func(done, total int) {
		if done != last+1 {
			t.Errorf("step %d follows %d", done, last)
		}
		last, of = done, total
	}})
	if last == 0 || last != of {
		t.Errorf("ended at %d of %d", last, of)
	}
}

func TestFitRejects(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 11))
	x, y := gaussian(r, 10, 3), gaussian(r, 10, 2)
	nan := x.Take(seq(10))
	nan.Row(4)[2] = float32(math.NaN())
	for _, c := range []struct {
		name string
		x, y linalg.Matrix[float32]
		o    Options
		want string
	}{
		{"rows", x, gaussian(r, 9, 2), Options{}, "X has 10 samples and Y has 9"},
		{"nan", nan, y, Options{}, "X: row 4, column 2 is NaN"},
		{"size", linalg.Matrix[float32]{Rows: 10, Cols: 3, Stride: 3, Data: x.Data[:29]}, y, Options{}, "29 values"},
		{"empty", linalg.Matrix[float32]{}, linalg.Matrix[float32]{}, Options{}, "0×0"},
		{"grid", x, y, Options{Alphas: []float64{1, -1}}, "penalty -1"},
		{"no grid", x, y, Options{Alphas: []float64{}}, "empty grid"},
		{"zero", x, y, Options{Alphas: []float64{0}}, "penalty 0"},
		{"folds", x, y, Options{Folds: 11}, "11 folds"},
		{"groups", x, y, Options{Groups: []int{1}}, "1 group labels"},
		{"score", x, y, Options{Score: 9}, "Score(9)"},
	} {
		if _, err := FitCV(ctx, c.x, c.y, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", c.name, err, c.want)
		}
	}
	if _, err := Fit(ctx, x, y, []float64{1, 2, 3}, Options{}); err == nil {
		t.Error("3 penalties for 2 targets: no error")
	}
	if _, err := Fit(ctx, x, y, []float64{math.NaN()}, Options{}); err == nil {
		t.Error("penalty NaN: no error")
	}
	m := mustFit(t, x, y, Options{})
	if _, err := m.Predict(gaussian(r, 2, 4)); err == nil || !strings.Contains(err.Error(), "fitted on 3") {
		t.Errorf("predicting from 4 features: %v", err)
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := FitCV(done, x, y, Options{}); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
}

func seq(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

// The size of a simulated subject: 400 images, 1,500 voxels, 4,096 targets.
func BenchmarkFitCV(b *testing.B) {
	r := rand.New(rand.NewPCG(12, 12))
	x, y := gaussian(r, 400, 1500), gaussian(r, 400, 4096)
	o := Options{Alphas: LogSpace(1, 6, 12)}
	for b.Loop() {
		if _, err := FitCV(ctx, x, y, o); err != nil {
			b.Fatal(err)
		}
	}
}
