package prepare

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"percept/internal/cause"
	"strings"
)

// element is a type that arrays are written in.
type element interface {
	uint8 | int16 | int32 | float32 | float64
}

// descr is numpy's name of a type.
func descr[T element]() string {
	var t T
	switch any(t).(type) {
	case uint8:
		return "|u1"
	case int16:
		return "<i2"
	case int32:
		return "<i4"
	case float32:
		return "<f4"
	}
	return "<f8"
}

// npyHeader is what a .npy file of version 1.0 begins with (numpy.lib.format).
func npyHeader(descr string, shape []int) []byte {
	var dims strings.Builder
	for i, n := range shape {
		if i > 0 {
			dims.WriteString(", ")
		}
		fmt.Fprint(&dims, n)
	}
	if len(shape) == 1 {
		dims.WriteByte(',')
	}
	h := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, dims.String())
	h += strings.Repeat(" ", 63-(10+len(h))%64) + "\n"
	b := append([]byte("\x93NUMPY\x01\x00"), 0, 0)
	binary.LittleEndian.PutUint16(b[8:], uint16(len(h)))
	return append(b, h...)
}

// npyWriter writes one array row by row, in the temporary folder of a Run.
type npyWriter[T element] struct {
	path string
	file *os.File
	buf  *bufio.Writer
	sum  hash.Hash
	left int // elements
	b    []byte
}

func createNPY[T element](path string, shape ...int) (*npyWriter[T], error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be written: %w", path, cause.Of(err))
	}
	w := &npyWriter[T]{path: path, file: f, sum: sha256.New(), left: 1}
	for _, n := range shape {
		w.left *= n
	}
	w.buf = bufio.NewWriterSize(io.MultiWriter(f, w.sum), 1<<18)
	if _, err := w.buf.Write(npyHeader(descr[T](), shape)); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: cannot be written: %w", path, cause.Of(err))
	}
	return w, nil
}

// append adds elements in C order.
func (w *npyWriter[T]) append(x []T) error {
	w.left -= len(x)
	for len(x) > 0 && w.left >= 0 {
		n := min(len(x), 1<<13)
		var err error
		if w.b, err = binary.Append(w.b[:0], binary.LittleEndian, x[:n]); err == nil {
			_, err = w.buf.Write(w.b)
		}
		if err != nil {
			return fmt.Errorf("%s: cannot be written: %w", w.path, cause.Of(err))
		}
		x = x[n:]
	}
	return nil
}

// close ends the array and returns the sha256 of the file.
func (w *npyWriter[T]) close() (sum string, err error) {
	if w.left != 0 {
		w.file.Close()
		return "", fmt.Errorf("%s: %d elements too few were written", w.path, w.left)
	}
	err = w.buf.Flush()
	if err == nil {
		err = w.file.Sync()
	}
	if cerr := w.file.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return "", fmt.Errorf("%s: cannot be written: %w", w.path, cause.Of(err))
	}
	return hex.EncodeToString(w.sum.Sum(nil)), nil
}

func (w *npyWriter[T]) abort() { w.file.Close() }
