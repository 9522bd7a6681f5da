package array

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/fmri/internal/golden"
)

const internal = "../internal"

// TestRead reads a file of each format, with values from the libraries that wrote them.
func TestRead(t *testing.T) {
	h5 := golden.Open(t, filepath.Join(internal, "hdf5/testdata/h5_expected.safetensors"))
	nii := golden.Open(t, filepath.Join(internal, "nifti/testdata/nii_expected.safetensors"))
	var i16, vol []float64
	for _, v := range golden.Values[int16](h5, "i16_4d") {
		i16 = append(i16, float64(v))
	}
	for _, v := range golden.Values[float32](nii, "nii_f32_nii_gz.data") {
		vol = append(vol, float64(v))
	}
	nd := make([]float64, 24)
	for i := range nd {
		nd[i] = float64(i)
	}
	for _, c := range []struct {
		path, name string
		shape      []int
		want       []float64
	}{
		{"hdf5/testdata/h5_latest.h5", "chunk_plain", []int{13, 7, 5, 4}, i16},
		{"hdf5/testdata/h5_earliest.h5", "i64", []int{7}, []float64{-3, -2, -1, 0, 1, 2, 3}},
		{"hdf5/testdata/small_latest.h5", "g/s", nil, []float64{2.5}}, // behind a user block
		{"matfile/testdata/mat_edge_cases.mat", "nd", []int{2, 3, 4}, nd},
		{"nifti/testdata/nii_f32.nii.gz", "", []int{4, 3, 5}, vol},
		{"npy/testdata/npy_i64.npy", "", []int{2, 3}, nd[:6]},
		{"npy/testdata/npz.npz", "b", []int{3}, nd[:3]},
	} {
		a, err := Read(filepath.Join(internal, c.path), c.name)
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		if !slices.Equal(a.Shape, c.shape) || !slices.Equal(a.Data, c.want) {
			t.Errorf("%s %s: %v %v, want %v %v", c.path, c.name, a.Shape, a.Data, c.shape, c.want)
		}
	}
}

func TestNames(t *testing.T) {
	for path, want := range map[string][]string{
		"hdf5/testdata/small_earliest.h5":     {"b", "c", "g", "p", "x"},
		"matfile/testdata/mat_edge_cases.mat": {"scalar", "text", "empty", "single", "cplx", "cell", "struct", "i64", "nd"},
		"nifti/testdata/nii_be.nii":           {""},
		"npy/testdata/npz_compressed.npz":     {"a", "b"},
	} {
		if got, err := Names(filepath.Join(internal, path)); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v, want %v", path, got, err, want)
		}
	}
}

func TestRejects(t *testing.T) {
	for _, path := range []string{"array.go", "absent", ".", filepath.Join(internal, "nifti/testdata/nii_truncated.nii")} {
		if _, err := Read(path, "x"); err == nil || !strings.HasPrefix(err.Error(), path+": ") {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := Read(filepath.Join(internal, "matfile/testdata/mat_edge_cases.mat"), "cell"); err == nil {
		t.Error("a cell array was read as numbers")
	}
}
