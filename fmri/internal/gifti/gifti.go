package gifti

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"percept/fmri/internal/source"
)

// FormatError says what in a file is not as it has to be, and where.
type FormatError = source.FormatError

// Intents of the arrays that this package has a use for; files may hold others.
const (
	PointSet = "NIFTI_INTENT_POINTSET" // vertices [n, 3] in millimetres
	Triangle = "NIFTI_INTENT_TRIANGLE" // faces [n, 3]
	Shape    = "NIFTI_INTENT_SHAPE"    // curvature, thickness: one value a vertex
	Labels   = "NIFTI_INTENT_LABEL"    // one key of the label table a vertex
	None     = "NIFTI_INTENT_NONE"
)

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
	Intent     string
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

// Len is the number of values.
func (a *Array) Len() int {
	n := 1
	for _, d := range a.Shape {
		n *= d
	}
	return n
}

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

// Float32s is the values in C order; integers that have no exact float32 are an error, float64 is rounded.
func (a *Array) Float32s() ([]float32, error) {
	out := make([]float32, a.Len())
	for i := range out {
		v, exact := a.value(i)
		out[i] = float32(v)
		if !exact || !a.kind.float && float64(out[i]) != v {
			return nil, fmt.Errorf("%s: %s: value %d is about %.0f, which float32 cannot hold exactly", a.file, a.Intent, i, v)
		}
	}
	return out, nil
}

// Ints is the values of an array of whole numbers in C order.
func (a *Array) Ints() ([]int32, error) {
	out := make([]int32, a.Len())
	for i := range out {
		v, _ := a.value(i)
		if v != math.Trunc(v) || math.Abs(v) > math.MaxInt32 {
			return nil, fmt.Errorf("%s: %s: value %d is %v, expected a whole number", a.file, a.Intent, i, v)
		}
		out[i] = int32(v)
	}
	return out, nil
}

// Find returns the first array of an intent.
func (f *File) Find(intent string) (*Array, error) {
	var have []string
	for _, a := range f.Arrays {
		if a.Intent == intent {
			return a, nil
		}
		have = append(have, strings.TrimPrefix(a.Intent, "NIFTI_INTENT_"))
	}
	return nil, fmt.Errorf("%s: GIFTI: no array of intent %s; there is %s", f.name, strings.TrimPrefix(intent, "NIFTI_INTENT_"), strings.Join(have, ", "))
}

// Surface is the vertices in millimetres and the faces of a file that holds a triangle mesh. Vertices are as they are
// stored: Transforms of their array say how they lie in other spaces.
func (f *File) Surface() (vertices [][3]float32, faces [][3]int32, err error) {
	points, err := f.Find(PointSet)
	if err != nil {
		return nil, nil, err
	}
	triangles, err := f.Find(Triangle)
	if err != nil {
		return nil, nil, err
	}
	for _, a := range []*Array{points, triangles} {
		if len(a.Shape) != 2 || a.Shape[1] != 3 {
			return nil, nil, fmt.Errorf("%s: GIFTI: %s of shape %v, expected [n 3]", f.name, a.Intent, a.Shape)
		}
	}
	x, err := points.Float32s()
	if err != nil {
		return nil, nil, err
	}
	t, err := triangles.Ints()
	if err != nil {
		return nil, nil, err
	}
	vertices, faces = make([][3]float32, 0, len(x)/3), make([][3]int32, 0, len(t)/3)
	for v := range slices.Chunk(x, 3) {
		vertices = append(vertices, [3]float32(v))
	}
	for face := range slices.Chunk(t, 3) {
		if min(face[0], face[1], face[2]) < 0 || int(max(face[0], face[1], face[2])) >= len(vertices) {
			return nil, nil, fmt.Errorf("%s: GIFTI: face %d has vertices %v, there are %d", f.name, len(faces), face, len(vertices))
		}
		faces = append(faces, [3]int32(face))
	}
	return vertices, faces, nil
}
