package hdf5

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
)

// Filter numbers of the format.
const (
	filterDeflate  = 1
	filterShuffle  = 2
	filterFletcher = 3
)

var filterNames = map[uint16]string{4: "szip", 5: "nbit", 6: "scale-offset", 32000: "lzf", 32001: "blosc", 32004: "lz4",
	32008: "bitshuffle", 32015: "zstd"}

// maxDeflate is beyond how many times its size deflate can grow back to, 1032: more is a lie.
const maxDeflate = 1040

type filter struct {
	id   uint16
	size int // shuffle: bytes of an element
}

func (d *Dataset) parseFilters(msgs []headerMessage) error {
	m, ok, err := d.f.find(msgs, msgFilters)
	if err != nil || !ok {
		return err
	}
	c := d.f.cursor(m)
	version, n := c.u8(), int(c.u8())
	if version != 1 && version != 2 {
		c.failf("filter pipeline version %d, known are 1 and 2", version)
	}
	if n > 32 {
		c.failf("%d filters", n)
	}
	if version == 1 {
		c.skip(6)
	}
	for range n {
		fl := filter{id: c.u16()}
		name := 0
		if version == 1 || fl.id >= 256 {
			name = int(c.u16())
		}
		c.skip(2) // flags: optional filters that were not applied show in the chunk's mask
		params := int(c.u16())
		if version == 1 {
			name = (name + 7) &^ 7
		}
		c.skip(name)
		for i := range params {
			if v := c.u32(); i == 0 && fl.id == filterShuffle {
				fl.size = int(v)
			}
		}
		if version == 1 && params%2 == 1 {
			c.skip(4)
		}
		if c.err != nil {
			return c.err
		}
		switch fl.id {
		case filterDeflate, filterFletcher:
		case filterShuffle:
			if fl.size == 0 {
				fl.size = d.elem.Size
			}
		default:
			name := filterNames[fl.id]
			if name == "" {
				name = "unknown"
			}
			return d.f.errorf(m.addr, "%s is stored with filter %d (%s); known are deflate, shuffle and fletcher32", d.name, fl.id, name)
		}
		d.filters = append(d.filters, fl)
	}
	return c.err
}

// readChunk returns the elements of a chunk as bytes.
func (d *Dataset) readChunk(c chunkRef) ([]byte, error) {
	whole := d.chunkBytes()
	if whole > c.size*maxDeflate+1024 { // told before memory is taken
		return nil, d.f.errorf(c.addr, "%s: chunk of %d bytes cannot hold %d", d.name, c.size, whole)
	}
	b, err := d.f.bytesAt(c.addr, int(c.size), d.name+": chunk")
	if err != nil {
		return nil, err
	}
	filters := d.filters
	if d.index.plainEdges && d.atEdge(c.pos) {
		filters = nil
	}
	for i := len(filters) - 1; i >= 0; i-- {
		if c.mask&(1<<i) != 0 {
			continue
		}
		switch filters[i].id {
		case filterDeflate:
			b, err = inflate(b, whole)
		case filterShuffle:
			b = unshuffle(b, filters[i].size)
		case filterFletcher:
			b, err = checkFletcher(b)
		}
		if err != nil {
			return nil, d.f.errorf(c.addr, "%s: chunk %v: %v", d.name, d.unpos(c.pos), err)
		}
	}
	if uint64(len(b)) != whole {
		return nil, d.f.errorf(c.addr, "%s: chunk %v holds %d bytes, expected %d", d.name, d.unpos(c.pos), len(b), whole)
	}
	return b, nil
}

// inflaters keeps decompressors, which are large, from chunk to chunk.
var inflaters sync.Pool

// inflate undoes deflate; the result has at most the bytes of a chunk and its fletcher32 checksum.
func inflate(b []byte, whole uint64) ([]byte, error) {
	z, ok := inflaters.Get().(io.ReadCloser)
	var err error
	if ok {
		err = z.(zlib.Resetter).Reset(bytes.NewReader(b), nil)
	} else {
		z, err = zlib.NewReader(bytes.NewReader(b))
	}
	if err != nil {
		return nil, fmt.Errorf("deflate: %w", err)
	}
	defer inflaters.Put(z)
	out := make([]byte, whole+5)
	n, err := io.ReadFull(z, out)
	switch {
	case err == nil:
		return nil, fmt.Errorf("deflate: more than %d bytes come out", whole)
	case err != io.EOF && err != io.ErrUnexpectedEOF || n == 0:
		return nil, fmt.Errorf("deflate: %w", err)
	}
	// A short result is io.ErrUnexpectedEOF as well, from a stream that is cut: only at a true end is the next read io.EOF.
	if _, err := z.Read(out[n:]); err != io.EOF {
		return nil, fmt.Errorf("deflate: %w", err)
	}
	return out[:n], nil
}

// unshuffle undoes the shuffle filter, which stores the first bytes of all elements, then all second bytes, and so on;
// bytes after the last whole element stay where they are.
func unshuffle(b []byte, size int) []byte {
	n := len(b) / size
	if size == 1 || n < 2 {
		return b
	}
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
func checkFletcher(b []byte) ([]byte, error) {
	if len(b) < 4 {
		return nil, fmt.Errorf("fletcher32: %d bytes", len(b))
	}
	data := b[:len(b)-4]
	got, want := fletcher32(data), binary.LittleEndian.Uint32(b[len(b)-4:])
	if got != want {
		return nil, fmt.Errorf("fletcher32 checksum does not match: the data are damaged")
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
