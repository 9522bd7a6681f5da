package matfile

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"percept/fmri/internal/source"
)

// Array is a MATLAB array. Values are column-major: the first index runs fastest.
type Array struct {
	Name    string
	Class   Class
	Dims    []int
	Logical bool
	Complex bool
	Text    string   // of a char array; rows are joined by newlines
	Fields  []string // of a struct
	Cells   []*Array // of a cell array; of a struct array: all fields of the first element, then of the second, ...

	file   string
	re, im values
}

// values holds numbers in the widest type of their kind, so that nothing is lost.
type values struct {
	floats []float64
	ints   []int64
	uints  []uint64 // 64-bit unsigned only
	kind   uint32   // storage type
}

// Len is the number of elements.
func (a *Array) Len() int {
	n := 1
	for _, d := range a.Dims {
		n *= d
	}
	return n
}

func (a *Array) errorf(format string, args ...any) error {
	return fmt.Errorf("%s: variable %s: %s", a.file, source.Printable(a.Name), source.Printable(fmt.Sprintf(format, args...)))
}

// Field returns a field of a struct of one element.
func (a *Array) Field(name string) (*Array, error) {
	if a.Class != Struct || a.Len() != 1 {
		return nil, a.errorf("is %s %v, expected one struct", a.Class, a.Dims)
	}
	for i, f := range a.Fields {
		if f == name {
			field := *a.Cells[i]
			field.Name = a.Name + "." + name // version 5 does not name what is inside
			return &field, nil
		}
	}
	return nil, a.errorf("no field %s; there is %s", name, strings.Join(a.Fields, ", "))
}

// Float64s is the values of a real numeric array; an error if one of them has no exact float64.
func (a *Array) Float64s() ([]float64, error) {
	if err := a.numeric(); err != nil {
		return nil, err
	}
	return a.re.float64s(a)
}

// Ints is the values of a real numeric array whose values are all whole numbers; an error otherwise.
func (a *Array) Ints() ([]int, error) {
	if err := a.numeric(); err != nil {
		return nil, err
	}
	out := make([]int, 0, a.Len())
	for _, v := range a.re.ints {
		out = append(out, int(v))
	}
	for _, v := range a.re.uints {
		if v > math.MaxInt64 {
			return nil, a.errorf("value %d is too large", v)
		}
		out = append(out, int(v))
	}
	for i, v := range a.re.floats {
		if v != math.Trunc(v) || math.Abs(v) > 1<<53 {
			return nil, a.errorf("value %d is %v, expected a whole number", i, v)
		}
		out = append(out, int(v))
	}
	return out, nil
}

func (a *Array) numeric() error {
	switch {
	case a.Class < Double || a.Class > Uint64:
		return a.errorf("is of class %s, expected numbers", a.Class)
	case a.Complex:
		return a.errorf("is complex, expected real numbers")
	}
	return nil
}

func (v values) float64s(a *Array) ([]float64, error) {
	out := append(make([]float64, 0, len(v.floats)+len(v.ints)+len(v.uints)), v.floats...)
	for _, x := range v.ints {
		if int64(float64(x)) != x || x == math.MaxInt64 {
			return nil, a.errorf("value %d has no exact float64", x)
		}
		out = append(out, float64(x))
	}
	for _, x := range v.uints {
		if f := float64(x); f >= 1<<64 || uint64(f) != x {
			return nil, a.errorf("value %d has no exact float64", x)
		}
		out = append(out, float64(x))
	}
	return out, nil
}

// stored is what one storage type looks like.
type stored struct {
	size  int
	int   func(p *parser, b []byte) int64 // nil for floats and 64-bit unsigned
	float func(p *parser, b []byte) float64
}

var storage = map[uint32]stored{
	miInt8:   {size: 1, int: func(_ *parser, b []byte) int64 { return int64(int8(b[0])) }},
	miUint8:  {size: 1, int: func(_ *parser, b []byte) int64 { return int64(b[0]) }},
	miUTF8:   {size: 1, int: func(_ *parser, b []byte) int64 { return int64(b[0]) }},
	miInt16:  {size: 2, int: func(p *parser, b []byte) int64 { return int64(int16(p.order.Uint16(b))) }},
	miUint16: {size: 2, int: func(p *parser, b []byte) int64 { return int64(p.order.Uint16(b)) }},
	miUTF16:  {size: 2, int: func(p *parser, b []byte) int64 { return int64(p.order.Uint16(b)) }},
	miInt32:  {size: 4, int: func(p *parser, b []byte) int64 { return int64(int32(p.order.Uint32(b))) }},
	miUint32: {size: 4, int: func(p *parser, b []byte) int64 { return int64(p.order.Uint32(b)) }},
	miUTF32:  {size: 4, int: func(p *parser, b []byte) int64 { return int64(p.order.Uint32(b)) }},
	miInt64:  {size: 8, int: func(p *parser, b []byte) int64 { return int64(p.order.Uint64(b)) }},
	miUint64: {size: 8},
	miSingle: {size: 4, float: func(p *parser, b []byte) float64 { return float64(math.Float32frombits(p.order.Uint32(b))) }},
	miDouble: {size: 8, float: func(p *parser, b []byte) float64 { return math.Float64frombits(p.order.Uint64(b)) }},
}

