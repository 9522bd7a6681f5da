package ridge

import (
	"context"
	"math"
	"testing"

	"percept/tensor/linalg"
	"percept/weights/safetensors"
)

// testdata/ridge.safetensors holds results of scikit-learn 1.9.1 (scaler, Ridge) and
// himalaya 0.4.11 (RidgeCV, scores) in float64, and score tables computed apart from both.
const goldenFile = "testdata/ridge.safetensors"

type golden struct {
	t *testing.T
	s *safetensors.File
}

func openGolden(t *testing.T) golden {
	t.Helper()
	return openFile(t, goldenFile)
}

func openFile(t *testing.T, path string) golden {
	t.Helper()
	s, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return golden{t, s}
}

func (g golden) matrix(name string) linalg.Matrix[float32] {
	g.t.Helper()
	data, err := g.s.Float32(name)
	if err != nil {
		g.t.Fatal(err)
	}
	_, shape, _ := g.s.Info(name)
	return linalg.Of(data, shape[0], shape[1])
}

func (g golden) float64s(name string) []float64 {
	g.t.Helper()
	data, err := g.s.Float64(name)
	if err != nil {
		g.t.Fatal(err)
	}
	return data
}

// near compares float64 results with an absolute tolerance.
func near(t *testing.T, what string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	worst, at := 0.0, 0
	for i := range got {
		if d := math.Abs(got[i] - want[i]); !(d <= worst) {
			worst, at = d, i
		}
	}
	if !(worst <= tol) {
		t.Errorf("%s: value %d is %v, want %v: off by %.3g, tolerance %.3g", what, at, got[at], want[at], worst, tol)
	}
	t.Logf("%s: largest error %.3g, tolerance %.3g", what, worst, tol)
}

// within compares a float32 result with the rule 10·float32 error of the reference library
// + 1e-6·rms of the reference.
func (g golden) within(name string, got linalg.Matrix[float32], float32Error float64) {
	g.t.Helper()
	want := g.matrix(name)
	if got.Rows != want.Rows || got.Cols != want.Cols {
		g.t.Fatalf("%s: %d×%d, want %d×%d", name, got.Rows, got.Cols, want.Rows, want.Cols)
	}
	rms := 0.0
	for _, v := range want.Data {
		rms += float64(v) * float64(v)
	}
	rms = math.Sqrt(rms / float64(len(want.Data)))
	near(g.t, name, wide(got.Data), wide(want.Data), 10*float32Error+1e-6*rms)
}

func wide(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

func sameAlphas(t *testing.T, what string, got, want []float64) {
	t.Helper()
	for i := range want {
		// himalaya returns exp(−log α).
		if math.Abs(got[i]-want[i]) > 1e-9*want[i] {
			t.Errorf("%s: target %d: penalty %v, want %v", what, i, got[i], want[i])
		}
	}
}

func TestScalerGolden(t *testing.T) {
	g := openGolden(t)
	x := g.matrix("X")
	s, err := FitScaler(x)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "mean", s.Mean, g.float64s("scaler.mean"), 1e-8)
	near(t, "scale", s.Scale, g.float64s("scaler.scale"), 1e-8)
	if s.Scale[7] != 1 {
		t.Errorf("scale of the constant column is %v, want 1", s.Scale[7])
	}
	for name, m := range map[string]linalg.Matrix[float32]{"scaler.X": x, "scaler.Xtest": g.matrix("Xtest")} {
		z, err := s.Transform(m)
		if err != nil {
			t.Fatal(err)
		}
		g.within(name, z, 3.98e-07)
	}
}

func TestFitGolden(t *testing.T) {
	g := openGolden(t)
	x, xTest := g.matrix("scaler.X"), g.matrix("scaler.Xtest")
	for _, c := range []struct {
		name             string
		alpha            float64
		intercept        bool
		predErr, coefErr float64 // of scikit-learn in float32
	}{
		{"ridge.a0", 1e-6, false, 3.95e-04, 6.68e-05},
		{"ridge.a0.intercept", 1e-6, true, 2.93e-04, 5.75e-04},
		{"ridge.a1", 0.1, false, 4.98e-05, 1.20e-05},
		{"ridge.a1.intercept", 0.1, true, 5.69e-05, 2.39e-05},
		{"ridge.a2", 1, false, 5.11e-05, 6.99e-06},
		{"ridge.a2.intercept", 1, true, 4.06e-05, 7.67e-06},
		{"ridge.a3", 100, false, 1.86e-05, 2.06e-06},
		{"ridge.a3.intercept", 100, true, 2.47e-05, 2.60e-06},
		{"ridge.a4", 1e4, false, 1.12e-06, 7.60e-08},
		{"ridge.a4.intercept", 1e4, true, 3.15e-06, 1.28e-07},
	} {
		for form, formName := range map[Form]string{Primal: "primal", Dual: "dual"} {
			t.Run(c.name+"/"+formName, func(t *testing.T) {
				g := golden{t, g.s}
				o := Options{NoIntercept: !c.intercept, NoStandardise: true, Form: form}
				m, err := Fit(context.Background(), x, g.matrix("Y"), []float64{c.alpha}, o)
				if err != nil {
					t.Fatal(err)
				}
				pred, err := m.Predict(xTest)
				if err != nil {
					t.Fatal(err)
				}
				g.within(c.name+".coef", m.Coef, c.coefErr)
				g.within(c.name+".pred", pred, c.predErr)
				if c.intercept {
					near(t, "intercept", m.Intercept, g.float64s(c.name+".intercept"), 1e-8)
				}
			})
		}
	}
}

