package hdf5

import "math/bits"

// fractalHeap is where a new-style group with many links keeps them.
type fractalHeap struct {
	f          *File
	idSize     int
	width      int    // blocks in a row
	startSize  uint64 // bytes of a block in the first two rows; each later row doubles it
	maxDirect  uint64 // bytes of the largest block that holds objects
	offsetBits int
	lengthSize int
	root       uint64
	huge       uint64 // B-tree of the objects that are too large for a block
	rows       int    // of the root indirect block; 0: the root is a direct block
}

func (f *File) openFractalHeap(addr uint64) (*fractalHeap, error) {
	c, err := f.cursorAt(addr, 26+12*f.lengthSize+3*f.offsetSize, "fractal heap")
	if err != nil {
		return nil, err
	}
	h := &fractalHeap{f: f}
	c.expect("FRHP")
	c.version("fractal heap", 0)
	h.idSize = int(c.u16())
	filters := c.u16()
	c.skip(1)
	maxObject := uint64(c.u32())
	c.length() // next huge id
	h.huge = c.offset()
	c.length() // free space
	c.offset()
	c.skip(8 * f.lengthSize) // statistics
	h.width = int(c.u16())
	h.startSize, h.maxDirect = c.length(), c.length()
	h.offsetBits = int(c.u16())
	c.skip(2) // starting rows
	h.root = c.offset()
	h.rows = int(c.u16())
	if c.err == nil && filters != 0 {
		c.failf("fractal heap with filters is not supported")
	}
	c.checksum()
	if c.err != nil {
		return nil, c.err
	}
	if h.width == 0 || bits.OnesCount64(h.startSize) != 1 || bits.OnesCount64(h.maxDirect) != 1 ||
		h.startSize > h.maxDirect || h.maxDirect > 1<<40 || h.offsetBits > 64 || h.rows > 64 {
		return nil, f.errorf(addr, "fractal heap with blocks of %d to %d bytes, %d in a row, %d rows", h.startSize,
			h.maxDirect, h.width, h.rows)
	}
	h.lengthSize = min((bits.Len64(h.maxDirect)-1+7)/8, encodedSize(maxObject))
	return h, nil
}

// object returns a cursor over the object with the given heap id.
func (h *fractalHeap) object(id *cursor) (*cursor, error) {
	f := h.f
	flags := id.u8()
	if flags>>6 != 0 {
		id.failf("heap id version %d", flags>>6)
	}
	switch {
	case id.err != nil:
		return nil, id.err
	case flags>>4&3 == 2: // the object is in the id
		n := int(flags&0x0f) + 1
		at := id.addr + uint64(id.i)
		return &cursor{f: f, b: id.bytes(n), addr: at}, id.err
	case flags>>4&3 == 1:
		return h.hugeObject(id)
	case flags>>4&3 != 0:
		id.failf("heap object of type %d is not supported", flags>>4&3)
		return nil, id.err
	}
	at, n := id.uint((h.offsetBits+7)/8), id.uint(h.lengthSize)
	if id.err != nil {
		return nil, id.err
	}
	if n > h.maxDirect {
		return nil, f.errorf(id.addr, "heap object of %d bytes in blocks of at most %d", n, h.maxDirect)
	}
	addr, err := h.locate(h.root, h.rows, at, n, 0)
	if err != nil {
		return nil, err
	}
	return f.cursorAt(addr, int(n), "heap object")
}

// hugeObject returns an object that lies outside of the heap's blocks. Its place is in the id where there is room for it,
// else in a B-tree by the number in the id.
func (h *fractalHeap) hugeObject(id *cursor) (*cursor, error) {
	f := h.f
	if h.idSize-1 >= f.offsetSize+f.lengthSize {
		addr, n := id.offset(), id.length()
		if id.err != nil {
			return nil, id.err
		}
		return f.hugeAt(addr, n)
	}
	want := id.uint(min(h.idSize-1, 8))
	if id.err != nil {
		return nil, id.err
	}
	const hugeIndirect = 1
	var object *cursor
	err := f.walkBTree2(h.huge, hugeIndirect, func(c *cursor, size int) error {
		addr, n, number := c.offset(), c.length(), c.length()
		if c.err != nil || number != want {
			return c.err
		}
		var err error
		object, err = f.hugeAt(addr, n)
		return err
	})
	if err == nil && object == nil {
		err = f.errorf(h.huge, "heap object %d is not there", want)
	}
	return object, err
}

func (f *File) hugeAt(addr, n uint64) (*cursor, error) {
	if err := f.inside(addr, n, "heap object"); err != nil {
		return nil, err
	}
	return f.cursorAt(addr, int(n), "heap object")
}

// locate finds n bytes at an offset of the heap space under a block.
func (h *fractalHeap) locate(block uint64, rows int, at, n uint64, depth int) (uint64, error) {
	f := h.f
	if rows == 0 { // a direct block; offsets count its own header
		c, err := f.cursorAt(block, 4, "fractal heap block")
		if err != nil {
			return 0, err
		}
		c.expect("FHDB")
		return block + at, c.err
	}
	if depth > maxTreeDepth {
		return 0, f.errorf(block, "fractal heap runs in a circle")
	}
	maxDirectRows := bits.Len64(h.maxDirect) - bits.Len64(h.startSize) + 2
	start := uint64(0) // of the row
	for r := range rows {
		size := h.startSize
		if r > 1 {
			size <<= r - 1
		}
		span := size * uint64(h.width)
		if size>>(bits.Len64(size)-1) != 1 || span/size != uint64(h.width) || start+span < start {
			break
		}
		if at >= start+span {
			start += span
			continue
		}
		col := (at - start) / size
		within := (at - start) % size
		if n > size-within {
			return 0, f.errorf(block, "heap object crosses its block")
		}
		slot := uint64(r*h.width) + col
		head := uint64(5 + f.offsetSize + (h.offsetBits+7)/8)
		sig, err := f.cursorAt(block, 4, "fractal heap block")
		if err != nil {
			return 0, err
		}
		if sig.expect("FHIB"); sig.err != nil {
			return 0, sig.err
		}
		c, err := f.cursorAt(block+head+slot*uint64(f.offsetSize), f.offsetSize, "fractal heap block")
		if err != nil {
			return 0, err
		}
		child := c.offset()
		if r < maxDirectRows {
			return h.locate(child, 0, within, n, depth+1)
		}
		below := bits.Len64(size) - bits.Len64(h.startSize*uint64(h.width)) + 1
		if below < 1 || below > 64 {
			return 0, f.errorf(block, "fractal heap with a block of %d bytes", size)
		}
		return h.locate(child, below, within, n, depth+1)
	}
	return 0, f.errorf(block, "heap object at %d lies beyond the heap", at)
}

// denseLinks reads the links of a group that keeps them in a fractal heap, found through its name index.
func (f *File) denseLinks(heap, index uint64) ([]link, error) {
	h, err := f.openFractalHeap(heap)
	if err != nil {
		return nil, err
	}
	const linkNames = 5
	var links []link
	err = f.walkBTree2(index, linkNames, func(c *cursor, size int) error {
		c.skip(4) // hash of the name
		object, err := h.object(c)
		if err != nil {
			return err
		}
		l, err := f.linkMessage(object)
		if err != nil {
			return err
		}
		if len(links) == maxLinks {
			return f.errorf(heap, "group with more than %d names", maxLinks)
		}
		links = append(links, l)
		return nil
	})
	return links, err
}
