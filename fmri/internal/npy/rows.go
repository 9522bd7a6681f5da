package npy

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"percept/fmri/internal/source"
)

// File is a .npy file whose header was read. Its rows are read from the file each time they are asked for.
type File struct {
	Header
	Trailing int64 // bytes behind the values, which numpy passes over

	src  *source.File
	data int64 // where the values begin
	get  getter
	size int
}

// Open reads the header of a .npy file and compares its shape with the length of the file.
func Open(path string) (*File, error) {
	src, err := source.Open(path, "npy")
	if err != nil {
		return nil, err
	}
	return newFile(src)
}

func newFile(src *source.File) (*File, error) {
	s, err := src.Stream()
	if err != nil {
		return nil, err
	}
	defer s.Close()
	h, at, err := readHeader(src.Name, s.Reader())
	if err != nil {
		return nil, err
	}
	f := &File{Header: *h, src: src, data: at}
	if f.get, f.size, err = element(h.DType); err != nil {
		return nil, fmt.Errorf("%s: npy, offset %d: %w", src.Name, at, err)
	}
	if need := at + int64(h.Len())*int64(f.size); src.Compressed() || need > src.Size {
		return nil, fmt.Errorf("%s: npy, offset %d: the file ends after %d bytes, shape %v of %s needs %d",
			src.Name, at, src.Size, h.Shape, h.DType, need)
	} else {
		f.Trailing = src.Size - need
	}
	return f, nil
}

// Rows is the length of the first axis; 1 for a scalar.
func (f *File) Rows() int {
	if len(f.Shape) == 0 {
		return 1
	}
	return f.Shape[0]
}

// Width is the number of values of a row: the product of the axes after the first.
func (f *File) Width() int {
	n := 1
	for _, d := range f.Shape[min(1, len(f.Shape)):] {
		n *= d
	}
	return n
}

// ReadRows reads rows from the given one on, as many as fit in dst, which holds n·Width() values, in C order. Nothing
// else of the file is read. Float64 is rounded for float32; an integer that T cannot hold exactly is an error.
func ReadRows[T float32 | float64](f *File, dst []T, first int) error {
	width := f.Width()
	if width == 0 && len(dst) > 0 || first < 0 || first > f.Rows() || len(dst)%max(width, 1) != 0 ||
		len(dst)/max(width, 1) > f.Rows()-first {
		return fmt.Errorf("%s: %d values from row %d on, the file has %d rows of %d", f.src.Name, len(dst), first, f.Rows(), width)
	}
	if len(dst) == 0 {
		return nil
	}
	at, err := f.src.At()
	if err != nil {
		return err
	}
	defer at.Close()
	if !f.Fortran || len(f.Shape) < 2 {
		return readRun(f, at, first*width, dst, 1)
	}
	// In Fortran order a row's values lie far apart, but the wanted rows of one column follow on one another.
	rows := len(dst) / width
	index := make([]int, len(f.Shape)-1) // of the column, its first axis fastest
	for c := range width {
		to := 0
		for i, d := range f.Shape[1:] {
			to = to*d + index[i]
		}
		if err := readRun(f, at, c*f.Rows()+first, dst[to:to+(rows-1)*width+1], width); err != nil {
			return err
		}
		for i := range index {
			if index[i]++; index[i] < f.Shape[i+1] {
				break
			}
			index[i] = 0
		}
	}
	return nil
}

// readRun reads values that follow on one another, from the one numbered from on, into dst[0], dst[step], ...
func readRun[T float32 | float64](f *File, at *source.ReaderAt, from int, dst []T, step int) error {
	n := (len(dst) + step - 1) / step
	buf := make([]byte, min(1<<16/f.size, n)*f.size)
	for done := 0; done < n; {
		k := min(n-done, len(buf)/f.size)
		if err := at.Read(buf[:k*f.size], f.data+int64(from+done)*int64(f.size), "the values"); err != nil {
			return err
		}
		if err := convert(f, dst[done*step:], step, buf[:k*f.size], from+done); err != nil {
			return err
		}
		done += k
	}
	return nil
}

// convert turns stored values, of which the first is numbered from, into dst[0], dst[step], ...
func convert[T float32 | float64](f *File, dst []T, step int, stored []byte, from int) error {
	_, single := any(dst).([]float32)
	le := binary.LittleEndian
	switch { // what is read by the gigabyte, without a detour by way of float64
	case f.DType == "<f4":
		for i := range len(stored) / 4 {
			dst[i*step] = T(math.Float32frombits(le.Uint32(stored[4*i:])))
		}
		return nil
	case f.DType == "<i2":
		for i := range len(stored) / 2 {
			dst[i*step] = T(int16(le.Uint16(stored[2*i:])))
		}
		return nil
	}
	for i := range len(stored) / f.size {
		v, exact := f.get(stored[i*f.size:])
		if single && v == math.Trunc(v) && f.DType[1] != 'f' && float64(float32(v)) != v {
			exact = false
		}
		if !exact {
			return fmt.Errorf("%s: npy: value %d is about %.0f, which float%d cannot hold exactly", f.src.Name, from+i, v,
				map[bool]int{true: 32, false: 64}[single])
		}
		dst[i*step] = T(v)
	}
	return nil
}

// A RowReader keeps a file open to read some columns of its rows, one row after the other in any order. One goroutine may use
// it at a time.
type RowReader struct {
	f   *File
	at  *source.ReaderAt
	buf []byte
}

// OpenRows opens the file for a RowReader. One in Fortran order, whose rows do not lie in one piece, is an error.
func (f *File) OpenRows() (*RowReader, error) {
	if f.Fortran && len(f.Shape) > 1 {
		return nil, fmt.Errorf("%s: is in Fortran order, expected rows that follow on one another", f.src.Name)
	}
	at, err := f.src.At()
	return &RowReader{f: f, at: at}, err
}

// Read puts the given columns of a row into dst, [len(columns)]. Their span of the row is read; only they are converted, as
// ReadRows does.
func (r *RowReader) Read(dst []float32, row int, columns []int) error {
	f, width := r.f, r.f.Width()
	if len(columns) == 0 {
		return nil
	}
	lo, hi := slices.Min(columns), slices.Max(columns)+1
	if row < 0 || row >= f.Rows() || lo < 0 || hi > width || len(dst) != len(columns) {
		return fmt.Errorf("%s: columns %d to %d of row %d into %d values, the file has %d rows of %d",
			f.src.Name, lo, hi-1, row, len(dst), f.Rows(), width)
	}
	n := (hi - lo) * f.size
	r.buf = slices.Grow(r.buf[:0], n)[:n]
	first := row*width + lo
	if err := r.at.Read(r.buf, f.data+int64(first)*int64(f.size), "the values"); err != nil {
		return err
	}
	for k := 0; k < len(columns); {
		run := 1 // columns that follow on one another
		for k+run < len(columns) && columns[k+run] == columns[k]+run {
			run++
		}
		at := columns[k] - lo
		if err := convert(f, dst[k:], 1, r.buf[at*f.size:(at+run)*f.size], first+at); err != nil {
			return err
		}
		k += run
	}
	return nil
}

// Close closes the file.
func (r *RowReader) Close() error { return r.at.Close() }
