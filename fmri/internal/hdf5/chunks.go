package hdf5

import (
	"cmp"
	"slices"
	"sort"
)

// Chunk index types of layout versions 4 and 5.
const (
	indexBTree1          = 0 // the only one of layouts 1 to 3
	indexSingle          = 1
	indexImplicit        = 2
	indexFixedArray      = 3
	indexExtensibleArray = 4
	indexBTree2          = 5
)

// chunkRef is where a chunk is stored.
type chunkRef struct {
	pos  uint64 // in C order of the chunk grid
	addr uint64
	size uint64 // bytes as stored
	mask uint32 // bit i: filter i was not applied; bits of no filter mean nothing
}

// chunkBytes is the size of a chunk in memory.
func (d *Dataset) chunkBytes() uint64 {
	n := uint64(d.elem.Size)
	for _, c := range d.chunk {
		n *= uint64(c)
	}
	return n
}

// loadChunks reads the whole index, once; the chunks come sorted by position. Chunks outside of the shape are left out.
func (d *Dataset) loadChunks() ([]chunkRef, error) {
	d.once.Do(func() {
		d.err = d.readIndex()
		if d.err == nil {
			d.err = d.checkChunks()
		}
		if d.err != nil {
			d.chunks = nil
		}
	})
	return d.chunks, d.err
}

func (d *Dataset) readIndex() error {
	if d.addr == undefined || d.Len() == 0 {
		return nil // nothing was ever written
	}
	if err := d.checkGrowth(); err != nil {
		return err
	}
	switch d.index.kind {
	case indexSingle:
		return d.readSingle()
	case indexImplicit:
		return d.readImplicit()
	case indexFixedArray:
		return d.readFixedArray()
	case indexExtensibleArray:
		return d.readExtensibleArray()
	case indexBTree2:
		return d.readBTree2()
	}
	t := &chunkTree{d: d, seen: make(map[uint64]bool)}
	return t.node(d.addr, -1)
}

// checkGrowth checks that the index can hold the chunks of axes that may grow without end: an array counts chunks in the
// order of the largest grid, an extensible one with one such axis.
func (d *Dataset) checkGrowth() error {
	endless := 0
	for _, m := range d.maxShape {
		if m == undefined {
			endless++
		}
	}
	want := -1
	switch d.index.kind {
	case indexImplicit, indexFixedArray:
		want = 0
	case indexExtensibleArray:
		want = 1
	}
	if want >= 0 && endless != want {
		return d.f.errorf(d.addr, "%s: chunk index of type %d for %d axes without end, expected %d", d.name, d.index.kind, endless, want)
	}
	if one := slices.Max(append([]int{1}, d.cells...)); d.index.kind == indexSingle && one != 1 {
		return d.f.errorf(d.addr, "%s: one chunk of shape %v for shape %v", d.name, d.chunk, d.shape)
	}
	return nil
}

// checkChunks sorts the chunks and checks what every reader of them relies on.
func (d *Dataset) checkChunks() error {
	f := d.f
	whole := d.chunkBytes()
	for _, c := range d.chunks {
		plain := len(d.filters) == 0 || (d.index.plainEdges && d.atEdge(c.pos))
		if plain && c.size != whole {
			return f.errorf(c.addr, "%s: chunk of %d bytes, shape %v of %s needs %d", d.name, c.size, d.chunk, d.elem, whole)
		}
		if err := f.inside(c.addr, c.size, d.name+": chunk"); err != nil {
			return err
		}
	}
	byPos := func(i, j int) bool { return d.chunks[i].pos < d.chunks[j].pos }
	if !sort.SliceIsSorted(d.chunks, byPos) {
		sort.Slice(d.chunks, byPos)
	}
	for i := 1; i < len(d.chunks); i++ {
		if d.chunks[i].pos == d.chunks[i-1].pos {
			return f.errorf(d.chunks[i].addr, "%s: the index has chunk %v twice", d.name, d.unpos(d.chunks[i].pos))
		}
	}
	return d.checkOverlap()
}

// checkOverlap checks that no two chunks, and no chunk and index node, share bytes. Version 1 B-trees have no checksum,
// so this is what tells that a chunk's address is damaged.
func (d *Dataset) checkOverlap() error {
	places := slices.Grow(d.nodes, len(d.chunks))
	for _, c := range d.chunks {
		places = append(places, block{c.addr, c.size})
	}
	d.nodes = nil
	byAddr := func(a, b block) int { return cmp.Compare(a.addr, b.addr) }
	if !slices.IsSortedFunc(places, byAddr) {
		slices.SortFunc(places, byAddr)
	}
	for i := 1; i < len(places); i++ {
		if a, b := places[i-1], places[i]; b.addr-a.addr < a.size {
			return d.f.errorf(b.addr, "%s: a chunk of the index lies in the %d bytes of what begins at %d", d.name, a.size, a.addr+d.f.base)
		}
	}
	return nil
}

