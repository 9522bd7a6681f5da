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

// Writer writes one file piece by piece, in file order. Its Footer follows the values, as Image.Footer returns it.
type Writer[T Element] struct{ *atomicfile.Array[T] }

// CreateMGH starts a file that appears at path when Close succeeds. Header.Type is ignored: T decides.
func CreateMGH[T Element](path string, h Header) (*Writer[T], error) {
	total := 1
	for _, d := range h.Dims {
		if d < 1 || d > math.MaxInt32 || total > maxElement/d {
			return nil, fmt.Errorf("%s: dimensions %v: MGH holds four from 1 on", path, h.Dims)
		}
		total *= d
	}
	compress := strings.HasSuffix(path, ".mgz") || strings.HasSuffix(path, ".gz")
	a, err := atomicfile.CreateArray[T](path, compress, h.encode(elementType[T]()), binary.BigEndian, total, fmt.Sprintf("dimensions %v hold", h.Dims))
	if err != nil {
		return nil, err
	}
	return &Writer[T]{a}, nil
}

func elementType[T Element]() DataType {
	var z T
	switch any(z).(type) {
	case uint8:
		return Uint8
	case int16:
		return Int16
	case int32:
		return Int32
	default:
		return Float32
	}
}
