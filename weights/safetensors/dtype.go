package safetensors

import (
	"errors"
	"fmt"
	"regexp"
)

// DType is the element type of a stored tensor, spelled as in a safetensors header.
type DType string

// The element types that a file may hold.
const (
	F64    DType = "F64"
	F32    DType = "F32"
	F16    DType = "F16"
	BF16   DType = "BF16"
	I64    DType = "I64"
	I32    DType = "I32"
	I16    DType = "I16"
	I8     DType = "I8"
	U64    DType = "U64"
	U32    DType = "U32"
	U16    DType = "U16"
	U8     DType = "U8"
	Bool   DType = "BOOL"
	F8E4M3 DType = "F8_E4M3" // 4 exponent bits, no Inf ("fn")
	F8E5M2 DType = "F8_E5M2" // the upper half of a float16
)

// aside are the bits of one element of types that the format has and that hold no values that can be computed with here.
var aside = map[DType]int{
	"C64": 64, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "F6_E2M3": 6, "F6_E3M2": 6, "F4": 4,
}

// ErrDType is wrapped in the error for values of a type that cannot be read.
var ErrDType = errors.New("expected floats of 8 to 64 bits, integers or booleans")

// readable is nil for the types that this package names.
func (d DType) readable() error {
	if d.Size() == 0 {
		return fmt.Errorf("type %.40q, %w", string(d), ErrDType)
	}
	return nil
}

// Readable reports whether tensors of the type have values that can be read: the types that this package names.
func (d DType) Readable() bool { return d.Size() != 0 }

// laterName is how the format names types: a kind of number and its bits, with what more there is to say of it.
var laterName = regexp.MustCompile(`^(F|BF|NF|I|U|C|E)[1-9][0-9]{0,2}[A-Z0-9_]{0,20}$`)

// known reports whether a name is that of a type of the format, of today or, by its form, of a later release.
func (d DType) known() bool { return d.bits() > 0 || laterName.MatchString(string(d)) }

// bits returns the bits of one element, 0 for a type that is in neither list.
func (d DType) bits() int {
	if n := 8 * d.Size(); n > 0 {
		return n
	}
	return aside[d]
}

// Size returns the bytes of one element, 0 for a type that cannot be read.
func (d DType) Size() int {
	switch d {
	case F64, I64, U64:
		return 8
	case F32, I32, U32:
		return 4
	case F16, BF16, I16, U16:
		return 2
	case I8, U8, Bool, F8E4M3, F8E5M2:
		return 1
	}
	return 0
}

// Elements returns the product of a shape, or an error where it does not fit an int.
func Elements(shape []int) (int, error) {
	n := 1
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("shape %v has a negative dimension", shape)
		}
		if d != 0 && n > maxInt/d {
			return 0, fmt.Errorf("shape %v has more elements than memory can address", shape)
		}
		n *= d
	}
	return n, nil
}

const maxInt = int(^uint(0) >> 1)