// ranges of the integer classes of up to 32 bits.
var ranges = map[Class][2]int64{
	Int8: {math.MinInt8, math.MaxInt8}, Uint8: {0, math.MaxUint8}, Int16: {math.MinInt16, math.MaxInt16},
	Uint16: {0, math.MaxUint16}, Int32: {math.MinInt32, math.MaxInt32}, Uint32: {0, math.MaxUint32},
	Char: {0, math.MaxUint32},
}

// values reads n numbers of a class; the storage type is often smaller than the class.
func (p *parser) values(el part, class Class, n int) (values, error) {
	v := values{kind: el.kind}
	st, ok := storage[el.kind]
	if !ok {
		return v, p.errorf(el.at, "numbers of storage type %d, which is not known", el.kind)
	}
	count := len(el.data) / st.size
	// Text may have another number of bytes than letters, and MATLAB has written text of some letters without any.
	exact := len(el.data)%st.size == 0 && (count == n || class == Char && (el.kind == miUTF8 || count == 0))
	if !exact {
		return v, p.errorf(el.at, "%d bytes of storage type %d, expected %d values", len(el.data), el.kind, n)
	}
	isFloat := class == Double || class == Single
	switch {
	case isFloat:
		v.floats = make([]float64, 0, count)
	case class == Uint64:
		v.uints = make([]uint64, 0, count)
	default:
		v.ints = make([]int64, 0, count)
	}
	for i := range count {
		b := el.data[i*st.size:]
		switch {
		case st.float != nil && isFloat:
			v.floats = append(v.floats, st.float(p, b))
		case st.float != nil:
			return v, p.errorf(el.at, "floats in an array of class %s", class)
		case el.kind == miUint64:
			x := p.order.Uint64(b)
			switch {
			case class == Uint64:
				v.uints = append(v.uints, x)
			case isFloat && x <= 1<<53:
				v.floats = append(v.floats, float64(x))
			default:
				return v, p.errorf(el.at, "64-bit unsigned integer %d in an array of class %s", x, class)
			}
		default:
			x := st.int(p, b)
			r, bounded := ranges[class]
			switch {
			case isFloat:
				v.floats = append(v.floats, float64(x))
				if int64(float64(x)) != x {
					return v, p.errorf(el.at, "value %d in an array of class %s", x, class)
				}
			case bounded && (x < r[0] || x > r[1]), class == Uint64 && x < 0:
				return v, p.errorf(el.at, "value %d in an array of class %s", x, class)
			case class == Uint64:
				v.uints = append(v.uints, uint64(x))
			default:
				v.ints = append(v.ints, x)
			}
		}
	}
	return v, nil
}

// text joins the rows of a char array, [rows, columns] column-major.
func (a *Array) text() string {
	codes := a.re.ints
	if len(codes) == 0 { // there may still be any number of rows
		return ""
	}
	if len(codes) != a.Len() || len(a.Dims) != 2 { // UTF-8 with letters of several bytes has no columns
		return decodeText(codes, a.re.kind)
	}
	var rows []string
	for r := range a.Dims[0] {
		var row []int64
		for c := range a.Dims[1] {
			row = append(row, codes[c*a.Dims[0]+r])
		}
		rows = append(rows, decodeText(row, a.re.kind))
	}
	return strings.Join(rows, "\n")
}

// decodeText turns the codes of one row into text: UTF-8 if they were stored as bytes and are that, else UTF-16 units or
// code points.
func decodeText(codes []int64, kind uint32) string {
	if kind == miUTF8 || kind == miInt8 || kind == miUint8 {
		b := make([]byte, len(codes))
		for i, c := range codes {
			b[i] = byte(c)
		}
		if utf8.Valid(b) {
			return string(b)
		}
	}
	units := make([]uint16, len(codes))
	for i, c := range codes {
		if c > math.MaxUint16 {
			r := make([]rune, len(codes))
			for i, c := range codes {
				r[i] = rune(c)
			}
			return string(r)
		}
		units[i] = uint16(c)
	}
	return string(utf16.Decode(units))
}
