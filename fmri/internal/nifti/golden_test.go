package nifti

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"percept/internal/golden"
)

// TestGolden reads every valid file of the golden set as nibabel reads it.
func TestGolden(t *testing.T) {
	e := golden.Open(t, "testdata/nii_expected.safetensors")
	files, _ := filepath.Glob("testdata/nii_*.nii*")
	checked := 0
	for _, path := range files {
		key := strings.ReplaceAll(filepath.Base(path), ".", "_")
		if key == "nii_gz_two_members_nii_gz" {
			key = "nii_f32_nii_gz"
		}
		if !e.Has(key + ".data") {
			continue
		}
		checked++
		t.Run(filepath.Base(path), func(t *testing.T) {
			img, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			got, err := img.ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			shape := e.Shape(key + ".data")
			if len(img.Dims) != 3 || img.Dims[0] != shape[0] || img.Dims[1] != shape[1] || img.Dims[2] != shape[2] {
				t.Fatalf("dimensions %v, want %v", img.Dims, shape)
			}
			all := golden.Values[float32](e, key+".data")
			for i := range got { // expected is in C order of (x, y, z)
				x, y, z := i%shape[0], i/shape[0]%shape[1], i/(shape[0]*shape[1])
				want := all[(x*shape[1]+y)*shape[2]+z]
				if got[i] != want {
					t.Fatalf("voxel %d,%d,%d = %v, want %v", x, y, z, got[i], want)
				}
			}
			for i, want := range golden.Values[float64](e, key+".affine") {
				if d := math.Abs(img.Affine[i/4][i%4] - want); d > 1e-6 {
					t.Errorf("affine[%d][%d] = %v, want %v", i/4, i%4, img.Affine[i/4][i%4], want)
				}
			}
			index := []int{7, 0, 59, 7, 31}
			dst := make([]float32, len(index))
			if err := readVoxels(img, dst, index); err != nil {
				t.Fatal(err)
			}
			for i, v := range index {
				if dst[i] != got[v] {
					t.Errorf("ReadVoxels: voxel %d = %v, want %v", v, dst[i], got[v])
				}
			}
		})
	}
	if checked != 10 {
		t.Errorf("%d files were checked, want 10", checked)
	}
}

// TestRejects: damaged files end in one line that names the file.
func TestRejects(t *testing.T) {
	for name, want := range map[string]string{
		"nii_scl_nan_inter.nii":   "offset 116: slope 2 with intercept NaN",
		"nii_gz_corrupt.nii.gz":   "",
		"nii_gz_bad_crc.nii.gz":   "gzip: invalid checksum",
		"nii_gz_truncated.nii.gz": "gzip: the stream is cut inside the voxels",
		"nii_truncated.nii":       "the file ends after 400 bytes, inside the voxels: dimensions [4 3 5]",
		"nii_bad_magic.nii":       "offset 344: magic",
		"nii_dims_lie.nii":        "the file ends after 592 bytes, inside the voxels",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", name)
			img, err := Open(path)
			if err == nil {
				_, err = img.ReadAll()
			}
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.HasPrefix(err.Error(), path+": ") || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q, want file and %q in one line", err, want)
			}
		})
	}
}
