package doctor

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"percept/fmri/internal/source"
	"percept/fmri/nsd"
	"percept/internal/cause"
)

// truncatedHDF5 compares the length that an HDF5 file's superblock states with the file's own. Nothing else shows without
// reading the index of chunks that the end of a file is missing. Superblocks that are not where they usually are, or of
// unusual numbers, are left to the reader.
func truncatedHDF5(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return cause.Of(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return cause.Of(err)
	}
	b := make([]byte, 64)
	le := binary.LittleEndian
	for _, at := range []int64{0, 512, 1024, 2048} { // after a user block of a power of two
		if _, err := f.ReadAt(b, at); err != nil {
			break
		}
		if !bytes.Equal(b[:8], []byte("\x89HDF\r\n\x1a\n")) {
			continue
		}
		var end uint64
		switch version := b[8]; {
		case version == 0 && b[13] == 8: // 8-byte addresses
			end = le.Uint64(b[40:])
		case version == 1 && b[13] == 8:
			end = le.Uint64(b[44:])
		case (version == 2 || version == 3) && b[9] == 8:
			end = le.Uint64(b[28:])
		}
		if end < 1<<56 && int64(end) > info.Size() {
			return fmt.Errorf("the file ends after %d bytes, its superblock states %d: it is truncated", info.Size(), end)
		}
		return nil
	}
	return nil
}

// truncatedGzip compares the length that the end of a gzip file states, which is modulo 2³², with what the header of the
// image inside calls for. A file of another length, which may still be whole if it has several members, is read through.
func truncatedGzip(path string, s *nsd.SessionFile) error {
	f, err := os.Open(path)
	if err != nil {
		return cause.Of(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return cause.Of(err)
	}
	head := make([]byte, 2)
	if _, err := f.ReadAt(head, 0); err != nil || head[0] != 0x1f || head[1] != 0x8b {
		return nil // not compressed in spite of its name: the reader looks at its length
	}
	trailer := make([]byte, 4)
	if _, err := f.ReadAt(trailer, info.Size()-4); err != nil {
		return cause.Of(err)
	}
	z, err := source.Gunzip(f)
	if err != nil {
		return fmt.Errorf("gzip: %w", err)
	}
	header := make([]byte, 348)
	if _, err := io.ReadFull(z, header); err != nil {
		return fmt.Errorf("gzip: %w", err)
	}
	var order binary.ByteOrder = binary.LittleEndian
	if order.Uint32(header) != 348 {
		order = binary.BigEndian
	}
	need := uint64(math.Float32frombits(order.Uint32(header[108:]))) // where the voxels begin
	if need == 0 {
		need = 352
	}
	bytes := uint64(2)
	for _, d := range s.Dims {
		bytes *= uint64(d)
	}
	need += bytes
	if order.Uint32(header) == 348 && uint32(need) == binary.LittleEndian.Uint32(trailer) {
		return nil
	}
	n, err := io.Copy(io.Discard, z)
	if err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the file ends too early")
		}
		return fmt.Errorf("gzip: %w, after %d of %d bytes of the image: it is truncated or damaged", err, n+348, need)
	}
	if uint64(n)+348 < need {
		return fmt.Errorf("the image has %d bytes, its header calls for %d", n+348, need)
	}
	return nil
}
