package filter

import (
	"encoding/binary"
	"fmt"
)

// bitUnshuffle puts elements of size bytes together again, of which all first bits are stored, then all second bits, and so on.
// Their number is a multiple of 8.
func bitUnshuffle(dst, b []byte, size int) {
	n := len(b) / size
	row := n / 8 // bytes with one bit of every element
	for k := range size {
		for g := range row { // eight elements
			var x uint64
			for bit := range 8 {
				x |= uint64(b[(8*k+bit)*row+g]) << (8 * bit)
			}
			// x holds, in byte i, bit i of each element: transpose the 8×8 bits (Warren, Hacker's Delight, 7-3).
			t := (x ^ x>>7) & 0x00aa00aa00aa00aa
			x ^= t ^ t<<7
			t = (x ^ x>>14) & 0x0000cccc0000cccc
			x ^= t ^ t<<14
			t = (x ^ x>>28) & 0x00000000f0f0f0f0
			x ^= t ^ t<<28
			for i := range 8 {
				dst[(8*g+i)*size+k] = byte(x >> (8 * i))
			}
		}
	}
}

// unBitshuffle undoes the filter 32008: blocks of elements, their bits shuffled, each compressed by LZ4 or zstd or not at all;
// at the end, up to seven elements as they are.
func unBitshuffle(f Filter, b []byte, most int) ([]byte, error) {
	const (
		lz4Blocks  = 2
		zstdBlocks = 3
		target     = 8192 // bytes of a block, unless something else is said
	)
	size, block, packing := int(f.Params[2]), 0, uint32(0)
	if len(f.Params) > 3 {
		block = int(f.Params[3])
	}
	if len(f.Params) > 4 {
		packing = f.Params[4]
	}
	if size < 1 {
		return nil, fmt.Errorf("elements of %d bytes", size)
	}
	if block == 0 {
		block = max(target/size/8*8, 128)
	}
	total := uint64(len(b))
	compressed := packing == lz4Blocks || packing == zstdBlocks // else the bits are only shuffled
	if compressed {
		if len(b) < 12 {
			return nil, errCut
		}
		total, block = binary.BigEndian.Uint64(b), int(binary.BigEndian.Uint32(b[8:]))/size
		b = b[12:]
	}
	if total > uint64(most) {
		return nil, tooMuch(most)
	}
	if block < 1 || block%8 != 0 || total%uint64(size) != 0 {
		return nil, fmt.Errorf("%d bytes in blocks of %d elements of %d bytes", total, block, size)
	}
	out := make([]byte, total)
	for rest := out; len(rest) > 0; {
		n := min(block, len(rest)/size/8*8) * size
		if n == 0 {
			if len(b) < len(rest) {
				return nil, errCut
			}
			copy(rest, b)
			break
		}
		var bits []byte
		if !compressed {
			bits, b = b[:n], b[n:]
		} else {
			stored, after, err := sized(b)
			if err != nil {
				return nil, err
			}
			b = after
			if packing == zstdBlocks {
				bits, err = unZstd(f, stored, n)
			} else {
				bits = make([]byte, n)
				err = lz4Block(bits, stored)
			}
			if err != nil {
				return nil, err
			}
			if len(bits) != n {
				return nil, fmt.Errorf("a block of %d bytes, expected %d", len(bits), n)
			}
		}
		bitUnshuffle(rest[:n], bits, size)
		rest = rest[n:]
	}
	return out, nil
}
