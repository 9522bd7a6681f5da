package ridge

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// testdata/fractional.safetensors is by testdata/fractional.py, fracridge 2.0.
func TestFractionsGolden(t *testing.T) {
	g := openFile(t, "testdata/fractional.safetensors")
	fractions := g.float64s("fractions")
	for i := range fractions {
		fractions[i] = min(fractions[i], 1) // NumPy's last is 1 + 2⁻⁵²
	}
	for _, c := range []struct {
		name string
		form Form
	}{{"tall", Primal}, {"tall", Dual}, {"wide", Dual}, {"wide", Primal}} {
		models, err := FitFractions(ctx, g.matrix(c.name+".X"), g.matrix(c.name+".Y"), fractions,
			Options{NoIntercept: true, NoStandardise: true, Form: c.form})
		if err != nil {
			t.Fatal(err)
		}
		var coef, alphas []float64
		for _, m := range models {
			coef = append(coef, wide(m.Coef.Data)...)
			alphas = append(alphas, m.Alphas...)
		}
		want := g.float64s(c.name + ".alphas")
		for i := range want {
			if math.Abs(alphas[i]-want[i]) > 1e-8*(1+want[i]) {
				t.Errorf("%s: penalty %d is %v, want %v", c.name, i, alphas[i], want[i])
			}
		}
		near(t, c.name, coef, g.float64s(c.name+".coef"), 1e-5)
	}
}

// The fraction 1 is ordinary least squares, lengths are what they were meant to be up to the
// grid, and penalties fall as fractions rise.
func TestFractions(t *testing.T) {
	r := rand.New(rand.NewPCG(40, 1))
	x := gaussian(r, 60, 20)
	for i := range x.Data {
		x.Data[i] *= float32(1 + i%20)
	}
	y, _ := linear(r, x, 6, 2)
	fractions := []float64{0.05, 0.3, 0.7, 1}
	models, err := FitFractions(ctx, x, y, fractions, Options{})
	if err != nil {
		t.Fatal(err)
	}
	ols, err := Fit(ctx, x, y, []float64{0}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "fraction 1", wide(models[3].Coef.Data), wide(ols.Coef.Data), 1e-6)
	length := func(m *Model, j int) float64 {
		sum := 0.0
		for i := range m.Coef.Rows {
			sum += float64(m.Coef.Row(i)[j]) * float64(m.Coef.Row(i)[j])
		}
		return math.Sqrt(sum)
	}
	for i, m := range models {
		for j := range y.Cols {
			if f := length(m, j) / length(ols, j); math.Abs(f-fractions[i]) > 0.02 {
				t.Errorf("target %d: fraction %.4f, want %v", j, f, fractions[i])
			}
			if i > 0 && !(m.Alphas[j] < models[i-1].Alphas[j]) {
				t.Errorf("target %d: penalty %v of fraction %v is not below %v", j, m.Alphas[j], fractions[i], models[i-1].Alphas[j])
			}
		}
	}
}

func TestFractionsCV(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 1))
	for _, shape := range [][2]int{{70, 30}, {40, 60}} {
		x := gaussian(r, shape[0], shape[1])
		y, _ := linear(r, x, 4, 1)
		for i := range y.Rows {
			y.Row(i)[0] = float32(r.NormFloat64()) // nothing to learn
			y.Row(i)[1] = 2
		}
		fractions := DefaultFractions()
		m, err := FitFractionsCV(ctx, x, y, fractions, Options{Score: R2})
		if err != nil {
			t.Fatal(err)
		}
		if m.Chosen[0] != 0.1 || m.Chosen[1] != 0.1 {
			t.Errorf("%v: noise and a constant have fractions %v and %v, want the smallest", shape, m.Chosen[0], m.Chosen[1])
		}
		if m.Chosen[2] < 0.5 {
			t.Errorf("%v: a target that is well predicted has fraction %v", shape, m.Chosen[2])
		}
		// The model is that of the fraction, and the score that of refitting each fold.
		models, err := FitFractions(ctx, x, y, fractions, Options{})
		if err != nil {
			t.Fatal(err)
		}
		parts, _ := Folds(x.Rows, 5, nil)
		sum := make([]float64, len(fractions)*4)
		for _, held := range parts {
			var rest []int
			for i := range x.Rows {
				if !slices.Contains(held, i) {
					rest = append(rest, i)
				}
			}
			of, err := FitFractions(ctx, x.Take(rest), y.Take(rest), fractions, Options{})
			if err != nil {
				t.Fatal(err)
			}
			for f, one := range of {
				s, err := R2.Of(y.Take(held), mustPredict(t, one, x.Take(held)))
				if err != nil {
					t.Fatal(err)
				}
				for j, v := range s {
					sum[f*4+j] += v / 5
				}
			}
		}
		near(t, "table", m.CVTable, sum, 1e-4)
		for j, f := range m.Chosen {
			of := models[slices.Index(fractions, f)]
			for i := range x.Cols {
				if of.Coef.Row(i)[j] != m.Coef.Row(i)[j] {
					t.Fatalf("target %d has not the coefficients of fraction %v", j, f)
				}
			}
		}
	}
}

func TestFractionsReject(t *testing.T) {
	r := rand.New(rand.NewPCG(42, 1))
	x, y := gaussian(r, 12, 4), gaussian(r, 12, 2)
	for name, c := range map[string]struct {
		f    []float64
		want string
	}{
		"none": {nil, "no fractions"}, "zero": {[]float64{0}, "fraction 0"}, "above": {[]float64{0.5, 1.1}, "fraction 1.1"},
		"order": {[]float64{0.5, 0.2}, "fraction 0.2 after 0.5"}, "nan": {[]float64{math.NaN()}, "fraction NaN"},
	} {
		if _, err := FitFractions(ctx, x, y, c.f, Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if _, err := FitFractionsCV(ctx, x, y, c.f, Options{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
