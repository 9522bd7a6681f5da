package hdf5

import "math/bits"

// elementReader takes the elements of a fixed or extensible array in order and turns them into chunks.
type elementReader struct {
	d        *Dataset
	grid     []uint64
	at       []uint64
	filtered bool
	size     int    // bytes of an element
	next     uint64 // number of the next element
}

func (d *Dataset) newElementReader(c *cursor, client, size uint8) *elementReader {
	e := &elementReader{d: d, grid: d.maxGrid(), at: make([]uint64, len(d.shape)), filtered: client == 1, size: int(size)}
	n := e.size - d.f.offsetSize
	if client > 1 || !e.filtered && n != 0 || e.filtered && (n < 5 || n > 12) {
		c.failf("chunk array of type %d with elements of %d bytes", client, size)
	}
	return e
}

// take reads n elements.
func (e *elementReader) take(c *cursor, n uint64) error {
	for range n {
		ref := chunkRef{addr: c.offset(), size: e.d.chunkBytes()}
		if e.filtered {
			ref.size, ref.mask = c.uint(e.size-e.d.f.offsetSize-4), c.u32()
		}
		if c.err != nil {
			return c.err
		}
		if ref.addr != undefined {
			e.d.arrayPosition(e.grid, e.next, e.at)
			e.d.add(e.at, ref)
		}
		e.next++
	}
	return nil
}

// block reads a block of n elements that begins at an address with head bytes whose cursor was checked already.
func (e *elementReader) block(addr uint64, head int, n uint64) error {
	f := e.d.f
	hi, bytes := bits.Mul64(n, uint64(e.size))
	if hi != 0 || bytes > uint64(f.size) {
		return f.errorf(addr, "%s: chunk index of %d elements lies beyond the end of the file", e.d.name, n)
	}
	c, err := f.cursorAt(addr, head+int(bytes)+4, "chunk index block")
	if err != nil {
		return err
	}
	c.i = head + int(bytes)
	if c.checksum(); c.err != nil {
		return c.err
	}
	c.i = head
	return e.take(c, n)
}

// pages reads n elements in pages of perPage, each followed by a checksum; page p is there if its bit is set.
func (e *elementReader) pages(addr uint64, n, perPage uint64, bitmap []byte, firstBit uint64) error {
	for p := uint64(0); p*perPage < n; p++ {
		count := min(perPage, n-p*perPage)
		bit := firstBit + p
		if bitmap[bit/8]&(0x80>>(bit%8)) == 0 {
			e.next += count
			continue
		}
		if err := e.block(addr+p*(perPage*uint64(e.size)+4), 0, count); err != nil {
			return err
		}
	}
	return nil
}

func (d *Dataset) readFixedArray() error {
	f := d.f
	c, err := f.cursorAt(d.addr, 12+f.lengthSize+f.offsetSize, "fixed array")
	if err != nil {
		return err
	}
	c.expect("FAHD")
	c.version("fixed array", 0)
	client, size, pageBits := c.u8(), c.u8(), c.u8()
	n, data := c.length(), c.offset()
	c.checksum()
	e := d.newElementReader(c, client, size)
	if c.err == nil && pageBits > 32 {
		c.failf("%s: fixed array of %d elements in pages of 2^%d", d.name, n, pageBits)
	}
	if c.err != nil || data == undefined {
		return c.err
	}
	head := 6 + f.offsetSize
	perPage := uint64(1) << pageBits
	if n <= perPage {
		if err := f.checkSignature(data, "FADB"); err != nil {
			return err
		}
		return e.block(data, head, n)
	}
	pages := (n-1)/perPage + 1
	bitmap := int((pages-1)/8 + 1)
	b, err := f.cursorAt(data, head+bitmap+4, "fixed array block")
	if err != nil {
		return err
	}
	b.expect("FADB")
	b.i = head
	bits := b.bytes(bitmap)
	if b.checksum(); b.err != nil {
		return b.err
	}
	return e.pages(data+uint64(head+bitmap+4), n, perPage, bits, 0)
}

func (f *File) checkSignature(addr uint64, sig string) error {
	c, err := f.cursorAt(addr, len(sig), "chunk index block")
	if err != nil {
		return err
	}
	c.expect(sig)
	return c.err
}

// extensible is the geometry of an extensible array: super block s has 2^(s/2) data blocks of 2^((s+1)/2)·min elements.
type extensible struct {
	*elementReader
	total     uint64 // elements in use
	minimum   uint64 // elements of the smallest data block
	perPage   uint64
	blockHead int // bytes in front of a data block's elements
	offBytes  int // bytes of a block's offset in the array
}

