package hdf5

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"percept/fmri/internal/hdf5/filter"
	"percept/fmri/internal/source"
)

// Dataset is an array in a file.
type Dataset struct {
	f        *File
	name     string
	header   uint64   // address, for errors
	rank     int      // axes of the dataspace; those of an array type follow in shape, maxShape and chunk
	shape    []int    // slowest first
	maxShape []uint64 // undefined where the axis may grow without end
	elem     Type     // of one value: the base of an array type
	stored   int      // bytes of an element as the file counts them: of the whole array of an array type
	sealed   error    // why what is stored cannot be got at; nil if it can
	unfilled fillRule
	class    uint8 // storage layout
	version  uint8 // of the layout message
	compact  []byte
	addr     uint64 // contiguous: of the data; chunked: of the index
	size     uint64 // contiguous: bytes
	chunk    []int  // chunk shape
	cells    []int  // chunks along each axis of the shape
	index    chunkIndex
	virtual  []virtualPart
	filters  []filter.Filter

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
		d.seal("keeps its data in other files (external storage), which are not followed")
	}
	for _, parse := range []func([]headerMessage) error{d.parseSpace, d.parseType, d.parseFill, d.parseFilters} {
		if err := parse(msgs); err != nil {
			return nil, err
		}
	}
	if err := d.parseLayout(f.cursor(layout)); err != nil {
		return nil, err
	}
	return d, d.spreadArrays()
}

// seal notes why what is stored cannot be got at; the first reason stays.
func (d *Dataset) seal(format string, args ...any) {
	if d.sealed == nil {
		d.sealed = d.errorf(format, args...)
	}
}

// checkStored says why what is stored cannot be got at.
func (d *Dataset) checkStored() error {
	if d.sealed != nil {
		return d.sealed
	}
	return d.checkFilters()
}

// spreadArrays makes axes of the dataset out of those of an array type, as h5py does: they come last, and a chunk has all of
// them.
func (d *Dataset) spreadArrays() error {
	for d.elem.Class == Array {
		for _, n := range d.elem.Shape {
			d.shape = append(d.shape, n)
			d.maxShape = append(d.maxShape, uint64(n))
			if d.class == layoutChunked {
				d.chunk = append(d.chunk, n)
			}
		}
		d.elem = *d.elem.Base
	}
	if n, ok := product(d.shape); !ok || d.elem.Size <= 0 || n > math.MaxInt/d.elem.Size {
		return d.f.errorf(d.header, "%s: shape %v of elements of %d bytes", d.name, d.shape, d.elem.Size)
	}
	if d.class == layoutChunked {
		d.cells = chunkGrid(d.shape, d.chunk)
	}
	if n, _ := product(d.shape[d.rank:]); n*d.elem.Size != d.stored {
		return d.f.errorf(d.header, "%s: array of shape %v of %s in %d bytes", d.name, d.shape[d.rank:], d.elem, d.stored)
	}
	return nil
}

// Readable says why the values cannot be read as numbers: how they are stored, or what they are. It is nil where they can. It
// reads no values, and the index of chunks only where a filter is not known.
func (d *Dataset) Readable() error {
	if err := d.checkStored(); err != nil {
		return err
	}
	if err := d.elem.numeric(); err != nil {
		return d.errorf("%v", err)
	}
	return nil
}

// Shape is the dataset's dimensions, slowest first; empty for a scalar. The axes of an array type come last.
func (d *Dataset) Shape() []int { return slices.Clone(d.shape) }

// Chunks is the shape of the chunks, nil if the dataset is not chunked.
func (d *Dataset) Chunks() []int { return slices.Clone(d.chunk) }

// Type is the stored type of the values.
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
	d.rank = len(d.shape)
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
	d.elem = parseType(c, 0)
	if c.err != nil {
		return c.err
	}
	d.stored = d.elem.Size
	if d.elem.Size <= 0 || d.Len() > math.MaxInt/d.elem.Size {
		return d.f.errorf(m.addr, "%s: %d elements of %d bytes", d.name, d.Len(), d.elem.Size)
	}
	return nil
}
