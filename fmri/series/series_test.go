package series

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"percept/internal/golden"
)

// testdata/series.safetensors: by testdata/make.py with numpy 2.4.6, scipy 1.17.1 and scikit-learn 1.9.1.
func TestGolden(t *testing.T) {
	s := golden.Open(t, "testdata/series.safetensors")
	x, run := s.Float32("x"), s.Ints("run")
	cols := len(x) / len(run)
	for name, prepare := range map[string]func([]float32) error{
		"line":   func(x []float32) error { return Detrend(x, cols, run, 1) },
		"cubic":  func(x []float32) error { return Detrend(x, cols, run, 3) },
		"zscore": func(x []float32) error { return ZScore(x, cols, run) },
	} {
		want := s.Float64(name)
		got := slices.Clone(x)
		if err := prepare(got); err != nil {
			t.Fatal(err)
		}
		for i, v := range got { // float32 of values up to 150
			if d := math.Abs(float64(v) - want[i]); !(d <= 1e-5) {
				t.Fatalf("%s: value %d is %v, want %v", name, i, v, want[i])
			}
		}
	}
}

func TestConstantsStayExact(t *testing.T) {
	run := []int{0, 0, 0, 1, 1, 1, 1}
	for _, prepare := range []func([]float32) error{
		func(x []float32) error { return Detrend(x, 1, run, 1) },
		func(x []float32) error { return ZScore(x, 1, run) },
	} {
		x := []float32{0.1, 0.1, 0.1, 1e6 + 0.3, 1e6 + 0.3, 1e6 + 0.3, 1e6 + 0.3}
		if err := prepare(x); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(x, make([]float32, 7)) {
			t.Errorf("constant runs became %v, want 0", x)
		}
	}
}

// A polynomial of the degree that is taken away leaves nothing, whatever it is in each run.
func TestDetrendRemovesPolynomials(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	run := make([]int, 90)
	for i := range run {
		run[i] = i / 30
	}
	for degree := range 8 {
		x := make([]float32, 90)
		for k := range 3 {
			c := make([]float64, degree+1)
			for d := range c {
				c[d] = 10 * r.NormFloat64()
			}
			for i := range 30 {
				v, u := 0.0, float64(i)/15-1
				for _, a := range c {
					v = v*u + a
				}
				x[k*30+i] = float32(v)
			}
		}
		if err := Detrend(x, 1, run, degree); err != nil {
			t.Fatal(err)
		}
		for i, v := range x {
			if math.Abs(float64(v)) > 2e-5 {
				t.Fatalf("degree %d: %v remains at %d", degree, v, i)
			}
		}
	}
}

// What is done to one run depends on nothing of another.
func TestRunsAreApart(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	run := make([]int, 40)
	for i := range run {
		run[i] = 7 - i/20
	}
	a := make([]float32, 80)
	for i := range a {
		a[i] = float32(r.NormFloat64())
	}
	b := slices.Clone(a)
	for i := 40; i < 80; i++ {
		b[i] = 3*b[i] + 5
	}
	for _, x := range [][]float32{a, b} {
		if err := Detrend(x, 2, run, 1); err != nil {
			t.Fatal(err)
		}
		if err := ZScore(x, 2, run); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(a[:40], b[:40]) {
		t.Error("the first run changes with the second")
	}
	for i := range a {
		if math.Abs(float64(a[i]-b[i])) > 1e-6 {
			t.Fatalf("value %d is %v and %v, want a run's scale and offset to make no difference", i, a[i], b[i])
		}
	}
}

func TestBlocks(t *testing.T) {
	run := []int{3, 3, 3, 3, 3, 1, 1, 1, 1}
	label := []int{-1, 0, 0, 2, 2, 2, 2, -1, 2}
	got, err := Blocks(run, label)
	if err != nil {
		t.Fatal(err)
	}
	want := []Block{{Span{1, 3}, 3, 0}, {Span{3, 5}, 3, 2}, {Span{5, 7}, 1, 2}, {Span{8, 9}, 1, 2}}
	if !slices.Equal(got, want) {
		t.Errorf("blocks %v, want %v", got, want)
	}
	for _, c := range []struct {
		block, delay int
		want         []int
	}{{0, 0, []int{1, 2}}, {0, 2, []int{3, 4}}, {1, 1, []int{4}}, {1, 2, nil}, {2, -1, []int{5}}, {3, 1, nil}} {
		if v := want[c.block].Volumes(run, c.delay); !slices.Equal(v, c.want) {
			t.Errorf("block %d delayed by %d: %v, want %v", c.block, c.delay, v, c.want)
		}
	}
	mean, err := Average([]float32{1, 2, 3, 4, 5, 6}, 2, [][]int{{0, 2}, {1}})
	if err != nil || !slices.Equal(mean, []float32{3, 4, 3, 4}) {
		t.Errorf("averages %v, %v", mean, err)
	}
}

func TestDelay(t *testing.T) {
	x, err := Indicators([]int{0, -1, 1, 1, 0}, 2)
	if err != nil || !slices.Equal(x, []float32{1, 0, 0, 0, 0, 1, 0, 1, 1, 0}) {
		t.Fatalf("indicators %v, %v", x, err)
	}
	got, err := Delay(x, 2, []int{0, 0, 0, 1, 1}, []int{0, 1, -1})
	want := []float32{
		1, 0, 0, 0, 0, 0,
		0, 0, 1, 0, 0, 1,
		0, 1, 0, 0, 0, 0,
		0, 1, 0, 0, 1, 0, // a new run: nothing from the one before
		1, 0, 0, 1, 0, 0,
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("delayed %v, %v, want %v", got, err, want)
	}
}

func TestRejects(t *testing.T) {
	x := []float32{1, 2, 3, 4}
	nan := []float32{1, 2, float32(math.NaN()), 4}
	one := func(_ any, err error) error { return err }
	for want, err := range map[string]error{
		"no volumes":                       one(Runs(nil)),
		"run 0 begins again at volume 2":   one(Runs([]int{0, 1, 0})),
		"3 labels of 2 volumes":            one(Blocks([]int{0, 0}, []int{1, 1, 1})),
		"4 values in rows of 3":            Detrend(x, 3, []int{0}, 1),
		"4 rows and the run of 3 volumes":  ZScore(x, 1, []int{0, 0, 0}),
		"row 1, column 0 is NaN":           ZScore(nan, 2, []int{0, 0}),
		"degree -1":                        Detrend(x, 2, []int{0, 0}, -1),
		"run 0 has 2 volumes":              Detrend(x, 2, []int{0, 0}, 2),
		"set 1 of 2 has no rows":           one(Average(x, 2, [][]int{{0}, {}})),
		"set 0 has row 2":                  one(Average(x, 2, [][]int{{2}})),
		"label 2 of row 1":                 one(Indicators([]int{0, 2}, 2)),
		"0 classes":                        one(Indicators(nil, 0)),
		"no delays":                        one(Delay(x, 2, []int{0, 0}, nil)),
		"0 values in rows of 2":            one(Average(nil, 2, nil)),
		"series: 4 values in rows of 0":    one(Average(x, 0, nil)),
		"series: 2 rows and the run of 1 ": one(Delay(x, 2, []int{0}, []int{1})),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "series: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %q", err, want)
		}
	}
}
