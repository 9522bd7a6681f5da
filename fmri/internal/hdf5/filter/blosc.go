package filter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Filters inside of Blosc's chunks.
const (
	bloscShuffle    = 1
	bloscBitshuffle = 2
	bloscDelta      = 3
	bloscTruncate   = 4
)

// bloscChunk is the header of a Blosc chunk, of version 1 or 2.
type bloscChunk struct {
	version   uint8
	flags     uint8
	typeSize  int
	size      int // bytes that it holds
	blockSize int
	head      int // bytes of the header
	filters   [6]uint8
	special   uint8 // what the chunk is a repetition of, 0 for none
	plain     bool  // the blocks are stored as they are, unfiltered
	b         []byte
}

// unBlosc undoes the filter 32001: one Blosc chunk.
func unBlosc(_ Filter, b []byte, most int) ([]byte, error) { return decompressBlosc(b, most) }

func parseBlosc(b []byte) (*bloscChunk, error) {
	if len(b) < 16 {
		return nil, errCut
	}
	le := binary.LittleEndian
	c := &bloscChunk{version: b[0], flags: b[2], typeSize: int(b[3]), size: int(int32(le.Uint32(b[4:]))),
		blockSize: int(int32(le.Uint32(b[8:]))), head: 16}
	stored := int(int32(le.Uint32(b[12:])))
	if stored < 16 || stored > len(b) || c.size < 0 || c.typeSize == 0 || c.size > 0 && c.blockSize < 1 || c.version < 1 || c.version > 6 {
		return nil, fmt.Errorf("chunk of version %d with %d of %d bytes for %d in blocks of %d", c.version, len(b), stored, c.size, c.blockSize)
	}
	c.b = b[:stored]
	c.plain = c.flags&2 != 0
	if c.flags&5 != 5 {
		switch {
		case c.flags&1 != 0:
			c.filters[5] = bloscShuffle
		case c.flags&4 != 0:
			c.filters[5] = bloscBitshuffle
		}
		if c.flags&8 != 0 && c.version > 2 {
			c.filters[4] = bloscDelta
		}
		return c, nil
	}
	if stored < 32 {
		return nil, errCut
	}
	c.head = 32
	copy(c.filters[:], b[16:22])
	for i, f := range c.filters {
		if f > bloscTruncate || f == bloscShuffle && b[24+i] != 0 && int(b[24+i]) != c.typeSize {
			return nil, fmt.Errorf("the filter %d (%d) inside of the chunk is not read here", f, b[24+i])
		}
	}
	if b[31]&0x89 != 0 {
		return nil, fmt.Errorf("chunk with flags %#x (dictionary, lazy, instrumented) is not read here", b[31])
	}
	c.special = b[31] >> 4 & 7
	return c, nil
}

