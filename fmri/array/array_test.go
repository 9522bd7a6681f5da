package array

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/internal/golden"
)

const internal = "../internal"

func wide[T uint8 | int32 | float32](x []T) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

// inRows turns values whose first index runs fastest to C order, element by element.
func inRows(x []float64, shape ...int) []float64 {
	out := make([]float64, len(x))
	for i := range out { // i in C order
		at, stride, rest := 0, len(x), i
		for k := len(shape) - 1; k >= 0; k-- {
			stride /= shape[k]
			at += rest % shape[k] * stride
			rest /= shape[k]
		}
		out[i] = x[at]
	}
	return out
}

// TestRead reads a file of each format, with values from the libraries that wrote them.
func TestRead(t *testing.T) {
	h5 := golden.Open(t, filepath.Join(internal, "hdf5/testdata/h5_expected.safetensors"))
	nii := golden.Open(t, filepath.Join(internal, "nifti/testdata/nii_expected.safetensors"))
	fs := golden.Open(t, filepath.Join(internal, "freesurfer/testdata/expected.safetensors"))
	gii := golden.Open(t, filepath.Join(internal, "gifti/testdata/expected.safetensors"))
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
		{"matfile/testdata/all_v73.mat", "nd", []int{2, 3, 4}, nd},
		{"matfile/testdata/all_v73z.mat", "none", []int{0, 3}, nil},
		{"nifti/testdata/nii_f32.nii.gz", "", []int{4, 3, 5}, vol},
		{"npy/testdata/npy_i64.npy", "", []int{2, 3}, nd[:6]},
		{"npy/testdata/npz.npz", "b", []int{3}, nd[:3]},
		{"freesurfer/testdata/u8.mgz", "", []int{3, 4, 5, 2}, inRows(golden.Values[float64](fs, "u8_mgz"), 3, 4, 5, 2)},
		{"freesurfer/testdata/i32.mgh", "", []int{3, 4, 5}, inRows(golden.Values[float64](fs, "i32_mgh"), 3, 4, 5)},
		{"freesurfer/testdata/lh.white", "vertices", []int{18, 3}, wide(golden.Values[float32](fs, "vertices"))},
		{"freesurfer/testdata/lh.plain", "faces", []int{32, 3}, wide(golden.Values[int32](fs, "faces"))},
		{"freesurfer/testdata/lh.curv", "", []int{18}, wide(golden.Values[float32](fs, "curv"))},
		{"freesurfer/testdata/lh.parts.annot", "regions", []int{18}, wide(golden.Values[int32](fs, "annot.regions"))},
		{"freesurfer/testdata/lh.parts.annot", "table", []int{4, 5}, wide(golden.Values[int32](fs, "annot.table"))},
		{"freesurfer/testdata/lh.V1.label", "index", []int{7}, wide(golden.Values[int32](fs, "label.index"))},
		{"freesurfer/testdata/lh.V1.label", "values", []int{7}, wide(golden.Values[float32](fs, "label.values"))},
		{"freesurfer/testdata/lh.flat.patch.3d", "index", []int{13}, wide(golden.Values[int32](fs, "patch.index"))},
		{"freesurfer/testdata/lh.flat.patch.3d", "border", []int{13}, wide(golden.Values[uint8](fs, "patch.border"))},
		{"freesurfer/testdata/lh.flat.patch.3d", "vertices", []int{13, 3}, wide(golden.Values[float32](fs, "patch.xyz"))},
		{"gifti/testdata/ASCII.gii", "pointset", []int{12, 3}, golden.Values[float64](gii, "ASCII.0")},
		{"gifti/testdata/B64GZ.gii.gz", "label", []int{12}, golden.Values[float64](gii, "B64GZ.3")},
		{"gifti/testdata/hand.gii", "none.2", []int{2, 3}, golden.Values[float64](gii, "hand.2")},
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
		"freesurfer/testdata/lh.white":        {"vertices", "faces"},
		"freesurfer/testdata/lh.old.annot":    {"regions", "table"},
		"gifti/testdata/B64BIN.gii":           {"pointset", "triangle", "shape", "label", "none"},
	} {
		if got, err := Names(filepath.Join(internal, path)); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v, want %v", path, got, err, want)
		}
	}
}

func TestRejects(t *testing.T) {
	for name, want := range map[string]string{"nii_gz_corrupt.nii.gz": "NIfTI, offset ",
		"nii_gz_bad_crc.nii.gz": "NIfTI, offset 592: after the voxels: dimensions [4 3 5] of float32 need 240 bytes from 352 on: " +
			"gzip: invalid checksum",
		"nii_gz_truncated.nii.gz": "NIfTI, offset 422: gzip: the stream is cut inside the voxels"} {
		path := filepath.Join(internal, "nifti/testdata", name)
		if _, err := Read(path, ""); err == nil || !strings.HasPrefix(err.Error(), path+": "+want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	for _, path := range []string{"array.go", "absent", ".", filepath.Join(internal, "nifti/testdata/nii_truncated.nii")} {
		if _, err := Read(path, "x"); err == nil || !strings.HasPrefix(err.Error(), path+": ") {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, version := range []string{"v5", "v73"} {
		path := filepath.Join(internal, "matfile/testdata/all_"+version+".mat")
		if a, err := Read(path, "one.alpha"); err != nil || !slices.Equal(a.Shape, []int{4, 3}) {
			t.Errorf("a field: %v %v", a, err)
		}
		for name, want := range map[string]string{
			"one.beta":     "no field beta; there is alpha, b, c",
			"one.c":        "is of class struct, expected numbers",
			"many.x":       "is struct [1 3], expected one struct",
			"doubles.x":    "is double [2 3], expected one struct",
			"complexes":    "is complex, expected real numbers",
			"sparse":       "is of class sparse, expected numbers",
			"none.such":    "is double [0 3], expected one struct",
			"one.c.deep.e": "is cell [2 2], expected one struct",
		} {
			if _, err := Read(path, name); err == nil || !strings.HasPrefix(err.Error(), path+": variable ") ||
				!strings.Contains(err.Error(), want) {
				t.Errorf("%s %s: %v, want %q", version, name, err, want)
			}
		}
	}
	if _, err := Read(filepath.Join(internal, "matfile/testdata/mat_edge_cases.mat"), "cell"); err == nil {
		t.Error("a cell array was read as numbers")
	}
}
