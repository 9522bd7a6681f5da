package filter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// unBlosc2 undoes the filter 32026: a contiguous frame of Blosc2 with one chunk, which may hold an array cut into boxes.
func unBlosc2(_ Filter, b []byte, most int) ([]byte, error) {
	f, err := parseFrame(b)
	if err != nil {
		return nil, err
	}
	if f.size > uint64(most) && f.shape == nil {
		return nil, tooMuch(most)
	}
	chunk, err := f.onlyChunk(most)
	if err != nil || f.shape == nil {
		return chunk, err
	}
	return f.fromBoxes(chunk, most)
}

// frame is what the header of a contiguous frame says.
type frame struct {
	b         []byte
	head      int
	size      uint64 // bytes in all
	stored    uint64 // bytes of the chunks
	typeSize  int
	chunkSize uint64

	// Of an array in boxes: its shape and that of a box. The chunk has whole boxes only.
	shape, box []int
}

var errFrame = errors.New("not a frame of Blosc2")

func parseFrame(b []byte) (*frame, error) {
	const smallest = 87
	if len(b) < smallest || string(b[2:9]) != "b2frame" {
		return nil, errFrame
	}
	be := binary.BigEndian
	f := &frame{b: b, head: int(be.Uint32(b[0x0b:])), size: be.Uint64(b[0x1e:]), stored: be.Uint64(b[0x27:]),
		typeSize: int(be.Uint32(b[0x30:])), chunkSize: uint64(be.Uint32(b[0x3a:]))}
	if f.head < smallest || f.head > len(b) || f.stored > uint64(len(b)-f.head) || f.typeSize < 1 || b[0x1a]&0x0f != 0 {
		return nil, fmt.Errorf("frame of %d bytes with a header of %d and chunks of %d", len(b), f.head, f.stored)
	}
	return f, f.parseLayers()
}

// parseLayers looks for the description of an array among the frame's metadata.
func (f *frame) parseLayers() error {
	m := &msgpack{b: f.b[:f.head], at: 0x57}
	m.expect(0x93, 0xcd)
	m.uint(2)
	m.expect(0xde)
	for range m.uint(2) {
		n := m.uint(1) - 0xa0
		name := m.bytes(n)
		m.expect(0xd2)
		at := m.uint(4)
		if m.bad {
			return errFrame
		}
		switch string(name) {
		case "b2nd", "caterva":
			return f.parseArray(at)
		}
	}
	return nil
}

// parseArray reads shape, shape of a chunk and shape of a box.
func (f *frame) parseArray(at uint64) error {
	if at > uint64(f.head) {
		return errFrame
	}
	m := &msgpack{b: f.b[:f.head], at: int(at)}
	m.expect(0xc6)
	m.uint(4 + 1 + 1) // length, kind of array, version
	rank := int(m.uint(1))
	if rank < 1 || rank > 15 {
		return errFrame
	}
	list := func(kind byte, size int) []int {
		m.expect(0x90 + byte(rank))
		s := make([]int, rank)
		for i := range s {
			m.expect(kind)
			v := m.uint(size)
			if v < 1 || v > math.MaxInt32 {
				m.bad = true
			}
			s[i] = int(v)
		}
		return s
	}
	f.shape = list(0xd3, 8)
	chunk := list(0xd2, 4)
	f.box = list(0xd2, 4)
	if m.bad {
		return errFrame
	}
	for i, n := range f.shape {
		if chunk[i] != n {
			return fmt.Errorf("an array of shape %v in chunks of %v, expected one chunk", f.shape, chunk)
		}
	}
	return nil
}

// onlyChunk decompresses the frame's chunk.
func (f *frame) onlyChunk(most int) ([]byte, error) {
	if f.shape != nil { // boxes at the edges are whole
		n, bytes := uint64(f.typeSize), uint64(f.typeSize)
		for i, s := range f.shape {
			n *= uint64((s-1)/f.box[i]+1) * uint64(f.box[i])
			bytes *= uint64(s)
			if bytes > uint64(most) || n > 16*uint64(most)+1<<16 {
				return nil, tooMuch(most)
			}
		}
		most = int(n)
	}
	if f.size > f.chunkSize {
		return nil, fmt.Errorf("%d bytes in chunks of %d, expected one chunk", f.size, f.chunkSize)
	}
	index, err := decompressBlosc(f.b[uint64(f.head)+f.stored:], 8)
	if err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	if len(index) != 8 {
		return nil, errFrame
	}
	const special, zeros, nan = 1 << 63, 1, 2
	at := binary.LittleEndian.Uint64(index)
	if at&special != 0 {
		c := &bloscChunk{special: uint8(at >> 56 & 7), typeSize: f.typeSize, size: int(min(f.size, uint64(most)))}
		if c.special != zeros && c.special != nan {
			return nil, errors.New("a chunk that was never written")
		}
		return c.repeated()
	}
	if at > f.stored {
		return nil, errCut
	}
	return decompressBlosc(f.b[uint64(f.head)+at:uint64(f.head)+f.stored], most)
}

// fromBoxes puts the array together out of its boxes, which follow on one another in C order, as their elements do.
func (f *frame) fromBoxes(chunk []byte, most int) ([]byte, error) {
	rank := len(f.shape)
	total, boxed := f.typeSize, f.typeSize
	grid, stride := make([]int, rank), make([]int, rank)
	for i := rank - 1; i >= 0; i-- {
		grid[i] = (f.shape[i]-1)/f.box[i] + 1
		stride[i] = total
		total *= f.shape[i]
		boxed *= grid[i] * f.box[i]
	}
	if total > most {
		return nil, tooMuch(most)
	}
	if len(chunk) != boxed {
		return nil, fmt.Errorf("%d bytes for shape %v in boxes of %v, expected %d", len(chunk), f.shape, f.box, boxed)
	}
	out := make([]byte, total)
	last := rank - 1
	row := f.box[last] * f.typeSize // bytes of a box's row
	at, in := make([]int, rank), make([]int, rank)
	for len(chunk) > 0 {
		// in runs through the rows of the box at at.
		to, inside := 0, true
		for i := range rank {
			x := at[i]*f.box[i] + in[i]
			inside = inside && x < f.shape[i]
			to += x * stride[i]
		}
		if inside {
			n := min(f.box[last], f.shape[last]-at[last]*f.box[last]) * f.typeSize
			copy(out[to:to+n], chunk)
		}
		chunk = chunk[row:]
		if !step(in[:last], f.box[:last]) {
			step(at, grid)
		}
	}
	return out, nil
}

// step counts at up in a box of the given shape, last axis fastest, and says whether it has not come round.
func step(at, shape []int) bool {
	for i := len(at) - 1; i >= 0; i-- {
		if at[i]++; at[i] < shape[i] {
			return true
		}
		at[i] = 0
	}
	return false
}

// msgpack takes fields from a block; bad says that one was not as it had to be.
type msgpack struct {
	b   []byte
	at  int
	bad bool
}

func (m *msgpack) bytes(n uint64) []byte {
	if m.bad || n > uint64(len(m.b)-m.at) {
		m.bad = true
		return nil
	}
	m.at += int(n)
	return m.b[m.at-int(n) : m.at]
}

// uint is a big-endian number, of which the last 8 bytes count.
func (m *msgpack) uint(n int) uint64 {
	var x uint64
	for _, v := range m.bytes(uint64(n)) {
		x = x<<8 | uint64(v)
	}
	return x
}

func (m *msgpack) expect(marks ...byte) {
	for _, k := range marks {
		if m.uint(1) != uint64(k) {
			m.bad = true
		}
	}
}
