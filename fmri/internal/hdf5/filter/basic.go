package filter

import (
	"bytes"
	"compress/bzip2"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
)

// inflaters keeps decompressors, which are large, from chunk to chunk.
var inflaters sync.Pool

// inflate undoes deflate.
func inflate(_ Filter, b []byte, most int) ([]byte, error) {
	z, ok := inflaters.Get().(io.ReadCloser)
	var err error
	if ok {
		err = z.(zlib.Resetter).Reset(bytes.NewReader(b), nil)
	} else {
		z, err = zlib.NewReader(bytes.NewReader(b))
	}
	if err != nil {
		return nil, err
	}
	defer inflaters.Put(z)
	return readAll(z, most)
}

// bunzip2 undoes the filter 307, one bzip2 stream; what follows it does not count.
func bunzip2(_ Filter, b []byte, most int) ([]byte, error) {
	return readAll(oneStream{bzip2.NewReader(bytes.NewReader(b))}, most)
}

// oneStream ends where what follows a bzip2 stream is not another one.
type oneStream struct{ io.Reader }

func (r oneStream) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if s, ok := err.(bzip2.StructuralError); ok && s == "bad magic value in continuation file" {
		err = io.EOF
	}
	return n, err
}

// readAll reads a decompressed stream of at most most bytes to its end.
func readAll(z io.Reader, most int) ([]byte, error) {
	out := make([]byte, most+1)
	n, err := io.ReadFull(z, out)
	switch {
	case err == nil:
		return nil, fmt.Errorf("more than %d bytes come out", most)
	case err != io.EOF && err != io.ErrUnexpectedEOF || n == 0:
		return nil, err
	}
	// A short result is io.ErrUnexpectedEOF as well, from a stream that is cut: only at a true end is the next read io.EOF.
	if _, err := z.Read(out[n:]); err != io.EOF {
		return nil, err
	}
	return out[:n], nil
}

// unshuffle undoes the shuffle filter, whose parameter is the bytes of an element.
func unshuffle(f Filter, b []byte, _ int) ([]byte, error) {
	return unshuffleBytes(b, int(f.Params[0])), nil
}

// unshuffleBytes puts elements of size bytes together again, of which the first bytes are stored, then all second bytes, and so
// on; bytes after the last whole element stay where they are.
func unshuffleBytes(b []byte, size int) []byte {
	if size < 2 || len(b) < 2*size {
		return b
	}
	n := len(b) / size
	out := make([]byte, len(b))
	for k := range size {
		plane := b[k*n : (k+1)*n]
		for i, v := range plane {
			out[i*size+k] = v
		}
	}
	copy(out[n*size:], b[n*size:])
	return out
}

// checkFletcher checks and takes off the checksum at the end.
func checkFletcher(_ Filter, b []byte, _ int) ([]byte, error) {
	if len(b) < 4 {
		return nil, fmt.Errorf("%d bytes, expected a checksum of 4", len(b))
	}
	data := b[:len(b)-4]
	if fletcher32(data) != binary.LittleEndian.Uint32(b[len(b)-4:]) {
		return nil, errors.New("checksum does not match: the data are damaged")
	}
	return data, nil
}

// fletcher32 sums big-endian 16-bit words, as the library does.
func fletcher32(b []byte) uint32 {
	var s1, s2 uint32
	for len(b) >= 2 {
		n := min(360, len(b)/2)
		for range n {
			s1 += uint32(b[0])<<8 | uint32(b[1])
			s2 += s1
			b = b[2:]
		}
		s1, s2 = s1&0xffff+s1>>16, s2&0xffff+s2>>16
	}
	if len(b) == 1 {
		s1 += uint32(b[0]) << 8
		s2 += s1
		s1, s2 = s1&0xffff+s1>>16, s2&0xffff+s2>>16
	}
	s1, s2 = s1&0xffff+s1>>16, s2&0xffff+s2>>16
	return s2<<16 | s1
}
