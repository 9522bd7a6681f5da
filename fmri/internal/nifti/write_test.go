package nifti

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/fmri/internal/source"
	"percept/internal/golden"
)

func ramp[T Element](n, from int) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T(i + from)
	}
	return x
}

func TestRoundTrip(t *testing.T) {
	dir := t.TempDir()
	check := func(path string, typ DataType, h Header, want []float32) {
		t.Helper()
		img, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if img.Type != typ || !slices.Equal(img.Dims, h.Dims) {
			t.Errorf("%s: %s %v, want %s %v", path, img.Type, img.Dims, typ, h.Dims)
		}
		for i := range 3 {
			for j := range 4 {
				if float32(img.Affine[i][j]) != float32(h.Affine[i][j]) {
					t.Errorf("%s: affine %v, want %v", path, img.Affine, h.Affine)
				}
			}
		}
		got, err := img.ReadAll()
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v", path, got, err)
		}
	}
	h := Header{Dims: []int{3, 4, 5}, Affine: Scaling(1.8)}
	want := ramp[float32](60, -7)
	if err := Write(filepath.Join(dir, "a.nii.gz"), h, ramp[int16](60, -7)); err != nil {
		t.Fatal(err)
	}
	check(filepath.Join(dir, "a.nii.gz"), Int16, h, want)
	if err := Write(filepath.Join(dir, "b.nii"), h, ramp[int32](60, -7)); err != nil {
		t.Fatal(err)
	}
	check(filepath.Join(dir, "b.nii"), Int32, h, want)
	if err := Write(filepath.Join(dir, "c.nii.gz"), h, want); err != nil {
		t.Fatal(err)
	}
	check(filepath.Join(dir, "c.nii.gz"), Float32, h, want)
	if err := Write(filepath.Join(dir, "d.nii"), h, ramp[uint8](60, 0)); err != nil {
		t.Fatal(err)
	}
	check(filepath.Join(dir, "d.nii"), Uint8, h, ramp[float32](60, 0))
	scaled := Header{Dims: []int{2}, Slope: 0.5, Inter: 3, Affine: Scaling(1)}
	if err := Write(filepath.Join(dir, "e.nii"), scaled, []int16{64, -1}); err != nil {
		t.Fatal(err)
	}
	check(filepath.Join(dir, "e.nii"), Int16, scaled, []float32{35, 2.5})
}

// TestReadVoxels reads some voxels of a 4-D image that is longer than the reader's buffer.
func TestReadVoxels(t *testing.T) {
	path := filepath.Join(t.TempDir(), "betas.nii.gz")
	const vox, volumes = 30 * 20 * 10, 50
	w, err := Create[int16](path, Header{Dims: []int{30, 20, 10, volumes}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	value := func(k, v int) int16 { return int16(v*5 + k*71) }
	for k := range volumes {
		vol := make([]int16, vox)
		for v := range vol {
			vol[v] = value(k, v)
		}
		if err := w.Append(vol); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	img, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	index := []int{5999, 0, 17, 0, 3333}
	dst := make([]float32, volumes*len(index))
	if err := readVoxels(img, dst, index); err != nil {
		t.Fatal(err)
	}
	for i, v := range dst {
		if want := float32(value(i/len(index), index[i%len(index)])); v != want {
			t.Fatalf("volume %d, voxel %d = %v, want %v", i/len(index), index[i%len(index)], v, want)
		}
	}
	if err := readVoxels(img, dst[:volumes], []int{vox}); err == nil {
		t.Error("a voxel outside was read")
	}
	if err := readVoxels(img, dst, []int{1}); err == nil {
		t.Error("voxels were read into a slice of another length")
	}
}

func TestWriterRejects(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.nii.gz")
	for want, err := range map[string]error{
		"5 of 6 values were written":  Write(path, Header{Dims: []int{6}}, make([]int16, 5)),
		"more values than dimensions": Write(path, Header{Dims: []int{6}}, make([]int16, 7)),
		"NIfTI holds 1 to 7":          Write(path, Header{}, []int16{}),
		"NIfTI-1 holds 1 to 32767":    Write(path, Header{Dims: []int{40000}}, make([]int16, 40000)),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), path+": ") || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want file and %q", err, want)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// FuzzRead reads damaged files: any result but a panic, a hang or a huge allocation is fine here.
func FuzzRead(f *testing.F) {
	files, _ := filepath.Glob("testdata/nii_*.nii*")
	for _, name := range []string{"x.dscalar.nii", "x.ptseries.nii", "all.nii.gz", "b.nii.bz2", "frames.nii.zst"} {
		files = append(files, filepath.Join("../../array/testdata", name))
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<16 {
			return
		}
		src, err := source.Bytes("fuzz.nii", format, b)
		if err != nil {
			return
		}
		golden.WithinMemory(t, len(b), src.Compressed(), func() {
			img, err := newImage(src)
			if err != nil {
				if !strings.HasPrefix(err.Error(), "fuzz.nii: ") || strings.Contains(err.Error(), "\n") {
					t.Errorf("error %q", err)
				}
				return
			}
			if img.IsCIFTI() {
				_, _ = img.CIFTI()
			}
			_, _ = img.ReadAll()
			_, _ = img.ReadAll64()
			if img.Volumes() < 1000 {
				_ = readVoxels(img, make([]float32, img.Volumes()), []int{img.Voxels() - 1})
			}
		})
	})
}
