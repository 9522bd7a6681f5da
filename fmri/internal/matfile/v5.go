package matfile

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
)

// parser decodes elements of one file.
type parser struct {
	file  string
	order binary.ByteOrder
	names []string
	empty *Array
}

// part is a tagged data element.
type part struct {
	kind uint32
	data []byte
	at   int64
}

func (p *parser) errorf(at int64, format string, args ...any) error {
	return &FormatError{p.file, at, fmt.Sprintf(format, args...)}
}

// element takes the element at the front of b and returns how many bytes it takes up, padding included.
func (p *parser) element(b []byte, at int64) (part, int, error) {
	if len(b) < 8 {
		return part{}, 0, p.errorf(at, "%d bytes left, a data element has at least 8", len(b))
	}
	kind := p.order.Uint32(b)
	if n := int(kind >> 16); n != 0 { // small form: up to 4 bytes of data in the tag
		if n > 4 {
			return part{}, 0, p.errorf(at, "small data element of %d bytes, at most 4 fit", n)
		}
		return part{kind & 0xffff, b[4 : 4+n], at + 4}, 8, nil
	}
	n := uint64(p.order.Uint32(b[4:]))
	if n > uint64(len(b)-8) {
		return part{}, 0, p.errorf(at, "data element of %d bytes, only %d are left", n, len(b)-8)
	}
	total := 8 + int(n)
	if kind != miCompressed {
		total = min((total+7)&^7, len(b)) // writers leave the padding of the last one out
	}
	return part{kind, b[8 : 8+n], at + 8}, total, nil
}

// variable decodes a top-level element; nil if its name was not asked for.
func (p *parser) variable(el part) (*Array, error) {
	if el.kind == miCompressed {
		z, err := zlib.NewReader(bytes.NewReader(el.data))
		if err != nil {
			return nil, p.errorf(el.at, "compressed variable: %v", err)
		}
		raw, err := p.inflate(z, len(el.data))
		if err != nil {
			return nil, p.errorf(el.at, "compressed variable: %v", err)
		}
		if raw == nil { // not asked for
			return nil, nil
		}
		at := el.at
		if el, _, err = p.element(raw, 0); err != nil {
			return nil, err
		}
		el.at = at // offsets inside count from the compressed element
	}
	if el.kind != miMatrix {
		return nil, p.errorf(el.at, "data element of type %d, expected an array (14)", el.kind)
	}
	return p.matrix(el, 0)
}

// inflate reads a decompressed variable, whose tag says how long it is, to its end, so that the checksum is checked. It
// returns nil as soon as it knows that the variable was not asked for.
func (p *parser) inflate(z io.Reader, compressed int) ([]byte, error) {
	head := make([]byte, 8)
	if _, err := io.ReadFull(z, head); err != nil {
		return nil, err
	}
	n := int64(p.order.Uint32(head[4:]))
	if n > 1040*int64(compressed)+1024 { // deflate shrinks to no less than 1/1032
		return nil, fmt.Errorf("%d bytes cannot hold an array of %d", compressed, n)
	}
	const front = 1024 // bytes that hold the name but for names or dimensions beyond MATLAB's
	raw := append(head, make([]byte, min(n, front))...)
	if _, err := io.ReadFull(z, raw[8:]); err != nil {
		return nil, err
	}
	if name, ok := p.name(raw[8:]); ok && len(p.names) > 0 && !slices.Contains(p.names, name) {
		return nil, nil
	}
	raw = append(raw, make([]byte, max(n-front, 0))...)
	if _, err := io.ReadFull(z, raw[min(len(raw), 8+front):]); err != nil {
		return nil, err
	}
	if more, err := io.Copy(io.Discard, z); err != nil {
		return nil, err
	} else if more > 7 { // padding
		return nil, fmt.Errorf("%d bytes after an array of %d", more, n)
	}
	return raw, nil
}

// name finds the name in the front of an array; ok is false where it has none or the front is too short.
func (p *parser) name(b []byte) (name string, ok bool) {
	s := &parts{p: p, b: b}
	flags := s.next("array flags")
	if s.err != nil || len(flags.data) != 8 {
		return "", false
	}
	if Class(p.order.Uint32(flags.data)) != Opaque {
		s.next("dimensions")
	}
	el := s.next("name")
	return string(el.data), s.err == nil
}

// parts takes sub-elements from the inside of an array one by one.
type parts struct {
	p   *parser
	b   []byte
	at  int64
	err error
}

func (s *parts) next(what string) part {
	if s.err != nil {
		return part{}
	}
	el, n, err := s.p.element(s.b, s.at)
	if err != nil {
		s.err = fmt.Errorf("%w (%s)", err, what)
		return part{}
	}
	s.b, s.at = s.b[n:], s.at+int64(n)
	return el
}

