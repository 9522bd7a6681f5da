package ridge

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"percept/tensor/linalg"
)

// scaled returns y times factor.
func scaled(y linalg.Matrix[float32], factor float32) linalg.Matrix[float32] {
	s := linalg.New[float32](y.Rows, y.Cols)
	for i, v := range y.Data {
		s.Data[i] = v * factor
	}
	return s
}

// TestPenaltiesOfUnits compares with himalaya's choices for targets of variance 1, which ours are in any unit, and with its
// choices for small ones, which UnscaledTies gives.
func TestPenaltiesOfUnits(t *testing.T) {
	b, err := os.ReadFile("testdata/ties.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		X, Y                    []float32
		Rows, Features, Targets int
		Grid, Alphas, Small, R2 []float64
	}
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	x, y := linalg.Of(want.X, want.Rows, want.Features), linalg.Of(want.Y, want.Rows, want.Targets)
	o := Options{Alphas: want.Grid, NoStandardise: true}
	equal := func(name string, got, want []float64) {
		t.Helper()
		for i, a := range got {
			if math.Abs(a/want[i]-1) > 1e-8 {
				t.Errorf("%s: target %d has penalty %g, expected %g", name, i, a, want[i])
			}
		}
	}
	for _, factor := range []float32{1e-12, 1e-6, 1e-3, 1, 1e4, 1e9} {
		m := mustFit(t, x, scaled(y, factor), o)
		equal("as it is", m.Alphas, want.Alphas)
		if m.Moved != 0 {
			t.Errorf("%d targets moved, expected 0", m.Moved)
		}
	}
	published := o
	published.UnscaledTies = true
	m := mustFit(t, x, y, published)
	equal("unscaled", m.Alphas, want.Alphas)
	if m.Moved != 0 {
		t.Errorf("%d targets of variance 1 moved, expected 0", m.Moved)
	}
	m = mustFit(t, x, scaled(y, 1e-6), published)
	equal("unscaled, small", m.Alphas, want.Small)
	moved := 0
	for i := range want.Small {
		if want.Small[i] != want.Alphas[i] {
			moved++
		}
	}
	if m.Moved != moved {
		t.Errorf("%d targets moved, expected %d", m.Moved, moved)
	}
	published.Score = R2
	equal("unscaled, R²", mustFit(t, x, scaled(y, 1e-6), published).Alphas, want.R2)
}

// TestUnitsOfTargetsDoNotMatter holds every way to choose a penalty against itself with targets in other units.
func TestUnitsOfTargetsDoNotMatter(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 8))
	x := gaussian(r, 72, 10)
	y, _ := linear(r, x, 6, 2)
	for i := range y.Rows {
		y.Row(i)[5] = 7 // no variance
	}
	bands := []int{0, 0, 0, 1, 1, 1, 1, 2, 2, 2}
	folds, err := Folds(72, 4, nil)
	if err != nil {
		t.Fatal(err)
	}
	ways := map[string]func(y linalg.Matrix[float32], o Options) []float64{
		"FitCV": func(y linalg.Matrix[float32], o Options) []float64 { return mustFit(t, x, y, o).Alphas },
		"FitBandedCV": func(y linalg.Matrix[float32], o Options) []float64 {
			m, err := FitBandedCV(ctx, x, bands, y, o, Search{Candidates: 12, Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			chosen := slices.Clone(m.Alphas)
			for _, c := range m.Chosen {
				chosen = append(chosen, float64(c))
			}
			return chosen
		},
		"CrossPredict": func(y linalg.Matrix[float32], o Options) []float64 {
			c, err := CrossPredict(ctx, x, y, folds, [][]int{{0, 1}, {2, 5}}, o)
			if err != nil {
				t.Fatal(err)
			}
			return slices.Concat(c.Alphas...)
		},
		"FitFractionsCV": func(y linalg.Matrix[float32], o Options) []float64 {
			m, err := FitFractionsCV(ctx, x, y, []float64{0.2, 0.4, 0.6, 0.8, 1}, o)
			if err != nil {
				t.Fatal(err)
			}
			return m.Chosen
		},
		"Accumulator": func(y linalg.Matrix[float32], o Options) []float64 {
			a, err := NewAccumulator(x.Cols, y.Cols, 4)
			if err != nil {
				t.Fatal(err)
			}
			foldOf := make([]int, x.Rows)
			for f, held := range folds {
				for _, i := range held {
					foldOf[i] = f
				}
			}
			if err := a.Add(x, y, foldOf); err != nil {
				t.Fatal(err)
			}
			m, err := a.FitCV(ctx, o)
			if err != nil {
				t.Fatal(err)
			}
			return m.Alphas
		},
	}
	for name, way := range ways {
		for k := range 4 {
			global, noIntercept := k%2 == 1, k/2 == 1
			if global && name == "CrossPredict" {
				continue // the sets share a penalty already
			}
			o := Options{Alphas: LogSpace(-2, 5, 15), Global: global, NoIntercept: noIntercept}
			want := way(y, o)
			if slices.Min(want) == slices.Max(want) && !global {
				t.Errorf("%s: all targets have %g, so that nothing is shown", name, want[0])
			}
			for _, factor := range []float32{1e-6, 0x1p-20, 1e5} {
				if got := way(scaled(y, factor), o); !slices.Equal(got, want) {
					t.Errorf("%s, global %v, no intercept %v: times %g %v, expected %v", name, global, noIntercept, factor, got, want)
				}
			}
			o.UnscaledTies = true
			if name == "FitCV" && !noIntercept {
				if got := way(scaled(y, 1e-6), o); slices.Min(got) != slices.Max(o.Alphas) {
					t.Errorf("%s, unscaled: %v, expected the largest penalty for all, as published", name, got)
				}
			}
		}
	}
}

// TestOutlierIsTold: a value beside which all others are rounding takes its column out of the cross-validation of one fold,
// which is said.
func TestOutlierIsTold(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 2))
	for _, features := range []int{8, 600} { // in float64 and in float32
		x := gaussian(r, 60, features)
		y, _ := linear(r, x, 2, 1)
		for i := range x.Rows {
			x.Row(i)[5] = 4 // no variance at all
		}
		if m := mustFit(t, x, y, Options{}); m.OneFold != nil {
			t.Errorf("%d features: columns %v without an outlier", features, m.OneFold)
		}
		x.Row(7)[3] = 1e15
		if m := mustFit(t, x, y, Options{}); !slices.Equal(m.OneFold, []int{3}) {
			t.Errorf("%d features: columns %v, expected [3]", features, m.OneFold)
		}
	}
}
