package hdf5

import "math/bits"

// btree2 is a version 2 B-tree, which holds records of one size.
type btree2 struct {
	f          *File
	kind       uint8
	recordSize int
	nodeSize   int
	countSize  int   // bytes of a child's number of records
	totalSize  []int // bytes of the number of records under a child, by the child's level
	seen       map[uint64]bool
}

// encodedSize is the number of bytes that hold numbers up to limit.
func encodedSize(limit uint64) int {
	if limit == 0 {
		return 1
	}
	return (bits.Len64(limit)-1)/8 + 1
}

// walkBTree2 calls visit for every record of the tree whose header is at an address, in the tree's order.
func (f *File) walkBTree2(addr uint64, kind uint8, visit func(c *cursor, size int) error) error {
	c, err := f.cursorAt(addr, 22+f.offsetSize+f.lengthSize, "B-tree header")
	if err != nil {
		return err
	}
	c.expect("BTHD")
	c.version("B-tree", 0)
	got := c.u8()
	if c.err == nil && got != kind {
		c.failf("B-tree of type %d, expected %d", got, kind)
	}
	t := &btree2{f: f, kind: kind, seen: make(map[uint64]bool)}
	t.nodeSize = int(c.u32())
	t.recordSize = int(c.u16())
	depth := int(c.u16())
	c.skip(2) // split and merge percentages
	root, n := c.offset(), int(c.u16())
	c.length() // records in all
	c.checksum()
	if c.err != nil {
		return c.err
	}
	if root == undefined {
		return nil
	}
	const overhead = 10 // signature, version, type, checksum
	if t.recordSize == 0 || t.nodeSize < overhead+t.recordSize || depth > maxTreeDepth {
		return f.errorf(addr, "B-tree with nodes of %d bytes, records of %d, depth %d", t.nodeSize, t.recordSize, depth)
	}
	// How many records a node of each level can hold decides how wide the counts in its parent are.
	most := uint64((t.nodeSize - overhead) / t.recordSize)
	t.countSize = encodedSize(most)
	total := most
	t.totalSize = []int{0}
	for level := 1; level <= depth; level++ {
		pointer := f.offsetSize + t.countSize + t.totalSize[level-1]
		if t.nodeSize < overhead+pointer {
			return f.errorf(addr, "B-tree nodes of %d bytes are too small", t.nodeSize)
		}
		most = uint64((t.nodeSize - overhead - pointer) / (t.recordSize + pointer))
		hi, lo := bits.Mul64(most+1, total)
		if hi != 0 {
			return f.errorf(addr, "B-tree of depth %d is too large", depth)
		}
		total = lo + most
		t.totalSize = append(t.totalSize, encodedSize(total))
	}
	return t.node(root, n, depth, visit)
}

func (t *btree2) node(addr uint64, n, level int, visit func(*cursor, int) error) error {
	f := t.f
	if t.seen[addr] {
		return f.errorf(addr, "B-tree runs in a circle")
	}
	t.seen[addr] = true
	size, sig, pointer := 6+n*t.recordSize, "BTLF", 0
	if level > 0 {
		sig, pointer = "BTIN", f.offsetSize+t.countSize+t.totalSize[level-1]
		size += (n + 1) * pointer
	}
	if size+4 > t.nodeSize {
		return f.errorf(addr, "B-tree node of %d bytes cannot hold %d records", t.nodeSize, n)
	}
	c, err := f.cursorAt(addr, size+4, "B-tree node")
	if err != nil {
		return err
	}
	c.expect(sig)
	c.version("B-tree node", 0)
	if kind := c.u8(); c.err == nil && kind != t.kind {
		c.failf("B-tree node of type %d, expected %d", kind, t.kind)
	}
	if c.err != nil {
		return c.err
	}
	c.i = size
	c.checksum()
	if c.err != nil {
		return c.err
	}
	child := &cursor{f: f, b: c.b, addr: addr, i: 6 + n*t.recordSize}
	for i := 0; i <= n; i++ {
		if level > 0 {
			at, count := child.offset(), int(child.uint(t.countSize))
			child.uint(t.totalSize[level-1])
			if child.err != nil {
				return child.err
			}
			if err := t.node(at, count, level-1, visit); err != nil {
				return err
			}
		}
		if i < n {
			record := &cursor{f: f, b: c.b[:6+(i+1)*t.recordSize], addr: addr, i: 6 + i*t.recordSize}
			if err := visit(record, t.recordSize); err != nil {
				return err
			}
		}
	}
	return nil
}
