package hdf5

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"percept/fmri/internal/source"
	"percept/internal/cause"
)

// FormatError says what in a file is not as it has to be, and where.
type FormatError struct {
	File   string
	Offset int64 // bytes from the start of the file
	Msg    string
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s: HDF5, offset %d: %s", e.File, e.Offset, source.Printable(e.Msg))
}

// File is an open HDF5 file. It may be used by several goroutines.
type File struct {
	name       string
	r          io.ReaderAt
	closer     io.Closer
	size       int64
	base       uint64 // where address 0 is: after the user block
	offsetSize int    // bytes of an address
	lengthSize int    // bytes of a length
	root       uint64 // address of the root group's object header
	depth      int    // of virtual datasets that led here
}

// Open opens a file and reads its superblock.
func Open(path string) (*File, error) {
	osf, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, cause.Of(err))
	}
	st, err := osf.Stat()
	if err == nil && st.IsDir() {
		err = errors.New("is a folder, expected an HDF5 file")
	}
	if err != nil {
		osf.Close()
		return nil, fmt.Errorf("%s: %w", path, cause.Of(err))
	}
	f, err := NewFile(path, osf, st.Size())
	if err != nil {
		osf.Close()
		return nil, err
	}
	f.closer = osf
	return f, nil
}

// NewFile reads the superblock of the file in the first size bytes of r; name is used in errors.
func NewFile(name string, r io.ReaderAt, size int64) (*File, error) {
	f := &File{name: name, r: r, size: size, offsetSize: 8, lengthSize: 8}
	if err := f.readSuperblock(); err != nil {
		return nil, err
	}
	return f, nil
}

// Close closes the file that Open opened.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

func (f *File) errorf(addr uint64, format string, args ...any) error {
	off := int64(math.MaxInt64)
	if addr <= math.MaxInt64-f.base {
		off = int64(addr + f.base)
	}
	return &FormatError{File: f.name, Offset: off, Msg: fmt.Sprintf(format, args...)}
}

// bytesAt reads n bytes at an address; what says for the error what they should be.
func (f *File) bytesAt(addr uint64, n int, what string) ([]byte, error) {
	if err := f.inside(addr, uint64(n), what); err != nil {
		return nil, err
	}
	b := make([]byte, n)
	return b, f.readAt(b, addr, what)
}

// inside checks that n bytes at an address are within the file, before anything is allocated for them.
func (f *File) inside(addr, n uint64, what string) error {
	if addr == undefined {
		return f.errorf(0, "%s has no address", what)
	}
	have := uint64(f.size) - f.base
	if addr > have || n > have-addr {
		return f.errorf(addr, "%s of %d bytes lies beyond the end of the file (%d bytes)", what, n, f.size)
	}
	return nil
}

func (f *File) readAt(b []byte, addr uint64, what string) error {
	if n, err := f.r.ReadAt(b, int64(addr+f.base)); n < len(b) {
		return f.errorf(addr, "cannot read %s: %v", what, err)
	}
	return nil
}

// findSignature looks for the signature at 0, 512 and every doubling; an error says that the place at could not be read.
func findSignature(r io.ReaderAt, size int64) (at int64, ok bool, err error) {
	var sig [len(signature)]byte
	for ; at <= size-int64(len(sig)); at = max(512, 2*at) {
		if _, err := r.ReadAt(sig[:], at); err != nil {
			return at, false, err
		}
		if string(sig[:]) == signature {
			return at, true, nil
		}
	}
	return 0, false, nil
}

func (f *File) readSuperblock() error {
	at, ok, err := findSignature(f.r, f.size)
	switch {
	case err != nil:
		return &FormatError{f.name, at, "cannot read: " + err.Error()}
	case !ok:
		return &FormatError{f.name, 0, "no HDF5 signature at 0, 512, 1024, ...: not an HDF5 file"}
	}
	f.base = uint64(at)
	return f.parseSuperblock()
}

