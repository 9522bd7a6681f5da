package hdf5

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// writeBetas writes a small file in the form of NSD's betas; element k of column i is value(k, i).
func writeBetas(t *testing.T, path string, shape []int, value func(k, i int) int16) {
	t.Helper()
	w, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	d, err := NewDataset[int16](w, "betas", shape, []int{shape[0], 1, 1, 1})
	if err != nil {
		t.Fatal(err)
	}
	for i := range shape[1] * shape[2] * shape[3] {
		col := make([]int16, shape[0])
		for k := range col {
			col[k] = value(k, i)
		}
		if err := d.Append(col); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestBetasRoundTrip writes enough chunks for three levels of the B-tree and reads columns and blocks back.
func TestBetasRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "betas_session01.hdf5")
	shape := []int{5, 20, 21, 22}
	value := func(k, i int) int16 { return int16(k*1000 - 3*i) }
	writeBetas(t, path, shape, value)
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d, err := f.Dataset("/betas")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(d.Shape(), shape) || !slices.Equal(d.Chunks(), []int{5, 1, 1, 1}) || d.Type().String() != "int16" {
		t.Errorf("shape %v, chunks %v, type %s", d.Shape(), d.Chunks(), d.Type())
	}
	all, err := Read[int16](d)
	if err != nil {
		t.Fatal(err)
	}
	width := 20 * 21 * 22
	for j, v := range all {
		if want := value(j/width, j%width); v != want {
			t.Fatalf("element %d = %d, want %d", j, v, want)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	columns := make([]int, 300)
	for i := range columns {
		columns[i] = r.IntN(width)
	}
	columns[7] = columns[200] // repeats are allowed
	got := make([]float32, 5*len(columns))
	if err := readColumns(d, got, columns); err != nil {
		t.Fatal(err)
	}
	for j, v := range got {
		if want := float32(value(j/len(columns), columns[j%len(columns)])); v != want {
			t.Fatalf("column %d, row %d = %v, want %v", columns[j%len(columns)], j/len(columns), v, want)
		}
	}
	slab := make([]int64, 2*3*4*5)
	if err := ReadSlab(d, slab, []int{3, 10, 17, 0}, []int{2, 3, 4, 5}); err != nil {
		t.Fatal(err)
	}
	for j, v := range slab {
		k, z, y, x := 3+j/60, 10+j/20%3, 17+j/5%4, j%5
		if want := int64(value(k, (z*21+y)*22+x)); v != want {
			t.Fatalf("[%d %d %d %d] = %d, want %d", k, z, y, x, v, want)
		}
	}
}

// TestWriteSeveral writes several datasets of all kinds into one file.
func TestWriteSeveral(t *testing.T) {
	path := filepath.Join(t.TempDir(), "several.h5")
	w, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	put(t, w, "imgBrick", []int{2, 3, 4, 3}, nil, ramp[uint8](72))
	put(t, w, "edges", []int{5, 3}, []int{2, 2}, ramp[float32](24)) // six chunks of four, their far sides unused
	put(t, w, "scalar", nil, nil, []float64{3.25})
	put(t, w, "empty", []int{0, 3}, nil, []float64(nil))
	put(t, w, "empty chunks", []int{0, 3}, []int{1, 3}, []int32(nil))
	for i := range 40 { // several symbol table nodes
		put(t, w, "m"+string(rune('A'+i)), []int{1}, nil, []int64{int64(-i)})
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	equal(t, f, "imgBrick", ramp[uint8](72))
	equal(t, f, "edges", []float32{0, 1, 4, 2, 3, 6, 8, 9, 12, 10, 11, 14, 16, 17, 20})
	equal(t, f, "scalar", []float64{3.25})
	equal(t, f, "empty", []float64{})
	equal(t, f, "empty chunks", []int32{})
	for i := range 40 {
		equal(t, f, "m"+string(rune('A'+i)), []int64{int64(-i)})
	}
	if names, err := f.List("/"); err != nil || len(names) != 45 {
		t.Errorf("List: %d names, %v", len(names), err)
	}
}

func ramp[T Number](n int) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T(i)
	}
	return x
}

func put[T Number](t *testing.T, w *Writer, name string, shape, chunk []int, vals []T) {
	t.Helper()
	d, err := NewDataset[T](w, name, shape, chunk)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Append(vals); err != nil {
		t.Fatal(err)
	}
}

func TestWriterRejects(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.h5")
	fails := func(want string, use func(w *Writer) error) {
		t.Helper()
		w, err := Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Abort()
		err = use(w)
		if err == nil {
			err = w.Close()
		}
		if err == nil || !strings.HasPrefix(err.Error(), path) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want file and %q", err, want)
		}
		if _, err := os.Stat(path); err == nil {
			t.Error("the file is there after a failure")
		}
	}
	create := func(w *Writer, name string, shape, chunk []int) (*DatasetWriter[int16], error) {
		return NewDataset[int16](w, name, shape, chunk)
	}
	fails("2 of 6 values were written", func(w *Writer) error {
		d, _ := create(w, "a", []int{2, 3}, nil)
		return d.Append([]int16{1, 2})
	})
	fails("more values than shape", func(w *Writer) error {
		d, _ := create(w, "a", []int{2}, nil)
		return d.Append([]int16{1, 2, 3})
	})
	fails("3 values appended, chunks hold 2", func(w *Writer) error {
		d, _ := create(w, "a", []int{6}, []int{2})
		return d.Append([]int16{1, 2, 3})
	})
	fails("written twice", func(w *Writer) error {
		d, _ := create(w, "a", []int{1}, nil)
		d.Append([]int16{1})
		_, err := create(w, "a", []int{1}, nil)
		return err
	})
	fails("chunk shape [1] for shape [2 2]", func(w *Writer) error {
		_, err := create(w, "a", []int{2, 2}, []int{1})
		return err
	})
	fails("expected a name without", func(w *Writer) error {
		_, err := create(w, "a/b", []int{1}, nil)
		return err
	})
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := Create("/proc/none/x.h5"); err == nil || !strings.HasPrefix(err.Error(), "/proc/none/x.h5: ") {
		t.Errorf("unwritable folder: %v", err)
	}
}

