package hdf5

import (
	"math"
	"math/bits"
)

func (d *Dataset) parseLayout(c *cursor) error {
	d.version = c.u8()
	switch d.version {
	case 1, 2:
		rank := int(c.u8())
		d.class = c.u8()
		c.skip(5)
		if d.class != layoutCompact {
			d.addr = c.offset()
		}
		if d.class == layoutChunked {
			d.parseChunkShape(c, rank, 4)
		} else {
			c.skip(4 * rank)
		}
		if d.class == layoutCompact {
			d.compact = c.bytes(int(c.u32()))
		}
		d.size = uint64(d.Len() * d.stored)
	case 3, 4, 5:
		d.class = c.u8()
		switch d.class {
		case layoutCompact:
			d.compact = c.bytes(int(c.u16()))
		case layoutContiguous:
			d.addr, d.size = c.offset(), c.length()
		case layoutChunked:
			if d.version == 3 {
				rank := int(c.u8())
				d.addr = c.offset()
				d.parseChunkShape(c, rank, 4)
			} else {
				d.parseChunkIndex(c)
			}
		case layoutVirtual:
			if err := d.parseVirtual(c); err != nil {
				return err
			}
		}
	default:
		c.failf("layout version %d, known are 1 to 5", d.version)
	}
	if c.err != nil {
		return c.err
	}
	need := uint64(d.Len() * d.stored)
	switch {
	case d.class > layoutVirtual:
		d.seal("storage layout %d is not known", d.class)
	case d.class == layoutCompact && uint64(len(d.compact)) < need, d.class == layoutContiguous && d.size < need:
		c.failf("%d bytes are stored, shape %v of %s needs %d", max(d.size, uint64(len(d.compact))), d.shape, d.elem, need)
	case d.class != layoutChunked && len(d.filters) > 0:
		c.failf("filters on data that are not chunked")
	case d.class == layoutContiguous && d.sealed == nil && d.addr != undefined && need > 0:
		return d.f.inside(d.addr, need, d.name)
	}
	return c.err
}

// parseChunkShape reads the chunk's dimensions, each of the given number of bytes; the last is the element's size.
func (d *Dataset) parseChunkShape(c *cursor, rank, bytes int) {
	if c.err == nil && rank != len(d.shape)+1 {
		c.failf("chunks of rank %d for shape %v", rank-1, d.shape)
	}
	if c.err != nil {
		return
	}
	bytesOf := uint64(d.stored)
	for range d.shape {
		n := c.uint(bytes)
		hi, lo := bits.Mul64(bytesOf, n)
		if n == 0 || hi != 0 || lo > math.MaxInt32*16 {
			c.failf("chunk dimension %d", n)
			return
		}
		bytesOf = lo
		d.chunk = append(d.chunk, int(n))
	}
	if n := c.uint(bytes); c.err == nil && n != uint64(d.stored) {
		c.failf("chunks of elements of %d bytes, the type has %d", n, d.elem.Size)
	}
}

func (d *Dataset) parseChunkIndex(c *cursor) {
	flags, rank, bytes := c.u8(), int(c.u8()), int(c.u8())
	if bytes < 1 || bytes > 8 {
		c.failf("chunk dimensions of %d bytes", bytes)
	}
	d.index.plainEdges = flags&1 != 0
	d.parseChunkShape(c, rank, bytes)
	d.index.kind = c.u8()
	switch d.index.kind {
	case indexSingle:
		if flags&2 != 0 {
			d.index.filtered = true
			d.index.singleBytes, d.index.singleMask = c.length(), c.u32()
		}
	case indexImplicit:
	case indexFixedArray:
		c.skip(1)
	case indexExtensibleArray:
		c.skip(5)
	case indexBTree2:
		c.skip(6)
	default:
		c.failf("chunk index type %d, known are 1 to 5", d.index.kind)
	}
	d.addr = c.offset()
}
