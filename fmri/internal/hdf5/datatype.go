package hdf5

import (
	"bytes"
	"slices"
)

const maxTypeDepth = 8 // of types in one another

// parseType reads a datatype message.
func parseType(c *cursor, depth int) Type {
	if depth > maxTypeDepth {
		c.failf("datatypes more than %d deep", maxTypeDepth)
	}
	head := c.u32()
	t := Type{Class: Class(head & 0x0f), Size: int(c.u32())}
	flags, version := head>>8, head>>4&0x0f
	if c.err == nil && (version < 1 || version > 5) {
		c.failf("datatype version %d, known are 1 to 5", version)
	}
	if c.err != nil {
		return t
	}
	base := func() *Type {
		b := parseType(c, depth+1)
		return &b
	}
	switch t.Class {
	case Fixed, Bitfield:
		t.BigEndian, t.Signed = flags&1 != 0, flags&8 != 0 && t.Class == Fixed
		n := bitNumber{offset: int(c.u16()), precision: int(c.u16())}
		if n.offset != 0 || n.precision != 8*t.Size {
			t.bits = &n
		}
	case Float:
		t.parseFloat(c, flags)
	case Enum:
		t.Base = base()
		var names []string
		for range flags & 0xffff {
			names = append(names, c.text(version < 3))
		}
		values := c.bytes(int(flags&0xffff) * max(t.Base.Size, 0))
		t.truth = slices.Equal(names, []string{"FALSE", "TRUE"}) && slices.Equal(values, []byte{0, 1})
	case Time:
		c.skip(2)
	case String:
		t.Padding = uint8(flags & 0x0f)
	case Opaque:
		c.skip(int(flags & 0xff))
	case Reference:
		t.Region = flags&0x0f != 0
	case VarLen:
		t.Text = flags&0x0f == 1
		t.Base = base()
	case Array:
		rank := int(c.u8())
		if version < 3 {
			c.skip(3)
		}
		if rank > 32 {
			c.failf("array type of rank %d", rank)
		}
		for range rank {
			t.Shape = append(t.Shape, int(c.u32()))
		}
		if version < 3 {
			c.skip(4 * rank)
		}
		t.Base = base()
	case Compound:
		t.parseFields(c, version, int(flags&0xffff), depth)
	case Complex:
		t.Base = base()
		if c.err == nil && t.Size != 2*t.Base.Size {
			c.failf("complex number of %d bytes made of %s", t.Size, t.Base)
		}
		t.Fields = []Field{{Name: "r", Type: *t.Base}, {Name: "i", Offset: t.Base.Size, Type: *t.Base}}
	}
	return t
}

// parseFloat reads where in an element sign, exponent and mantissa are.
func (t *Type) parseFloat(c *cursor, flags uint32) {
	t.BigEndian = flags&1 != 0
	n := bitNumber{offset: int(c.u16()), precision: int(c.u16()), signAt: int(flags >> 8 & 0xff), mixed: flags&0x40 != 0}
	n.exponentAt, n.exponent, n.mantissaAt, n.mantissa = int(c.u8()), int(c.u8()), int(c.u8()), int(c.u8())
	n.implied = flags>>4&3 == 2
	n.bias = int64(c.u32())
	if ieee, ok := ieee754[t.Size]; !ok || n != ieee {
		t.bits = &n
	}
}

// parseFields reads the parts of a compound.
func (t *Type) parseFields(c *cursor, version uint32, n, depth int) {
	for range n {
		f := Field{Name: c.text(version < 3)}
		if version < 3 {
			f.Offset = int(c.u32())
		} else {
			f.Offset = int(c.uint(encodedSize(uint64(t.Size))))
		}
		var shape []int
		if version == 1 { // an array is written into the field
			rank := int(c.u8())
			c.skip(3 + 4 + 4)
			for i := range 4 {
				if d := int(c.u32()); i < rank {
					shape = append(shape, d)
				}
			}
		}
		f.Type = parseType(c, depth+1)
		if len(shape) > 0 {
			base := f.Type
			n, ok := product(shape)
			if f.Type = (Type{Class: Array, Size: n * base.Size, Base: &base, Shape: shape}); !ok {
				c.failf("field %.40q of shape %v", f.Name, shape)
			}
		}
		if c.err == nil && (f.Offset < 0 || f.Type.Size < 0 || f.Offset > t.Size || f.Type.Size > t.Size-f.Offset) {
			c.failf("field %.40q of %d bytes at %d of a compound of %d", f.Name, f.Type.Size, f.Offset, t.Size)
		}
		if c.err != nil {
			return
		}
		t.Fields = append(t.Fields, f)
	}
}

// text is a string up to a zero byte, which older versions fill up to a multiple of 8.
func (c *cursor) text(padded bool) string {
	if c.err != nil {
		return ""
	}
	n := bytes.IndexByte(c.b[c.i:], 0)
	if n < 0 {
		c.failf("a name without end")
		return ""
	}
	size := n + 1
	if padded {
		size = (size + 7) &^ 7
	}
	return string(c.bytes(size)[:min(n, size)])
}
