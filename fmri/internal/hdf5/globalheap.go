package hdf5

// globalHeap is a collection of objects of variable length.
type globalHeap struct {
	objects map[uint32][]byte
}

func (f *File) globalHeap(addr uint64) (*globalHeap, error) {
	head := (8 + f.lengthSize + 7) &^ 7 // of the heap and of an object: a multiple of 8 bytes
	c, err := f.cursorAt(addr, head, "global heap")
	if err != nil {
		return nil, err
	}
	c.expect("GCOL")
	c.version("global heap", 1)
	c.skip(3)
	size := c.length()
	if c.err != nil {
		return nil, c.err
	}
	if err := f.inside(addr, size, "global heap"); err != nil {
		return nil, err
	}
	c, err = f.cursorAt(addr, int(size), "global heap")
	if err != nil {
		return nil, err
	}
	c.skip(head)
	h := &globalHeap{objects: make(map[uint32][]byte)}
	for c.left() >= head {
		index := uint32(c.u16())
		c.skip(2 + 4) // reference count, reserved
		n := c.length()
		c.skip(head - 8 - f.lengthSize)
		if index == 0 { // what is left is free
			break
		}
		if n > uint64(c.left()) {
			c.failf("object %d of %d bytes, the global heap has %d more", index, n, c.left())
			return nil, c.err
		}
		h.objects[index] = c.bytes(int(n))
		c.skip(min((-int(n))&7, c.left()))
	}
	return h, c.err
}
