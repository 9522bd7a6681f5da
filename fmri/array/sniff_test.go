package array

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func contents(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestFormats: what Inspect calls a file, whatever its name is.
func TestFormats(t *testing.T) {
	hdf5 := contents(t, "testdata/plain_hdf5.mat")
	moved := func(n int) []byte { return append(make([]byte, n), hdf5...) }
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"x.nii.gz", contents(t, "testdata/ico7.nii.gz"), "NIfTI-1 gzip"},
		{"x.nii", contents(t, "testdata/frames.nii.zst"), "NIfTI-1 zstd"},
		{"x", contents(t, "testdata/streams.nii.bz2"), "NIfTI-1 bzip2"},
		{"x.nii", contents(t, "testdata/x.dscalar.nii"), "CIFTI-2 dscalar"},
		{"x.nii", contents(t, "testdata/x.pdconn.nii"), "CIFTI-2 pdconn"},
		{"x.mgz", contents(t, "testdata/u16.mgz"), "MGH gzip"},
		{"lh.x", contents(t, "testdata/lh.quad"), "FreeSurfer surface of quadrangles"},
		{"lh.x", contents(t, "testdata/lh.quad_old"), "FreeSurfer surface of quadrangles (old)"},
		{"lh.x", contents(t, "testdata/lh.curv_old"), "FreeSurfer curv (old)"},
		{"lh.x", contents(t, "testdata/lh.one10"), "FreeSurfer surface"},
		{"x.mat", contents(t, "testdata/v4.mat"), "MATLAB 4"},
		{"x", contents(t, "testdata/v4_big.mat"), "MATLAB 4"},
		{"x.mat", contents(t, "testdata/flags5.mat"), "MATLAB 5"},
		{"x.mat", contents(t, "testdata/noheader.mat"), "MATLAB 7.3"},
		{"x.MAT", contents(t, "testdata/noheader.mat"), "MATLAB 7.3"},
		{"x.h5", contents(t, "testdata/noheader.mat"), "HDF5"},
		{"x.mat", hdf5, "HDF5"},
		{"x.h5", moved(512), "HDF5"},
		{"x.h5", moved(2048), "HDF5"},
		{"x.h5", moved(4096), "HDF5"},
		{"x.h5", moved(1 << 16), "HDF5"},
	} {
		path := filepath.Join(t.TempDir(), c.name)
		if err := os.WriteFile(path, c.b, 0o666); err != nil {
			t.Fatal(err)
		}
		info, err := Inspect(path)
		if got := strings.TrimSpace(info.Format + " " + info.Compression); err != nil || got != c.want {
			t.Errorf("%s: %q %v, want %q", c.name, got, err, c.want)
		}
	}
}

// TestNotFormats: what is nothing that is read has a message that says so, or what is wrong.
func TestNotFormats(t *testing.T) {
	v4, curv := contents(t, "testdata/v4.mat"), contents(t, "testdata/lh.curv_old")
	zipped := contents(t, "testdata/padded512.nii.gz")
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"x", nil, "is none of HDF5, MATLAB, NIfTI, CIFTI-2, MGH"},
		{"x.h5", make([]byte, 1<<16), "is none of"},
		{"x.h5", append(make([]byte, 3000), contents(t, "testdata/plain_hdf5.mat")...), "is none of"},
		{"x.mat", v4[:len(v4)-1], "the file has"},
		{"lh.x", append(bytes.Clone(curv), 0), "is none of"},
		{"x.nii.gz", append(bytes.Clone(zipped), 'x'), "gzip: invalid header"},
		{"x.npy.gz", nil, "is none of"},
	} {
		path := filepath.Join(t.TempDir(), c.name)
		if err := os.WriteFile(path, c.b, 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := Read(path, "x")
		if err == nil || !strings.HasPrefix(err.Error(), path+": ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestInspectCIFTI tells the axes of a matrix, and scaling.
func TestInspectCIFTI(t *testing.T) {
	info, err := Inspect("testdata/scaled.dscalar.nii")
	if want := "CIFTI-2 dscalar  rows 0\n [3 100] map,grayordinate int16 scaled by 0.25 plus -3 600 "; err != nil || summary(info) != want {
		t.Errorf("%s %v, want %s", summary(info), err, want)
	}
	info, err = Inspect("testdata/ico7x2.nii.gz")
	if want := "NIfTI-1 gzip rows 3\n [163842 1 1 2] x,y,z,frame int16 655368 "; err != nil || summary(info) != want {
		t.Errorf("%s %v, want %s", summary(info), err, want)
	}
}
