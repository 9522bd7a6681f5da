package gifti

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"percept/fmri/internal/source"
)

// FormatError says what in a file is not as it has to be, and where.
type FormatError = source.FormatError

// File is what a file holds.
type File struct {
	Meta   map[string]string
	Labels []Label
	Arrays []*Array

	name string
}

// Label is an entry of the label table.
type Label struct {
	Key        int
	Name       string
	R, G, B, A float64 // 0 to 1
}

// Array is one array of numbers.
type Array struct {
	Intent     string // "NIFTI_INTENT_POINTSET": vertices [n, 3] in millimetres; _TRIANGLE: faces [n, 3]; ...
	Type       string // "NIFTI_TYPE_FLOAT32"
	Shape      []int
	Meta       map[string]string
	Transforms []Transform

	file  string
	kind  number
	order binary.ByteOrder
	data  []byte // C order
}

// Transform takes coordinates from the space of the data to another.
type Transform struct {
	DataSpace, Space string
	Matrix           [4][4]float64
}

// number is a stored type.
type number struct {
	size          int
	float, signed bool
}

// kinds are the types that are read: those of the format and the others that nibabel writes.
var kinds = map[string]number{
	"NIFTI_TYPE_UINT8": {1, false, false}, "NIFTI_TYPE_INT8": {1, false, true},
	"NIFTI_TYPE_UINT16": {2, false, false}, "NIFTI_TYPE_INT16": {2, false, true},
	"NIFTI_TYPE_UINT32": {4, false, false}, "NIFTI_TYPE_INT32": {4, false, true},
	"NIFTI_TYPE_UINT64": {8, false, false}, "NIFTI_TYPE_INT64": {8, false, true},
	"NIFTI_TYPE_FLOAT32": {4, true, true}, "NIFTI_TYPE_FLOAT64": {8, true, true},
}

// kindOf finds a type by the format's name or by nibabel's, "float32".
func kindOf(name string) (number, bool) {
	k, ok := kinds["NIFTI_TYPE_"+strings.ToUpper(strings.TrimPrefix(name, "NIFTI_TYPE_"))]
	return k, ok
}

// Len is the number of values.
func (a *Array) Len() int {
	n := 1
	for _, d := range a.Shape {
		n *= d
	}
	return n
}

// Size is the bytes of an element in the file, where it is not text.
func (a *Array) Size() int { return a.kind.size }

// value is the value at a place; exact is false for a 64-bit integer that float64 cannot hold.
func (a *Array) value(i int) (v float64, exact bool) {
	b := a.data[i*a.kind.size:]
	const most = 1 << 53
	switch k := a.kind; {
	case k.float && k.size == 4:
		return float64(math.Float32frombits(a.order.Uint32(b))), true
	case k.float:
		return math.Float64frombits(a.order.Uint64(b)), true
	case k.size == 1 && k.signed:
		return float64(int8(b[0])), true
	case k.size == 1:
		return float64(b[0]), true
	case k.size == 2 && k.signed:
		return float64(int16(a.order.Uint16(b))), true
	case k.size == 2:
		return float64(a.order.Uint16(b)), true
	case k.size == 4 && k.signed:
		return float64(int32(a.order.Uint32(b))), true
	case k.size == 4:
		return float64(a.order.Uint32(b)), true
	case k.signed:
		x := int64(a.order.Uint64(b))
		return float64(x), x >= -most && x <= most
	}
	x := a.order.Uint64(b)
	return float64(x), x <= most
}

// Float64s is the values in C order; an error if one has no exact float64.
func (a *Array) Float64s() ([]float64, error) {
	out := make([]float64, a.Len())
	for i := range out {
		v, exact := a.value(i)
		if !exact {
			return nil, fmt.Errorf("%s: %s: value %d is about %.0f, which float64 cannot hold exactly", a.file, a.Intent, i, v)
		}
		out[i] = v
	}
	return out, nil
}