func (f *File) parseSuperblock() error {
	n := min(128, f.size-int64(f.base))
	b, err := f.bytesAt(0, int(n), "superblock")
	if err != nil {
		return err
	}
	c := &cursor{f: f, b: b, i: 8}
	version := c.u8()
	var base, end uint64
	switch version {
	case 0, 1:
		c.skip(4) // versions of free space, symbol table; reserved; version of shared messages
		if err := f.setSizes(c.u8(), c.u8()); err != nil {
			return err
		}
		c.skip(1 + 2 + 2 + 4) // reserved, group leaf and node K, flags
		if version == 1 {
			c.skip(4) // chunk node K, reserved
		}
		base = c.offset()
		c.offset()
		end = c.offset()
		c.offset()
		c.offset() // name of the root
		f.root = c.offset()
	case 2, 3:
		if err := f.setSizes(c.u8(), c.u8()); err != nil {
			return err
		}
		const writing = 1 // older versions do not keep this mark
		if flags := c.u8(); version == 3 && flags&writing != 0 {
			return f.errorf(11, "the file is still being written, or was not closed, so that values may lack; expected a closed file "+
				"(h5clear -s clears the mark, where the writer is gone)")
		}
		base = c.offset()
		c.offset() // extension: nothing in it changes a value
		end = c.offset()
		f.root = c.offset()
		c.checksum()
	default:
		return f.errorf(8, "superblock version %d, known are 0 to 3", version)
	}
	if c.err != nil {
		return c.err
	}
	// Where the signature was found counts as the base, as in the library: user blocks get stripped and added.
	if base != undefined && f.base < base && end != undefined {
		end -= min(end, base-f.base)
	}
	if end != undefined && end > uint64(f.size) {
		return f.errorf(0, "truncated: the file has %d bytes, its superblock says %d", f.size, end)
	}
	return nil
}

func (f *File) setSizes(offsets, lengths uint8) error {
	for _, s := range []uint8{offsets, lengths} {
		if s != 2 && s != 4 && s != 8 {
			return f.errorf(8, "superblock: addresses of %d and lengths of %d bytes, expected 2, 4 or 8", offsets, lengths)
		}
	}
	f.offsetSize, f.lengthSize = int(offsets), int(lengths)
	return nil
}

// cursor takes little-endian fields from a block. The first error sticks; after it all values are 0.
type cursor struct {
	f    *File
	b    []byte
	addr uint64 // of b[0]
	i    int
	err  error
}

// cursorAt reads n bytes at an address.
func (f *File) cursorAt(addr uint64, n int, what string) (*cursor, error) {
	b, err := f.bytesAt(addr, n, what)
	if err != nil {
		return nil, err
	}
	return &cursor{f: f, b: b, addr: addr}, nil
}

func (c *cursor) failf(format string, args ...any) {
	if c.err == nil {
		c.err = c.f.errorf(c.addr+uint64(c.i), format, args...)
	}
}

func (c *cursor) left() int { return len(c.b) - c.i }

func (c *cursor) bytes(n int) []byte {
	if c.err == nil && (n < 0 || n > c.left()) {
		c.failf("%d bytes wanted, the block ends after %d", n, c.left())
	}
	if c.err != nil {
		return nil
	}
	c.i += n
	return c.b[c.i-n : c.i]
}

func (c *cursor) skip(n int) { c.bytes(n) }

// uint is an unsigned integer of n bytes, n at most 8.
func (c *cursor) uint(n int) uint64 {
	var v [8]byte
	copy(v[:], c.bytes(n))
	return binary.LittleEndian.Uint64(v[:])
}

func (c *cursor) u8() uint8   { return uint8(c.uint(1)) }
func (c *cursor) u16() uint16 { return uint16(c.uint(2)) }
func (c *cursor) u32() uint32 { return uint32(c.uint(4)) }
func (c *cursor) u64() uint64 { return c.uint(8) }

// offset is an address, undefined where all its bits are set.
func (c *cursor) offset() uint64 {
	v := c.uint(c.f.offsetSize)
	if c.err == nil && v == math.MaxUint64>>(64-8*c.f.offsetSize) {
		return undefined
	}
	return v
}

func (c *cursor) length() uint64 { return c.uint(c.f.lengthSize) }

// expect checks a signature.
func (c *cursor) expect(sig string) {
	if got := c.bytes(len(sig)); c.err == nil && string(got) != sig {
		c.i -= len(sig)
		c.failf("found %q, expected %q", got, sig)
	}
}

// version checks a version number.
func (c *cursor) version(what string, want uint8) {
	if v := c.u8(); c.err == nil && v != want {
		c.i--
		c.failf("%s version %d, known is %d", what, v, want)
	}
}

// checksum checks that the next four bytes are the checksum of everything before them in the block.
func (c *cursor) checksum() {
	n := c.i
	want := c.u32()
	if c.err == nil && lookup3(c.b[:n]) != want {
		c.i = n
		c.failf("checksum does not match: metadata are damaged")
	}
}