func (p *parser) matrix(el part, depth int) (*Array, error) {
	if depth > maxDepth {
		return nil, p.errorf(el.at, "cells and structs more than %d deep", maxDepth)
	}
	a := &Array{file: p.file}
	if len(el.data) == 0 { // an empty cell: eight bytes of the file, so all share one
		if p.empty == nil {
			a.Class, a.Dims = Double, []int{0, 0}
			p.empty = a
		}
		return p.empty, nil
	}
	s := &parts{p: p, b: el.data, at: el.at}
	flags := s.next("array flags")
	if s.err == nil && len(flags.data) != 8 { // of whatever type: some writers' are signed
		return nil, p.errorf(flags.at, "array flags of %d bytes, expected 8", len(flags.data))
	}
	if s.err != nil {
		return nil, s.err
	}
	bits := p.order.Uint32(flags.data)
	a.Class, a.Logical, a.Complex = Class(bits), bits&0x200 != 0, bits&0x800 != 0
	if a.Class == Opaque {
		// Opaque objects have no dimensions and a content of their own.
		a.Name = string(s.next("name").data)
		return p.wanted(a, depth), s.err
	}
	dims := s.next("dimensions")
	name := s.next("name")
	if s.err != nil {
		return nil, s.err
	}
	if dims.kind != miInt32 && dims.kind != miUint32 || len(dims.data)%4 != 0 || len(dims.data) < 8 {
		return nil, p.errorf(dims.at, "dimensions of type %d in %d bytes", dims.kind, len(dims.data))
	}
	n := 1
	for i := 0; i < len(dims.data); i += 4 {
		d := int(int32(p.order.Uint32(dims.data[i:])))
		if d < 0 || d > 0 && n > (1<<40)/d {
			return nil, p.errorf(dims.at, "dimension %d", d)
		}
		n *= d
		a.Dims = append(a.Dims, d)
	}
	if name.kind != miInt8 && name.kind != miUint8 && name.kind != miUTF8 {
		return nil, p.errorf(name.at, "name of type %d", name.kind)
	}
	a.Name = string(name.data)
	if p.wanted(a, depth) == nil {
		return nil, nil
	}
	var err error
	switch a.Class {
	case Cell:
		a.Cells, err = p.cells(s, n, depth)
	case Struct, Object:
		err = p.fields(s, a, n, depth)
	case Char, Double, Single, Int8, Uint8, Int16, Uint16, Int32, Uint32, Int64, Uint64:
		err = p.numbers(s, a, n)
	case Sparse, Function: // kept without values
	default:
		err = p.errorf(flags.at, "array of %s", a.Class)
	}
	if err == nil {
		err = s.err
	}
	return a, err
}

// wanted is the array, or nil if it is a variable that was not asked for.
func (p *parser) wanted(a *Array, depth int) *Array {
	if depth == 0 && len(p.names) > 0 && !slices.Contains(p.names, a.Name) {
		return nil
	}
	return a
}

func (p *parser) cells(s *parts, n, depth int) ([]*Array, error) {
	var cells []*Array
	for i := range n {
		el := s.next(fmt.Sprintf("cell %d of %d", i, n))
		if s.err != nil {
			return nil, s.err
		}
		if el.kind != miMatrix {
			return nil, p.errorf(el.at, "cell %d of type %d, expected an array (14)", i, el.kind)
		}
		c, err := p.matrix(el, depth+1)
		if err != nil {
			return nil, err
		}
		cells = append(cells, c)
	}
	return cells, nil
}

func (p *parser) fields(s *parts, a *Array, n, depth int) error {
	if a.Class == Object {
		a.Text = string(s.next("class name").data)
	}
	width := s.next("field name length")
	names := s.next("field names")
	if s.err != nil {
		return s.err
	}
	if len(width.data) != 4 {
		return p.errorf(width.at, "field name length of %d bytes, expected 4", len(width.data))
	}
	w := int(int32(p.order.Uint32(width.data)))
	if w <= 0 || len(names.data)%w != 0 {
		return p.errorf(names.at, "field names of %d bytes, %d each", len(names.data), w)
	}
	for i := 0; i < len(names.data); i += w {
		f, _, _ := strings.Cut(string(names.data[i:i+w]), "\x00")
		a.Fields = append(a.Fields, f)
	}
	if len(a.Fields) > 0 && n > len(s.b)/(8*len(a.Fields)) {
		return p.errorf(s.at, "%d structs of %d fields do not fit in %d bytes", n, len(a.Fields), len(s.b))
	}
	var err error
	a.Cells, err = p.cells(s, n*len(a.Fields), depth)
	return err
}

// numbers reads the real and the imaginary part.
func (p *parser) numbers(s *parts, a *Array, n int) error {
	read := func(what string) (values, error) {
		el := s.next(what)
		if s.err != nil {
			return values{}, s.err
		}
		return p.values(el, a.Class, n)
	}
	var err error
	if a.re, err = read("values"); err != nil {
		return err
	}
	if a.Complex {
		a.im, err = read("imaginary part")
	}
	if err == nil && a.Class == Char {
		a.Text = a.text()
	}
	return err
}
