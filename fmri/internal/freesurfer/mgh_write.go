package freesurfer

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"percept/internal/atomicfile"
)

// Element is what MGH files are written from.
type Element interface {
	uint8 | int16 | int32 | float32
}

// WriteMGH writes a whole file; data is in file order, width fastest, frames slowest. A path that ends in .mgz or .gz is
// compressed.
func WriteMGH[T Element](path string, h Header, data []T) error {
	w, err := CreateMGH[T](path, h)
	if err != nil {
		return err
	}
	defer w.Abort()
	if err := w.Append(data); err != nil {
		return err
	}
	return w.Close()
}

// CreateMGH starts a file that is written piece by piece, in file order, and appears at path when Close succeeds. Its Footer
// follows the values. Header.Type is ignored: T decides.
func CreateMGH[T Element](path string, h Header) (*atomicfile.Array[T], error) {
	total := 1
	for _, d := range h.Dims {
		if d < 1 || d > math.MaxInt32 || total > maxElement/d {
			return nil, fmt.Errorf("%s: dimensions %v: MGH holds four from 1 on", path, h.Dims)
		}
		total *= d
	}
	compress := strings.HasSuffix(path, ".mgz") || strings.HasSuffix(path, ".gz")
	head := h.encode(elementType[T]())
	return atomicfile.CreateArray[T](path, compress, head, binary.BigEndian, total, fmt.Sprintf("dimensions %v hold", h.Dims))
}

func elementType[T Element]() DataType {
	var z T
	return map[any]DataType{uint8(0): Uint8, int16(0): Int16, int32(0): Int32, float32(0): Float32}[z]
}
