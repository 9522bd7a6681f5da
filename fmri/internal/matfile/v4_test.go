package matfile

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

// matrix4 is a matrix of version 4.
func matrix4(order binary.AppendByteOrder, mopt, rows, columns, imaginary uint32, name string, data any) []byte {
	var b []byte
	for _, v := range []uint32{mopt, rows, columns, imaginary, uint32(len(name) + 1)} {
		b = order.AppendUint32(b, v)
	}
	b = append(append(b, name...), 0)
	out := bytes.NewBuffer(b)
	if err := binary.Write(out, order.(binary.ByteOrder), data); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// TestV4 reads the kinds of matrices that scipy does not write; by hand from the format's description.
func TestV4(t *testing.T) {
	le := binary.LittleEndian
	b := slices.Concat(
		matrix4(le, 0, 2, 1, 1, "complex", []float64{1, 2, 3, 4}),
		matrix4(le, 1, 1, 2, 0, "text", []float64{'h', 'i'}),
		matrix4(le, 51, 2, 2, 0, "rows", []byte("acbd")),
		matrix4(le, 2, 3, 3, 0, "sparse", []float64{1, 2, 2, 1, 2, 2, 5, 6, 0}),
		matrix4(binary.BigEndian, 1020, 1, 1, 0, "big", []int32{-7}))
	f, err := Parse("x.mat", b)
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Names(); !slices.Equal(got, []string{"complex", "text", "rows", "sparse", "big"}) {
		t.Fatalf("%v", got)
	}
	for name, want := range map[string]string{"complex": "is complex, expected real numbers", "text": "is of class char",
		"sparse": "is of class sparse, expected numbers"} {
		a, err := f.Var(name)
		if err == nil {
			_, err = a.Float64s()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	for name, want := range map[string]string{"text": "hi", "rows": "ab\ncd"} {
		if a, err := f.Var(name); err != nil || a.Text != want {
			t.Errorf("%s: %q %v, want %q", name, a.Text, err, want)
		}
	}
	if f, err = Parse("x.mat", b, "big"); err != nil || !slices.Equal(f.Names(), []string{"big"}) {
		t.Fatalf("one variable: %v", err)
	}
	if x, err := f.vars[0].Ints(); err != nil || !slices.Equal(x, []int{-7}) {
		t.Errorf("%v %v", x, err)
	}
}

func TestV4Rejects(t *testing.T) {
	le := binary.LittleEndian
	good := matrix4(le, 0, 1, 2, 0, "x", []float64{1, 2})
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"rest":       {append(slices.Clone(good), 1, 2, 3), "expected the header of a matrix or the end of the file"},
		"two":        {slices.Concat(good, good), "variable x is there twice"},
		"cut second": {slices.Concat(good, matrix4(le, 0, 1, 2, 0, "y", []float64{1})), "y [1 2] needs 16 bytes, the file has 8 more"},
		"lie": {slices.Concat(good, matrix4(le, 0, math.MaxInt32, math.MaxInt32, 1, "y", []float64{1})),
			"y [2147483647 2147483647] needs 18446744073709551615 bytes"},
		"VAX":  {matrix4(le, 2000, 1, 2, 0, "x", []float64{1, 2}), "numbers of a VAX or Cray"},
		"code": {matrix4(le, 1, 1, 2, 0, "x", []float64{-1, 2}), "text with the code -1"},
		// These are not of version 4 at all.
		"cut":       {good[:len(good)-1], "too short for the header"},
		"name":      {matrix4(le, 0, 1, 2, 0, "1x", []float64{1, 2}), "too short for the header"},
		"precision": {matrix4(le, 60, 1, 2, 0, "x", []float64{1, 2}), "too short for the header"},
		"order":     {matrix4(le, 1000, 1, 2, 0, "x", []float64{1, 2}), "too short for the header"},
	} {
		_, err := Parse("x.mat", c.b)
		if err == nil || !strings.HasPrefix(err.Error(), "x.mat: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestNotV4: nothing that another program wrote looks like version 4.
func TestNotV4(t *testing.T) {
	for _, path := range []string{"testdata/all_v5.mat", "testdata/all_v5be.mat", "testdata/all_v73.mat", "../nifti/testdata/nii_be.nii",
		"../freesurfer/testdata/i16.mgh", "../freesurfer/testdata/lh.curv", "../../array/testdata/lh.curv_old", "../npy/testdata/npy_i64.npy"} {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if IsV4(b, int64(len(b))) {
			t.Errorf("%s is taken for version 4", path)
		}
	}
}

// TestStorage reads doubles that are stored as 64-bit integers, and refuses those that are none.
func TestStorage(t *testing.T) {
	b, err := os.ReadFile("../../array/testdata/flags5.mat")
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(b, binary.LittleEndian.AppendUint32([]byte{miDouble, 0, 0, 0}, 48)) // the tag of the values
	if at < 0 {
		t.Fatal("no values")
	}
	b[at] = miUint64
	for i := range 6 {
		binary.LittleEndian.PutUint64(b[at+8+8*i:], uint64(i)<<50)
	}
	f, err := Parse("x.mat", b)
	if err != nil {
		t.Fatal(err)
	}
	if x, err := f.vars[0].Float64s(); err != nil || !slices.Equal(x, []float64{0, 1 << 50, 2 << 50, 3 << 50, 4 << 50, 5 << 50}) {
		t.Errorf("%v %v", x, err)
	}
	binary.LittleEndian.PutUint64(b[at+8:], 1<<53+1)
	const want = "64-bit unsigned integer 9007199254740993 in an array of class double"
	if _, err := Parse("x.mat", b); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
}