// add notes the chunk at the given grid coordinates, unless it is outside of the shape.
func (d *Dataset) add(at []uint64, c chunkRef) {
	for i, g := range d.cells {
		if at[i] >= uint64(g) {
			return
		}
		c.pos = c.pos*uint64(g) + at[i]
	}
	d.chunks = append(d.chunks, c)
}

// unpos is the grid coordinates of a position.
func (d *Dataset) unpos(pos uint64) []int {
	at := make([]int, len(d.cells))
	for i := len(at) - 1; i >= 0; i-- {
		at[i] = int(pos % uint64(d.cells[i]))
		pos /= uint64(d.cells[i])
	}
	return at
}

// atEdge says whether a chunk reaches beyond the shape.
func (d *Dataset) atEdge(pos uint64) bool {
	for i, a := range d.unpos(pos) {
		if (a+1)*d.chunk[i] > d.shape[i] {
			return true
		}
	}
	return false
}

// findChunk looks a position up.
func findChunk(chunks []chunkRef, pos uint64) (chunkRef, bool) {
	i := sort.Search(len(chunks), func(i int) bool { return chunks[i].pos >= pos })
	if i < len(chunks) && chunks[i].pos == pos {
		return chunks[i], true
	}
	return chunkRef{}, false
}

// chunkTree walks a version 1 B-tree of chunks.
type chunkTree struct {
	d    *Dataset
	seen map[uint64]bool
	last []uint64 // coordinates of the chunk before, nil at the first
}

// node reads the node at an address; level is what its parent says, -1 for the root.
func (t *chunkTree) node(addr uint64, level int) error {
	d, f := t.d, t.d.f
	if t.seen[addr] {
		return f.errorf(addr, "%s: chunk B-tree runs in a circle", d.name)
	}
	t.seen[addr] = true
	head := 8 + 2*f.offsetSize
	c, err := f.cursorAt(addr, head, "chunk B-tree node")
	if err != nil {
		return err
	}
	c.expect("TREE")
	kind, lv, used := c.u8(), int(c.u8()), int(c.u16())
	if c.err == nil && kind != 1 {
		c.failf("B-tree node of type %d, expected 1 (chunks)", kind)
	}
	if c.err == nil && (lv > maxTreeDepth || level >= 0 && lv != level) {
		c.failf("B-tree node of level %d, expected %d", lv, level)
	}
	if c.err != nil {
		return c.err
	}
	rank := d.rank
	size := used * (8 + 8*(rank+1) + f.offsetSize)
	c, err = f.cursorAt(addr+uint64(head), size, "chunk B-tree node")
	if err != nil {
		return err
	}
	d.nodes = append(d.nodes, block{addr, uint64(head + size)})
	at := make([]uint64, len(d.shape)) // 0 along the axes of an array type
	for range used {
		ref := chunkRef{size: uint64(c.u32()), mask: c.u32()}
		for i := range rank {
			x := c.u64()
			if c.err == nil && x%uint64(d.chunk[i]) != 0 {
				c.failf("%s: chunk begins at %d of axis %d, chunks are %d long", d.name, x, i, d.chunk[i])
			}
			at[i] = x / uint64(d.chunk[i])
			if m := d.maxShape[i]; c.err == nil && m != undefined && x >= m {
				c.failf("%s: chunk begins at %d of axis %d, which ends at %d", d.name, x, i, m)
			}
		}
		if x := c.u64(); c.err == nil && x != 0 {
			c.failf("%s: chunk begins at byte %d of an element", d.name, x)
		}
		ref.addr = c.offset()
		if c.err != nil {
			return c.err
		}
		if lv > 0 {
			if err := t.node(ref.addr, lv-1); err != nil {
				return err
			}
			continue
		}
		if t.last != nil && slices.Compare(t.last, at) >= 0 {
			return f.errorf(addr, "%s: chunk %v follows on %v in the index, which has to ascend", d.name, at, t.last)
		}
		t.last = append(t.last[:0], at...)
		d.add(at, ref)
	}
	return nil
}
