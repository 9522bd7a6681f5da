package study

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"percept/fmri"
	"percept/fmri/diagnose"
	"percept/fmri/fit"
	"percept/fmri/table"
	"percept/tensor/linalg"
)

// A truth of just the images of the responses, in another order, is compared image by image.
func TestApplyMeetsTheTruthByImage(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 7))
	x, y := linalg.New[float32](60, 12), linalg.New[float32](60, 3)
	ids := make([]fmri.ImageID, 60)
	for i := range ids {
		ids[i] = fmri.ImageID(100 - i)
		for k := range 3 {
			y.Set(i, k, float32(r.NormFloat64()))
		}
		for j := range 12 {
			x.Set(i, j, y.At(i, j%3)+float32(r.NormFloat64()))
		}
	}
	made := func(name string, m linalg.Matrix[float32], cols table.Columns) *table.Table {
		t.Helper()
		made, err := table.New(name, m, table.Rows{Images: ids}, cols)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	dir := t.TempDir()
	write := func(name string, of *table.Table) string {
		t.Helper()
		path := filepath.Join(dir, name+".safetensors")
		if _, err := table.Write(t.Context(), path, of, nil); err != nil {
			t.Fatal(err)
		}
		return path
	}
	responses := made("test", x, table.Columns{Voxels: &table.Voxels{}})
	ascending := slices.Sorted(slices.Values(ids))
	sorted, err := made("z", y, table.Columns{}).ByImage(ascending)
	if err != nil {
		t.Fatal(err)
	}
	q := ApplyRequest{Model: filepath.Join(dir, "model"), Responses: write("responses", responses), Truth: write("truth", sorted)}
	m, _, err := fit.Save(t.Context(), q.Model, responses, sorted, fit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	applied, err := Apply(t.Context(), filepath.Join(dir, "decoded.safetensors"), q)
	if err != nil {
		t.Fatal(err)
	}
	predicted, err := m.Predict(t.Context(), responses)
	if err != nil {
		t.Fatal(err)
	}
	want, err := diagnose.Compare(t.Context(), made("z", y, table.Columns{}), predicted, diagnose.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := applied.Diagnosis.Diagnosis
	if got.Target.Mean < 0.5 || got.Target != want.Target || got.Pattern.Mean != want.Pattern.Mean {
		t.Errorf("target correlation %+v, want %+v", got.Target, want.Target)
	}
	for i, p := range got.PerImage {
		if p.Image != ids[i] {
			t.Fatalf("row %d is image %d, want %d", i, p.Image, ids[i])
		}
	}
}
