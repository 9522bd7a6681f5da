package freesurfer

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"percept/fmri/internal/atomicfile"
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

// Writer writes one file piece by piece.
type Writer[T Element] struct {
	Footer  []byte // written after the values, as Image.Footer returns it
	out     *atomicfile.Stream
	dims    [4]int
	written int
	total   int
	bytes   []byte
}

// CreateMGH starts a file that appears at path when Close succeeds. Header.Type is ignored: T decides.
func CreateMGH[T Element](path string, h Header) (*Writer[T], error) {
	total := 1
	for _, d := range h.Dims {
		if d < 1 || d > math.MaxInt32 || total > maxElement/d {
			return nil, fmt.Errorf("%s: dimensions %v: MGH holds four from 1 on", path, h.Dims)
		}
		total *= d
	}
	out, err := atomicfile.CreateStream(path, strings.HasSuffix(path, ".mgz") || strings.HasSuffix(path, ".gz"))
	if err != nil {
		return nil, err
	}
	w := &Writer[T]{out: out, dims: h.Dims, total: total}
	if _, err := out.Write(h.encode(elementType[T]())); err != nil {
		w.Abort()
		return nil, err
	}
	return w, nil
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

// Append adds values in file order, any number at a time.
func (w *Writer[T]) Append(data []T) error {
	if len(data) > w.total-w.written {
		return fmt.Errorf("%s: more values than dimensions %v hold", w.out.Path(), w.dims)
	}
	for len(data) > 0 {
		n := min(len(data), 1<<14)
		b, err := binary.Append(w.bytes[:0], binary.BigEndian, data[:n])
		if err != nil {
			return err
		}
		w.bytes = b
		if _, err := w.out.Write(b); err != nil {
			return err
		}
		w.written += n
		data = data[n:]
	}
	return nil
}

// Abort gives the file up and removes what was written. After Close it does nothing.
func (w *Writer[T]) Abort() { w.out.Abort() }

// Close gives the file its name. It fails, leaving nothing, if values are missing.
func (w *Writer[T]) Close() error {
	defer w.out.Abort()
	if w.written != w.total {
		return fmt.Errorf("%s: %d of %d values were written", w.out.Path(), w.written, w.total)
	}
	if _, err := w.out.Write(w.Footer); err != nil {
		return err
	}
	return w.out.Close()
}
