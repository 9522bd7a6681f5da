package decode

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"percept/fmri"
	"percept/fmri/ridge"
	"percept/fmri/table"
	"percept/tensor/linalg"
	"percept/weights/safetensors"
)

func fitted(t testing.TB) *Model {
	t.Helper()
	d := planted(rand.New(rand.NewPCG(6, 0)), 80, 1)
	o := ridge.Options{Alphas: ridge.LogSpace(-1, 3, 5)}
	m, err := ridge.FitCV(context.Background(), d.Early, d.Z, o)
	if err != nil {
		t.Fatal(err)
	}
	f := &Model{
		Model: m, Feature: "z", Shape: []int{2, 3},
		Voxels:  table.Voxels{N: 30, Subject: "subj03", Space: "func1pt8mm", Betas: "b2", Scale: table.PercentSignal, Volume: [3]int{9, 9, 9}, Regions: []string{"early", "late"}},
		Options: FitOptions{Part: "train", Folds: 5, Groups: "images", Score: "l2", Intercept: true, Standardise: "fold", Slabs: 1},
		Made:    map[string]string{"responses": "ab", "features": "cd"}, FeatureMeta: map[string]string{"model": "m"},
	}
	for v := range 30 {
		f.Voxels.XYZ = append(f.Voxels.XYZ, int32(v%9), int32(v/9), 4)
		f.Voxels.Member = append(f.Voxels.Member, 1, uint8(v%2))
	}
	for i := range 80 {
		f.Images = append(f.Images, fmri.ImageID(3*i))
	}
	f.Summarise()
	return f
}

func TestModelFileRoundTrip(t *testing.T) {
	m := fitted(t)
	path := filepath.Join(t.TempDir(), "z.safetensors")
	if err := m.Write(path); err != nil {
		t.Fatal(err)
	}
	got, err := ReadModel(path)
	if err != nil {
		t.Fatal(err)
	}
	m.CVTable = nil
	if !reflect.DeepEqual(got, m) {
		t.Errorf("read back %+v\nwant %+v", got, m)
	}
	chosen := 0
	for _, p := range got.Penalties {
		chosen += p.Targets
	}
	if chosen != 6 {
		t.Errorf("%d targets chose a penalty, want 6", chosen)
	}
	again := filepath.Join(t.TempDir(), "again.safetensors")
	if err := got.Write(again); err != nil {
		t.Fatal(err)
	}
	a, _ := os.ReadFile(path)
	b, _ := os.ReadFile(again)
	if !bytes.Equal(a, b) {
		t.Error("written again, the model has other bytes")
	}
	// Without scaler, coordinates and grid.
	plain := &Model{Model: &ridge.Model{Coef: m.Coef, Intercept: m.Intercept, Alphas: m.Alphas, CVScores: m.CVScores, Grid: m.Model.Grid}, Feature: "y", Shape: []int{6}, Voxels: table.Voxels{N: 30},
		Penalties: m.Penalties}
	if err := plain.Write(path); err != nil {
		t.Fatal(err)
	}
	if got, err = ReadModel(path); err != nil || !reflect.DeepEqual(got, plain) {
		t.Errorf("plain model: %+v, %v", got, err)
	}
}

func TestReadModelRejects(t *testing.T) {
	dir := t.TempDir()
	m := fitted(t)
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
		cut:                           "cut",
		filepath.Join(dir, "missing"): "missing",
		at("nan", func(c *Model) { c.Coef.Data = append([]float32{float32(math.NaN())}, c.Coef.Data[1:]...) }):    "voxel 0, target 0 is NaN",
		at("scale", func(c *Model) { c.Scaler = &ridge.Scaler{Mean: c.Scaler.Mean, Scale: make([]float64, 30)} }): "scale: value 0 is 0",
		at("shape", func(c *Model) { c.Shape = []int{7} }):                                                        "6 targets, but a feature \"z\" of shape [7]",
	} {
		if _, err := ReadModel(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want %q", path, err, want)
		}
	}
}

