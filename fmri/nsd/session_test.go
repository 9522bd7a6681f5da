package nsd

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"percept/fmri"
	"percept/fmri/internal/hdf5"
)

// countingReader notes what is read of a file.
type countingReader struct {
	io.ReaderAt
	spans [][2]int64 // offset, end
}

func (c *countingReader) ReadAt(b []byte, off int64) (int, error) {
	c.spans = append(c.spans, [2]int64{off, off + int64(len(b))})
	return c.ReaderAt.ReadAt(b, off)
}

// TestReadsOnlyItsVoxels: of a file with a chunk for each voxel, the index is read once, then the chunks that are wanted, each
// once and in the order of the file, with gaps of less than 32 KiB.
func TestReadsOnlyItsVoxels(t *testing.T) {
	const trials = 750
	shape := [3]int{12, 10, 8}
	path := filepath.Join(t.TempDir(), "betas_session01.hdf5")
	w, err := hdf5.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	d, err := hdf5.NewDataset[int16](w, "betas", []int{trials, shape[2], shape[1], shape[0]}, []int{trials, 1, 1, 1})
	if err != nil {
		t.Fatal(err)
	}
	column := make([]int16, trials)
	for v := range shape[0] * shape[1] * shape[2] {
		for k := range column {
			column[k] = int16(v*31 + k)
		}
		if err := d.Append(column); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	counter := &countingReader{ReaderAt: file}
	f, err := hdf5.NewFile(path, counter, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	s, err := newHDF5Session(path, f)
	if err != nil {
		t.Fatal(err)
	}
	// Voxels further apart than a gap that is read over: one in 48, in no order, and one twice.
	mask := fmri.Mask{Shape: shape}
	m := fmri.NewMask(shape, func(x, y, z int) bool { return ((z*shape[1]+y)*shape[0]+x)%48 == 5 })
	mask.Index = append(slices.Clone(m.Index), m.Index[3])
	slices.Reverse(mask.Index)
	counter.spans = nil
	x := make([]float32, trials*mask.Len())
	if err := s.Read(x, mask); err != nil {
		t.Fatal(err)
	}
	for c, at := range mask.FileIndex() {
		for k := range trials {
			if got, want := x[k*mask.Len()+c], float32(int16(at*31+k)); got != want {
				t.Fatalf("voxel %d, trial %d: %v, want %v", at, k, got, want)
			}
		}
	}
	var got [][2]int64
	for _, p := range counter.spans {
		if p[1]-p[0] == 2*trials { // nodes of the index have other lengths
			got = append(got, p)
		}
	}
	if len(got) != m.Len() {
		t.Errorf("%d chunks were read, want the %d that hold a voxel, each once", len(got), m.Len())
	}
	if !slices.IsSortedFunc(got, func(a, b [2]int64) int { return int(a[0] - b[0]) }) {
		t.Error("chunks were not read in the order of the file")
	}
	// Reading again takes the chunks alone: the index is known.
	counter.spans = nil
	if err := s.Read(x, mask); err != nil {
		t.Fatal(err)
	}
	if len(counter.spans) != m.Len() {
		t.Errorf("%d reads the second time, want %d", len(counter.spans), m.Len())
	}
	// Neighbours come together.
	counter.spans = nil
	near := fmri.NewMask(shape, func(x, y, z int) bool { return z == 3 })
	if err := s.Read(make([]float32, trials*near.Len()), near); err != nil {
		t.Fatal(err)
	}
	if n := len(counter.spans); n != 1 || counter.spans[0][1]-counter.spans[0][0] != int64(2*trials*near.Len()) {
		t.Errorf("a slice of %d voxels took %d reads %v, want 1 of %d bytes", near.Len(), n, counter.spans, 2*trials*near.Len())
	}
}

// TestReadStored: bytes come little-endian, from files of either order, and Read has the same numbers.
func TestReadStored(t *testing.T) {
	// A NIfTI-1 file of big-endian int16, 2×1×2 voxels of 3 volumes (nifti1.h).
	const trials = 3
	shape := [3]int{2, 1, 2}
	be := binary.BigEndian
	h := make([]byte, 352)
	be.PutUint32(h, 348)
	for i, d := range []uint16{4, 2, 1, 2, trials, 1, 1, 1} {
		be.PutUint16(h[40+2*i:], d)
		be.PutUint32(h[76+4*i:], math.Float32bits(1)) // pixdim
	}
	be.PutUint16(h[70:], 4) // int16
	be.PutUint16(h[72:], 16)
	be.PutUint32(h[108:], math.Float32bits(352))
	copy(h[344:], "n+1\x00")
	for i := range 4 * trials {
		h = be.AppendUint16(h, uint16(int16(300*i-1000)))
	}
	path := filepath.Join(t.TempDir(), "betas_session01.nii")
	if err := os.WriteFile(path, h, 0o666); err != nil {
		t.Fatal(err)
	}
	s, err := OpenSession(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	mask := fmri.Mask{Shape: shape, Index: []int{3, 0, 3}} // (1, 0, 1) and (0, 0, 0): places 3 and 0 of the file
	stored, x := make([]byte, 2*trials*3), make([]float32, trials*3)
	if err := errors.Join(s.ReadStored(stored, mask), s.Read(x, mask)); err != nil || s.ElementSize() != 2 {
		t.Fatal(s.ElementSize(), err)
	}
	for i := range x {
		want := int16(300*(4*(i/3)+[]int{3, 0, 3}[i%3]) - 1000)
		if got := int16(binary.LittleEndian.Uint16(stored[2*i:])); got != want || x[i] != float32(want) {
			t.Errorf("beta %d is %d and %v, want %d", i, got, x[i], want)
		}
	}
	for _, err := range []error{
		s.ReadStored(stored[1:], mask),
		s.ReadStored(stored, fmri.Mask{Shape: [3]int{2, 2, 2}, Index: []int{0, 1, 2}}),
	} {
		wantError(t, err, path)
	}
}