// decompressBlosc decompresses a chunk of at most most bytes.
func decompressBlosc(b []byte, most int) ([]byte, error) {
	c, err := parseBlosc(b)
	if err != nil {
		return nil, err
	}
	if c.size > most {
		return nil, tooMuch(most)
	}
	switch {
	case c.special != 0:
		return c.repeated()
	case c.plain:
		if len(c.b)-c.head < c.size {
			return nil, errCut
		}
		return c.b[c.head : c.head+c.size], nil
	case c.size == 0:
		return nil, nil
	}
	blocks := (c.size-1)/c.blockSize + 1
	if blocks > (len(c.b)-c.head)/4 {
		return nil, errCut
	}
	out := make([]byte, c.size)
	for i := range blocks {
		at := uint64(binary.LittleEndian.Uint32(c.b[c.head+4*i:]))
		if at > uint64(len(c.b)) {
			return nil, errCut
		}
		from := i * c.blockSize
		to := min(from+c.blockSize, c.size)
		block, err := c.block(c.b[at:], to-from, to-from < c.blockSize)
		if err != nil {
			return nil, fmt.Errorf("block %d: %w", i, err)
		}
		if err := c.unfilter(out, from, block); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// repeated is a chunk of equal values.
func (c *bloscChunk) repeated() ([]byte, error) {
	const zeros, nan, value = 1, 2, 3
	var one []byte
	switch {
	case c.special == zeros:
		return make([]byte, c.size), nil
	case c.special == nan && c.typeSize == 4:
		one = binary.LittleEndian.AppendUint32(nil, 0x7fc00000)
	case c.special == nan && c.typeSize == 8:
		one = binary.LittleEndian.AppendUint64(nil, 0x7ff8<<48)
	case c.special == value && len(c.b) >= c.head+c.typeSize:
		one = c.b[c.head : c.head+c.typeSize]
	default:
		return nil, fmt.Errorf("a chunk of equal values of kind %d with %d bytes is not read here", c.special, c.typeSize)
	}
	if c.size%len(one) != 0 {
		return nil, fmt.Errorf("%d bytes of values of %d", c.size, len(one))
	}
	return slices.Repeat(one, c.size/len(one)), nil
}

// block decompresses the streams of a block of size bytes.
func (c *bloscChunk) block(b []byte, size int, last bool) ([]byte, error) {
	// Version 1 splits a block into a stream for each byte of an element only where that is worthwhile.
	const mostStreams, leastElements = 16, 128
	streams := 1
	if c.flags&0x10 == 0 && !last && (c.version > 2 || c.typeSize <= mostStreams && size/c.typeSize >= leastElements) {
		streams = c.typeSize
	}
	n := size / streams
	if n == 0 {
		return nil, fmt.Errorf("%d bytes in %d streams", size, streams)
	}
	out := make([]byte, size)
	for s := range streams {
		part := out[s*n : (s+1)*n]
		if len(b) < 4 {
			return nil, errCut
		}
		stored := int(int32(binary.LittleEndian.Uint32(b)))
		b = b[4:]
		switch {
		case stored == 0 && c.version > 2: // zeros
			continue
		case stored < 0 && c.version > 2: // one byte, repeated
			if len(b) < 1 || b[0]&1 == 0 || stored < -255 {
				return nil, errors.New("a stream of a kind that is not known")
			}
			b = b[1:]
			for i := range part {
				part[i] = byte(-stored)
			}
			continue
		case stored < 0 || stored > len(b):
			return nil, errCut
		}
		if stored == n {
			copy(part, b)
		} else if err := c.stream(part, b[:stored]); err != nil {
			return nil, err
		}
		b = b[stored:]
	}
	return out, nil
}

// stream decompresses a stream into exactly dst.
func (c *bloscChunk) stream(dst, b []byte) error {
	var x []byte
	var err error
	switch codec := c.flags >> 5; codec {
	case 0:
		x, err = unBloscLZ(b, len(dst))
	case 1:
		return lz4Block(dst, b)
	case 3:
		x, err = inflate(Filter{}, b, len(dst))
	case 4:
		x, err = unZstd(Filter{}, b, len(dst))
	default:
		return fmt.Errorf("%s is not read here", map[uint8]string{2: "snappy", 6: "a codec of its own"}[codec])
	}
	if err == nil && len(x) != len(dst) {
		err = fmt.Errorf("a stream of %d bytes, expected %d", len(x), len(dst))
	}
	copy(dst, x)
	return err
}

// unfilter undoes the chunk's own filters on a block, which goes to out[from:].
func (c *bloscChunk) unfilter(out []byte, from int, block []byte) error {
	for i := len(c.filters) - 1; i >= 0; i-- {
		switch c.filters[i] {
		case bloscShuffle:
			block = unshuffleBytes(block, c.typeSize)
		case bloscBitshuffle:
			n := len(block) / c.typeSize
			if n%8 != 0 && c.version <= 2 {
				continue // not shuffled at all
			}
			n = n / 8 * 8 * c.typeSize
			x := make([]byte, len(block))
			bitUnshuffle(x[:n], block[:n], c.typeSize)
			copy(x[n:], block[n:])
			block = x
		case bloscDelta:
			for _, f := range c.filters[:i] {
				if f != 0 && f != bloscTruncate {
					return errors.New("a delta that is not the first filter is not read here")
				}
			}
			c.undelta(out, from, block)
		}
	}
	copy(out[from:], block)
	return nil
}

// undelta undoes the difference, by exclusive or, of the first block's elements from the ones before them, and of another
// block's elements from the first block's.
func (c *bloscChunk) undelta(out []byte, from int, block []byte) {
	step := c.typeSize
	switch {
	case step == 1, step == 2, step == 4, step == 8:
	case step%8 == 0:
		step = 8
	default:
		step = 1
	}
	n := len(block) / step * step
	if from == 0 {
		for i := step; i < n; i++ {
			block[i] ^= block[i-step]
		}
		return
	}
	for i := range n {
		block[i] ^= out[i]
	}
}
