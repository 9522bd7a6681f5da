package diagnose

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"percept/fmri"
	"percept/fmri/metrics"
	"percept/fmri/stats"
	"percept/fmri/table"
	"percept/tensor/linalg"
)

func normal(seed uint64, rows, columns int) linalg.Matrix[float32] {
	r, m := rand.New(rand.NewPCG(seed, 3)), linalg.New[float32](rows, columns)
	for i := range m.Data {
		m.Data[i] = float32(r.NormFloat64())
	}
	return m
}

// plus is a + f·b.
func plus(a linalg.Matrix[float32], f float32, b linalg.Matrix[float32]) linalg.Matrix[float32] {
	c := a.Clone()
	for i := range c.Data {
		c.Data[i] += f * b.Data[i]
	}
	return c
}

func compare(t *testing.T, truth, predicted linalg.Matrix[float32], o Options) *Diagnosis {
	t.Helper()
	d, err := Compare(t.Context(), tableOf(t, truth, 0), tableOf(t, predicted, 0), o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-6*(1+math.Abs(want)) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// What a diagnosis says does not depend on the order of the images, and only what it should on scale and offset of predictions.
func TestInvariances(t *testing.T) {
	truth := normal(1, 30, 12)
	predicted := plus(truth, 1.5, normal(2, 30, 12))
	d := compare(t, truth, predicted, Options{})

	order := rand.New(rand.NewPCG(4, 4)).Perm(30)
	moved := compare(t, truth.Take(order), predicted.Take(order), Options{})
	for i, o := range order {
		near(t, "pattern of an image in another place", moved.PerImage[i].Pattern, d.PerImage[o].Pattern)
	}
	scaled, shifted := predicted.Clone(), predicted.Clone()
	for i := range predicted.Data {
		scaled.Data[i] *= 0.25
		shifted.Data[i] += float32(i%12) - 3 // an offset for each target
	}
	small, offset := compare(t, truth, scaled, Options{}), compare(t, truth, shifted, Options{})
	for _, c := range []struct {
		what      string
		got, want float64
	}{
		{"target correlation of images in another order", moved.Target.Mean, d.Target.Mean},
		{"its interval", moved.Target.High, d.Target.High},
		{"identification in another order", moved.FixTrue.Accuracy, d.FixTrue.Accuracy},
		{"dimension in another order", moved.Dimension.Decoded.Participation, d.Dimension.Decoded.Participation},
		{"pattern correlation of smaller predictions", small.Pattern.Mean, d.Pattern.Mean},
		{"target correlation of smaller predictions", small.Target.Mean, d.Target.Mean},
		{"variance of smaller predictions", small.Variance.Total, d.Variance.Total / 16},
		{"dimension of smaller predictions", small.Dimension.Decoded.Participation, d.Dimension.Decoded.Participation},
		{"largest singular value of smaller predictions", small.Dimension.Decoded.Singular[0], d.Dimension.Decoded.Singular[0] / 4},
		{"target correlation with an offset", offset.Target.Mean, d.Target.Mean},
		{"centred pattern correlation with an offset", offset.Centred.Mean, d.Centred.Mean},
		{"variance with an offset", offset.Variance.Total, d.Variance.Total},
	} {
		near(t, c.what, c.got, c.want)
	}
	if small.Significant != d.Significant || offset.Pattern.Mean > d.Pattern.Mean-0.05 || offset.R2.Mean > d.R2.Mean-0.5 {
		t.Errorf("an offset left patterns at %v of %v, R² at %v of %v", offset.Pattern.Mean, d.Pattern.Mean, offset.R2.Mean, d.R2.Mean)
	}
}

// Means over targets are those of package metrics, target by target.
func TestTargetsOneByOne(t *testing.T) {
	truth := normal(5, 25, 9)
	predicted := plus(truth, 1, normal(6, 25, 9))
	d := compare(t, truth, predicted, Options{})
	var r, r2 []float64
	column := func(m linalg.Matrix[float32], j int) []float64 {
		x := make([]float64, m.Rows)
		for i := range x {
			x[i] = float64(m.At(i, j))
		}
		return x
	}
	for j := range 9 {
		y, p := column(truth, j), column(predicted, j)
		r = append(r, metrics.Pearson(y, p))
		within, about := 0.0, 0.0
		for i := range y {
			within += (y[i] - p[i]) * (y[i] - p[i])
			about += (y[i] - stats.Mean(y)) * (y[i] - stats.Mean(y))
		}
		r2 = append(r2, 1-within/about)
	}
	near(t, "target correlation", d.Target.Mean, stats.Mean(r))
	near(t, "R²", d.R2.Mean, stats.Mean(r2))
	slices.Sort(r)
	near(t, "its median", d.Target.Quantiles[2], r[4])
	if d.Flat != 0 || d.Significant != 9 {
		t.Errorf("%d flat targets, %d significant", d.Flat, d.Significant)
	}
}

// Training images are compared in blocks, each one once, in any number.
func TestNearestIsTheNearestOfAll(t *testing.T) {
	const n, width = trainRows + 70, 8
	truth, train := normal(7, 12, width), normal(8, n, width)
	predicted := plus(truth, 0.7, normal(9, 12, width))
	copy(train.Row(n-1), train.Row(3)) // equal ones: the first counts
	copy(predicted.Row(0), train.Row(3))
	var told []int
	known := tableOf(t, train, 5) // images 5 to 11 were decoded as well
	d := compare(t, truth, predicted, Options{Train: known, Progress: func(done, total int) { told = append(told, done, total) }})
	if !slices.Equal(told, []int{trainRows, n, n, n}) {
		t.Errorf("told of %v", told)
	}
	r := metrics.RowCorrelations(predicted, train, nil, nil)
	nearer := 0
	for i, p := range d.PerImage {
		best, at, closer := math.Inf(-1), 0, 0
		for k, v := range r.Row(i) {
			if 5+k == i {
				continue
			}
			if v > best {
				best, at = v, 5+k
			}
			if v > p.Pattern {
				closer++
			}
		}
		if p.Image != fmri.ImageID(i) || p.Nearest != fmri.ImageID(at) || p.Closer != closer || p.Similarity != best {
			t.Errorf("image %d: nearest %d at %v, %d closer, want %d at %v, %d", p.Image, p.Nearest, p.Similarity, p.Closer, at, best,
				closer)
		}
		nearer += min(1, closer)
	}
	if d.PerImage[0].Nearest != 8 || d.Nearest.Nearer != nearer || d.Nearest.Train != n {
		t.Errorf("%+v, want %d nearer, %d", d.Nearest, nearer, d.PerImage[0].Nearest)
	}
	// Rows of one image, as single trials, count once.
	twice, err := known.Take(append([]int{0, 1, 2}, append(slices.Repeat([]int{3}, 4), 4)...))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Compare(t.Context(), tableOf(t, truth, 0), tableOf(t, predicted, 0), Options{Train: twice}); err == nil ||
		!strings.Contains(err.Error(), "image 8 (0-based) has more than one row, expected one") {
		t.Errorf("trials as training images: %v", err)
	}
}

// Rows meet by their place, and images that do not are told.
func TestCompareOfImages(t *testing.T) {
	truth, predicted := normal(1, 6, 4), normal(2, 6, 4)
	known, unknown := tableOf(t, truth, 10), func(m linalg.Matrix[float32]) *table.Table {
		x, err := table.New("features", m, table.Rows{}, table.Columns{})
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	var first *Diagnosis
	for _, c := range []struct {
		truth, predicted *table.Table
		image            fmri.ImageID
	}{{known, tableOf(t, predicted, 10), 10}, {known, unknown(predicted), 10}, {unknown(truth), tableOf(t, predicted, 30),
		30}, {unknown(truth), unknown(predicted), 0}} {
		d, err := Compare(t.Context(), c.truth, c.predicted, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if d.PerImage[0].Image != c.image || d.PerImage[5].Image != c.image+5 {
			t.Errorf("images from %d, want from %d", d.PerImage[0].Image, c.image)
		}
		for i := range d.PerImage {
			d.PerImage[i].Image = 0
		}
		if first == nil {
			first = d
		}
		if !reflect.DeepEqual(d, first) {
			t.Error("numbers depend on what images are called")
		}
	}
	for _, c := range []struct {
		truth *table.Table
		train *table.Table
		want  string
	}{
		{tableOf(t, truth, 11), nil, "diagnose: the rows of features are of other images than those of features, expected the same in the same order"},
		{known, tableOf(t, truth.Slice(0, 1, 0, 4), 10), "features: image 10 alone, which is the decoded one, expected other training images"},
	} {
		_, err := Compare(t.Context(), c.truth, tableOf(t, predicted, 10), Options{Train: c.train})
		if err == nil || err.Error() != c.want {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Compare(ctx, known, known, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// The spectrum of n equal directions has n of them, however it is turned and however many rows and columns there are.
func TestSpectrum(t *testing.T) {
	for _, c := range [][3]int{{40, 9, 4}, {9, 40, 4}, {30, 30, 1}, {64, 3000, 8}, {12, 5, 5}} {
		rows, columns, n := c[0], c[1], c[2]
		m := linalg.New[float32](rows, columns)
		for k := range n { // cosines over rows, of which each has the mean 0 and the same length, in columns of their own
			for i := range rows {
				m.Set(i, k*columns/n, float32(math.Cos(math.Pi*float64(k+1)*(float64(i)+0.5)/float64(rows))))
			}
		}
		s, err := SpectrumOf(m)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(s.Participation-float64(n)) > 1e-4 || s.Ninety != int(math.Ceil(0.9*float64(n))) ||
			len(s.Singular) != min(rows, columns) {
			t.Errorf("%d×%d of %d directions: %v, %d for 90 %%", rows, columns, n, s.Participation, s.Ninety)
		}
		for k, v := range s.Singular {
			if want := math.Sqrt(float64(rows) / 2); k < n && math.Abs(v-want) > 1e-4 || k >= n && v > 1e-3 {
				t.Errorf("%d×%d: singular value %d of %d is %v, want %v", rows, columns, k, n, v, want)
			}
		}
	}
	if s, err := SpectrumOf(linalg.New[float32](5, 3)); err != nil || s.Participation != 0 || s.Ninety != 0 {
		t.Errorf("of nothing that varies: %+v, %v", s, err)
	}
	if _, err := SpectrumOf(linalg.New[float32](0, 3)); err == nil || !strings.Contains(err.Error(), "expected one or more of both") {
		t.Errorf("of no row: %v", err)
	}
	// Of more rows than can be decomposed, evenly spaced ones are taken.
	many := normal(3, 2*spectrumRows+1, 2)
	d, err := dimensions(many, many)
	if err != nil || d.Rows != spectrumRows || d.True.Singular[0] != d.Decoded.Singular[0] {
		t.Errorf("%d rows of %d, %v", d.Rows, many.Rows, err)
	}
}
