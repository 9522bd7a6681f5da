package nifti

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/fmri/internal/source"
)

// other is a file that tools/formats/make.py wrote with nibabel for package array, which compares the values.
func other(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../../array/testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func parse(b []byte) (*Image, error) {
	f, err := source.Bytes("the/file", format, b)
	if err != nil {
		return nil, err
	}
	return newImage(f)
}

func TestCIFTI(t *testing.T) {
	for kind, want := range map[string]struct {
		shape []int
		axes  string
	}{
		"dscalar": {[]int{3, 100}, "map grayordinate"}, "dtseries": {[]int{3, 100}, "frame grayordinate"},
		"dconn": {[]int{4, 4}, "grayordinate grayordinate"}, "ptseries": {[]int{3, 2}, "frame parcel"},
		"pscalar": {[]int{3, 2}, "map parcel"}, "pconn": {[]int{2, 2}, "parcel parcel"}, "dlabel": {[]int{1, 100}, "map grayordinate"},
		"dpconn": {[]int{4, 2}, "grayordinate parcel"}, "pdconn": {[]int{2, 4}, "parcel grayordinate"},
	} {
		b := other(t, "x."+kind+".nii")
		for _, intent := range []bool{true, false} {
			if !intent { // the extension alone tells
				binary.LittleEndian.PutUint32(b[504:], 0)
			}
			img, err := parse(b)
			if err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			m, err := img.CIFTI()
			if err != nil || !img.IsCIFTI() || m.Kind != kind || !slices.Equal(m.Shape, want.shape) || strings.Join(m.Axes, " ") != want.axes {
				t.Errorf("%s: %+v, %v, want %v", kind, m, err, want)
			}
		}
	}
	if img, err := parse(other(t, "codes0_nii2.nii")); err != nil || img.IsCIFTI() {
		t.Errorf("an image of NIfTI-2: %v", err)
	}
}

// TestCIFTIRejects changes one thing of a good file each.
func TestCIFTIRejects(t *testing.T) {
	le := binary.LittleEndian
	for name, c := range map[string]struct {
		change func(b []byte) []byte
		want   string
	}{
		"version 1":          {func(b []byte) []byte { return replace(b, `<CIFTI Version="2`, `<CIFTI Version="1`) }, `, expected 2`},
		"no XML":             {func(b []byte) []byte { return replace(b, "<CIFTI", "[CIFTI") }, "extension: XML syntax error"},
		"XML cut":            {func(b []byte) []byte { return replace(b, "</CIFTI>", "        ") }, "extension: XML syntax error"},
		"no extension":       {func(b []byte) []byte { le.PutUint32(b[548:], 6); return b }, "expected an extension of code 32"},
		"no mark":            {func(b []byte) []byte { b[540] = 0; return b }, "expected an extension of code 32"},
		"long extension":     {func(b []byte) []byte { le.PutUint32(b[544:], 1<<30); return b }, "extension of 1073741824 bytes"},
		"negative extension": {func(b []byte) []byte { le.PutUint32(b[544:], 1<<31); return b }, "extension of -2147483648 bytes"},
		"short extension":    {func(b []byte) []byte { le.PutUint32(b[544:], 7); return b }, "extension of 7 bytes, expected 8 to"},
		"cut":                {func(b []byte) []byte { return b[:700] }, "the file ends"},
		"cut in the header":  {func(b []byte) []byte { return b[:541] }, "the file ends"},
		"volumes": {func(b []byte) []byte { le.PutUint64(b[24:], 3); le.PutUint64(b[56:], 1); return b },
			"dimensions [3 1 1 1 1 100]"},
		"five dimensions": {func(b []byte) []byte { le.PutUint64(b[16:], 5); return b }, "expected four of 1 and then those of a matrix"},
	} {
		img, err := parse(c.change(other(t, "x.dscalar.nii")))
		if err == nil {
			_, err = img.CIFTI()
		}
		if err == nil || !strings.HasPrefix(err.Error(), "the/file: ") || !strings.Contains(err.Error(), c.want) ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// replace replaces text by other text of the same length.
func replace(b []byte, from, to string) []byte {
	return []byte(strings.Replace(string(b), from, to, 1))
}

// TestSurfaceDims: the number behind a dimension of -1 has to be one.
func TestSurfaceDims(t *testing.T) {
	b := other(t, "codes0.nii")
	put := func(at int, v int16) { binary.LittleEndian.PutUint16(b[at:], uint16(v)) }
	put(42, -1)
	put(44, 1)
	put(46, 1)
	for _, glmin := range []int32{0, -5} {
		binary.LittleEndian.PutUint32(b[144:], uint32(glmin))
		if _, err := parse(b); err == nil || !strings.Contains(err.Error(), "glmin") || !strings.Contains(err.Error(), "expected 1 or more") {
			t.Errorf("glmin %d: %v", glmin, err)
		}
	}
	binary.LittleEndian.PutUint32(b[144:], 24)
	if img, err := parse(b); err != nil || !slices.Equal(img.Dims, []int{24, 1, 1}) {
		t.Errorf("%v", err)
	}
	binary.LittleEndian.PutUint32(b[144:], 25)
	if _, err := parse(b); err == nil || !strings.Contains(err.Error(), "dimensions [25 1 1] of int16 need 50 bytes") {
		t.Errorf("beyond the file: %v", err)
	}
	put(44, 2) // no vector: -1 is no dimension
	if _, err := parse(b); err == nil || !strings.Contains(err.Error(), "dimension 1 is -1") {
		t.Errorf("-1×2×1: %v", err)
	}
}
