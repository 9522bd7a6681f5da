package source

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// The compressions that are read, as File.Compression names them.
const (
	gzipped  = "gzip"
	bzipped  = "bzip2"
	zstanded = "zstd"
)

// Endings are what the names of compressed files end in.
var Endings = []string{".gz", ".bz2", ".zst"}

// Uncompressed is a path without the ending of a compression.
func Uncompressed(path string) string {
	for _, e := range Endings {
		if stem, ok := strings.CutSuffix(path, e); ok {
			return stem
		}
	}
	return path
}

const longestMark = 10 // bytes by which a compression is known

// compression is what a file that begins with head is compressed with; "" for nothing that is known.
func compression(head []byte) string {
	begins := func(mark string) bool { return bytes.HasPrefix(head, []byte(mark)) }
	switch {
	case begins("\x1f\x8b"):
		return gzipped
	case begins("BZh") && len(head) == longestMark && head[3] >= '1' && head[3] <= '9' &&
		(string(head[4:]) == "1AY&SY" || string(head[4:]) == "\x17\x72\x45\x38\x50\x90"): // a block, or the end at once
		return bzipped
	case begins("\x28\xb5\x2f\xfd"), len(head) >= 4 && head[0]&0xf0 == 0x50 && string(head[1:4]) == "\x2a\x4d\x18": // to be skipped
		return zstanded
	}
	return ""
}

// decompress reads what a compressed file of size bytes holds.
func decompress(in *bufio.Reader, kind string, size int64) (io.Reader, error) {
	t := &tail{in: in, mark: 2} // BZ
	switch kind {
	case bzipped:
		return &padded{out: bzip2.NewReader(t), in: t, kind: kind}, nil
	case zstanded:
		t.mark = 4
		z, err := zstd.NewReader(t, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow(size)))
		return &padded{out: z, in: t, kind: kind}, err
	}
	return Gunzip(in)
}

// maxWindow bounds the memory that a zstd file of size bytes may ask for: 128 MiB is what the program zstd itself allows, 2 MiB
// what its usual level asks for.
func maxWindow(size int64) uint64 { return uint64(min(max(size<<13, 2<<20), 128<<20)) }

// padded passes over zero bytes behind the streams of a file, which tapes and block devices fill up with. The library's reader
// takes them for a stream without a mark, after the last one has come to its proper end.
type padded struct {
	out  io.Reader
	in   *tail
	err  error
	kind string // of the compression
}

func (p *padded) Read(b []byte) (n int, err error) {
	if p.err != nil {
		return 0, p.err
	}
	n, p.err = p.out.Read(b)
	var structure bzip2.StructuralError
	noMark := errors.Is(p.err, zstd.ErrMagicMismatch) ||
		errors.As(p.err, &structure) && structure == "bad magic value in continuation file"
	switch {
	case p.err == nil || p.err == io.EOF:
	case noMark && p.in.onlyZeros():
		p.err = io.EOF
	case p.in.extra > 0: // zeros that are not in the file were taken for data
		p.err = io.ErrUnexpectedEOF
	}
	if p.err != nil && p.err != io.EOF {
		p.err = fmt.Errorf("%s: %w", p.kind, p.err)
	}
	return n, p.err
}

// tail reads a file and knows with how many zero bytes that which it gave ends. Behind a last byte of zero it gives those
// of one more mark: padding that is shorter than a mark then reads as longer padding does, where it would look as if the file
// were cut.
type tail struct {
	in    *bufio.Reader
	mark  int // bytes of the mark of a stream
	zeros int // at the end of what was given
	extra int // of these, how many are not in the file
}

func (t *tail) Read(b []byte) (int, error) {
	n, err := t.in.Read(b)
	for _, c := range b[:n] {
		t.count(c)
	}
	if n == 0 && err == io.EOF {
		for n < len(b) && t.zeros > 0 && t.extra < t.mark {
			b[n] = 0
			n, t.extra, err = n+1, t.extra+1, nil
		}
	}
	return n, err
}

func (t *tail) ReadByte() (byte, error) {
	c, err := t.in.ReadByte()
	if err == io.EOF && t.zeros > 0 && t.extra < t.mark {
		t.extra++
		return 0, nil
	}
	if err == nil {
		t.count(c)
	}
	return c, err
}

func (t *tail) count(c byte) {
	if t.zeros++; c != 0 {
		t.zeros = 0
	}
}

// onlyZeros says whether the mark that was read and all that follows are zero.
func (t *tail) onlyZeros() bool {
	if t.zeros+t.extra < t.mark/2 { // bzip2's mark has two bytes, and was not found
		return false
	}
	for {
		c, err := t.in.ReadByte()
		if err != nil {
			return err == io.EOF
		}
		if c != 0 {
			return false
		}
	}
}
