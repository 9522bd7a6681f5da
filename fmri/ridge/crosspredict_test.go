package ridge

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"percept/tensor/linalg"
)

// testdata/crosspredict.safetensors: by testdata/crosspredict.py, himalaya 0.4.11 and scikit-learn 1.9.1 in float64.
func TestCrossPredictGolden(t *testing.T) {
	g := openFile(t, "testdata/crosspredict.safetensors")
	x, y := g.matrix("X"), g.matrix("Y")
	of, err := g.s.Int64("run")
	if err != nil {
		t.Fatal(err)
	}
	run := make([]int, len(of))
	for i, r := range of {
		run[i] = int(r)
	}
	folds, err := Folds(x.Rows, 5, run)
	if err != nil {
		t.Fatal(err)
	}
	each := Options{Alphas: g.float64s("alphas"), Groups: run, Folds: 4, NoStandardise: true}
	global, sets := each, each
	global.Global = true
	sets.NoStandardise = false
	for _, c := range []struct {
		name string
		sets [][]int
		o    Options
	}{{"each", nil, each}, {"global", nil, global}, {"sets", [][]int{{5, 0, 2}, {1, 3}}, sets},
		{"global", [][]int{{0, 1, 2, 3, 4, 5}}, each}} {
		got, err := CrossPredict(context.Background(), x, y, folds, c.sets, c.o)
		if err != nil {
			t.Fatal(err)
		}
		alphas := g.float64s(c.name + ".alphas")
		for f := range folds {
			for j, a := range got.Alphas[f] {
				if want := alphas[f*y.Cols+j]; math.Abs(a-want) > 1e-9*want {
					t.Errorf("%s: fold %d, target %d: penalty %v, want %v", c.name, f, j, a, want)
				}
			}
		}
		want := g.float64s(c.name + ".predicted")
		for i, v := range got.Predicted.Data { // float32 of values up to 20
			if math.Abs(float64(v)-want[i]) > 4e-6 {
				t.Fatalf("%s: prediction %d is %v, want %v", c.name, i, v, want[i])
			}
		}
		if len(got.Edges) != len(folds) || got.Edges[0].Targets != y.Cols {
			t.Errorf("%s: edges %v", c.name, got.Edges)
		}
	}
}

// A sample's own values have no part in its prediction: changing them changes only the others'.
func TestCrossPredictLeavesOut(t *testing.T) {
	g := openFile(t, "testdata/crosspredict.safetensors")
	x, y := g.matrix("X"), g.matrix("Y")
	folds := [][]int{{3, 0, 40}, nil, nil}
	for i := range x.Rows {
		if !slices.Contains(folds[0], i) {
			folds[1+i%2] = append(folds[1+i%2], i)
		}
	}
	o := Options{Alphas: []float64{1, 10, 100}, Folds: 3}
	before, err := CrossPredict(context.Background(), x, y, folds, nil, o)
	if err != nil {
		t.Fatal(err)
	}
	changed := linalg.Of(slices.Clone(y.Data), y.Rows, y.Cols)
	for _, i := range folds[0] {
		for j := range changed.Row(i) {
			changed.Row(i)[j] = 1000
		}
	}
	after, err := CrossPredict(context.Background(), x, changed, folds, nil, o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range x.Rows {
		if same := slices.Equal(before.Predicted.Row(i), after.Predicted.Row(i)); same != slices.Contains(folds[0], i) {
			t.Errorf("sample %d: prediction unchanged %v", i, same)
		}
	}
}

func TestCrossPredictRejects(t *testing.T) {
	x, y := linalg.New[float32](6, 2), linalg.New[float32](6, 3)
	halves := [][]int{{0, 1, 2}, {3, 4, 5}}
	for _, c := range []struct {
		folds, sets [][]int
		groups      []int
		want        string
	}{
		{halves[:1], nil, nil, "1 folds to leave out"},
		{[][]int{{0, 1, 2}, {}}, nil, nil, "fold 1 is empty"},
		{[][]int{{0, 1, 2}, {3, 4}}, nil, nil, "5 of 6 samples"},
		{[][]int{{0, 1, 2}, {2, 3, 4, 5}}, nil, nil, "sample 2 is in folds 0 and 1"},
		{[][]int{{0, 1, 2}, {3, 4, 6}}, nil, nil, "sample 6, expected 0 to 5"},
		{halves, nil, []int{1, 1, 1, 1, 2, 2}, "group 1 is in folds 0 and 1"},
		{halves, nil, []int{1, 1}, "2 group labels"},
		{halves, [][]int{{0}, {}}, nil, "set 1 of targets is empty"},
		{halves, [][]int{{0, 3}}, nil, "target 3, expected 0 to 2"},
		{halves, [][]int{{0, 1}, {1}}, nil, "target 1 is in two sets"},
		{halves, nil, nil, "without fold 0: ridge: 5 folds of 3 samples"},
	} {
		if _, err := CrossPredict(context.Background(), x, y, c.folds, c.sets, Options{Groups: c.groups}); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want an error with %q", err, c.want)
		}
	}
}

func TestLargest(t *testing.T) {
	nan := float32(math.NaN())
	m := linalg.Of([]float32{9, 1, 3, 3, 0, nan, -2, nan, 5, nan, nan, nan}, 3, 4)
	if got := Largest(m, 1, 4); !slices.Equal(got, []int{1, 1, -1}) {
		t.Errorf("largest %v", got)
	}
}
