package nifti

import (
	"fmt"
	"math"
)

// DataType is the code of a stored element type.
type DataType int16

// The types that can be read.
const (
	Uint8   DataType = 2
	Int16   DataType = 4
	Int32   DataType = 8
	Float32 DataType = 16
	Float64 DataType = 64
	Int8    DataType = 256
	Uint16  DataType = 512
	Uint32  DataType = 768
	Int64   DataType = 1024
	Uint64  DataType = 1280
)

// Size is the number of bytes of an element, 0 for a type that cannot be read.
func (t DataType) Size() int {
	switch t {
	case Uint8, Int8:
		return 1
	case Int16, Uint16:
		return 2
	case Int32, Uint32, Float32:
		return 4
	case Float64, Int64, Uint64:
		return 8
	}
	return 0
}

func (t DataType) String() string {
	names := map[DataType]string{Uint8: "uint8", Int16: "int16", Int32: "int32", Float32: "float32", Float64: "float64",
		Int8: "int8", Uint16: "uint16", Uint32: "uint32", Int64: "int64", Uint64: "uint64",
		1: "binary", 32: "complex64", 128: "RGB", 1536: "float128", 1792: "complex128", 2048: "complex256", 2304: "RGBA"}
	if s, ok := names[t]; ok {
		return s
	}
	return fmt.Sprintf("datatype %d", int16(t))
}

// Header is what an image says about its voxels.
type Header struct {
	Dims   []int         // x, y, z[, t, ...]
	Type   DataType      // as stored; set by the data when writing
	Slope  float64       // value = stored*Slope + Inter; Slope 0 means no scaling
	Inter  float64       //
	Affine [4][4]float64 // voxel index to millimetres; zero means: not known
}

// Voxels is the number of voxels of one volume: the product of the first three dimensions.
func (h Header) Voxels() int { return volume(h.Dims[:min(3, len(h.Dims))]) }

// Volumes is the product of the dimensions after the third.
func (h Header) Volumes() int { return volume(h.Dims[min(3, len(h.Dims)):]) }

func volume(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// scaled says whether stored values have to be scaled.
func (h Header) scaled() bool { return h.Slope != 0 && (h.Slope != 1 || h.Inter != 0) }

// Scaling is the affine of cubic voxels with edges of the given length in millimetres and the origin at voxel 0.
func Scaling(mm float64) [4][4]float64 {
	return [4][4]float64{{mm, 0, 0, 0}, {0, mm, 0, 0}, {0, 0, mm, 0}, {0, 0, 0, 1}}
}

// voxelSize is the length of the affine's columns.
func voxelSize(a [4][4]float64) [3]float64 {
	var s [3]float64
	for j := range s {
		s[j] = math.Sqrt(a[0][j]*a[0][j] + a[1][j]*a[1][j] + a[2][j]*a[2][j])
		if s[j] == 0 {
			s[j] = 1
		}
	}
	return s
}
