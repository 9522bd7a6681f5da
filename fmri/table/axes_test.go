package table

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/fmri/array"
	"percept/fmri/internal/npy"
	"percept/tensor/linalg"
)

// axes is a file of testdata/axes, which nibabel wrote with the rows that numpy has for it.
func axes(name string) string { return filepath.Join("testdata", "axes", name) }

func readAxes(t *testing.T, name string) []float32 {
	t.Helper()
	a, err := array.Read(axes(name), "")
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float32, len(a.Data))
	for i, v := range a.Data {
		out[i] = float32(v)
	}
	return out
}

// TestRowsOfImages: frames of volumes and maps of surfaces are rows, whatever axis a format has them on.
func TestRowsOfImages(t *testing.T) {
	rows := readAxes(t, "rows.npy") // [8, 24]
	for _, c := range []struct {
		file   string
		want   []float32
		volume [3]int
		note   string
	}{
		{"rows.npy", rows, [3]int{}, ""},
		{"x.nii.gz", rows, [3]int{4, 3, 2}, "axis 4, the frames, are the 8 rows"},
		{"fifth.nii.gz", rows, [3]int{4, 3, 2}, "axis 5, the frames, are the 8 rows"},
		{"one.nii.gz", rows[5*24 : 6*24], [3]int{4, 3, 2}, "one volume of 4×3×2"},
		{"x.mgh", rows, [3]int{24, 1, 1}, "axis 4, the frames, are the 8 rows"},
		{"x.func.gii", rows, [3]int{24, 1, 1}, "its 8 arrays are the rows"},
		{"x.func.gii:time_series.3", rows[3*24 : 4*24], [3]int{24, 1, 1}, "one map"},
		{"x.dtseries.nii", rows, [3]int{}, ""},
	} {
		x, err := OpenResponses(axes(c.file), "", nil, "")
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		m, err := x.Matrix(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if m.Cols != 24 || !slices.Equal(m.Data, c.want) {
			t.Errorf("%s: %d×%d, not the rows that numpy has", c.file, m.Rows, m.Cols)
		}
		if v := x.Cols.Voxels; v.Volume != c.volume || (v.XYZ == nil) != (c.volume == [3]int{}) {
			t.Errorf("%s: volume %v, coordinates of %d, expected %v", c.file, v.Volume, len(v.XYZ)/3, c.volume)
		}
		if c.note == "" && x.Note != "" || !strings.Contains(x.Note, c.note) {
			t.Errorf("%s: note %q, expected %q", c.file, x.Note, c.note)
		}
	}
	for file, want := range map[string]string{
		"both.nii.gz":            "shape [4 3 2 2 4] (x, y, z, frame, dim5), expected one axis of frames",
		"mesh.surf.gii":          "pointset is of shape [3 3]",
		"mesh.surf.gii:triangle": "shape [1 3], expected a number for each vertex",
	} {
		if _, err := OpenResponses(axes(file), "", nil, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, expected %q", file, err, want)
		}
	}
}

// TestMasked: a mask chooses voxels and keeps where they lie, so that they are found again in the whole.
func TestMasked(t *testing.T) {
	want, places := readAxes(t, "masked.npy"), readAxes(t, "places.npy")
	for file, mask := range map[string]string{"x.nii.gz": "mask.nii.gz", "fifth.nii.gz": "mask.nii.gz", "x.mgh": "mask.npy",
		"x.func.gii": "mask.npy", "rows.npy": "mask.npy", "x.dtseries.nii": "mask.npy"} {
		whole, err := OpenResponses(axes(file), "", nil, "")
		if err != nil {
			t.Fatal(err)
		}
		x, err := whole.Masked(axes(mask))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		m, err := x.Matrix(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if m.Rows != 8 || !slices.Equal(m.Data, want) {
			t.Errorf("%s: not the voxels of the mask", file)
		}
		for i, p := range x.Cols.Voxels.XYZ {
			if mask == "mask.nii.gz" && float32(p) != places[i] {
				t.Fatalf("%s: voxel %d lies at %v, expected %v", file, i/3, x.Cols.Voxels.XYZ[i/3*3:][:3], places[i/3*3:][:3])
			}
		}
		columns, err := whole.Cols.Voxels.At(*x.Cols.Voxels)
		if err != nil {
			t.Fatal(err)
		}
		again, err := whole.Select(columns)
		if err != nil {
			t.Fatal(err)
		}
		if m, err = again.Matrix(t.Context()); err != nil || !slices.Equal(m.Data, want) {
			t.Errorf("%s: the voxels are not found again in the whole (%v)", file, err)
		}
	}
	for _, c := range []struct{ file, mask, want string }{
		{"x.nii.gz", "moved.nii.gz", ""},
		{"x.nii.gz", "turned.nii.gz", "a mask of 3×4×2, expected 4×3×2"},
		{"x.nii.gz", "mask.npy", "a mask of 24, expected 4×3×2"},
		{"x.nii.gz", "x.nii.gz", "a mask of 4×3×2×8, expected 4×3×2"},
		{"rows.npy", "places.npy", "expected one of 24 columns"},
	} {
		x, err := OpenResponses(axes(c.file), "", nil, "")
		if err != nil {
			t.Fatal(err)
		}
		_, err = x.Masked(axes(c.mask))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s by %s: error %v, expected %q", c.file, c.mask, err, c.want)
		}
	}
	x, err := OpenResponses(axes("x.nii.gz"), "", nil, "")
	if err != nil {
		t.Fatal(err)
	}
	x.affine[0][3] += 0.5
	if _, err := x.Masked(axes("mask.nii.gz")); err == nil || !strings.Contains(err.Error(), "affine differs") {
		t.Errorf("a mask of another place: error %v", err)
	}
}

// TestImagesOfAnotherPlace: voxels of an image are those of another one only where both have one affine.
func TestImagesOfAnotherPlace(t *testing.T) {
	x, err := OpenResponses(axes("x.nii.gz"), "", nil, "")
	if err != nil {
		t.Fatal(err)
	}
	decoder := *x.Cols.Voxels
	if _, err := x.Cols.Voxels.At(decoder); err != nil {
		t.Error(err)
	}
	flipped, a := decoder, *decoder.Affine
	a[0][0], a[0][3] = -a[0][0], 5.4
	flipped.Affine = &a
	if _, err := flipped.At(decoder); err == nil || !strings.Contains(err.Error(), "affine differs by up to 5.4 mm") {
		t.Errorf("a flipped image: error %v", err)
	}
	unknown := decoder
	unknown.Affine = nil // of a file without one, or a decoder of earlier builds
	if _, err := unknown.At(decoder); err != nil {
		t.Error(err)
	}
}

// TestUsableOfArrays: values that are no number are told when they are read, and left out where that is asked for.
func TestUsableOfArrays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npy")
	bad := []float64{1, math.NaN(), 3, 1e39, 2, 5, 4, 1}
	if err := npy.Write(path, []int{2, 4}, bad); err != nil {
		t.Fatal(err)
	}
	x, err := OpenResponses(path, "", nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Matrix(t.Context()); err == nil || !strings.Contains(err.Error(), "--usable leaves such voxels out") {
		t.Errorf("error %v", err)
	}
	u, told, err := x.Usable(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if m, err := u.Matrix(t.Context()); err != nil || !slices.Equal(m.Data, []float32{1, 3, 2, 4}) || len(told) != 1 {
		t.Errorf("%v, %v, told %q", m.Data, err, told)
	}
}

// TestUsable counts columns without use and leaves them out.
func TestUsable(t *testing.T) {
	nan := float32(0)
	nan /= nan
	m := linalg.Of([]float32{1, 2, 3, nan, 5, 2, 2, 4, 1, 5, 3, 2, nan, 1, 6}, 3, 5)
	x, err := New("x", m, Rows{}, Columns{Voxels: &Voxels{}})
	if err != nil {
		t.Fatal(err)
	}
	f, err := x.Flaws(t.Context())
	if err != nil || !slices.Equal(f.NaN, []int{2, 3}) || !slices.Equal(f.Constant, []int{1}) {
		t.Fatalf("flaws %+v, error %v; expected 2, 3 NaN and 1 constant", f, err)
	}
	u, told, err := x.Usable(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err := u.Matrix(t.Context())
	if err != nil || !slices.Equal(got.Data, []float32{1, 5, 2, 5, 3, 6}) {
		t.Errorf("usable %v, error %v", got.Data, err)
	}
	if text := strings.Join(told, "; "); !strings.Contains(text, "2 of 5 voxels, the first column 2,") ||
		!strings.Contains(text, "1 of 5 voxels, the first column 1,") {
		t.Errorf("told %q", told)
	}
	if _, err = x.Matrix(t.Context()); err == nil || !strings.Contains(err.Error(), "2 of 5 columns have such values") {
		t.Errorf("error %v", err)
	}
	flat, err := New("x", linalg.Of([]float32{3, 3}, 2, 1), Rows{}, Columns{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := flat.Usable(t.Context()); err == nil {
		t.Error("a table that does not vary is usable")
	}
}
