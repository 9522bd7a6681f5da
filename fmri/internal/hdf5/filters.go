package hdf5

import (
	"bytes"

	"percept/fmri/internal/hdf5/filter"
)

func (d *Dataset) parseFilters(msgs []headerMessage) error {
	m, ok, err := d.f.find(msgs, msgFilters)
	if err != nil || !ok {
		return err
	}
	c := d.f.cursor(m)
	version, n := c.u8(), int(c.u8())
	if version != 1 && version != 2 {
		c.failf("filter pipeline version %d, known are 1 and 2", version)
	}
	if n > 32 {
		c.failf("%d filters", n)
	}
	if version == 1 {
		c.skip(6)
	}
	for range n {
		fl := filter.Filter{ID: c.u16()}
		name := 0
		if version == 1 || fl.ID >= 256 {
			name = int(c.u16())
		}
		c.skip(2) // flags: optional filters that were not applied show in the chunk's mask
		params := int(c.u16())
		if version == 1 {
			name = (name + 7) &^ 7
		}
		text, _, _ := bytes.Cut(c.bytes(name), []byte{0})
		fl.Name = string(text)
		for range params {
			if c.err == nil {
				fl.Params = append(fl.Params, c.u32())
			}
		}
		if version == 1 && params%2 == 1 {
			c.skip(4)
		}
		if c.err != nil {
			return c.err
		}
		if fl.ID == filter.Shuffle && (len(fl.Params) == 0 || fl.Params[0] == 0) {
			fl.Params = []uint32{uint32(d.stored)}
		}
		d.filters = append(d.filters, fl)
	}
	return c.err
}

// checkFilters says which filter of some chunk cannot be undone. One that every chunk left out does no harm.
func (d *Dataset) checkFilters() error {
	for i, f := range d.filters {
		unreadable := f.Readable()
		if unreadable == nil {
			continue
		}
		chunks, err := d.loadChunks()
		if err != nil {
			return err
		}
		for _, c := range chunks {
			if c.mask&(1<<i) == 0 && !(d.index.plainEdges && d.atEdge(c.pos)) {
				return d.errorf("%v", unreadable)
			}
		}
	}
	return nil
}

// mostBytes is the most that a chunk of n stored bytes may hold.
func (d *Dataset) mostBytes(n uint64) uint64 {
	const (
		constant = 256 << 20 // of equal values, which some filters store in a few bytes
		growth   = 1 << 15
	)
	if g := filter.Growth(d.filters); g <= growth {
		return n*g + 1024
	}
	return n*growth + constant
}

// readChunk returns the elements of a chunk as bytes.
func (d *Dataset) readChunk(c chunkRef) ([]byte, error) {
	whole := d.chunkBytes()
	if whole > d.mostBytes(c.size) { // told before memory is taken
		return nil, d.f.errorf(c.addr, "%s: chunk of %d bytes cannot hold %d", d.name, c.size, whole)
	}
	b, err := d.f.bytesAt(c.addr, int(c.size), d.name+": chunk")
	if err != nil {
		return nil, err
	}
	filters := d.filters
	if d.index.plainEdges && d.atEdge(c.pos) {
		filters = nil
	}
	if b, err = filter.Undo(filters, c.mask, b, int(whole)); err != nil {
		return nil, d.f.errorf(c.addr, "%s: chunk %v: %v", d.name, d.unpos(c.pos), err)
	}
	return b, nil
}
