package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"percept/fmri/internal/atomicfile"
)

// Element is what arrays are written from.
type Element interface {
	bool | int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64
}

// dtypeOf is T as numpy writes it.
func dtypeOf[T Element]() string {
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

// Writer writes one array piece by piece.
type Writer[T Element] struct {
	out     *atomicfile.Stream
	shape   []int
	written int
	total   int
	bytes   []byte
}

// Create starts a file that appears at path when Close succeeds.
func Create[T Element](path string, shape []int) (*Writer[T], error) {
	head, n, err := encodeHeader(dtypeOf[T](), shape)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	out, err := atomicfile.CreateStream(path, false)
	if err != nil {
		return nil, err
	}
	w := &Writer[T]{out: out, shape: shape, total: n}
	if _, err := out.Write(head); err != nil {
		w.Abort()
		return nil, err
	}
	return w, nil
}

// Append adds values in C order, any number at a time.
func (w *Writer[T]) Append(data []T) error {
	if len(data) > w.total-w.written {
		return fmt.Errorf("%s: more values than shape %v holds", w.out.Path(), w.shape)
	}
	var err error
	w.bytes, err = writeValues(w.out, w.bytes, data)
	w.written += len(data)
	return err
}

// writeValues writes values little-endian, some at a time through buf, which it returns to be used again.
func writeValues[T Element](out io.Writer, buf []byte, data []T) ([]byte, error) {
	for len(data) > 0 {
		n := min(len(data), 1<<13)
		b, err := binary.Append(buf[:0], binary.LittleEndian, data[:n])
		if err != nil {
			return buf, err
		}
		buf = b
		if _, err := out.Write(b); err != nil {
			return buf, err
		}
		data = data[n:]
	}
	return buf, nil
}

// Abort gives the file up and removes what was written. After Close it does nothing.
func (w *Writer[T]) Abort() { w.out.Abort() }

// Close gives the file its name. It fails, leaving nothing, if values are missing.
func (w *Writer[T]) Close() error {
	defer w.out.Abort()
	if w.written != w.total {
		return fmt.Errorf("%s: %d of %d values were written", w.out.Path(), w.written, w.total)
	}
	return w.out.Close()
}
