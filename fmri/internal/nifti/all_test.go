package nifti

import (
	"archive/zip"
	"encoding/binary"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/fmri/internal/source"
)

// extract unpacks all.zip and returns the images in it and what nibabel reads from each.
func extract(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	z, err := zip.OpenReader("testdata/all.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	want := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if name, ok := strings.CutSuffix(f.Name, ".want"); ok {
			want[name] = b
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, f.Name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return want
}

// TestAll compares images of every type, version, byte order, form and scaling with what nibabel reads: whole, by
// volumes and by voxels.
func TestAll(t *testing.T) {
	dir := t.TempDir()
	all := extract(t, dir)
	if len(all) != 89 {
		t.Errorf("%d images", len(all))
	}
	for name, b := range all {
		le := binary.LittleEndian
		rank := int(le.Uint32(b))
		var dims []int
		for i := range rank {
			dims = append(dims, int(le.Uint32(b[4+4*i:])))
		}
		numbers := make([]float64, (len(b)-4-4*rank)/8)
		if _, err := binary.Decode(b[4+4*rank:], le, numbers); err != nil {
			t.Fatal(err)
		}
		affine, want := numbers[:16], numbers[16:]
		img, err := Open(filepath.Join(dir, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !slices.Equal(img.Dims, dims) {
			t.Errorf("%s: dimensions %v, want %v", name, img.Dims, dims)
			continue
		}
		for i, w := range affine {
			if math.Abs(img.Affine[i/4][i%4]-w) > 1e-6*math.Max(1, math.Abs(w)) {
				t.Errorf("%s: affine %v, want %v", name, img.Affine, affine)
				break
			}
		}
		got, err := img.ReadAll64()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i, w := range want {
			if i >= len(got) || math.Abs(got[i]-w) > 1e-15*math.Abs(w) {
				t.Errorf("%s: voxels %v, want %v", name, got, want)
				break
			}
		}
		if i := strings.TrimPrefix(name, "pair"); i != name {
			other, err := Open(filepath.Join(dir, strings.Replace(name, ".hdr", ".img", 1)))
			if err != nil {
				t.Errorf("%s by its other name: %v", name, err)
			} else if x, err := other.ReadAll64(); err != nil || !slices.Equal(x, got) {
				t.Errorf("%s by its other name: %v", name, err)
			}
		}
		whole, err := img.ReadAll()
		if strings.HasPrefix(name, "u4") || strings.HasPrefix(name, "i4") || strings.HasPrefix(name, "u8") ||
			strings.HasPrefix(name, "i8") {
			if err == nil || !strings.Contains(err.Error(), "float32 cannot hold exactly") {
				t.Errorf("%s as float32: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i, v := range whole {
			if v != float32(got[i]) {
				t.Errorf("%s: voxel %d is %v, want %v", name, i, v, got[i])
				break
			}
		}
		pieces(t, name, img, whole)
	}
}

// pieces reads some voxels.
func pieces(t *testing.T, name string, img *Image, whole []float32) {
	t.Helper()
	vox := img.Voxels()
	index := []int{vox - 1, 0, vox / 2, 0}
	got := make([]float32, img.Volumes()*len(index))
	if err := readVoxels(img, got, index); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	for i, v := range got {
		if w := whole[i/4*vox+index[i%4]]; v != w {
			t.Errorf("%s: voxel %d of volume %d is %v, want %v", name, index[i%4], i/4, v, w)
		}
	}
}

func TestPairRejects(t *testing.T) {
	dir := t.TempDir()
	extract(t, dir)
	at := func(name string) string { return filepath.Join(dir, name) }
	header, err := os.ReadFile(at("pair_v1_le.hdr"))
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, b []byte) string {
		if err := os.WriteFile(at(name), b, 0o666); err != nil {
			t.Fatal(err)
		}
		return at(name)
	}
	analyze := slices.Clone(header)
	copy(analyze[344:348], "\x00\x00\x00\x00")
	write("short.img", make([]byte, 50))
	for path, want := range map[string]string{
		write("alone.hdr", header):     "the other file of the pair, " + at("alone.img") + ", is not there",
		write("orphan.img", header):    "the other file of the pair, " + at("orphan.hdr") + ", is not there",
		write("wrong.nii", header):     "is the header of a pair of files, expected a name that ends in .hdr",
		write("analyze.hdr", analyze):  "offset 344: no magic: an ANALYZE file",
		write("cut.hdr", header[:200]): "the file ends inside the header",
	} {
		if _, err := Open(path); err == nil || !strings.HasPrefix(err.Error(), path+": ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	write("short.hdr", header)
	if _, err := Open(at("short.hdr")); err == nil || !strings.Contains(err.Error(),
		"short.img: NIfTI, offset 50: the file ends after 50 bytes, inside the voxels: dimensions [3 4 2 2] of int16 need 96 bytes") {
		t.Errorf("short voxels: %v", err)
	}
}

// TestTruncated cuts files everywhere: always an error that names the file. Flipped bits of compressed ones never give
// other values.
func TestTruncated(t *testing.T) {
	dir := t.TempDir()
	extract(t, dir)
	for _, name := range []string{"i2_v1_le.nii", "f8_v2_be.nii", "zip_v1.nii.gz", "extension_v2.nii.gz"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for n := range len(b) {
			f, err := source.Bytes("the/file", format, b[:n])
			if err != nil {
				t.Fatal(err)
			}
			img, err := newImage(f)
			if err == nil {
				_, err = img.ReadAll64()
			}
			if err == nil || !strings.HasPrefix(err.Error(), "the/file: NIfTI, offset ") || strings.Contains(err.Error(), "\n") {
				t.Fatalf("%s cut to %d of %d bytes: %v", name, n, len(b), err)
			}
		}
		if !strings.HasSuffix(name, ".gz") {
			continue
		}
		want, _ := Open(filepath.Join(dir, name))
		whole, err := want.ReadAll64()
		if err != nil {
			t.Fatal(err)
		}
		for at := 20; at < len(b); at++ {
			c := slices.Clone(b)
			c[at] ^= 4
			f, err := source.Bytes("the/file", format, c)
			if err != nil {
				t.Fatal(err)
			}
			img, err := newImage(f)
			if err != nil {
				continue
			}
			// A flipped bit may leave what comes out as it is: equal bytes can be copied from several places.
			if x, err := img.ReadAll64(); err == nil && !slices.Equal(x, whole) {
				t.Errorf("%s: a flipped bit of byte %d gave other values", name, at)
			}
		}
	}
}

// readVoxels is ReadVoxels with the values as numbers.
func readVoxels(m *Image, dst []float32, index []int) error {
	stored := make([]byte, len(dst)*m.Type.Size())
	if err := m.ReadVoxels(stored, index); err != nil {
		return err
	}
	for i := range dst {
		v, _ := m.value(stored[i*m.Type.Size():])
		dst[i] = float32(v)
	}
	return nil
}