func TestVoxelsAt(t *testing.T) {
	want := fitted(t).Voxels
	have := want
	have.N, have.XYZ = 31, append([]int32{8, 8, 8}, want.XYZ...)
	columns, err := have.At(want)
	if err != nil || columns[0] != 1 || columns[29] != 30 {
		t.Errorf("columns %v, %v", columns, err)
	}
	for _, c := range []struct {
		change func(*table.Voxels)
		want   string
	}{
		{func(v *table.Voxels) { v.Subject = "subj01" }, "responses of subj01, expected subj03"},
		{func(v *table.Voxels) { v.Space = "func1mm" }, "in space func1mm, expected func1pt8mm"},
		{func(v *table.Voxels) { v.Betas = "b3" }, "of betas b3"},
		{func(v *table.Voxels) { v.Scale = table.SessionScores }, "that are z-scored within sessions, expected percent"},
		{func(v *table.Voxels) { v.Volume[0] = 10 }, "volume of [10 9 9]"},
		{func(v *table.Voxels) { v.N, v.XYZ = 29, want.XYZ[3:] }, "lack 1 of the decoder's 30 voxels, the first at [0 0 4]"},
		{func(v *table.Voxels) { v.N, v.XYZ = 29, nil }, "29 voxels, expected 30"},
	} {
		have := want
		c.change(&have)
		if _, err := have.At(want); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}

// In slabs the model is that of all targets, to rounding; and no slab takes more memory than was allowed.
func TestFitTargetsInSlabs(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 0))
	d := planted(r, 70, 1)
	wide := linalg.New[float32](70, 900)
	for i := range wide.Data {
		wide.Data[i] = d.Z.Data[i/900*6+i%6] + float32(r.NormFloat64())
	}
	o := ridge.Options{Alphas: ridge.LogSpace(-1, 3, 5)}
	whole, err := FitTargets(t.Context(), d.Early, TargetsOf(wide), o)
	if err != nil {
		t.Fatal(err)
	}
	least, _, err := o.Memory(70, 30, 300)
	if err != nil {
		t.Fatal(err)
	}
	o.MaxMemory = least + besides(70, 30, 300, 900)
	slabs, err := Slabs(70, 30, 900, o)
	if err != nil || len(slabs) != 3 {
		t.Fatalf("slabs %v, %v, want three", slabs, err)
	}
	last, read := 0, 0
	o.Progress = func(done, total int) {
		if done < last || done > total {
			t.Errorf("progress %d of %d after %d", done, total, last)
		}
		last = done
	}
	y := TargetsOf(wide)
	m, err := FitTargets(t.Context(), d.Early, Targets{900, nil}.reading(y, &read), o)
	if err != nil {
		t.Fatal(err)
	}
	if read != 900 || last != 3*stepsOfSlab {
		t.Errorf("%d targets were read, progress ended at %d", read, last)
	}
	if m.Edge != whole.Edge || len(m.Alphas) != 900 || !reflect.DeepEqual(m.Alphas, whole.Alphas) {
		t.Errorf("edge %+v, want %+v", m.Edge, whole.Edge)
	}
	for i, v := range whole.Coef.Data {
		if math.Abs(float64(v-m.Coef.Data[i])) > 1e-5 {
			t.Fatalf("coefficient %d is %v, want %v", i, m.Coef.Data[i], v)
		}
	}
	for i, v := range whole.CVTable {
		if math.Abs(v-m.CVTable[i]) > 1e-9 {
			t.Fatalf("score %d is %v, want %v", i, m.CVTable[i], v)
		}
	}
	o.MaxMemory = 1000
	if _, err := Slabs(70, 30, 900, o); err == nil || !strings.Contains(err.Error(), "0 MiB of memory are too few for 70 rows of 30 voxels and 900 targets, expected at least 1 MiB") {
		t.Errorf("error %v", err)
	}
	o.MaxMemory, o.Global = least+besides(70, 30, 300, 900), true
	if _, err := Slabs(70, 30, 900, o); err == nil || !strings.Contains(err.Error(), "one penalty of all 900 targets") {
		t.Errorf("error %v", err)
	}
	// c of a subject of NSD: all at once below 8 GB, its training trials in slabs.
	o = ridge.Options{Alphas: ridge.LogSpace(1, 6, 11), MaxMemory: 6 << 30}
	for rows, want := range map[int]int{8859: 1, 24980: 7} {
		slabs, err := Slabs(rows, 7000, 59136, o)
		if err != nil || len(slabs) > want {
			t.Errorf("%d rows: %d slabs, %v, want at most %d", rows, len(slabs), err, want)
		}
		t.Logf("%d×7000 to 59136 targets in 6 GiB: %d slabs", rows, len(slabs))
	}
}

// reading counts the targets that are read of y.
func (t Targets) reading(y Targets, n *int) Targets {
	read := y.Read
	t.Read = func(ctx context.Context, lo, hi int) (linalg.Matrix[float32], error) {
		*n += hi - lo
		return read(ctx, lo, hi)
	}
	return t
}
