package fit

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"percept/fmri/ridge"
	"percept/fmri/table"
	"percept/tensor/linalg"
	"percept/weights/safetensors"
)

func fitted(t testing.TB, encoding bool) *Model {
	t.Helper()
	x, y := planted(rand.New(rand.NewPCG(6, 0)), 80, 6, 30)
	of, to := responses(t, x), feature(t, "z", y, 2, 3)
	to.Meta = map[string]string{"model": "m"}
	if encoding {
		of, to = to, of
	}
	m, err := Fit(t.Context(), of, to, Options{Ridge: ridge.Options{Alphas: ridge.LogSpace(-1, 3, 5)}, Program: "percept test"})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestFileRoundTrip(t *testing.T) {
	plain := fitted(t, false)
	plain.Scaler, plain.Images, plain.X.Voxels = nil, nil, &table.Voxels{N: 30}
	for name, m := range map[string]*Model{"decoder": fitted(t, false), "encoder": fitted(t, true),
		"without scaler, images and coordinates": plain} {
		path := filepath.Join(t.TempDir(), "m.safetensors")
		if err := m.Write(path); err != nil {
			t.Fatal(err)
		}
		got, err := Open(path)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		m.CVTable = nil
		head, err := Head(path)
		if err != nil || head.Coef.Data != nil || !reflect.DeepEqual(head.Summary(), m.Summary()) {
			t.Errorf("%s: its head is %+v, %v", name, head, err)
		}
		if !reflect.DeepEqual(got, m) {
			t.Errorf("%s: read back %+v\nwant %+v", name, got, m)
		}
		again := filepath.Join(t.TempDir(), "again.safetensors")
		if err := got.Write(again); err != nil {
			t.Fatal(err)
		}
		a, _ := os.ReadFile(path)
		b, _ := os.ReadFile(again)
		if !bytes.Equal(a, b) {
			t.Errorf("%s: written again, the model has other bytes", name)
		}
	}
}

// A decoder that the first builds made opens, and predicts what it predicted: testdata has one of arrays.
// Whatever bit of a model is flipped, opening it is an error that names the file.
func TestFlipsInAModel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.safetensors")
	for _, encoding := range []bool{false, true} {
		if err := fitted(t, encoding).Write(path); err != nil {
			t.Fatal(err)
		}
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for bit := 0; bit < 8*len(good); bit += 37 {
			bad := slices.Clone(good)
			bad[bit/8] ^= 1 << (bit % 8)
			if err := os.WriteFile(path, bad, 0o666); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(path); err == nil || !strings.Contains(err.Error(), path) {
				t.Fatalf("bit %d of %d flipped: error %v, expected one that names the file", bit, 8*len(good), err)
			}
		}
	}
}

