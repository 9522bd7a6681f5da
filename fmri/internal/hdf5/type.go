package hdf5

import "fmt"

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
)

var classNames = [...]string{"integer", "float", "time", "string", "bitfield", "opaque", "compound",
	"reference", "enum", "variable-length", "array"}

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
	Base      *Type   // the type under an Enum, VarLen or Array
	Fields    []Field // of a Compound
	Shape     []int   // of an Array
	Padding   uint8   // String: 0 ends at a zero byte, 1 is filled with zeros, 2 with blanks
	Text      bool    // VarLen: a string
	Region    bool    // Reference: to something else than an object
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
	case t.Class == Fixed && t.Signed:
		s = fmt.Sprintf("int%d", 8*t.Size)
	case t.Class == Fixed:
		s = fmt.Sprintf("uint%d", 8*t.Size)
	case t.Class == Float:
		s = fmt.Sprintf("float%d", 8*t.Size)
	default:
		return fmt.Sprintf("%s of %d bytes", t.Class, t.Size)
	}
	if t.BigEndian {
		s += " big-endian"
	}
	return s
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
