// Package npy reads numpy's files, .npy of versions 1 to 3 and .npz archives, stored or deflated, and writes .npy.
//
//	a, err := npy.ReadFile("betas.npy")                 // everything, as float64 in C order
//	a, err := npy.ReadMember("rois.npz", "mask")
//
//	f, err := npy.Open("features.npy")                  // header only
//	err = npy.ReadRows(f, dst, 100)                     // as many rows from row 100 on as fit in dst
//
//	w, err := npy.Create[float32]("c.npy", []int{n, 59136})
//	err = w.Append(row)                                 // in C order, any number of values at a time
//	err = w.Close()
//
// Numbers, booleans and half floats of either byte order and either axis order are read; an integer that the wanted float
// cannot hold exactly is an error. Complex numbers, text and structured arrays are refused, as are object arrays, which
// would have to be unpickled.
//
// Format: numpy.lib.format.
package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"

	"percept/fmri/internal/source"
)

// Header is what a file says about its values.
type Header struct {
	DType   string // as numpy writes it, "<f4"
	Fortran bool   // stored with the first index fastest
	Shape   []int  // empty for a scalar
}

// Array is an array's values in C order.
type Array struct {
	DType string // as numpy writes it, "<f4"
	Shape []int  // empty for a scalar
	Data  []float64
}

const (
	magic       = "\x93NUMPY"
	maxElements = 1 << 46
	maxHeader   = 1 << 20 // far beyond what numpy writes; version 2 and 3 headers may claim up to 4 GB
)

// ReadFile reads a .npy file. Bytes after the data are passed over, as numpy does.
func ReadFile(path string) (*Array, error) {
	f, err := source.Open(path, "npy")
	if err != nil {
		return nil, err
	}
	s, err := f.Stream()
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return read(path, s.Reader(), f.Size)
}

// Read reads an array from its magic string on; name is used in errors.
func Read(name string, r io.Reader) (*Array, error) { return read(name, r, 0) }

// read is Read of a file of size bytes; 0 where that is not known.
func read(name string, r io.Reader, size int64) (*Array, error) {
	h, at, err := readHeader(name, r)
	if err != nil {
		return nil, err
	}
	a := &Array{DType: h.DType, Shape: h.Shape}
	if err := a.readData(h, r, size-at); err != nil {
		return nil, fmt.Errorf("%s: npy, offset %d: %w", name, at, err)
	}
	return a, nil
}

// readHeader reads up to the data and says where they begin.
func readHeader(name string, r io.Reader) (*Header, int64, error) {
	fail := func(at int, format string, args ...any) (*Header, int64, error) {
		return nil, 0, fmt.Errorf("%s: npy, offset %d: %s", name, at, fmt.Sprintf(format, args...))
	}
	head := make([]byte, 8)
	if n, err := io.ReadFull(r, head); err != nil || string(head[:6]) != magic {
		return fail(0, "found %q, expected %q: not an npy file", head[:min(n, 6)], magic)
	}
	size := 2
	switch head[6] {
	case 1:
	case 2, 3:
		size = 4
	default:
		return fail(6, "version %d, known are 1 to 3", head[6])
	}
	length := make([]byte, 4)
	if _, err := io.ReadFull(r, length[:size]); err != nil {
		return fail(8, "the file ends inside the header")
	}
	n := int64(binary.LittleEndian.Uint32(length))
	if n > maxHeader {
		return fail(8, "header of %d bytes", n)
	}
	text, err := io.ReadAll(io.LimitReader(r, n)) // grows with what is there
	if err != nil || int64(len(text)) < n {
		return fail(8+size, "the file ends inside the header of %d bytes", n)
	}
	h := &Header{}
	if err := h.parse(string(text)); err != nil {
		return fail(8+size, "header: %v", err)
	}
	total := 1
	for _, d := range h.Shape {
		if d > 0 && total > maxElements/d {
			return fail(8+size, "shape %v has too many elements", h.Shape)
		}
		total *= d
	}
	return h, 8 + int64(size) + n, nil
}

// Len is the number of elements.
func (h *Header) Len() int {
	n := 1
	for _, d := range h.Shape {
		n *= d
	}
	return n
}

// ElementSize is the bytes of an element, or why it cannot be read.
func (h *Header) ElementSize() (int, error) {
	_, size, err := element(h.DType)
	return size, err
}

// TypeName is the type of the elements in words: "float32", "int16 big-endian"; as in the file where it is none of numbers.
func (h *Header) TypeName() string {
	if _, size, err := element(h.DType); err == nil {
		kind := map[byte]string{'b': "bool", 'i': "int", 'u': "uint", 'f': "float"}[h.DType[1]]
		if kind != "bool" {
			kind += strconv.Itoa(8 * size)
		}
		if h.DType[0] == '>' && size > 1 {
			kind += " big-endian"
		}
		return kind
	}
	return h.DType
}

// readData reads the values. Memory grows with what is there, since shapes may lie; it is taken at once where the file is
// known to have left bytes more.
func (a *Array) readData(h *Header, r io.Reader, left int64) error {
	get, size, err := element(h.DType)
	if err != nil {
		return err
	}
	n := h.Len()
	if left >= int64(n)*int64(size) {
		a.Data = make([]float64, 0, n)
	}
	buf := make([]byte, min(1<<16/size, max(n, 1))*size)
	for left := n; left > 0; {
		k := min(left, len(buf)/size)
		if m, err := io.ReadFull(r, buf[:k*size]); err != nil {
			if err != io.EOF && err != io.ErrUnexpectedEOF {
				return err
			}
			return fmt.Errorf("the file ends after %d values, shape %v of %s needs %d", n-left+m/size, h.Shape, h.DType, n)
		}
		for i := range k {
			v, exact := get(buf[i*size:])
			if !exact {
				return fmt.Errorf("value %d is about %.0f, which float64 cannot hold exactly", n-left+i, v)
			}
			a.Data = append(a.Data, v)
		}
		left -= k
	}
	if h.Fortran {
		a.transpose()
	}
	return nil
}

// transpose brings data from Fortran order, first index fastest, to C order.
func (a *Array) transpose() {
	if len(a.Shape) < 2 {
		return
	}
	out := make([]float64, len(a.Data))
	at := make([]int, len(a.Shape))
	for _, v := range a.Data {
		k := 0
		for i, d := range a.Shape {
			k = k*d + at[i]
		}
		out[k] = v
		for i := range at {
			if at[i]++; at[i] < a.Shape[i] {
				break
			}
			at[i] = 0
		}
	}
	a.Data = out
}
