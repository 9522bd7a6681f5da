package freesurfer

import (
	"encoding/binary"
	"fmt"
	"math"

	"percept/fmri/internal/source"
)

// DataType is the code of a stored element type.
type DataType int32

// The types that can be read.
const (
	Uint8   DataType = 0
	Int32   DataType = 1
	Float32 DataType = 3
	Int16   DataType = 4
	Uint16  DataType = 10
)

// Size is the number of bytes of an element, 0 for a type that cannot be read.
func (t DataType) Size() int {
	return map[DataType]int{Uint8: 1, Int16: 2, Int32: 4, Float32: 4, Uint16: 2}[t]
}

func (t DataType) String() string {
	if name := map[DataType]string{Uint8: "uint8", Int16: "int16", Uint16: "uint16", Int32: "int32",
		Float32: "float32"}[t]; name != "" {
		return name
	}
	return fmt.Sprintf("type %d", int32(t))
}

// Header is what an MGH file says about its values.
type Header struct {
	Dims [4]int // width, height, depth, frames; a map of a surface is vertices, 1, 1, frames
	Type DataType
	DOF  int32 // degrees of freedom, of statistics
	// GoodRAS says that the orientation below is known. Where it is not, Affine uses FreeSurfer's default: voxels of 1 mm,
	// coronal slices, the origin in the middle.
	GoodRAS bool
	Delta   [3]float32    // voxel size in millimetres
	Axes    [3][3]float32 // right, anterior, superior of each voxel axis, of length 1
	Center  [3]float32    // of the volume, in scanner millimetres
}

// Voxels is the number of values of a frame.
func (h Header) Voxels() int { return h.Dims[0] * h.Dims[1] * h.Dims[2] }

// Frames is the number of frames.
func (h Header) Frames() int { return h.Dims[3] }

// orientation is delta, axes and centre, the default ones where the file has none.
func (h Header) orientation() (delta [3]float32, axes [3][3]float32, center [3]float32) {
	if h.GoodRAS {
		return h.Delta, h.Axes, h.Center
	}
	return [3]float32{1, 1, 1}, [3][3]float32{{-1, 0, 0}, {0, 0, -1}, {0, 1, 0}}, [3]float32{}
}

// Affine takes a voxel's index to scanner millimetres (vox2ras).
func (h Header) Affine() [4][4]float64 {
	delta, axes, center := h.orientation()
	var a [4][4]float64
	a[3][3] = 1
	for i := range 3 {
		a[i][3] = float64(center[i])
		for j := range 3 {
			a[i][j] = float64(axes[j][i]) * float64(delta[j])
			a[i][3] -= a[i][j] * float64(h.Dims[j]) / 2
		}
	}
	return a
}

const (
	mghHeader  = 284 // bytes, most of them unused
	mghFormat  = "MGH"
	maxElement = 1 << 46
)

func (h *Header) parse(f *source.File, b []byte) error {
	fail := func(at int64, format string, args ...any) error {
		return &FormatError{File: f.Name, Format: mghFormat, Offset: at, Msg: fmt.Sprintf(format, args...)}
	}
	be := binary.BigEndian
	word := func(at int) int32 { return int32(be.Uint32(b[at:])) }
	float := func(at int) float32 { return math.Float32frombits(be.Uint32(b[at:])) }
	if v := word(0); v != 1 {
		return fail(0, "version %d, expected 1: not an MGH file, or one of a later version", v)
	}
	total := 1
	for i := range h.Dims {
		d := int(word(4 + 4*i))
		if d < 1 || total > maxElement/d {
			return fail(int64(4+4*i), "dimension %d is %d", i+1, d)
		}
		total *= d
		h.Dims[i] = d
	}
	h.Type = DataType(word(20))
	if h.Type.Size() == 0 {
		return fail(20, "values of %s cannot be read; known are uint8 (0), int32 (1), float32 (3), int16 (4) and uint16 (10)", h.Type)
	}
	h.DOF = word(24)
	switch good := be.Uint16(b[28:]); good {
	case 0:
	case 1:
		h.GoodRAS = true
	default:
		return fail(28, "the mark of a known orientation is %d, expected 0 or 1", good)
	}
	for i := range 3 {
		h.Delta[i], h.Center[i] = float(30+4*i), float(78+4*i)
		for j := range 3 {
			h.Axes[i][j] = float(42 + 12*i + 4*j)
		}
	}
	if need := int64(total)*int64(h.Type.Size()) + mghHeader; !f.Compressed() && need > f.Size {
		return fail(f.Size, "the file ends after %d bytes, dimensions %v of %s need %d", f.Size, h.Dims, h.Type, need)
	}
	return nil
}

func (h Header) encode(t DataType) []byte {
	be := binary.BigEndian
	b := be.AppendUint32(nil, 1)
	for _, d := range h.Dims {
		b = be.AppendUint32(b, uint32(d))
	}
	b = be.AppendUint32(b, uint32(t))
	b = be.AppendUint32(b, uint32(h.DOF))
	good := uint16(0)
	if h.GoodRAS {
		good = 1
	}
	b = be.AppendUint16(b, good)
	for _, v := range h.Delta {
		b = be.AppendUint32(b, math.Float32bits(v))
	}
	for _, axis := range h.Axes {
		for _, v := range axis {
			b = be.AppendUint32(b, math.Float32bits(v))
		}
	}
	for _, v := range h.Center {
		b = be.AppendUint32(b, math.Float32bits(v))
	}
	return append(b, make([]byte, mghHeader-len(b))...)
}
