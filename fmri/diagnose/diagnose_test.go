package diagnose

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"percept/fmri"
	"percept/fmri/table"
	"percept/tensor/linalg"
	"percept/weights/safetensors"
)

// reference is a file of testdata/make.py.
type reference struct {
	t *testing.T
	*safetensors.File
}

func (r reference) matrix(name string) linalg.Matrix[float32] {
	r.t.Helper()
	_, shape, _ := r.Info(name)
	x, err := r.Float32(name)
	if err != nil {
		r.t.Fatal(err)
	}
	return linalg.Of(x, shape[0], shape[1])
}

func (r reference) near(name string, got ...float64) {
	r.t.Helper()
	want, err := r.Float64(name)
	if err != nil {
		r.t.Fatal(err)
	}
	if len(got) != len(want) {
		r.t.Errorf("%s: %d values, want %d", name, len(got), len(want))
		return
	}
	for i := range got {
		if math.Abs(got[i]-want[i]) > 1e-9*(1+math.Abs(want[i])) &&
			!(strings.HasSuffix(name, "singular") && got[i] < 1e-5 && want[i] < 1e-5) {
			r.t.Errorf("%s %d is %v, numpy has %v", name, i, got[i], want[i])
		}
	}
}

func (s Score) bounds() []float64 { return []float64{s.Mean, s.Low, s.High} }

func TestDiagnoseEqualsNumpy(t *testing.T) {
	for _, name := range []string{"wide", "tall"} {
		t.Run(name, func(t *testing.T) {
			s, err := safetensors.Open("testdata/diagnose_" + name + ".safetensors")
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			g := reference{t, s}
			train := g.matrix("train")
			d, err := Compare(t.Context(), tableOf(t, g.matrix("truth"), 0), tableOf(t, g.matrix("decoded"), 0),
				Options{Train: tableOf(t, train, 100)})
			if err != nil {
				t.Fatal(err)
			}
			var pattern, centred, nearest, similarity, closer []float64
			for _, p := range d.PerImage {
				pattern, centred, similarity = append(pattern, p.Pattern), append(centred, p.Centred), append(similarity, p.Similarity)
				nearest, closer = append(nearest, float64(p.Nearest)), append(closer, float64(p.Closer))
			}
			g.near("pattern", pattern...)
			g.near("centred", centred...)
			g.near("pattern.quantiles", d.Pattern.Quantiles[:]...)
			g.near("identification", d.FixTrue.Accuracy, d.FixDecoded.Accuracy)
			g.near("target", d.Target.bounds()...)
			g.near("r2", d.R2.bounds()...)
			g.near("target.quantiles", d.Target.Quantiles[:]...)
			g.near("r2.quantiles", d.R2.Quantiles[:]...)
			g.near("significant", float64(d.Significant))
			g.near("variance", append([]float64{d.Variance.Total}, d.Variance.Quantiles[:]...)...)
			g.near("true.singular", d.Dimension.True.Singular...)
			g.near("decoded.singular", d.Dimension.Decoded.Singular...)
			g.near("participation", d.Dimension.True.Participation, d.Dimension.Decoded.Participation)
			g.near("ninety", float64(d.Dimension.True.Ninety), float64(d.Dimension.Decoded.Ninety))
			g.near("nearest", nearest...)
			g.near("nearest.r", similarity...)
			g.near("closer", closer...)
			if d.Flat != 1 || d.Images != len(pattern) || d.Nearest.Train != train.Rows {
				t.Errorf("%d flat targets, %d images, %d training images", d.Flat, d.Images, d.Nearest.Train)
			}
			if in := d.Pattern; !(in.Low < in.Mean && in.Mean < in.High) || d.FixTrue.ChanceLow > 0.5 || d.FixTrue.ChanceHigh < 0.5 {
				t.Errorf("intervals %+v, %+v", in, d.FixTrue)
			}
		})
	}
}