// countingReader counts what is read from a file.
type countingReader struct {
	*bytes.Reader
	calls, bytes int
}

func (c *countingReader) ReadAt(b []byte, off int64) (int, error) {
	c.calls++
	c.bytes += len(b)
	return c.Reader.ReadAt(b, off)
}

// TestColumnsReadLittle: some voxels of a file cost the index, once, and about their own chunks.
func TestColumnsReadLittle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "betas.hdf5")
	writeBetas(t, path, []int{1000, 4, 20, 100}, func(k, i int) int16 { return int16(i) })
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	src := &countingReader{Reader: bytes.NewReader(b)}
	f, err := NewFile(path, src, int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	d, err := f.Dataset("betas")
	if err != nil {
		t.Fatal(err)
	}
	const n = 40 // columns far apart
	columns := make([]int, n)
	for i := range columns {
		columns[i] = 8000 * i / n
	}
	dst := make([]float32, 1000*n)
	if err := readColumns(d, dst, columns); err != nil {
		t.Fatal(err)
	}
	if src.bytes > 1<<20 || len(b) < 15<<20 { // 40 chunks of 2000 bytes, and an index of about 8000·48
		t.Errorf("%d bytes were read of a file of %d", src.bytes, len(b))
	}
	src.calls, src.bytes = 0, 0
	neighbours := ramp[int64](n)
	for i := range columns {
		columns[i] = 500 + int(neighbours[n-1-i])
	}
	if err := readColumns(d, dst, columns); err != nil {
		t.Fatal(err)
	}
	if src.calls != 1 || src.bytes != n*2000 {
		t.Errorf("%d neighbours took %d reads of %d bytes, want one of %d", n, src.calls, src.bytes, n*2000)
	}
}
