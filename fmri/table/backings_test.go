package table

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/fmri"
	"percept/fmri/internal/hdf5"
	"percept/fmri/internal/matfile"
	"percept/fmri/internal/npy"
	"percept/tensor/linalg"
	"percept/weights/safetensors"
)

// A backing is a table and the values that it has.
type backing struct {
	table *Table
	want  linalg.Matrix[float32]
}

// backings are tables over everything that may hold one.
func backings(t *testing.T) map[string]backing {
	t.Helper()
	dir := t.TempDir()
	all := map[string]backing{}
	put := func(name string, m linalg.Matrix[float32], x *Table, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[name] = backing{x, m}
	}
	m, wide := drawn(1, 70, 6), drawn(2, 70, 20)
	in := func(m linalg.Matrix[float32], rows Rows, cols Columns) *Table { return made(t, "z", m, rows, cols) }
	images := numbered(70, 3, 2)
	slices.Reverse(images)

	put("memory", m, in(m, Rows{Images: images}, Columns{Shape: []int{2, 3}}), nil)
	put("memory, a view with a stride", wide.Slice(5, 40, 3, 11), in(wide.Slice(5, 40, 3, 11), Rows{}, Columns{}), nil)
	put("memory, one row", m.Slice(9, 10, 0, 6), in(m.Slice(9, 10, 0, 6), Rows{}, Columns{}), nil)
	put("memory, one column", wide.Slice(0, 70, 7, 8), in(wide.Slice(0, 70, 7, 8), Rows{}, Columns{}), nil)

	file := func(name string, dtype safetensors.DType, s Spec, m linalg.Matrix[float32], shards int) string {
		t.Helper()
		path := filepath.Join(dir, name+".safetensors")
		var parts []string
		for k := range max(1, shards) {
			part := s
			part.DType = dtype
			into := path
			if shards > 0 {
				part.Shard = Shard{k + 1, shards}
				into = filepath.Join(dir, FileName(name, part.Shard))
				parts = append(parts, into)
			}
			w := create(t, into, part)
			for c := range w.Chunks() {
				lo, hi := w.Rows(c)
				if err := w.Put(c, m.Data[lo*m.Cols:hi*m.Cols]); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Finish(); err != nil {
				t.Fatal(err)
			}
		}
		if shards > 0 {
			if err := Merge(path, parts, nil); err != nil {
				t.Fatal(err)
			}
		}
		return path
	}
	names := make([]string, 70)
	counts, sessions := make([]int, 70), make([]int, 70)
	for i := range names {
		names[i], counts[i], sessions[i] = string(rune('a'+i%26))+".png", 1+i%3, 1+i/30
	}
	feature := Spec{Name: "z", Shape: []int{2, 3}, Images: images, Names: names, Meta: map[string]string{"model": "m"}}
	for name, c := range map[string]struct {
		dtype  safetensors.DType
		shards int
	}{"F32": {safetensors.F32, 0}, "F16": {safetensors.F16, 0}, "merged": {safetensors.F32, 2}, "merged as F16": {safetensors.F16, 3}} {
		x, err := OpenFeatures(file(name, c.dtype, feature, m, c.shards), "z")
		put("features, "+name, m, x, err)
	}
	means := Spec{Name: "train", Shape: []int{20}, Images: images, Counts: counts, Voxels: grid(20)}
	x, err := OpenResponses(file("means", safetensors.F32, means, wide, 0), "", nil, "")
	put("responses, means", wide, x, err)
	trials := means
	trials.Images, trials.Counts, trials.Sessions = slices.Concat(images[:35], images[:35]), nil, sessions
	path := file("trials", safetensors.F32, trials, wide, 2)
	x, err = OpenResponses(path, "", nil, "")
	put("responses, trials", wide, x, err)
	x, err = OpenResponses(path, "", []string{"late"}, "")
	late := linalg.New[float32](70, 10)
	for i := range 70 {
		for k := range 10 {
			late.Set(i, k, wide.At(i, 2*k+1))
		}
	}
	put("responses, a region", late, x, err)

	folder := openFolder(t, zscored)
	for _, part := range []string{"test", "train_trials"} {
		a := whole(t, zscored, "X_"+part+".npy")
		m := linalg.New[float32](a.Shape[0], a.Shape[1])
		for i, v := range a.Data {
			m.Data[i] = float32(v)
		}
		x, err := folder.Table(part)
		put("folder, "+part, m, x, err)
	}

	small := m.Slice(0, 5, 0, 6).Clone()
	wanted := make([]float64, 30)
	columnMajor := make([]float64, 30)
	for i, v := range small.Data {
		wanted[i], columnMajor[i%6*5+i/6] = float64(v), float64(v)
	}
	whole16 := make([]int16, 30)
	for i, v := range small.Data {
		whole16[i] = int16(v)
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ok(npy.Write(at("f4.npy"), []int{5, 2, 3}, small.Data))
	ok(npy.Write(at("f8.npy"), []int{5, 6}, wanted))
	ok(npy.Write(at("i2.npy"), []int{5, 6}, whole16))
	writeNPZ(t, at("a.npz"), true, memberOf("one", []int{30}, wanted), memberOf("x", []int{5, 6}, small.Data))
	ok(matfile.Write(at("a.mat"), matfile.Matrix{Name: "x", Dims: []int{5, 6}, Data: columnMajor},
		matfile.Matrix{Name: "other", Dims: []int{1, 1}, Data: []float64{1}}))
	h, err := hdf5.Create(at("a.h5"))
	ok(err)
	d, err := hdf5.NewDataset[float32](h, "x", []int{5, 6}, []int{5, 6})
	ok(err)
	ok(d.Append(small.Data))
	ok(h.Close())
	ids := []int32{4, 2, 4, 0, 9}
	ok(npy.Write(at("ids.npy"), []int{5}, ids))
	for _, name := range []string{"f4.npy", "f8.npy", "i2.npy", "a.npz:x", "a.mat:x", "a.h5", "a.h5:x"} {
		x, err := OpenFeatures(at(name), "y")
		put("feature of "+name, small, x, err)
		x, err = OpenResponses(at(name), "", nil, at("ids.npy"))
		put("responses of "+name, small, x, err)
	}
	return all
}

// What backings say of their rows and columns.
func TestBackingsKnowTheirRowsAndColumns(t *testing.T) {
	all := backings(t)
	for name, want := range map[string]struct {
		images, counts, sessions, names bool
		shape                           string
		voxels                          bool
	}{
		"memory":                       {true, false, false, false, "2×3", false},
		"memory, a view with a stride": {false, false, false, false, "8", false},
		"features, F16":                {true, false, false, true, "2×3", false},
		"features, merged":             {true, false, false, true, "2×3", false},
		"responses, means":             {true, true, false, false, "20", true},
		"responses, trials":            {true, false, true, false, "20", true},
		"responses, a region":          {true, false, true, false, "10", true},
		"folder, test":                 {true, true, false, false, "24", true},
		"folder, train_trials":         {true, false, true, false, "24", true},
		"feature of f4.npy":            {false, false, false, false, "2×3", false},
		"responses of a.mat:x":         {true, false, false, false, "6", true},
	} {
		x := all[name].table
		r := x.Rows
		if (r.Images != nil) != want.images || (r.Counts != nil) != want.counts ||
			(r.Sessions != nil) != want.sessions || (r.Names != nil) != want.names {
			t.Errorf("%s: rows %+v", name, r)
		}
		if x.Cols.String() != want.shape || (x.Cols.Voxels != nil) != want.voxels {
			t.Errorf("%s: columns %s, voxels %v", name, x.Cols, x.Cols.Voxels)
		}
		if err := x.Cols.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		held := int64(4 * x.Len() * x.Width())
		if strings.HasPrefix(name, "features,") || strings.HasPrefix(name, "responses,") || strings.HasPrefix(name, "folder,") {
			held = 0
		}
		if got := x.Shuffled(0).InMemory(); got < held || held == 0 && got > 0 {
			t.Errorf("%s: %d bytes in memory, want %d or what they are a view of", name, got, held)
		}
	}
	trials := all["responses, trials"].table
	if got := trials.Rows.Distinct(); !slices.Equal(got, trials.Rows.Images[:35]) {
		t.Errorf("distinct images are %v", got)
	}
	v := all["responses, a region"].table.Cols.Voxels
	if !slices.Equal(v.Named(), []string{"late"}) || v.XYZ[0] != 1 || v.XYZ[3] != 3 ||
		v.Subject != "subj02" || v.Scale != SessionScores || v.Volume != [3]int{4, 50, 2} {
		t.Errorf("region: %+v", v)
	}
	if x := all["responses of a.mat:x"].table; !slices.Equal(x.Rows.Images, []fmri.ImageID{4, 2, 4, 0, 9}) {
		t.Errorf("images of an array: %v", x.Rows.Images)
	}
}