func (d *Dataset) readExtensibleArray() error {
	f := d.f
	c, err := f.cursorAt(d.addr, 16+6*f.lengthSize+f.offsetSize, "extensible array")
	if err != nil {
		return err
	}
	c.expect("EAHD")
	c.version("extensible array", 0)
	client, size := c.u8(), c.u8()
	maxBits, inIndex, minimum, pointers, pageBits := c.u8(), uint64(c.u8()), uint64(c.u8()), uint64(c.u8()), c.u8()
	c.skip(4 * f.lengthSize)
	total := c.length() // one past the largest number used
	c.length()
	index := c.offset()
	c.checksum()
	e := &extensible{elementReader: d.newElementReader(c, client, size), total: total, minimum: minimum}
	if c.err == nil && (maxBits == 0 || maxBits > 64 || bits.OnesCount64(minimum) != 1 || bits.OnesCount64(pointers) != 1 ||
		pageBits > 32) {
		c.failf("%s: extensible array of %d elements, blocks of %d, %d pointers", d.name, total, minimum, pointers)
	}
	if c.err != nil || index == undefined {
		return c.err
	}
	e.perPage = 1 << pageBits
	e.offBytes = (int(maxBits) + 7) / 8
	e.blockHead = 6 + f.offsetSize + e.offBytes

	supers := 1 + int(maxBits) - (bits.Len64(minimum) - 1)
	inline := 2 * (bits.Len64(pointers) - 1) // super blocks whose data blocks the index block points to
	direct := 2 * (int(pointers) - 1)
	if inline > supers {
		return f.errorf(d.addr, "%s: extensible array with %d super blocks, %d of them in the index", d.name, supers, inline)
	}
	head := 6 + f.offsetSize
	n := head + int(inIndex)*e.size + (direct+supers-inline)*f.offsetSize
	b, err := f.cursorAt(index, n+4, "extensible array index")
	if err != nil {
		return err
	}
	b.expect("EAIB")
	b.i = n
	if b.checksum(); b.err != nil {
		return b.err
	}
	b.i = head
	if err := e.take(b, inIndex); err != nil {
		return err
	}
	for s := 0; s < supers && e.next < e.total; s++ {
		blocks, each := uint64(1)<<(s/2), minimum<<((s+1)/2)
		if s >= inline {
			if err := e.superBlock(b.offset(), blocks, each); err != nil {
				return err
			}
			continue
		}
		for range blocks {
			if err := e.dataBlock(b.offset(), each, nil, 0); err != nil {
				return err
			}
		}
	}
	return b.err
}

// dataBlock reads a data block of n elements; bitmap says which pages of a paged one are there.
func (e *extensible) dataBlock(addr, n uint64, bitmap []byte, firstBit uint64) error {
	f := e.d.f
	if addr == undefined || e.next >= e.total {
		e.next += n
		return nil
	}
	if err := f.checkSignature(addr, "EADB"); err != nil {
		return err
	}
	if n <= e.perPage {
		return e.block(addr, e.blockHead, n)
	}
	if bitmap == nil {
		return f.errorf(addr, "%s: paged chunk index block outside of a super block", e.d.name)
	}
	c, err := f.cursorAt(addr, e.blockHead+4, "extensible array block")
	if err != nil {
		return err
	}
	c.i = e.blockHead
	if c.checksum(); c.err != nil {
		return c.err
	}
	return e.pages(addr+uint64(e.blockHead+4), n, e.perPage, bitmap, firstBit)
}

// superBlock reads a super block of the given number of data blocks, each of the same number of elements.
func (e *extensible) superBlock(addr, blocks, each uint64) error {
	f := e.d.f
	if addr == undefined {
		e.next += blocks * each
		return nil
	}
	perBlock := uint64(0) // pages of each data block; their bits follow on one another, in room for whole bytes a block
	if each > e.perPage {
		perBlock = each / e.perPage
	}
	hi, bitmap := bits.Mul64(blocks, (perBlock+7)/8)
	if hi != 0 || bitmap > uint64(f.size) || blocks > uint64(f.size) {
		return f.errorf(addr, "%s: chunk index with %d blocks lies beyond the end of the file", e.d.name, blocks)
	}
	n := e.blockHead + int(bitmap) + int(blocks)*f.offsetSize
	c, err := f.cursorAt(addr, n+4, "extensible array super block")
	if err != nil {
		return err
	}
	c.expect("EASB")
	c.i = n
	if c.checksum(); c.err != nil {
		return c.err
	}
	c.i = e.blockHead
	pages := c.bytes(int(bitmap))
	for i := range blocks {
		if err := e.dataBlock(c.offset(), each, pages, i*perBlock); err != nil {
			return err
		}
	}
	return c.err
}
