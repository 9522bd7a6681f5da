package hdf5

import "fmt"

const (
	msgAttributeInfo = 0x15
	maxAttributes    = 1 << 16
)

// Attribute returns an attribute as a dataset that lies in the object's header; ok is false if there is none of that name.
func (o *Object) Attribute(name string) (d *Dataset, ok bool, err error) {
	all, err := o.attributes()
	if err != nil {
		return nil, false, err
	}
	for _, a := range all {
		if a.name == o.path+"@"+name {
			return a, true, nil
		}
	}
	return nil, false, nil
}

// attributes reads all attributes: those in the header and those in a heap of their own. Each is named by the object's
// path, @ and its own name.
func (o *Object) attributes() ([]*Dataset, error) {
	var all []*Dataset
	for _, m := range o.msgs {
		switch m.kind {
		case msgAttribute:
			if m.shared {
				return nil, o.f.errorf(m.addr, "shared attribute is not supported")
			}
			a, err := o.attribute(o.f.cursor(m))
			if err != nil {
				return nil, err
			}
			all = append(all, a)
		case msgAttributeInfo:
			dense, err := o.denseAttributes(o.f.cursor(m))
			if err != nil {
				return nil, err
			}
			all = append(all, dense...)
		}
	}
	return all, nil
}

// attribute reads an attribute message.
func (o *Object) attribute(c *cursor) (*Dataset, error) {
	f := o.f
	version, flags := c.u8(), c.u8()
	nameSize, typeSize, spaceSize := int(c.u16()), int(c.u16()), int(c.u16())
	pad := 0
	switch version {
	case 1:
		flags, pad = 0, 7 // name, type and space take up multiples of 8 bytes
	case 2:
	case 3:
		c.skip(1) // character set of the name
	default:
		c.failf("attribute version %d, known are 1 to 3", version)
	}
	if c.err != nil {
		return nil, c.err
	}
	section := func(size int) ([]byte, uint64) {
		at := c.addr + uint64(c.i)
		b := c.bytes((size + pad) &^ pad)
		return b[:min(size, len(b))], at
	}
	nameBytes, _ := section(nameSize)
	typeBytes, typeAt := section(typeSize)
	spaceBytes, spaceAt := section(spaceSize)
	if c.err != nil {
		return nil, c.err
	}
	name := &cursor{f: f, b: append(append([]byte{}, nameBytes...), 0), addr: c.addr}
	d := &Dataset{f: f, header: o.addr, name: o.path + "@" + name.text(false), class: layoutCompact}
	msgs := []headerMessage{{kind: msgDatatype, addr: typeAt, data: typeBytes, shared: flags&1 != 0},
		{kind: msgDataspace, addr: spaceAt, data: spaceBytes, shared: flags&2 != 0}}
	if err := d.parseSpace(msgs); err != nil {
		return nil, err
	}
	if err := d.parseType(msgs); err != nil {
		return nil, err
	}
	d.compact = c.b[c.i:]
	if need := d.Len() * d.stored; len(d.compact) < need {
		c.failf("attribute %s: %d bytes are stored, shape %v of %s needs %d", d.name, len(d.compact), d.shape, d.elem, need)
	}
	if c.err != nil {
		return nil, c.err
	}
	return d, d.spreadArrays()
}

// denseAttributes reads attributes that are kept in a fractal heap, found through its name index.
func (o *Object) denseAttributes(c *cursor) ([]*Dataset, error) {
	f := o.f
	c.version("attribute info", 0)
	if c.u8()&1 != 0 {
		c.skip(2)
	}
	heapAt, index := c.offset(), c.offset()
	if c.err != nil || heapAt == undefined {
		return nil, c.err
	}
	heap, err := f.openFractalHeap(heapAt)
	if err != nil {
		return nil, err
	}
	const attributeNames = 8
	var all []*Dataset
	err = f.walkBTree2(index, attributeNames, func(c *cursor, size int) error {
		if size < heap.idSize+9 {
			return f.errorf(c.addr, "attribute record of %d bytes, expected %d", size, heap.idSize+9)
		}
		flags := c.b[c.i+heap.idSize]
		if flags&2 != 0 {
			return f.errorf(c.addr, "shared attribute is not supported")
		}
		object, err := heap.object(c)
		if err != nil {
			return err
		}
		a, err := o.attribute(object)
		if err != nil {
			return err
		}
		if len(all) == maxAttributes {
			return fmt.Errorf("%s: %s has more than %d attributes", f.name, o.path, maxAttributes)
		}
		all = append(all, a)
		return nil
	})
	return all, err
}
