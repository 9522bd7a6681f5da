package hdf5

import "encoding/binary"

// Object header message types.
const (
	msgNil          = 0x00
	msgDataspace    = 0x01
	msgLinkInfo     = 0x02
	msgDatatype     = 0x03
	msgFillOld      = 0x04
	msgFillValue    = 0x05
	msgLink         = 0x06
	msgExternal     = 0x07
	msgLayout       = 0x08
	msgGroupInfo    = 0x0a
	msgFilters      = 0x0b
	msgAttribute    = 0x0c
	msgContinuation = 0x10
	msgSymbolTable  = 0x11
)

// Storage layouts.
const (
	layoutCompact    = 0
	layoutContiguous = 1
	layoutChunked    = 2
	layoutVirtual    = 3
)

type message struct {
	kind uint16
	data []byte
}

// objectHeader lays messages out as a version 1 object header.
func objectHeader(msgs ...message) []byte {
	le := binary.LittleEndian
	var body []byte
	for _, m := range msgs {
		padded := (len(m.data) + 7) &^ 7
		body = le.AppendUint16(body, m.kind)
		body = le.AppendUint16(body, uint16(padded))
		body = append(body, 0, 0, 0, 0) // flags, reserved
		body = append(body, m.data...)
		body = append(body, make([]byte, padded-len(m.data))...)
	}
	b := []byte{1, 0}
	b = le.AppendUint16(b, uint16(len(msgs)))
	b = le.AppendUint32(b, 1) // reference count
	b = le.AppendUint32(b, uint32(len(body)))
	b = append(b, 0, 0, 0, 0) // to a multiple of 8
	return append(b, body...)
}

func dataspaceMessage(shape []int) []byte {
	b := []byte{1, byte(len(shape)), 0, 0, 0, 0, 0, 0}
	for _, d := range shape {
		b = binary.LittleEndian.AppendUint64(b, uint64(d))
	}
	return b
}

func datatypeMessage(t Type) []byte {
	le := binary.LittleEndian
	b := []byte{1<<4 | byte(t.Class), 0, 0, 0}
	b = le.AppendUint32(b, uint32(t.Size))
	if t.Class == Fixed {
		if t.Signed {
			b[1] |= 1 << 3
		}
		b = le.AppendUint16(b, 0) // bit offset
		return le.AppendUint16(b, uint16(8*t.Size))
	}
	// IEEE 754: implied leading bit, sign at the top; exponent position and width, mantissa position and width, bias.
	b[1], b[2] = 0x20, byte(8*t.Size-1)
	b = le.AppendUint16(b, 0)
	b = le.AppendUint16(b, uint16(8*t.Size))
	if t.Size == 4 {
		b = append(b, 23, 8, 0, 23)
		return le.AppendUint32(b, 127)
	}
	b = append(b, 52, 11, 0, 52)
	return le.AppendUint32(b, 1023)
}

// fillMessage says: fill value 0, written where it is needed; space taken incrementally for chunks, late otherwise.
func fillMessage(chunked bool) []byte {
	alloc := byte(2)
	if chunked {
		alloc = 3
	}
	return []byte{2, alloc, 2, 1, 0, 0, 0, 0}
}

// writeChunkTree writes the version 1 B-tree of chunks that lie one after the other from start, in C order of the
// chunk grid, and returns the root's address.
func (w *Writer) writeChunkTree(shape, chunk []int, size int, start uint64) uint64 {
	grid := chunkGrid(shape, chunk)
	n, _ := product(grid)
	if n == 0 {
		return undefined
	}
	unit, _ := product(chunk)
	bytes := uint64(unit * size)
	// key is the position of the i-th chunk; past the last one, a position beyond every chunk.
	key := func(b []byte, i int) []byte {
		le := binary.LittleEndian
		if i == n {
			b = le.AppendUint64(b, 0)
		} else {
			b = le.AppendUint32(b, uint32(bytes))
			b = le.AppendUint32(b, 0) // filter mask
		}
		pos := make([]int, len(grid))
		rest := min(i, n-1)
		for a := len(grid) - 1; a >= 0; a-- {
			pos[a] = rest % grid[a]
			rest /= grid[a]
		}
		for a := range pos {
			if i == n {
				pos[a]++
			}
			b = le.AppendUint64(b, uint64(pos[a])*uint64(chunk[a]))
		}
		return le.AppendUint64(b, 0) // the element axis
	}
	keySize := 8 + 8*(len(grid)+1)
	// Level 0 nodes point to chunks; each level above points to the nodes below.
	child := func(i int) uint64 { return start + uint64(i)*bytes }
	count, span := n, 1 // children of this level, and chunks under each
	for level := 0; ; level++ {
		w.place(nil)
		nodeSize := 24 + 2*chunkNodeK*8 + (2*chunkNodeK+1)*keySize
		nodes := (count + 2*chunkNodeK - 1) / (2 * chunkNodeK)
		base := w.pos
		stride := uint64((nodeSize + 7) &^ 7)
		for i := range nodes {
			lo, hi := i*2*chunkNodeK, min(count, (i+1)*2*chunkNodeK)
			left, right := uint64(undefined), uint64(undefined)
			if i > 0 {
				left = base + uint64(i-1)*stride
			}
			if i+1 < nodes {
				right = base + uint64(i+1)*stride
			}
			b := nodeHeader(1, level, hi-lo, left, right)
			for c := lo; c < hi; c++ {
				b = key(b, c*span)
				b = binary.LittleEndian.AppendUint64(b, child(c))
			}
			b = key(b, min(n, hi*span))
			w.write(append(b, make([]byte, int(stride)-len(b))...))
		}
		if nodes == 1 || w.err != nil {
			return base
		}
		child = func(i int) uint64 { return base + uint64(i)*stride }
		count, span = nodes, span*2*chunkNodeK
	}
}

