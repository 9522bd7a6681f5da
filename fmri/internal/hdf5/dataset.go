package hdf5

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"sync"

	"percept/fmri/internal/source"
)

// Dataset is an array in a file.
type Dataset struct {
	f        *File
	name     string
	header   uint64 // address, for errors
	shape    []int
	maxShape []uint64 // undefined where the axis may grow without end
	elem     Type
	readable error  // why elements cannot be read as numbers; nil if they can
	fill     []byte // one element as stored, or nil for zero
	class    uint8  // storage layout
	version  uint8  // of the layout message
	compact  []byte
	addr     uint64 // contiguous: of the data; chunked: of the index
	size     uint64 // contiguous: bytes
	chunk    []int  // chunk shape
	index    chunkIndex
	filters  []filter

	once   sync.Once
	chunks []chunkRef // sorted by position
	nodes  []block    // of the index, until it is checked
	err    error
}

// chunkIndex is how a chunked dataset finds its chunks.
type chunkIndex struct {
	kind        uint8 // 0: version 1 B-tree; else as in the format
	plainEdges  bool  // chunks at the far edges are not filtered
	filtered    bool  // single chunk: filtered
	singleBytes uint64
	singleMask  uint32
}

// Dataset finds a dataset by its path from the root.
func (f *File) Dataset(path string) (*Dataset, error) {
	addr, err := f.lookup(path, 0)
	if err != nil {
		return nil, err
	}
	return f.dataset(addr, path)
}

// dataset reads the header at an address; name is used in errors.
func (f *File) dataset(addr uint64, name string) (*Dataset, error) {
	msgs, err := f.readObject(addr)
	if err != nil {
		return nil, err
	}
	d := &Dataset{f: f, name: name, header: addr}
	layout, ok, err := f.find(msgs, msgLayout)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("%s: %s is a group, expected a dataset", f.name, name)
	}
	if _, ok, _ := f.find(msgs, msgExternal); ok {
		return nil, fmt.Errorf("%s: %s keeps its data in other files, which is not supported", f.name, name)
	}
	for _, parse := range []func([]headerMessage) error{d.parseSpace, d.parseType, d.parseFill, d.parseFilters} {
		if err := parse(msgs); err != nil {
			return nil, err
		}
	}
	return d, d.parseLayout(f.cursor(layout))
}

// Shape is the dataset's dimensions, slowest first; empty for a scalar.
func (d *Dataset) Shape() []int { return slices.Clone(d.shape) }

// Chunks is the shape of the chunks, nil if the dataset is not chunked.
func (d *Dataset) Chunks() []int { return slices.Clone(d.chunk) }

// Type is the stored type of the elements.
func (d *Dataset) Type() Type { return d.elem }

// Len is the number of elements.
func (d *Dataset) Len() int {
	n, _ := product(d.shape)
	return n
}

func (d *Dataset) errorf(format string, args ...any) error {
	return fmt.Errorf("%s: %s: %s", d.f.name, source.Printable(d.name), source.Printable(fmt.Sprintf(format, args...)))
}

func (d *Dataset) parseSpace(msgs []headerMessage) error {
	m, ok, err := d.f.find(msgs, msgDataspace)
	if err != nil {
		return err
	}
	if !ok {
		return d.f.errorf(d.header, "%s has no dataspace", d.name)
	}
	c := d.f.cursor(m)
	version, rank, flags := c.u8(), int(c.u8()), c.u8()
	null := false
	switch version {
	case 1:
		c.skip(5)
	case 2:
		null = c.u8() == 2
	default:
		c.failf("dataspace version %d, known are 1 and 2", version)
	}
	if rank > 32 {
		c.failf("dataspace of rank %d", rank)
	}
	for range rank {
		n := c.length()
		if n > math.MaxInt {
			c.failf("dimension of %d", n)
		}
		d.shape = append(d.shape, int(n))
		d.maxShape = append(d.maxShape, n)
	}
	if flags&1 != 0 {
		for i := range rank {
			d.maxShape[i] = c.length()
			if d.maxShape[i] == math.MaxUint64>>(64-8*d.f.lengthSize) {
				d.maxShape[i] = undefined
			}
			if c.err == nil && d.maxShape[i] < uint64(d.shape[i]) {
				c.failf("axis %d is %d long, at most %d are allowed", i, d.shape[i], d.maxShape[i])
			}
		}
	}
	if null {
		d.shape, d.maxShape = []int{0}, []uint64{0}
	}
	if _, ok := product(d.shape); !ok {
		c.failf("shape %v has too many elements", d.shape)
	}
	return c.err
}

func (d *Dataset) parseType(msgs []headerMessage) error {
	m, ok, err := d.f.find(msgs, msgDatatype)
	if err != nil {
		return err
	}
	if !ok {
		return d.f.errorf(d.header, "%s has no datatype", d.name)
	}
	c := d.f.cursor(m)
	d.elem, d.readable = parseType(c, 0)
	if c.err != nil {
		return c.err
	}
	if d.elem.Size <= 0 || d.Len() > math.MaxInt/d.elem.Size {
		return d.f.errorf(m.addr, "%s: %d elements of %d bytes", d.name, d.Len(), d.elem.Size)
	}
	return nil
}

func (d *Dataset) parseFill(msgs []headerMessage) error {
	m, ok, err := d.f.find(msgs, msgFillValue)
	if err != nil {
		return err
	}
	if !ok {
		m, ok, err = d.f.find(msgs, msgFillOld)
		if err != nil || !ok {
			return err
		}
		c := d.f.cursor(m)
		return d.setFill(c, c.u32())
	}
	c := d.f.cursor(m)
	version := c.u8()
	switch version {
	case 1, 2:
		c.skip(2)
		defined := c.u8() != 0
		if version == 2 && !defined {
			return c.err
		}
		n := c.u32()
		if !defined {
			return c.err
		}
		return d.setFill(c, n)
	case 3:
		if c.u8()&0x20 != 0 {
			return d.setFill(c, c.u32())
		}
	default:
		c.failf("fill value version %d, known are 1 to 3", version)
	}
	return c.err
}

func (d *Dataset) setFill(c *cursor, n uint32) error {
	if n == 0 || c.err != nil {
		return c.err
	}
	if int64(n) != int64(d.elem.Size) {
		c.failf("fill value of %d bytes for elements of %d", n, d.elem.Size)
	}
	d.fill = slices.Clone(c.bytes(int(n)))
	return c.err
}

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
		d.size = uint64(d.Len() * d.elem.Size)
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
		}
	default:
		c.failf("layout version %d, known are 1 to 5", d.version)
	}
	if c.err != nil {
		return c.err
	}
	need := uint64(d.Len() * d.elem.Size)
	switch {
	case d.class > layoutChunked:
		c.failf("storage layout %d (virtual or unknown) is not supported", d.class)
	case d.class == layoutCompact && uint64(len(d.compact)) < need, d.class == layoutContiguous && d.size < need:
		c.failf("%d bytes are stored, shape %v of %s needs %d", max(d.size, uint64(len(d.compact))), d.shape, d.elem, need)
	case d.class != layoutChunked && len(d.filters) > 0:
		c.failf("filters on data that are not chunked")
	case d.class == layoutContiguous && d.addr != undefined && need > 0:
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
	bytesOf := uint64(d.elem.Size)
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
	if n := c.uint(bytes); c.err == nil && n != uint64(d.elem.Size) {
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