func TestFitPerTargetGolden(t *testing.T) {
	g := openGolden(t)
	o := Options{NoIntercept: true, NoStandardise: true}
	m, err := Fit(context.Background(), g.matrix("scaler.X"), g.matrix("Y_centred"), g.float64s("ridge.per_target.alphas"), o)
	if err != nil {
		t.Fatal(err)
	}
	g.within("ridge.per_target.coef", m.Coef, 0)
}

func TestFitCVGolden(t *testing.T) {
	g := openGolden(t)
	x, xTest := g.matrix("scaler.X"), g.matrix("scaler.Xtest")
	for _, c := range []struct {
		name      string
		score     Score
		intercept bool
		predErr   float64 // of himalaya in float32
	}{
		{"ridgecv.l2", L2, false, 4.22e-05},
		{"ridgecv.l2.intercept", L2, true, 2.73e-05},
		{"ridgecv.r2", R2, false, 4.22e-05},
		{"ridgecv.r2.intercept", R2, true, 2.73e-05},
		{"ridgecv.corr", Correlation, false, 1.14e-03},
		{"ridgecv.corr.intercept", Correlation, true, 7.95e-04},
	} {
		for form, formName := range map[Form]string{Auto: "auto", Dual: "dual"} {
			t.Run(c.name+"/"+formName, func(t *testing.T) {
				g := golden{t, g.s}
				y := g.matrix("Y_centred")
				if c.intercept {
					y = g.matrix("Y")
				}
				o := Options{Alphas: g.float64s("alphas"), Score: c.score, NoIntercept: !c.intercept, NoStandardise: true, Form: form}
				m, err := FitCV(context.Background(), x, y, o)
				if err != nil {
					t.Fatal(err)
				}
				near(t, "table", m.CVTable, g.float64s(c.name+".cv_table"), 1e-8)
				near(t, "scores", m.CVScores, g.float64s(c.name+".cv_scores"), 1e-8)
				sameAlphas(t, c.name, m.Alphas, g.float64s(c.name+".best_alphas"))
				g.within(c.name+".coef", m.Coef, 0)
				pred, err := m.Predict(xTest)
				if err != nil {
					t.Fatal(err)
				}
				g.within(c.name+".pred", pred, c.predErr)
				if c.intercept {
					near(t, "intercept", m.Intercept, g.float64s(c.name+".intercept"), 1e-8)
				}
			})
		}
	}
}

func TestFitCVGlobalGolden(t *testing.T) {
	g := openGolden(t)
	o := Options{Alphas: g.float64s("alphas"), Global: true, NoIntercept: true, NoStandardise: true}
	m, err := FitCV(context.Background(), g.matrix("scaler.X"), g.matrix("Y_centred"), o)
	if err != nil {
		t.Fatal(err)
	}
	want := g.float64s("ridgecv.global_alpha.best_alpha")
	for range m.Alphas[1:] {
		want = append(want, want[0])
	}
	sameAlphas(t, "global", m.Alphas, want)
	near(t, "scores", m.CVScores, g.float64s("ridgecv.global_alpha.cv_scores"), 1e-8)
	pred, err := m.Predict(g.matrix("scaler.Xtest"))
	if err != nil {
		t.Fatal(err)
	}
	g.within("ridgecv.global_alpha.pred", pred, 0)
}

// More features than samples, folds by image: by testdata/grouped.py.
func TestFitCVGroupedGolden(t *testing.T) {
	g := openFile(t, "testdata/grouped.safetensors")
	var groups []int
	for _, v := range g.float64s("groups") {
		groups = append(groups, int(v))
	}
	o := Options{Alphas: g.float64s("alphas"), Groups: groups, Score: R2}
	for _, form := range []Form{Dual, Primal} {
		o.Form = form
		m, err := FitCV(context.Background(), g.matrix("X"), g.matrix("Y"), o)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "table, standardised in each fold", m.CVTable, g.float64s("table_by_fold"), 1e-8)
	}
	o.Form, o.StandardiseOnce = Auto, true
	m, err := FitCV(context.Background(), g.matrix("X"), g.matrix("Y"), o)
	if err != nil {
		t.Fatal(err)
	}
	sameAlphas(t, "grouped", m.Alphas, g.float64s("best_alphas"))
	near(t, "scores", m.CVScores, g.float64s("cv_scores"), 1e-8)
	near(t, "coefficients", wide(m.Coef.Data), g.float64s("coef"), 1e-6)
	near(t, "intercept", m.Intercept, g.float64s("intercept"), 1e-8)
}

func TestScoresGolden(t *testing.T) {
	g := openGolden(t)
	truth, pred := g.matrix("scores.true"), g.matrix("scores.pred")
	for name, s := range map[string]Score{"l2_neg_loss": L2, "r2": R2, "correlation": Correlation} {
		got, err := s.Of(truth, pred)
		if err != nil {
			t.Fatal(err)
		}
		near(t, name, got, g.float64s("scores."+name), 1e-8)
	}
	got, err := Correlation.Of(truth.T().Clone(), pred.T().Clone())
	if err != nil {
		t.Fatal(err)
	}
	near(t, "correlation_per_sample", got, g.float64s("scores.correlation_per_sample"), 1e-8)
}
