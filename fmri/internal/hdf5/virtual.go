package hdf5

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"percept/fmri/internal/source"
)

// virtualPart is a part of a virtual dataset and where it comes from.
type virtualPart struct {
	file, dataset string // file "." is the dataset's own
	from, to      boxes
}

var errUnlimited = errors.New("virtual layout that grows with its sources is not followed")

const (
	maxVirtualParts = 1 << 14
	maxVirtualDepth = 2 // of virtual datasets that are made of one another
)

// parseVirtual reads the parts from the global heap; what is not followed seals the dataset.
func (d *Dataset) parseVirtual(c *cursor) error {
	addr, index := c.offset(), c.u32()
	if c.err != nil || addr == undefined {
		return c.err
	}
	h, err := d.f.globalHeap(addr)
	if err != nil {
		return err
	}
	b, ok := h.objects[index]
	if !ok {
		return d.f.errorf(addr, "%s: object %d of a global heap is not there", d.name, index)
	}
	c = &cursor{f: d.f, b: b, addr: addr}
	version := c.u8()
	if version > 1 {
		d.seal("virtual layout version %d is not followed", version)
		return nil
	}
	n := c.length()
	if n > maxVirtualParts {
		c.failf("virtual dataset of %d parts", n)
	}
	for range n {
		p := d.virtualNames(c, version)
		var problems [2]error
		p.from, problems[0] = c.selection()
		p.to, problems[1] = c.selection()
		if c.err != nil {
			return c.err
		}
		if err := errors.Join(problems[:]...); err != nil {
			d.seal("%v", problems[0])
			return nil
		}
		if strings.Contains(p.file+p.dataset, "%b") {
			d.seal("%v", errUnlimited)
			return nil
		}
		d.virtual = append(d.virtual, p)
	}
	return nil
}

// virtualNames reads where a part comes from. Version 1 stores a name that comes again as the number of the part that has it.
func (d *Dataset) virtualNames(c *cursor, version uint8) (p virtualPart) {
	const oldFile, oldDataset, own = 1, 2, 4
	flags := uint8(0)
	if version == 1 {
		flags = c.u8()
	}
	old := func() virtualPart {
		n := c.length()
		if n < uint64(len(d.virtual)) {
			return d.virtual[n]
		}
		c.failf("part %d of a virtual dataset has a name of part %d", len(d.virtual), n)
		return virtualPart{}
	}
	switch {
	case flags&own != 0:
		p.file = "."
	case flags&oldFile != 0:
		p.file = old().file
	default:
		p.file = c.text(false)
	}
	if flags&oldDataset != 0 {
		p.dataset = old().dataset
	} else {
		p.dataset = c.text(false)
	}
	return p
}

// assemble reads the parts of a virtual dataset, once. Elements that no part gives are the fill value. A source that is not
// there is an error, where the library gives the fill value.
func (d *Dataset) assemble() error {
	if d.class != layoutVirtual {
		return nil
	}
	d.once.Do(func() { d.err = d.readParts() })
	return d.err
}

func (d *Dataset) readParts() error {
	type part struct {
		data     []byte
		from, to []span
	}
	var parts []part
	type held struct {
		shape []int
		data  []byte
	}
	sources := make(map[[2]string]held)
	bytes := uint64(16 << 20) // that the dataset may have
	size := d.elem.Size
	for _, v := range d.virtual {
		key := [2]string{v.file, v.dataset}
		src, ok := sources[key]
		if !ok {
			var err error
			if src.data, src.shape, err = d.readSource(v); err != nil {
				return err
			}
			sources[key] = src
			bytes += 16 * uint64(len(src.data))
		}
		p := part{data: src.data}
		var err error
		if n, m := v.from.len(src.shape), v.to.len(d.shape); n != m || n > uint64(len(src.data)/size) {
			return d.errorf("a part of %d elements comes from %d of %s", m, n, source.Printable(v.dataset))
		}
		if p.from, err = v.from.spans(src.shape); err == nil {
			p.to, err = v.to.spans(d.shape)
		}
		if err != nil {
			return d.errorf("%v", err)
		}
		parts = append(parts, p)
	}
	if uint64(d.Len())*uint64(size) > bytes {
		return d.errorf("shape %v of %s is far beyond what its sources hold", d.shape, d.elem)
	}
	fill, err := d.fillBytes()
	if err != nil {
		return err
	}
	out := make([]byte, d.Len()*size)
	for i := 0; fill != nil && i < len(out); i += size {
		copy(out[i:], fill)
	}
	for _, p := range parts {
		for len(p.from) > 0 && len(p.to) > 0 {
			f, t := &p.from[0], &p.to[0]
			n := min(f.n, t.n)
			copy(out[t.at*size:(t.at+n)*size], p.data[f.at*size:])
			f.at, f.n, t.at, t.n = f.at+n, f.n-n, t.at+n, t.n-n
			if f.n == 0 {
				p.from = p.from[1:]
			}
			if t.n == 0 {
				p.to = p.to[1:]
			}
		}
	}
	d.compact = out
	return nil
}

// readSource reads the dataset that a part comes from, whose file is beside this one unless its path is absolute.
func (d *Dataset) readSource(v virtualPart) (data []byte, shape []int, err error) {
	own := *d.f
	f := &own
	if v.file != "." {
		path := v.file
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(d.f.name), path)
		}
		if d.f.closer == nil {
			return nil, nil, d.errorf("is made of %s, another file, which is not followed from here", source.Printable(v.file))
		}
		if _, err := os.Stat(path); err != nil {
			return nil, nil, d.errorf("is made of %s, expected beside the file, where it is not", source.Printable(v.file))
		}
		if f, err = Open(path); err != nil {
			return nil, nil, err
		}
		defer f.Close()
	}
	f.depth = d.f.depth + 1
	if f.depth > maxVirtualDepth {
		return nil, nil, d.errorf("virtual datasets are made of one another more than %d deep", maxVirtualDepth)
	}
	src, err := f.Dataset(v.dataset)
	if err != nil {
		return nil, nil, err
	}
	if !reflect.DeepEqual(src.elem, d.elem) {
		return nil, nil, d.errorf("is of %s, but its source %s of %s", d.elem, source.Printable(v.dataset), src.elem)
	}
	data, err = Raw(src)
	return data, src.shape, err
}
