// Package array reads one array of numbers out of a file of any format that brain data come in: HDF5, MATLAB v5, NIfTI, npy
// and npz. It is for data that are not laid out as NSD's; package nsd reads those itself.
//
//	names, err := array.Names("roi.mat")
//	a, err := array.Read("roi.mat", "responses")
//
// What a file is shows in its first bytes, not in its name. Values come as float64 in C order, last index fastest; a number
// that float64 cannot hold exactly is an error, and so is anything in a file that is not understood.
package array

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"percept/fmri/internal/hdf5"
	"percept/fmri/internal/matfile"
	"percept/fmri/internal/nifti"
	"percept/fmri/internal/npy"
)

// Array is numbers in C order.
type Array struct {
	Shape  []int          // slowest first; empty for a scalar. MATLAB's [rows, columns, ...], NIfTI's [x, y, z, ...]
	Data   []float64      // NIfTI: scaled
	Affine *[4][4]float64 // NIfTI: voxel index to millimetres; nil otherwise
}

type format int

const (
	unknown format = iota
	isHDF5
	isMAT
	isNIfTI
	isNPY
	isNPZ
)

const hdf5Signature = "\x89HDF\r\n\x1a\n"

// sniff tells the format from the first bytes of a file, and from the places where HDF5 may begin.
func sniff(path string) (format, error) {
	f, err := os.Open(path)
	if err != nil {
		var pe *os.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return unknown, fmt.Errorf("%s: %w", path, err)
	}
	defer f.Close()
	head := make([]byte, 4096)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return unknown, fmt.Errorf("%s: cannot be read: is it a file?", path)
	}
	head = head[:n]
	for _, at := range []int{0, 512, 1024, 2048} {
		if at < n && bytes.HasPrefix(head[at:], []byte(hdf5Signature)) {
			return isHDF5, nil
		}
	}
	switch {
	case bytes.HasPrefix(head, []byte("\x93NUMPY")):
		return isNPY, nil
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return isNPZ, nil
	case n >= 128 && (string(head[126:128]) == "IM" || string(head[126:128]) == "MI"):
		return isMAT, nil
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}), n >= 4 && isHeaderSize(head):
		return isNIfTI, nil
	}
	return unknown, fmt.Errorf("%s: is none of HDF5, MATLAB v5, NIfTI, npy and npz", path)
}

// isHeaderSize says whether a file begins with 348 or 540 in either byte order.
func isHeaderSize(b []byte) bool {
	for _, h := range [][]byte{{0x5c, 1, 0, 0}, {0, 0, 1, 0x5c}, {0x1c, 2, 0, 0}, {0, 0, 2, 0x1c}} {
		if bytes.HasPrefix(b, h) {
			return true
		}
	}
	return false
}

// Names lists the arrays at the top of a file, by name where they have one; a NIfTI or npy file holds one, named "".
func Names(path string) ([]string, error) {
	f, err := sniff(path)
	if err != nil {
		return nil, err
	}
	switch f {
	case isHDF5:
		h, err := hdf5.Open(path)
		if err != nil {
			return nil, err
		}
		defer h.Close()
		return h.List("")
	case isMAT:
		m, err := matfile.Open(path)
		if err != nil {
			return nil, err
		}
		return m.Names(), nil
	case isNPZ:
		return npy.Names(path)
	}
	return []string{""}, nil
}

// Read reads an array. name is a path in HDF5, a variable in MATLAB, a member in npz, and ignored otherwise.
func Read(path, name string) (*Array, error) {
	f, err := sniff(path)
	if err != nil {
		return nil, err
	}
	switch f {
	case isHDF5:
		return readHDF5(path, name)
	case isMAT:
		return readMAT(path, name)
	case isNIfTI:
		return readNIfTI(path)
	}
	var a *npy.Array
	if f == isNPZ {
		a, err = npy.ReadMember(path, name)
	} else {
		a, err = npy.ReadFile(path)
	}
	if err != nil {
		return nil, err
	}
	return &Array{Shape: a.Shape, Data: a.Data}, nil
}

func readHDF5(path, name string) (*Array, error) {
	f, err := hdf5.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d, err := f.Dataset(name)
	if err != nil {
		return nil, err
	}
	a := &Array{Shape: d.Shape()}
	t := d.Type()
	switch {
	case t.Class == hdf5.Fixed && t.Size == 8 && t.Signed:
		a.Data, err = exact[int64](path, name, d)
	case t.Class == hdf5.Fixed && t.Size == 8:
		a.Data, err = exact[uint64](path, name, d)
	default:
		a.Data, err = hdf5.Read[float64](d)
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}

// exact reads 64-bit integers as float64, those that float64 holds.
func exact[T int64 | uint64](path, name string, d *hdf5.Dataset) ([]float64, error) {
	x, err := hdf5.Read[T](d)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(x))
	for i, v := range x {
		if out[i] = float64(v); v > 1<<53 || v < 0 && -v > 1<<53 || T(out[i]) != v {
			return nil, fmt.Errorf("%s: %s: value %d is %d, which float64 cannot hold exactly", path, name, i, v)
		}
	}
	return out, nil
}

func readMAT(path, name string) (*Array, error) {
	f, err := matfile.Open(path, name)
	if err != nil {
		return nil, err
	}
	v, err := f.Var(name)
	if err != nil {
		return nil, err
	}
	x, err := v.Float64s()
	if err != nil {
		return nil, err
	}
	return &Array{Shape: v.Dims, Data: rowMajor(x, v.Dims)}, nil
}

func readNIfTI(path string) (*Array, error) {
	img, err := nifti.Open(path)
	if err != nil {
		return nil, err
	}
	x, err := img.ReadAll64()
	if err != nil {
		return nil, err
	}
	return &Array{Shape: img.Dims, Data: rowMajor(x, img.Dims), Affine: &img.Affine}, nil
}

// rowMajor brings values whose first index runs fastest to C order.
func rowMajor(x []float64, shape []int) []float64 {
	if len(shape) < 2 {
		return slices.Clone(x)
	}
	out := make([]float64, len(x))
	at := make([]int, len(shape))
	for _, v := range x {
		k := 0
		for i, d := range shape {
			k = k*d + at[i]
		}
		out[k] = v
		for i := range at {
			if at[i]++; at[i] < shape[i] {
				break
			}
			at[i] = 0
		}
	}
	return out
}
