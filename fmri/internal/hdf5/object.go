package hdf5

import "slices"

// headerMessage is one message of an object header.
type headerMessage struct {
	kind   uint16
	flags  uint8
	addr   uint64 // of data
	data   []byte
	shared bool // data is a pointer to the message
}

const (
	maxMessages  = 1 << 16
	maxBlocks    = 1 << 12 // continuation blocks of one header
	maxKnownKind = 0x18
)

// readObject reads all messages of the object header at an address.
func (f *File) readObject(addr uint64) ([]headerMessage, error) {
	if err := f.inside(addr, 16, "object header"); err != nil {
		return nil, err
	}
	c, err := f.cursorAt(addr, 16, "object header")
	if err != nil {
		return nil, err
	}
	o := &objectReader{f: f}
	if string(c.b[:4]) == "OHDR" {
		err = o.version2(addr)
	} else if !slices.ContainsFunc(c.b, func(v byte) bool { return v != 0 }) {
		err = f.errorf(addr, "zeros where an object header is expected: the file is damaged, or its writer did not close it")
	} else {
		err = o.version1(c)
	}
	return o.messages, err
}

type block struct{ addr, size uint64 }

type objectReader struct {
	f        *File
	messages []headerMessage
	more     []block // continuation blocks not yet read
	order    bool    // version 2: messages carry their creation order
}

func (o *objectReader) version1(c *cursor) error {
	c.version("object header", 1)
	c.skip(1)
	count := int(c.u16())
	c.skip(4) // reference count
	size := uint64(c.u32())
	if c.err != nil {
		return c.err
	}
	o.more = []block{{c.addr + 16, size}}
	for n := 0; n < len(o.more); n++ {
		if n == maxBlocks {
			return o.f.errorf(c.addr, "object header with more than %d blocks", maxBlocks)
		}
		at := o.more[n]
		if err := o.f.inside(at.addr, at.size, "object header block"); err != nil {
			return err
		}
		b, err := o.f.cursorAt(at.addr, int(at.size), "object header block")
		if err != nil {
			return err
		}
		for b.left() >= 8 && len(o.messages) < count {
			kind, size, flags := b.u16(), int(b.u16()), b.u8()
			b.skip(3)
			if err := o.add(b, kind, size, flags); err != nil {
				return err
			}
		}
	}
	if len(o.messages) < count {
		return o.f.errorf(c.addr, "object header holds %d messages, says %d", len(o.messages), count)
	}
	return nil
}

func (o *objectReader) version2(addr uint64) error {
	f := o.f
	n := min(uint64(f.size)-f.base-addr, 64)
	c, err := f.cursorAt(addr, int(n), "object header")
	if err != nil {
		return err
	}
	c.expect("OHDR")
	c.version("object header", 2)
	flags := c.u8()
	if flags&0x20 != 0 {
		c.skip(16) // times
	}
	if flags&0x10 != 0 {
		c.skip(4) // attribute storage limits
	}
	o.order = flags&0x04 != 0
	size := c.uint(1 << (flags & 3))
	if c.err != nil {
		return c.err
	}
	prefix := uint64(c.i)
	if err := f.inside(addr, prefix, "object header"); err != nil {
		return err
	}
	if err := f.inside(addr+prefix, size+4, "object header"); err != nil || size+4 < size {
		return f.errorf(addr, "object header of %d bytes lies beyond the end of the file", size)
	}
	if err := o.chunk2(block{addr, prefix + size + 4}, int(prefix)); err != nil {
		return err
	}
	for n := 0; n < len(o.more); n++ {
		if n == maxBlocks {
			return f.errorf(addr, "object header with more than %d blocks", maxBlocks)
		}
		if err := o.chunk2(o.more[n], 4); err != nil {
			return err
		}
	}
	return nil
}

// chunk2 reads one checksummed block of a version 2 header, whose messages begin after prefix bytes.
func (o *objectReader) chunk2(at block, prefix int) error {
	if err := o.f.inside(at.addr, at.size, "object header block"); err != nil {
		return err
	}
	c, err := o.f.cursorAt(at.addr, int(at.size), "object header block")
	if err != nil {
		return err
	}
	if len(c.b) < prefix+4 {
		return o.f.errorf(at.addr, "object header block of %d bytes is too short", len(c.b))
	}
	if prefix == 4 {
		c.expect("OCHK")
	}
	c.i = len(c.b) - 4
	c.checksum()
	if c.err != nil {
		return c.err
	}
	c.b, c.i = c.b[:len(c.b)-4], prefix
	head := 4
	if o.order {
		head = 6
	}
	for c.left() >= head { // what is left may be a gap
		kind, size, flags := uint16(c.u8()), int(c.u16()), c.u8()
		if o.order {
			c.skip(2)
		}
		if err := o.add(c, kind, size, flags); err != nil {
			return err
		}
	}
	return nil
}

func (o *objectReader) add(c *cursor, kind uint16, size int, flags uint8) error {
	m := headerMessage{kind: kind, flags: flags, addr: c.addr + uint64(c.i), shared: flags&2 != 0}
	m.data = c.bytes(size)
	if c.err != nil {
		return c.err
	}
	if len(o.messages) == maxMessages {
		return o.f.errorf(m.addr, "object header with more than %d messages", maxMessages)
	}
	if kind > maxKnownKind && flags&0x80 != 0 {
		return o.f.errorf(m.addr, "message type %#x is unknown, and the file says that readers have to know it", kind)
	}
	o.messages = append(o.messages, m)
	if kind == msgContinuation {
		d := o.f.cursor(m)
		next := block{d.offset(), d.length()}
		if d.err != nil {
			return d.err
		}
		o.more = append(o.more, next)
	}
	return nil
}

// cursor reads a message.
func (f *File) cursor(m headerMessage) *cursor {
	return &cursor{f: f, b: m.data, addr: m.addr}
}

// find returns the message of a kind, following a pointer to another object's header; ok is false if there is none.
func (f *File) find(msgs []headerMessage, kind uint16) (m headerMessage, ok bool, err error) {
	for _, m := range msgs {
		if m.kind != kind {
			continue
		}
		if !m.shared {
			return m, true, nil
		}
		m, err := f.follow(m)
		return m, err == nil, err
	}
	return headerMessage{}, false, nil
}

// follow finds the message that a shared message points to: a committed datatype.
func (f *File) follow(m headerMessage) (headerMessage, error) {
	c := f.cursor(m)
	version, where := c.u8(), c.u8()
	if version == 1 {
		c.skip(6)
	}
	addr := c.offset()
	if c.err != nil {
		return m, c.err
	}
	if version < 1 || version > 3 || (version == 3 && where != 2) {
		return m, f.errorf(m.addr, "shared message version %d of type %d is not supported", version, where)
	}
	msgs, err := f.readObject(addr)
	if err != nil {
		return m, err
	}
	for _, t := range msgs {
		if t.kind == m.kind && !t.shared {
			return t, nil
		}
	}
	return m, f.errorf(addr, "shared message of type %#x is not there", m.kind)
}
