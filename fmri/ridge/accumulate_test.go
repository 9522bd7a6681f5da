package ridge

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"percept/tensor/linalg"
)

// Rows that come in slabs give what FitCV gives for all of them, in any order.
func TestAccumulatorIsFitCV(t *testing.T) {
	r := rand.New(rand.NewPCG(50, 1))
	const n, p, targets, folds = 90, 20, 6, 4
	x := gaussian(r, n, p)
	for i := range x.Data {
		x.Data[i] = x.Data[i]*float32(1+i%p) + 30
	}
	for i := range n {
		x.Row(i)[3] = 0.1 // constant
		x.Row(i)[4] = 0
		if i < 20 { // varies in the first fold alone
			x.Row(i)[4] = float32(i)
		}
	}
	y, _ := linear(r, x, targets, 20)
	for i := range n {
		y.Row(i)[5] = 7 // nothing to explain
	}
	parts, err := Folds(n, folds, nil)
	if err != nil {
		t.Fatal(err)
	}
	fold := make([]int, n)
	for f, part := range parts {
		for _, i := range part {
			fold[i] = f
		}
	}
	order := r.Perm(n)
	a, err := NewAccumulator(p, targets, folds)
	if err != nil {
		t.Fatal(err)
	}
	for from := 0; from < n; from += 37 {
		rows := order[from:min(from+37, n)]
		var of []int
		for _, i := range rows {
			of = append(of, fold[i])
		}
		if err := a.Add(x.Take(rows), y.Take(rows), of); err != nil {
			t.Fatal(err)
		}
	}
	check := func(o Options) {
		t.Helper()
		name := fmt.Sprintf("%v, intercept %v, standardised %v, once %v", o.Score, !o.NoIntercept, !o.NoStandardise, o.StandardiseOnce)
		o.Folds, o.Alphas = folds, LogSpace(-1, 5, 7)
		want := mustFit(t, x, y, o)
		got, err := a.FitCV(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range want.CVTable {
			if d := got.CVTable[i] - v; !(d < 1e-7*(1+v*v) && d > -1e-7*(1+v*v)) {
				t.Errorf("%s: score %d is %v, want %v", name, i, got.CVTable[i], v)
			}
		}
		sameAlphas(t, name, got.Alphas, want.Alphas)
		if got.Edge != want.Edge {
			t.Errorf("%s: edge %v, want %v", name, got.Edge, want.Edge)
		}
		near(t, name, wide(mustPredict(t, got, x).Data), wide(mustPredict(t, want, x).Data), 2e-3)
	}
	for _, score := range []Score{L2, R2, Correlation} {
		for i := range 8 {
			check(Options{Score: score, NoIntercept: i&1 != 0, NoStandardise: i&2 != 0, StandardiseOnce: i&4 != 0})
		}
	}
	withBand(func() { check(Options{Precision: Double}) })
	m, err := a.Fit(ctx, []float64{3}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want, err := Fit(ctx, x, y, []float64{3}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "fixed penalty", wide(m.Coef.Data), wide(want.Coef.Data), 1e-4)
	near(t, "scale", m.Scaler.Scale, want.Scaler.Scale, 1e-8)
	near(t, "mean", m.Scaler.Mean, want.Scaler.Mean, 1e-8)
}

func TestAccumulatorRejects(t *testing.T) {
	r := rand.New(rand.NewPCG(51, 1))
	if _, err := NewAccumulator(0, 1, 1); err == nil {
		t.Error("no features: no error")
	}
	a, err := NewAccumulator(3, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.FitCV(ctx, Options{}); err == nil || !strings.Contains(err.Error(), "fold 0 has 0 of 0 samples") {
		t.Errorf("without rows: %v", err)
	}
	if _, err := a.Fit(ctx, []float64{1}, Options{}); err == nil || !strings.Contains(err.Error(), "0 samples") {
		t.Errorf("without rows: %v", err)
	}
	x, y := gaussian(r, 4, 3), gaussian(r, 4, 2)
	for name, c := range map[string]struct {
		x, y linalg.Matrix[float32]
		fold []int
		want string
	}{
		"features": {gaussian(r, 4, 2), y, []int{0, 0, 1, 1}, "X is 4×2"},
		"rows":     {x, gaussian(r, 3, 2), []int{0, 0, 1, 1}, "Y 3×2"},
		"folds":    {x, y, []int{0}, "1 folds"},
		"fold":     {x, y, []int{0, 0, 1, 2}, "row 3 is in fold 2, expected 0 to 1"},
	} {
		if err := a.Add(c.x, c.y, c.fold); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if err := a.Add(x, y, []int{0, 0, 0, 0}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.FitCV(ctx, Options{}); err == nil || !strings.Contains(err.Error(), "fold 0 has 4 of 4") {
		t.Errorf("all rows in one fold: %v", err)
	}
	one, _ := NewAccumulator(3, 2, 1)
	if _, err := one.FitCV(ctx, Options{}); err == nil || !strings.Contains(err.Error(), "with 1 fold") {
		t.Errorf("one fold: %v", err)
	}
}