func TestOpenReadsTheFirstFormat(t *testing.T) {
	m, err := Open("testdata/decoder_of_0.1.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	if m.X.Name != Responses || m.X.Voxels.N != 5 || m.Y.Name != "y" || m.Y.String() != "3" || m.Options.Folds != 5 ||
		len(m.Penalties) != 3 || m.Made["features"] == "" {
		t.Errorf("%+v", m)
	}
	s, err := safetensors.Open("testdata/decoder_of_0.1.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	mean, err := s.Float64("mean")
	if err != nil {
		t.Fatal(err)
	}
	x := linalg.New[float32](1, 5)
	for i, v := range mean {
		x.Data[i] = float32(v)
	}
	p, err := m.Predict(t.Context(), newTable(t, "x", x, table.Rows{}, table.Columns{Voxels: &table.Voxels{}}))
	if err != nil {
		t.Fatal(err)
	}
	for j, v := range matrix(t, p).Row(0) { // of the mean response the intercept
		if math.Abs(float64(v)-m.Intercept[j]) > 1e-6 {
			t.Errorf("target %d of the mean response is %v, want the intercept, %v", j, v, m.Intercept[j])
		}
	}
}

func TestOpenRejects(t *testing.T) {
	dir := t.TempDir()
	m := fitted(t, false)
	at := func(name string, change func(*Model)) string {
		c := *m
		inner := *m.Model
		c.Model = &inner
		change(&c)
		path := filepath.Join(dir, name)
		if err := c.Write(path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	other := filepath.Join(dir, "other")
	if err := safetensors.Write(other, []safetensors.Named{safetensors.NamedF32("coef", []float32{1}, 1, 1)}, nil); err != nil {
		t.Fatal(err)
	}
	future := filepath.Join(dir, "future")
	if err := safetensors.Write(future, nil, map[string]string{"kind": decoderKind, "format": "7"}); err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(dir, "cut")
	b, err := os.ReadFile(at("whole", func(*Model) {}))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cut, b[:len(b)-9], 0o666); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		other:                         "no decoder",
		future:                        `decoder of format "7", expected 1; percept fit makes it anew`,
		cut:                           "cut",
		filepath.Join(dir, "missing"): "missing",
		at("nan", func(c *Model) {
			c.Coef = c.Coef.Take([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
				27, 28, 29})
			c.Coef.Data[0] = float32(math.NaN())
		}): "column 0, target 0 is NaN",
		at("scale", func(c *Model) { c.Scaler = &ridge.Scaler{Mean: c.Scaler.Mean, Scale: make([]float64, 30)} }): "scale: value 0 is 0",
		at("shape", func(c *Model) { c.Y.Shape = []int{7} }):                                                      "\"z\" of shape [7], expected a name and the shape of 6 targets",
		at("feature", func(c *Model) {
			c.X = Side{"z", table.Columns{Shape: []int{7}},
				nil}
		}): "\"z\" of shape [7], expected a name and the shape of 30 columns",
	} {
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want %q", path, err, want)
		}
	}
}

// Save leaves the very model alone, and says in what another one differs.
func TestSaveAgain(t *testing.T) {
	x, y := planted(rand.New(rand.NewPCG(10, 0)), 60, 6, 30)
	of, to := responses(t, x), feature(t, "z", y, 2, 3)
	of.Meta = map[string]string{"format": "1"} // as of a file of responses
	path := filepath.Join(t.TempDir(), "models", "z.safetensors")
	o := Options{Ridge: ridge.Options{Alphas: []float64{1, 10}}, Program: "percept test"}
	first, upToDate, err := Save(t.Context(), path, of, to, o)
	if err != nil || upToDate {
		t.Fatalf("%v, up to date: %v", err, upToDate)
	}
	second, upToDate, err := Save(t.Context(), path, of, to, o)
	first.CVTable = nil
	if err != nil || !upToDate || !reflect.DeepEqual(first, second) {
		t.Errorf("again: %v, up to date: %v", err, upToDate)
	}
	before, _ := os.ReadFile(path)
	ofFile := *of // responses of a file, which says more of them
	ofFile.Meta = map[string]string{"feature": "train"}
	if _, upToDate, err := Save(t.Context(), path, &ofFile, to, o); err != nil || !upToDate {
		t.Errorf("from a file of the same responses: %v, up to date: %v", err, upToDate)
	}
	ids := slices.Clone(of.Rows.Images)
	slices.Reverse(ids)
	reversed, err := of.ByImage(ids)
	if err != nil {
		t.Fatal(err)
	}
	early, err := of.Region("late")
	if err != nil {
		t.Fatal(err)
	}
	folds := o
	folds.Ridge.Folds = 3
	alphas := o
	alphas.Ridge.Alphas = []float64{1, 100}
	flat := *to
	flat.Cols.Shape = []int{6}
	for _, c := range []struct {
		of, to *table.Table
		o      Options
		want   string
	}{
		{of, to, folds, "with other options (folds was 5, is 3)"},
		{of, to, alphas, "from other inputs or by another program (grid was [1 10], is [1 100])"},
		{early, to, o, "of other voxels"},
		{reversed, to, o, "of other images"},
		{of, &flat, o, "of another feature"},
		{to, of, o, "of another feature"},
		{of.Shuffled(1), to, o, "(responses was"},
	} {
		_, _, err := Save(t.Context(), path, c.of, c.to, c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) ||
			!strings.Contains(err.Error(), "remove it or choose another name") {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("the model was changed")
	}
	if err := os.WriteFile(path, []byte("other"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Save(t.Context(), path, of, to, o); err == nil || !strings.Contains(err.Error(), "remove it") {
		t.Errorf("onto another file: %v", err)
	}
}

// A file that is no model, or lies about itself, is an error; one that is read is whole.
func FuzzOpen(f *testing.F) {
	for _, encoding := range []bool{false, true} {
		path := filepath.Join(f.TempDir(), "m")
		if err := fitted(f, encoding).Write(path); err != nil {
			f.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(b[:len(b)/2])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := safetensors.OpenBytes("m", b)
		if err != nil {
			return
		}
		defer s.Close()
		m, err := read(s, true)
		if err != nil {
			return
		}
		if len(m.Intercept) != m.Coef.Cols || len(m.Alphas) != m.Coef.Cols || len(m.Coef.Data) != m.Coef.Rows*m.Coef.Cols {
			t.Fatalf("%d intercepts and %d penalties of %d targets", len(m.Intercept), len(m.Alphas), m.Coef.Cols)
		}
		for _, side := range []Side{m.X, m.Y} {
			v := side.Voxels
			if v == nil {
				continue
			}
			if v.XYZ != nil && len(v.XYZ) != 3*v.N || len(v.Member) != len(v.Regions)*v.N || v.N != side.N() {
				t.Fatalf("%d coordinates and %d memberships of %d voxels", len(v.XYZ), len(v.Member), v.N)
			}
			v.Named()
			if _, err := v.At(*v); err != nil {
				t.Fatal(err)
			}
		}
		m.Summary()
		m.EdgeWarning()
	})
}
