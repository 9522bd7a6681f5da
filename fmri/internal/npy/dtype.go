package npy

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"percept/internal/half"
)

// canonical is a type as numpy writes it, "<f4", for any spelling that numpy.dtype takes for one of numbers: without a byte
// order or with "=" or "|" it is the machine's, little-endian today; letters and names of C types are those of 64-bit Unix. Any
// other text stays as it is.
func canonical(text string) string {
	order, code := "<", text
	if text != "" && strings.ContainsRune("<>=|", rune(text[0])) {
		code = text[1:]
		if text[0] == '>' {
			order = ">"
		}
	} else if named := typeNames[text]; named != "" {
		code = named
	}
	if full := letters[code]; full != "" {
		code = full
	}
	switch code {
	case "b1", "i1", "u1":
		return "|" + code
	case "i2", "i4", "i8", "u2", "u4", "u8", "f2", "f4", "f8":
		return order + code
	}
	return text
}

// letters are numpy's types of one letter.
var letters = map[string]string{"?": "b1", "b": "i1", "B": "u1", "h": "i2", "H": "u2", "i": "i4", "I": "u4", "l": "i8", "L": "u8",
	"q": "i8", "Q": "u8", "p": "i8", "P": "u8", "n": "i8", "N": "u8", "e": "f2", "f": "f4", "d": "f8"}

// typeNames are numpy's types by name, which stand without a byte order.
var typeNames = map[string]string{"bool": "b1", "int8": "i1", "byte": "i1", "uint8": "u1", "ubyte": "u1", "int16": "i2", "short": "i2",
	"uint16": "u2", "ushort": "u2", "int32": "i4", "intc": "i4", "uint32": "u4", "uintc": "u4", "int64": "i8", "int": "i8", "int_": "i8",
	"long": "i8", "longlong": "i8", "intp": "i8", "uint64": "u8", "uint": "u8", "ulong": "u8", "ulonglong": "u8", "uintp": "u8",
	"float16": "f2", "half": "f2", "float32": "f4", "single": "f4", "float64": "f8", "float": "f8", "double": "f8"}

// getter is the value stored at the front of b; exact is false for a 64-bit integer that float64 cannot hold.
type getter func(b []byte) (v float64, exact bool)

// element is the reader of one stored value, and its size.
func element(dtype string) (get getter, size int, err error) {
	if len(dtype) < 2 || !strings.ContainsRune("<>|=", rune(dtype[0])) {
		return nil, 0, fmt.Errorf("dtype %q is not supported", dtype)
	}
	var o binary.ByteOrder = binary.LittleEndian
	if dtype[0] == '>' {
		o = binary.BigEndian
	}
	const most = 1 << 53
	f := func(g func(b []byte) float64) getter {
		return func(b []byte) (float64, bool) { return g(b), true }
	}
	switch dtype[1:] {
	case "b1":
		return f(func(b []byte) float64 { return float64(min(b[0], 1)) }), 1, nil
	case "u1":
		return f(func(b []byte) float64 { return float64(b[0]) }), 1, nil
	case "i1":
		return f(func(b []byte) float64 { return float64(int8(b[0])) }), 1, nil
	}
	switch kind := dtype[1:]; kind {
	case "i2":
		get, size = f(func(b []byte) float64 { return float64(int16(o.Uint16(b))) }), 2
	case "u2":
		get, size = f(func(b []byte) float64 { return float64(o.Uint16(b)) }), 2
	case "i4":
		get, size = f(func(b []byte) float64 { return float64(int32(o.Uint32(b))) }), 4
	case "u4":
		get, size = f(func(b []byte) float64 { return float64(o.Uint32(b)) }), 4
	case "i8":
		get, size = func(b []byte) (float64, bool) {
			v := int64(o.Uint64(b))
			return float64(v), v >= -most && v <= most
		}, 8
	case "u8":
		get, size = func(b []byte) (float64, bool) {
			v := o.Uint64(b)
			return float64(v), v <= most
		}, 8
	case "f2":
		get, size = f(func(b []byte) float64 { return float64(half.FromF16(o.Uint16(b))) }), 2
	case "f4":
		get, size = f(func(b []byte) float64 { return float64(math.Float32frombits(o.Uint32(b))) }), 4
	case "f8":
		get, size = f(func(b []byte) float64 { return math.Float64frombits(o.Uint64(b)) }), 8
	default:
		what := map[byte]string{'O': "objects, which would have to be unpickled", 'c': "complex numbers", 'U': "text", 'S': "text",
			'M': "dates", 'm': "times", 'V': "bytes without meaning", 'f': "floats of that width"}[kind[0]]
		if kind[0] == 'f' && strings.Trim(kind[1:], "0123456789") != "" {
			return nil, 0, fmt.Errorf("dtype %q is not known", dtype)
		}
		if what == "" {
			what = "no numbers"
		}
		return nil, 0, fmt.Errorf("dtype %q holds %s; known are integers, floats of 16 to 64 bits and booleans", dtype, what)
	}
	return get, size, nil
}
