package filter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

var errCut = errors.New("the data end too early")

// unLZF undoes h5py's LZF: literal runs, and copies of what came before.
func unLZF(_ Filter, b []byte, most int) ([]byte, error) {
	out := make([]byte, 0, most)
	for len(b) > 0 {
		control := int(b[0])
		b = b[1:]
		if control < 32 {
			n := control + 1
			if len(b) < n {
				return nil, errCut
			}
			if len(out)+n > most {
				return nil, tooMuch(most)
			}
			out, b = append(out, b[:n]...), b[n:]
			continue
		}
		n := control >> 5
		if n == 7 {
			if len(b) == 0 {
				return nil, errCut
			}
			n += int(b[0])
			b = b[1:]
		}
		if len(b) == 0 {
			return nil, errCut
		}
		back := (control&31)<<8 + int(b[0]) + 1
		b = b[1:]
		var err error
		if out, err = copyBack(out, back, n+2, most); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// copyBack appends n bytes that begin back bytes before the end, of which they may be a repetition.
func copyBack(out []byte, back, n, most int) ([]byte, error) {
	if back > len(out) {
		return nil, fmt.Errorf("a copy of what came %d bytes before byte %d", back, len(out))
	}
	if len(out)+n > most {
		return nil, tooMuch(most)
	}
	for n > 0 {
		k := min(n, back)
		at := len(out) - back
		out = append(out, out[at:at+k]...)
		n -= k
	}
	return out, nil
}

func tooMuch(most int) error { return fmt.Errorf("more than %d bytes come out", most) }

// lz4Block decompresses a block into exactly dst.
func lz4Block(dst, b []byte) error {
	n, err := lz4.UncompressBlock(b, dst)
	if err == nil && n != len(dst) {
		err = fmt.Errorf("a block of %d bytes, expected %d", n, len(dst))
	}
	return err
}

// unLZ4 undoes the filter 32004: the size in all and that of a block, then blocks with their sizes. A block that did not shrink
// is stored as it is.
func unLZ4(_ Filter, b []byte, most int) ([]byte, error) {
	if len(b) < 12 {
		return nil, errCut
	}
	size, block := binary.BigEndian.Uint64(b), uint64(binary.BigEndian.Uint32(b[8:]))
	if size > uint64(most) {
		return nil, tooMuch(most)
	}
	if block == 0 && size > 0 {
		return nil, errors.New("blocks of 0 bytes")
	}
	b = b[12:]
	out := make([]byte, size)
	for rest := out; len(rest) > 0; {
		n := min(int(block), len(rest))
		stored, after, err := sized(b)
		if err != nil {
			return nil, err
		}
		if b = after; len(stored) == n {
			copy(rest, stored)
		} else if err := lz4Block(rest[:n], stored); err != nil {
			return nil, err
		}
		rest = rest[n:]
	}
	return out, nil
}

// sized takes bytes behind their big-endian number.
func sized(b []byte) (head, rest []byte, err error) {
	if len(b) < 4 {
		return nil, nil, errCut
	}
	n := binary.BigEndian.Uint32(b)
	if b = b[4:]; uint64(n) > uint64(len(b)) {
		return nil, nil, errCut
	}
	return b[:n], b[n:], nil
}

// zstdReader is shared: decoding whole blocks with it is safe for concurrent use.
var zstdReader = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxWindow(1<<31))
})

// unZstd undoes the filter 32015: one or more zstd frames.
func unZstd(_ Filter, b []byte, most int) ([]byte, error) {
	z, err := zstdReader()
	if err != nil {
		return nil, err
	}
	return z.DecodeAll(b, make([]byte, 0, most))
}
