package table

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"percept/fmri/internal/npy"
	"percept/internal/filesum"
	"percept/weights/safetensors"
)

func writeArrays(t *testing.T, path string, names ...string) {
	t.Helper()
	var members []member
	for k, name := range names {
		members = append(members, memberOf(name, []int{3, 2}, []float32{1, 2, 3, 4, 5, float32(k)}))
	}
	writeNPZ(t, path, false, members...)
}

func writeNPY[E npy.Element](t *testing.T, path string, shape []int, x []E) string {
	t.Helper()
	if err := npy.Write(path, shape, x); err != nil {
		t.Fatal(err)
	}
	return path
}

// The sum of an array is that of its file, and of several in a file each has its own.
func TestSumOfArrays(t *testing.T) {
	dir := t.TempDir()
	two, one := filepath.Join(dir, "two.npz"), filepath.Join(dir, "one.npz")
	writeArrays(t, two, "a", "b")
	writeArrays(t, one, "a")
	plain := writeNPY(t, filepath.Join(dir, "x.npy"), []int{3, 2}, make([]float32, 6))
	sum := func(text string) string {
		x, err := OpenFeatures(text, "")
		if err != nil {
			t.Fatal(err)
		}
		if x.Path != text || x.Name != "y" {
			t.Errorf("%s is named %s and lies in %s", text, x.Name, x.Path)
		}
		return x.Sum
	}
	hex := func(path string) string {
		s, err := filesum.Hex(path)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if sum(plain) != hex(plain) || sum(one) != hex(one) || sum(one+":a") != hex(one) {
		t.Error("the only array of a file has another sum than the file")
	}
	if a, b := sum(two+":a"), sum(two+":b"); a == b || a == hex(two) || b == hex(two) {
		t.Errorf("sums of two arrays of a file are %s and %s", a, b)
	}
	_, a, err := ReadNumbers(two+":a", 6)
	if err != nil {
		t.Fatal(err)
	}
	_, b, err := ReadNumbers(two+":b", 6)
	if err != nil || a == b {
		t.Errorf("numbers of two arrays of a file have one sum (%v)", err)
	}
}

func TestArraysReject(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	two := at("two.npz")
	writeArrays(t, two, "a", "b")
	flat := writeNPY(t, at("flat.npy"), []int{6}, make([]float32, 6))
	empty := writeNPY(t, at("empty.npy"), []int{3, 0}, []float32{})
	nan := writeNPY(t, at("nan.npy"), []int{2, 2}, []float64{1, 2, math.NaN(), 4})
	large := writeNPY(t, at("large.npy"), []int{2, 2}, []float64{1, 1e39, 3, 4})
	good := writeNPY(t, at("good.npy"), []int{2, 2}, []float32{1, 2, 3, 4})
	ids := writeNPY(t, at("ids.npy"), []int{2}, []int32{7, -1})
	halves := writeNPY(t, at("halves.npy"), []int{2}, []float64{1, 1.5})
	if err := os.WriteFile(at("text.npy"), []byte("text"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		err  error
		want []string
	}{
		{second(OpenFeatures(two, "")), []string{two, "holds a, b, expected " + two + ":NAME with one of them"}},
		{second(OpenFeatures(two+":c", "")), []string{two, "no array c in it, expected one of a, b"}},
		{second(OpenFeatures(at("none.npy"), "")), []string{"none.npy", "no such file", "expected a file of an array"}},
		{second(OpenFeatures(at("none.npy")+":x", "")), []string{"none.npy:x", "no such file"}},
		{second(OpenFeatures(at("text.npy"), "")), []string{"text.npy", "is none of"}},
		{second(OpenFeatures(flat, "")), []string{flat, "shape [6], expected rows first and at least two dimensions"}},
		{second(OpenFeatures(empty, "")), []string{empty, "shape [3 0], expected rows first"}},
		{second(OpenFeatures(nan, "")), []string{nan, "row 1, column 0 is NaN, expected a finite number"}},
		{second(OpenFeatures(large, "")), []string{large, "row 0, column 1 is 1e+39, expected a finite number"}},
		{second(OpenFeatures(dir, "")), []string{dir, "is a folder, expected the name of a feature in it as well"}},
		{second(OpenFeatures(dir, "z")), []string{at("z.safetensors"), "no such file"}},
		{second(OpenResponses(good, "", []string{"early"}, "")),
			[]string{good, "no regions are known of an array, expected a folder of percept nsd prepare"}},
		{second(OpenResponses(good, "", nil, ids)), []string{ids, "image -1 of row 1, expected 0-based numbers"}},
		{second(OpenResponses(good, "", nil, flat)), []string{flat, "6 numbers, expected one for each of 2 rows"}},
		{second(OpenResponses(good, "", nil, halves)), []string{halves, "number 1 is 1.5, expected a whole number"}},
		{second(OpenResponses(zscored, "train", nil, ids)), []string{zscored,
			"knows the image of each row, expected no other list of them"}},
		{second(OpenResponses(zscored, "late", nil, "")), []string{zscored, "no X_late.npy in it, expected one of X_train.npy"}},
		{second(OpenResponses(zscored, "train", []string{"streams:late"}, "")), []string{zscored, "no region streams/late in it"}},
		{second(OpenResponses(dir, "train", nil, "")), []string{dir, "manifest.json", "expected the manifest of percept nsd prepare"}},
	} {
		wantError(t, c.err, c.want...)
	}
	x, err := OpenResponses(zscored, "train", []string{"streams:early"}, "")
	if err != nil || !slices.Equal(x.Cols.Voxels.Chosen, []string{"streams/early"}) {
		t.Errorf("a region by its name on the command line: %v", err)
	}
}

// Features and responses are not taken for one another, and a shard not for the whole.
func TestOpenTellsFilesApart(t *testing.T) {
	dir := t.TempDir()
	s := spec(64, safetensors.F32)
	write(t, filepath.Join(dir, "z.safetensors"), s)
	s.Shard = Shard{1, 2}
	shard := filepath.Join(dir, FileName("z", s.Shard))
	write(t, shard, s)
	path := filepath.Join(dir, "z.safetensors")
	for _, c := range []struct {
		err  error
		want []string
	}{
		{second(OpenFeatures(path, "c")), []string{path, "holds z, expected c"}},
		{second(OpenFeatures(shard, "z")), []string{shard, "is shard 1/2, expected a whole feature"}},
		{second(OpenResponses(path, "", nil, "")), []string{path, "holds z, expected responses of voxels"}},
		{second(OpenResponses(path, "", []string{"early"}, "")),
			[]string{path, "no regions are known of it, expected responses of voxels"}},
		{second(OpenResponses(path, "", nil, "x.npy")), []string{path, "knows the image of each row"}},
	} {
		wantError(t, c.err, c.want...)
	}
	for _, at := range []string{path, dir} {
		if x, err := OpenFeatures(at, "z"); err != nil || x.Path != path || x.Len() != 64 {
			t.Errorf("%s: %v", at, err)
		}
	}
	colon := filepath.Join(dir, "a:b.npy")
	writeNPY(t, colon, []int{2, 1}, []float32{1, 2})
	if x, err := OpenFeatures(colon, ""); err != nil || x.Len() != 2 {
		t.Errorf("a file with a colon in its name: %v", err)
	}
}
