package hdf5

import (
	"bytes"
	"errors"
	"fmt"
)

const maxTypeDepth = 8 // of types in one another

// parseType reads a datatype message; unreadable says why its elements are not numbers this package can read.
func parseType(c *cursor, depth int) (t Type, unreadable error) {
	if depth > maxTypeDepth {
		c.failf("datatypes more than %d deep", maxTypeDepth)
	}
	head := c.u32()
	t = Type{Class: Class(head & 0x0f), Size: int(c.u32())}
	bits, version := head>>8, head>>4&0x0f
	if c.err == nil && (version < 1 || version > 5) {
		c.failf("datatype version %d, known are 1 to 5", version)
	}
	if c.err != nil {
		return t, c.err
	}
	unreadable = fmt.Errorf("%s elements are not numbers", t)
	base := func() *Type {
		b, _ := parseType(c, depth+1)
		return &b
	}
	switch t.Class {
	case Fixed, Bitfield:
		t.BigEndian, t.Signed = bits&1 != 0, bits&8 != 0
		offset, precision := c.u16(), int(c.u16())
		if t.Class == Bitfield {
			break
		}
		unreadable = nil
		if t.Size != 1 && t.Size != 2 && t.Size != 4 && t.Size != 8 || offset != 0 || precision != 8*t.Size {
			unreadable = fmt.Errorf("integers of %d bits at bit %d of %d bytes cannot be read", precision, offset, t.Size)
		}
	case Float:
		unreadable = t.parseFloat(c, bits)
	case Enum:
		b, err := parseType(c, depth+1)
		t.Base = &b
		if unreadable = err; err == nil && (b.Class != Fixed || b.Size != t.Size) {
			unreadable = errors.New("enumeration that is not of integers cannot be read")
		}
		for range bits & 0xffff {
			c.text(version < 3)
		}
		c.skip(int(bits&0xffff) * max(t.Size, 0))
	case Time:
		c.skip(2)
	case String:
		t.Padding = uint8(bits & 0x0f)
	case Opaque:
		c.skip(int(bits & 0xff))
	case Reference:
		t.Region = bits&0x0f != 0
	case VarLen:
		t.Text = bits&0x0f == 1
		t.Base = base()
	case Array:
		rank := int(c.u8())
		if version < 3 {
			c.skip(3)
		}
		for range rank {
			t.Shape = append(t.Shape, int(c.u32()))
		}
		if version < 3 {
			c.skip(4 * rank)
		}
		t.Base = base()
	case Compound:
		t.parseFields(c, version, int(bits&0xffff), depth)
	default:
		c.failf("datatype class %d is not known", t.Class)
	}
	return t, unreadable
}

// parseFloat accepts IEEE 754 halves, singles and doubles.
func (t *Type) parseFloat(c *cursor, bits uint32) error {
	t.BigEndian = bits&1 != 0
	vax := bits&0x40 != 0
	got := [7]uint32{uint32(c.u16()), uint32(c.u16()), uint32(c.u8()), uint32(c.u8()), uint32(c.u8()), uint32(c.u8()), c.u32()}
	// bit offset, precision, exponent at, exponent bits, mantissa at, mantissa bits, bias
	want := map[int][7]uint32{2: {0, 16, 10, 5, 0, 10, 15}, 4: {0, 32, 23, 8, 0, 23, 127}, 8: {0, 64, 52, 11, 0, 52, 1023}}
	w, ok := want[t.Size]
	if !ok || got != w || vax || bits>>4&3 != 2 || bits>>8&0xff != uint32(8*t.Size-1) {
		return fmt.Errorf("floats of %d bytes in a layout that is not IEEE 754 cannot be read", t.Size)
	}
	return nil
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
		f.Type, _ = parseType(c, depth+1)
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

// number is the type of the elements as numbers.
func (d *Dataset) number() Type {
	if d.elem.Class == Enum {
		return *d.elem.Base
	}
	return d.elem
}
