package npy

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"strings"

	"percept/internal/atomicfile"
)

// Element is what arrays are written from.
type Element interface {
	bool | int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64
}

// DTypeOf is T as numpy writes it, "<f4".
func DTypeOf[T Element]() string {
	var z T
	return map[any]string{false: "|b1", int8(0): "|i1", int16(0): "<i2", int32(0): "<i4", int64(0): "<i8", uint8(0): "|u1",
		uint16(0): "<u2", uint32(0): "<u4", uint64(0): "<u8", float32(0): "<f4", float64(0): "<f8"}[z]
}

// encodeHeader is everything before the values; they begin at a multiple of 64 bytes.
func encodeHeader(dtype string, shape []int) ([]byte, int, error) {
	n := 1
	var dims strings.Builder
	for i, d := range shape {
		if d < 0 || d > 0 && n > maxElements/d {
			return nil, 0, fmt.Errorf("shape %v cannot be written", shape)
		}
		n *= d
		fmt.Fprintf(&dims, "%d", d)
		if i < len(shape)-1 {
			dims.WriteString(", ")
		} else if i == 0 {
			dims.WriteString(",") // a tuple of one
		}
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", dtype, dims.String())
	text += strings.Repeat(" ", 63-(10+len(text))%64) + "\n"
	if len(shape) > 32 {
		return nil, 0, fmt.Errorf("shape %v: numpy holds at most 32 axes", shape)
	}
	b := append([]byte(magic), 1, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(text)))
	return append(b, text...), n, nil
}

// Write writes a whole array in C order as a file that appears at path when it is complete.
func Write[T Element](path string, shape []int, data []T) error {
	w, err := Create[T](path, shape)
	if err != nil {
		return err
	}
	defer w.Abort()
	if err := w.Append(data); err != nil {
		return err
	}
	return w.Close()
}

// Writer writes one array piece by piece, in C order.
type Writer[T Element] struct {
	*atomicfile.Array[T]
	head []byte
}

// Create starts a file that appears at path when Close succeeds.
func Create[T Element](path string, shape []int) (*Writer[T], error) {
	head, n, err := encodeHeader(DTypeOf[T](), shape)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	a, err := atomicfile.CreateArray[T](path, false, head, binary.LittleEndian, n, fmt.Sprintf("shape %v holds", shape))
	if err != nil {
		return nil, err
	}
	return &Writer[T]{a, head}, nil
}

// SHA256 takes the sum of the file while it is written; call it before anything is appended.
func (w *Writer[T]) SHA256() hash.Hash {
	sum := sha256.New()
	sum.Write(w.head)
	w.Also = sum
	return sum
}
