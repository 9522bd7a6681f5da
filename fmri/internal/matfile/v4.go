package matfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"percept/fmri/internal/source"
)

// v4Header is what stands before each matrix of a version 4 file: five integers of 32 bits and the name.
type v4Header struct {
	order         binary.ByteOrder
	machine       int // 0 and 1 say the byte order of IEEE numbers; 2 to 4 are VAX and Cray
	precision     int
	kind          int // v4Full, v4Text or v4Sparse
	rows, columns int
	complex       bool
	name          string
	bytes         int // of the header
}

const (
	v4Full   = 0
	v4Text   = 1
	v4Sparse = 2

	v4HeaderSize  = 20
	v4LongestName = 1 << 10
)

// v4Types are the stored types, by the digit of precision.
var v4Types = []struct {
	class Class
	mi    uint32
}{{Double, miDouble}, {Single, miSingle}, {Int32, miInt32}, {Int16, miInt16}, {Uint16, miUint16}, {Uint8, miUint8}}

// parseV4Header reads the header at the front of b; ok is false where there is none.
func parseV4Header(b []byte) (h v4Header, ok bool) {
	if len(b) < v4HeaderSize {
		return h, false
	}
	for _, h.order = range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		if h.parse(b) {
			return h, true
		}
	}
	return h, false
}

func (h *v4Header) parse(b []byte) bool {
	word := func(i int) int { return int(int32(h.order.Uint32(b[4*i:]))) }
	mopt := word(0)
	h.machine, h.precision, h.kind = mopt/1000, mopt/10%10, mopt%10
	zero, imaginary, length := mopt/100%10, word(3), word(4)
	h.rows, h.columns, h.complex = word(1), word(2), imaginary == 1
	if mopt < 0 || h.machine > 4 || zero != 0 || h.precision >= len(v4Types) || h.kind > v4Sparse || h.rows < 0 || h.columns < 0 ||
		imaginary < 0 || imaginary > 1 || length < 2 || length > v4LongestName || length > len(b)-v4HeaderSize {
		return false
	}
	if h.machine < 2 && (h.machine == 1) != (h.order == binary.BigEndian) {
		return false
	}
	name := b[v4HeaderSize : v4HeaderSize+length]
	name, _, ended := bytes.Cut(name, []byte{0})
	for i, c := range name {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	h.name, h.bytes = string(name), v4HeaderSize+length
	return ended && len(name) > 0
}

// need is the bytes of the values, from which no overflow can come: rows and columns have 31 bits each.
func (h *v4Header) need() uint64 {
	n := uint64(h.rows) * uint64(h.columns)
	if hi := n >> 58; hi != 0 {
		return math.MaxUint64
	}
	n *= uint64(storage[v4Types[h.precision].mi].size)
	if h.complex {
		n *= 2
	}
	return n
}

// IsV4 says whether a file of size bytes that begins with head is of version 4, which has no mark: its first bytes have to be
// the header of a matrix that the file can hold.
func IsV4(head []byte, size int64) bool {
	h, ok := parseV4Header(head)
	return ok && h.need() <= uint64(max(size-int64(h.bytes), 0))
}

// parseV4 reads the named variables of a version 4 file, or all if no name is given.
func parseV4(file string, b []byte, names []string) (*File, error) {
	f := &File{name: file, version: "4"}
	for at := 0; at < len(b); {
		fail := func(format string, args ...any) (*File, error) {
			return nil, &FormatError{file, int64(at), "version 4: " + fmt.Sprintf(format, args...)}
		}
		h, ok := parseV4Header(b[at:])
		if !ok {
			return fail("expected the header of a matrix or the end of the file")
		}
		if h.need() > uint64(len(b)-at-h.bytes) {
			return fail("%s [%d %d] needs %d bytes, the file has %d more", h.name, h.rows, h.columns, h.need(), len(b)-at-h.bytes)
		}
		if h.machine > 1 {
			return fail("%s holds numbers of a VAX or Cray, expected those of IEEE; save it with -v7", h.name)
		}
		data := b[at+h.bytes:][:h.need()]
		if len(names) == 0 || slices.Contains(names, h.name) {
			if slices.ContainsFunc(f.vars, func(a *Array) bool { return a.Name == h.name }) {
				return fail("variable %s is there twice", source.Printable(h.name))
			}
			a, err := h.array(file, data, int64(at+h.bytes))
			if err != nil {
				return nil, err
			}
			f.vars = append(f.vars, a)
		}
		at += h.bytes + len(data)
	}
	return f, nil
}

// array reads the values. MATLAB makes doubles of all of them; the class tells here what is stored.
func (h *v4Header) array(file string, data []byte, at int64) (*Array, error) {
	t := v4Types[h.precision]
	a := &Array{Name: h.name, Class: t.class, Dims: []int{h.rows, h.columns}, Complex: h.complex, file: file}
	p := &parser{file: file, order: h.order}
	switch h.kind {
	case v4Sparse: // rows of indices and values; kept without them, as in version 5
		a.Class = Sparse
		return a, nil
	case v4Text: // codes, mostly as doubles
		v, err := p.values(part{t.mi, data, at}, t.class, a.Len())
		if err != nil {
			return nil, err
		}
		a.Class, a.re.kind = Char, miUTF16
		a.re.ints = v.ints
		for _, c := range v.floats {
			if c != math.Trunc(c) || c < 0 || c > math.MaxUint16 {
				return nil, p.errorf(at, "text with the code %v", c)
			}
			a.re.ints = append(a.re.ints, int64(c))
		}
		a.Text = a.text()
		return a, nil
	}
	half := len(data)
	if h.complex {
		half /= 2
	}
	var err error
	if a.re, err = p.values(part{t.mi, data[:half], at}, t.class, a.Len()); err == nil && h.complex {
		a.im, err = p.values(part{t.mi, data[half:], at + int64(half)}, t.class, a.Len())
	}
	return a, err
}
