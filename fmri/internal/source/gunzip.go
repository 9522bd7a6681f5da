package source

import (
	"bufio"
	"compress/flate"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// gunzip reads a file of gzip members. Unlike the standard library's reader it sets no bound to the name and comment that a
// member may carry, and passes over zero bytes behind members, with which tapes and block devices fill up: gunzip and Python
// do so. All sums and lengths are checked.
type gunzip struct {
	in      *bufio.Reader
	deflate io.ReadCloser
	sum     uint32
	size    uint32 // modulo 2³², as the trailer has it
	err     error
}

var (
	errGzipHeader = errors.New("gzip: invalid header")
	errGzipSum    = errors.New("gzip: invalid checksum")
)

// Gunzip reads what the gzip members of a file hold, one after the other.
func Gunzip(r io.Reader) (io.Reader, error) {
	z := &gunzip{in: bufio.NewReader(r)} // r itself where it has a buffer
	if err := z.header(); err != nil {
		return nil, err
	}
	return z, nil
}

// Read reads what the members hold one after the other.
func (z *gunzip) Read(b []byte) (int, error) {
	for z.err == nil {
		n, err := z.deflate.Read(b)
		z.sum = crc32.Update(z.sum, crc32.IEEETable, b[:n])
		z.size += uint32(n)
		if err != io.EOF {
			z.err = err
			return n, err
		}
		if z.err = z.trailer(); z.err == nil {
			z.err = z.next()
		}
		if n > 0 {
			return n, nil
		}
	}
	return 0, z.err
}

// trailer compares a member's sum and length with what was read.
func (z *gunzip) trailer() error {
	var b [8]byte
	if _, err := io.ReadFull(z.in, b[:]); err != nil {
		return cut(err)
	}
	if binary.LittleEndian.Uint32(b[:]) != z.sum || binary.LittleEndian.Uint32(b[4:]) != z.size {
		return errGzipSum
	}
	return nil
}

// next goes on to the next member; io.EOF where none follows.
func (z *gunzip) next() error {
	for {
		b, err := z.in.ReadByte()
		switch {
		case err != nil:
			return err
		case b != 0 && b != 0x1f:
			return errGzipHeader
		case b != 0:
			if err := z.in.UnreadByte(); err != nil {
				return err
			}
			return z.header()
		}
	}
}

// Flags of a member's header.
const (
	gzipHeaderSum = 1 << 1
	gzipExtra     = 1 << 2
	gzipName      = 1 << 3
	gzipComment   = 1 << 4
)

// header reads what stands before a member's data: ten bytes, then an extra field, a name, a comment and a sum of the header,
// each if its flag is set.
func (z *gunzip) header() error {
	z.sum, z.size = 0, 0
	b := make([]byte, 10)
	if err := z.take(b); err != nil {
		return err
	}
	if b[0] != 0x1f || b[1] != 0x8b || b[2] != 8 { // 8 is deflate, the only method there is
		return errGzipHeader
	}
	flags := b[3]
	if flags&gzipExtra != 0 {
		if err := z.take(b[:2]); err != nil {
			return err
		}
		if err := z.take(make([]byte, binary.LittleEndian.Uint16(b))); err != nil {
			return err
		}
	}
	for _, text := range []byte{gzipName, gzipComment} {
		for flags&text != 0 {
			if err := z.take(b[:1]); err != nil {
				return err
			}
			if b[0] == 0 {
				break
			}
		}
	}
	if flags&gzipHeaderSum != 0 {
		want := uint16(z.sum)
		if err := z.take(b[:2]); err != nil {
			return err
		}
		if binary.LittleEndian.Uint16(b) != want {
			return errGzipHeader
		}
	}
	z.sum = 0
	if z.deflate == nil {
		z.deflate = flate.NewReader(z.in)
		return nil
	}
	return z.deflate.(flate.Resetter).Reset(z.in, nil)
}

// take fills b with bytes of the header.
func (z *gunzip) take(b []byte) error {
	_, err := io.ReadFull(z.in, b)
	z.sum = crc32.Update(z.sum, crc32.IEEETable, b)
	return cut(err)
}

// cut is an end that comes too early as the error that says so.
func cut(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
