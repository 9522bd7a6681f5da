package freesurfer

import (
	"encoding/binary"
	"fmt"
	"math"

	"percept/fmri/internal/source"
)

// FormatError says what in a file is not as it has to be, and where.
type FormatError = source.FormatError

// fields takes big-endian fields from a file in memory. The first error sticks; after it all values are 0.
type fields struct {
	file, format string
	b            []byte
	i            int
	err          error
}

// openFields reads a file; that it cannot be read is the first error.
func openFields(path, format string) *fields {
	b, err := source.ReadFile(path)
	return &fields{file: path, format: format, b: b, err: err}
}

func (r *fields) failf(at int, format string, args ...any) {
	if r.err == nil {
		r.err = &FormatError{File: r.file, Format: r.format, Offset: int64(at), Msg: fmt.Sprintf(format, args...)}
	}
}

func (r *fields) left() int { return len(r.b) - r.i }

// take is the next n bytes; what says for the error what they should be.
func (r *fields) take(n int, what string) []byte {
	if n < 0 || n > r.left() {
		r.failf(r.i, "%s needs %d bytes, the file has %d more", what, n, r.left())
	}
	if r.err != nil {
		return nil
	}
	r.i += n
	return r.b[r.i-n : r.i]
}

func (r *fields) int24(what string) int {
	b := r.take(3, what)
	if b == nil {
		return 0
	}
	return int(b[0])<<16 | int(b[1])<<8 | int(b[2])
}

func (r *fields) int32(what string) int {
	b := r.take(4, what)
	if b == nil {
		return 0
	}
	return int(int32(binary.BigEndian.Uint32(b)))
}

// count is an int32 that says how many things of at least size bytes follow.
func (r *fields) count(what string, size int) int {
	at := r.i
	n := r.int32("the number of " + what)
	if r.err == nil && (n < 0 || n > r.left()/size) {
		r.failf(at, "%d %s of %d bytes, the file has %d more bytes", n, what, size, r.left())
	}
	if r.err != nil {
		return 0
	}
	return n
}

// float32s reads n floats.
func (r *fields) float32s(n int, what string) []float32 {
	if n < 0 || n > r.left()/4 {
		r.failf(r.i, "%s needs %d floats, the file has %d more bytes", what, n, r.left())
	}
	if r.err != nil {
		return nil
	}
	b := r.take(4*n, what)
	x := make([]float32, n)
	for i := range x {
		x[i] = math.Float32frombits(binary.BigEndian.Uint32(b[4*i:]))
	}
	return x
}

// text is a string of a given number of bytes whose last one is zero.
func (r *fields) text(what string) string {
	n := r.count("bytes of "+what, 1)
	b := r.take(n, what)
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

// end checks that nothing is left.
func (r *fields) end(after string) error {
	if r.err == nil && r.left() > 0 {
		r.failf(r.i, "%d bytes too many after %s", r.left(), after)
	}
	return r.err
}