func nodeHeader(kind, level, used int, left, right uint64) []byte {
	le := binary.LittleEndian
	b := append([]byte("TREE"), byte(kind), byte(level))
	b = le.AppendUint16(b, uint16(used))
	b = le.AppendUint64(b, left)
	return le.AppendUint64(b, right)
}

// writeRootGroup writes names, symbol table and object header of the root group.
func (w *Writer) writeRootGroup() (root, tree, heap uint64) {
	le := binary.LittleEndian
	names := sortedNames(w.finished)
	segment := make([]byte, 8) // offset 0 is the empty name
	offsets := make([]uint64, len(names))
	for i, f := range names {
		offsets[i] = uint64(len(segment))
		segment = append(segment, f.name...)
		segment = append(segment, make([]byte, 8-len(f.name)%8)...)
	}
	segmentAddr := w.place(segment)
	h := append([]byte("HEAP"), 0, 0, 0, 0)
	h = le.AppendUint64(h, uint64(len(segment)))
	h = le.AppendUint64(h, 1) // no free block
	h = le.AppendUint64(h, segmentAddr)
	heap = w.place(h)

	keys, children := []uint64{0}, []uint64(nil)
	for lo := 0; lo < len(names); lo += 2 * groupLeafK {
		hi := min(len(names), lo+2*groupLeafK)
		b := append([]byte("SNOD"), 1, 0)
		b = le.AppendUint16(b, uint16(hi-lo))
		for i := lo; i < hi; i++ {
			b = le.AppendUint64(b, offsets[i])
			b = le.AppendUint64(b, names[i].addr)
			b = append(b, make([]byte, 24)...) // nothing cached
		}
		b = append(b, make([]byte, 8+2*groupLeafK*40-len(b))...)
		children = append(children, w.place(b))
		keys = append(keys, offsets[hi-1])
	}
	b := nodeHeader(0, 0, len(children), undefined, undefined)
	b = le.AppendUint64(b, keys[0])
	for i, c := range children {
		b = le.AppendUint64(b, c)
		b = le.AppendUint64(b, keys[i+1])
	}
	b = append(b, make([]byte, 24+2*groupNodeK*8+(2*groupNodeK+1)*8-len(b))...)
	tree = w.place(b)

	table := le.AppendUint64(nil, tree)
	table = le.AppendUint64(table, heap)
	root = w.place(objectHeader(message{msgSymbolTable, table}))
	return root, tree, heap
}

// superblock is version 0 with 8-byte offsets and lengths.
func superblock(root, tree, heap, end uint64) []byte {
	le := binary.LittleEndian
	b := []byte(signature)
	b = append(b, 0, 0, 0, 0, 0, 8, 8, 0)
	b = le.AppendUint16(b, groupLeafK)
	b = le.AppendUint16(b, groupNodeK)
	b = le.AppendUint32(b, 0)
	b = le.AppendUint64(b, 0) // base address
	b = le.AppendUint64(b, undefined)
	b = le.AppendUint64(b, end)
	b = le.AppendUint64(b, undefined)
	b = le.AppendUint64(b, 0) // the root has no name
	b = le.AppendUint64(b, root)
	b = le.AppendUint32(b, 1) // tree and heap are cached below
	b = le.AppendUint32(b, 0)
	b = le.AppendUint64(b, tree)
	return le.AppendUint64(b, heap)
}

const signature = "\x89HDF\r\n\x1a\n"
