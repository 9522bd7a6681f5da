package hdf5

import (
	"errors"
	"fmt"
)

// Class is an HDF5 datatype class, with the numbers of the format.
type Class uint8

// The classes whose elements this package can read as numbers, and those that it can name.
const (
	Fixed     Class = 0
	Float     Class = 1
	Time      Class = 2
	String    Class = 3
	Bitfield  Class = 4
	Opaque    Class = 5
	Compound  Class = 6
	Reference Class = 7
	Enum      Class = 8
	VarLen    Class = 9
	Array     Class = 10
	Complex   Class = 11
)

var classNames = [...]string{"integer", "float", "time", "string", "bitfield", "opaque", "compound",
	"reference", "enum", "variable-length", "array", "complex"}

func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return fmt.Sprintf("class %d", uint8(c))
}

// Type is the type of a dataset's elements as stored.
type Type struct {
	Class     Class
	Size      int  // bytes per element
	Signed    bool // integers
	BigEndian bool
	Base      *Type   // the type under an Enum, VarLen, Array or Complex
	Fields    []Field // of a Compound; "r" and "i" of a Complex
	Shape     []int   // of an Array
	Padding   uint8   // String: 0 ends at a zero byte, 1 is filled with zeros, 2 with blanks
	Text      bool    // VarLen: a string
	Region    bool    // Reference: to something else than an object

	truth bool // an Enum of FALSE and TRUE in a byte, as h5py stores bool: any other byte than 0 is true

	bits *bitNumber // where an integer's or a float's bits are; nil if they fill the bytes, as IEEE 754 does
}

// Field is a part of a compound.
type Field struct {
	Name   string
	Offset int
	Type   Type
}

// String is "int16", "uint8", "float32 big-endian", "string of 3 bytes"...
func (t Type) String() string {
	var s string
	switch {
	case t.isComplex():
		return fmt.Sprintf("complex of %s", t.Fields[0].Type)
	case t.Class == Enum && t.Base != nil:
		return fmt.Sprintf("enum of %s", t.Base)
	case t.Class == Fixed && t.Signed:
		s = fmt.Sprintf("int%d", 8*t.Size)
	case t.Class == Fixed:
		s = fmt.Sprintf("uint%d", 8*t.Size)
	case t.Class == Float:
		s = fmt.Sprintf("float%d", 8*t.Size)
	default:
		return fmt.Sprintf("%s of %d bytes", t.Class, t.Size)
	}
	switch {
	case t.bits != nil && t.Class == Float && t.Size == 2 && t.bits.exponent == 8 && t.bits.mantissa == 7:
		s = "bfloat16"
	case t.bits != nil && t.Class == Fixed:
		s += fmt.Sprintf(" of %d bits", t.bits.precision)
	case t.bits != nil:
		s += fmt.Sprintf(" with %d bits of exponent and %d of mantissa", t.bits.exponent, t.bits.mantissa)
	}
	if t.BigEndian {
		s += " big-endian"
	}
	return s
}

// isComplex says whether elements are complex numbers, of the format's own type or as h5py writes them, in a compound.
func (t Type) isComplex() bool {
	if len(t.Fields) != 2 {
		return false
	}
	r, i := t.Fields[0], t.Fields[1]
	return r.Name == "r" && i.Name == "i" && r.Type.Class == Float && i.Type.Class == Float && r.Type.Size == i.Type.Size
}

// number is the type of the elements as numbers: that under an enumeration, unsigned integers for bit fields.
func (t Type) number() Type {
	switch {
	case t.Class == Enum && t.Base != nil:
		return t.Base.number()
	case t.Class == Bitfield:
		t.Class = Fixed
	}
	return t
}

// numeric says why elements are not numbers that can be read, nil if they are.
func (t Type) numeric() error {
	switch n := t.number(); {
	case t.isComplex():
		return fmt.Errorf("elements are %s, expected real numbers", t)
	case n.Class == Fixed && n.bits == nil && (n.Size == 1 || n.Size == 2 || n.Size == 4 || n.Size == 8):
		return nil
	case n.Class == Fixed && n.bits == nil:
		return (&bitNumber{precision: 8 * n.Size}).check(n.Class, n.Size)
	case n.Class == Fixed, n.Class == Float && n.bits != nil:
		return n.bits.check(n.Class, n.Size)
	case n.Class == Float:
		return nil
	case t.Class == Enum:
		return errors.New("enumeration that is not of integers cannot be read")
	}
	return fmt.Errorf("%s elements are not numbers", t)
}

// Number is what elements are written from and read to.
type Number interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64
}

// typeOf is the little-endian stored type of T.
func typeOf[T Number]() Type {
	var z T
	switch any(z).(type) {
	case int8:
		return Type{Class: Fixed, Size: 1, Signed: true}
	case int16:
		return Type{Class: Fixed, Size: 2, Signed: true}
	case int32:
		return Type{Class: Fixed, Size: 4, Signed: true}
	case int64:
		return Type{Class: Fixed, Size: 8, Signed: true}
	case uint8:
		return Type{Class: Fixed, Size: 1}
	case uint16:
		return Type{Class: Fixed, Size: 2}
	case uint32:
		return Type{Class: Fixed, Size: 4}
	case uint64:
		return Type{Class: Fixed, Size: 8}
	case float32:
		return Type{Class: Float, Size: 4}
	default:
		return Type{Class: Float, Size: 8}
	}
}
