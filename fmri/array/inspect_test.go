package array

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// summary is an Info in one line of text for each array.
func summary(i Info) string {
	s := fmt.Sprintf("%s %s rows %d", i.Format, i.Compression, i.Rows)
	for _, a := range i.Arrays {
		s += fmt.Sprintf("\n%s %v %s %s %d %s", a.Name, a.Shape, strings.Join(a.Axes, ","), a.Type, a.Bytes, a.Note)
	}
	return s
}

func TestInspect(t *testing.T) {
	for path, want := range map[string]string{
		"nifti/testdata/nii_f32.nii.gz": "NIfTI-1 gzip rows -1\n [4 3 5] x,y,z float32 240 ",
		"nifti/testdata/nii_scl.nii":    "NIfTI-1  rows -1\n [4 3 5] x,y,z int16 scaled by 0.0035 plus -2.5 120 ",
		"nifti/testdata/nii_v2.nii":     "NIfTI-2  rows -1\n [4 3 5] x,y,z int16 120 ",
		"freesurfer/testdata/u8.mgz":    "MGH gzip rows 3\n [3 4 5 2] x,y,z,frame uint8 120 ",
		"freesurfer/testdata/lh.white": "FreeSurfer surface  rows -1\nvertices [18 3] vertex,coordinate float32 216 \n" +
			"faces [32 3] face,corner int32 384 ",
		"freesurfer/testdata/lh.curv": "FreeSurfer curv  rows -1\n [18] vertex float32 72 ",
		"gifti/testdata/B64GZ.gii.gz": "GIFTI gzip rows -1\npointset [12 3] vertex,coordinate float32 144 \n" +
			"triangle [20 3] face,corner int32 240 \nshape [12] vertex float32 48 \nlabel [12] vertex int32 48 \nnone [3 8]  uint8 24 ",
		"npy/testdata/npy_fortran.npy": "npy  rows 0\n [4 3 2]  float32 96 ",
		"npy/testdata/npz.npz":         "npz  rows 0\na [4 3 2]  float32 96 \nb [3]  int64 24 ",
	} {
		info, err := Inspect(filepath.Join(internal, path))
		if err != nil {
			t.Errorf("%s: %v", path, err)
		} else if got := summary(info); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", path, got, want)
		}
	}
}

// TestInspectNotes lists what cannot be read with the reason, beside what can.
func TestInspectNotes(t *testing.T) {
	for _, c := range []struct{ path, format, name, want string }{
		{"matfile/testdata/all_v5.mat", "MATLAB 5", "doubles", "[2 3] double 48 "},
		{"matfile/testdata/all_v73.mat", "MATLAB 7.3", "doubles", "[2 3] double 48 "},
		{"matfile/testdata/all_v5.mat", "MATLAB 5", "one.alpha", "[4 3] single 48 "},
		{"matfile/testdata/all_v73.mat", "MATLAB 7.3", "one.alpha", "[4 3] single 48 "},
		{"matfile/testdata/all_v73.mat", "MATLAB 7.3", "complexes", "complex double 96 variable complexes: is complex, expected real numbers"},
		{"matfile/testdata/all_v5.mat", "MATLAB 5", "many", "[1 3] struct 0 variable many: is of class struct, expected numbers"},
		{"matfile/testdata/all_v5.mat", "MATLAB 5", "sparse", "sparse 0 variable sparse: is of class sparse, expected numbers"},
		{"hdf5/testdata/h5_latest.h5", "HDF5", "chunk_plain", "[13 7 5 4] int16 3640 "},
		{"hdf5/testdata/small_latest.h5", "HDF5", "g/s", "[] float64 8 "},
	} {
		info, err := Inspect(filepath.Join(internal, c.path))
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		i := slices.IndexFunc(info.Arrays, func(a ArrayInfo) bool { return a.Name == c.name })
		if i < 0 {
			t.Errorf("%s: no %s in\n%s", c.path, c.name, summary(info))
			continue
		}
		a := info.Arrays[i]
		if got := fmt.Sprintf("%v %s %d %s", a.Shape, a.Type, a.Bytes, a.Note); info.Format != c.format || !strings.HasSuffix(got, c.want) {
			t.Errorf("%s: %s %s: %s, want %s", c.path, info.Format, c.name, got, c.want)
		}
	}
	for _, path := range []string{"absent", "inspect.go", filepath.Join(internal, "nifti/testdata/nii_truncated.nii")} {
		if _, err := Inspect(path); err == nil || !strings.HasPrefix(err.Error(), path+": ") {
			t.Errorf("%s: %v", path, err)
		}
	}
}