// tableOf is a table of images numbered from first.
func tableOf(t *testing.T, m linalg.Matrix[float32], first int) *table.Table {
	t.Helper()
	var rows table.Rows
	for i := range m.Rows {
		rows.Images = append(rows.Images, fmri.ImageID(first+i))
	}
	x, err := table.New("features", m, rows, table.Columns{})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// What has no value counts as nothing, and everything can be written as JSON.
func TestDiagnoseOfNothing(t *testing.T) {
	truth := linalg.Of([]float32{1, 2, 3, 1, 5, 5}, 3, 2)
	for name, m := range map[string][2]linalg.Matrix[float32]{
		"decoded without variance": {truth, linalg.Of([]float32{7, 7, 7, 7, 7, 7}, 3, 2)},
		"truth without variance":   {linalg.Of([]float32{7, 7, 7, 7, 7, 7}, 3, 2), truth},
		"the truth itself":         {truth, truth},
		"two images":               {linalg.Of(truth.Data[:4], 2, 2), linalg.Of([]float32{1, 2, 2, 2}, 2, 2)},
	} {
		d, err := Compare(t.Context(), tableOf(t, m[0], 0), tableOf(t, m[1], 0), Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := json.Marshal(d); err != nil {
			t.Errorf("%s: %v: %+v", name, err, d)
		}
		if name == "the truth itself" && (math.Abs(d.Target.Mean-1) > 1e-12 || d.R2.Mean != 1 ||
			math.Abs(d.Variance.Total-1) > 1e-12 || d.Dimension.True.Participation != d.Dimension.Decoded.Participation) {
			t.Errorf("%s: %+v", name, d)
		}
		if strings.Contains(name, "without variance") && (d.Target.Mean != 0 || d.FixTrue.Accuracy != 0.5 || d.FixTrue.Ties != 3) {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func TestCompareRejects(t *testing.T) {
	m, bad := linalg.New[float32](4, 3), linalg.New[float32](4, 3)
	bad.Data[7] = float32(math.NaN())
	unknown := func(m linalg.Matrix[float32]) *table.Table {
		x, err := table.New("train", m, table.Rows{}, table.Columns{})
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	for _, c := range []struct {
		truth, decoded linalg.Matrix[float32]
		train          *table.Table
		want           string
	}{
		{m, linalg.New[float32](4, 2), nil, "4×2, expected 4×3"},
		{linalg.New[float32](1, 3), linalg.New[float32](1, 3), nil, "1 images of 3 targets"},
		{m, bad, nil, "row 2 (image 2), column 1 is NaN"},
		{m, m, unknown(m), "and its images"},
		{m, m, unknown(linalg.New[float32](4, 2)), "2 values of a training image, expected 3"},
	} {
		if _, err := Compare(t.Context(), tableOf(t, c.truth, 0), tableOf(t, c.decoded, 0), Options{Train: c.train}); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}

// Of a decoder that knows nothing every number says so; of one that names training images, Nearest does.
func TestDiagnoseTellsGuessesFromDecoding(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	normal := func(n int) linalg.Matrix[float32] {
		m := linalg.New[float32](n, 30)
		for i := range m.Data {
			m.Data[i] = float32(r.NormFloat64())
		}
		return m
	}
	truth, train := normal(60), normal(90)
	rows := tableOf(t, train, 1000)
	copied := linalg.New[float32](60, 30)
	for i := range copied.Rows {
		copy(copied.Row(i), train.Row(i%4))
	}
	guess, err := Compare(t.Context(), tableOf(t, truth, 0), tableOf(t, normal(60), 0), Options{Train: rows})
	if err != nil {
		t.Fatal(err)
	}
	if id := guess.FixTrue; id.Accuracy < id.ChanceLow-0.05 || id.Accuracy > id.ChanceHigh+0.05 || guess.Significant > 2 ||
		math.Abs(guess.Nearest.Closer-0.5) > 0.15 {
		t.Errorf("guesses: %+v, %d significant, %+v", id, guess.Significant, guess.Nearest)
	}
	wide := linalg.New[float32](60, 70) // of which both are views
	for i := range wide.Rows {
		copy(wide.Row(i), truth.Row(i))
		copy(wide.Row(i)[35:], copied.Row(i))
	}
	named, err := Compare(t.Context(), tableOf(t, wide.Slice(0, 60, 0, 30), 0), tableOf(t, wide.Slice(0, 60, 35, 65), 0),
		Options{Train: rows})
	if err != nil {
		t.Fatal(err)
	}
	if n := named.Nearest; n.Nearer != 60 || n.Named != 4 || n.MostFor != 15 || math.Abs(n.Similarity-1) > 1e-6 {
		t.Errorf("copies of training images: %+v", n)
	}
	if p := named.Dimension.Decoded.Participation; p > 3 || named.Dimension.True.Participation < 10 {
		t.Errorf("four patterns have a dimension of %v, the truth of %v", p, named.Dimension.True.Participation)
	}
}
