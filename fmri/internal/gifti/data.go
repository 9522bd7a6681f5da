package gifti

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"io"
	"math"
	"strconv"
)

// data decodes the present element's text into the array.
func (p *parser) data(a *Array, encoding string) error {
	var text bytes.Buffer
	if err := p.children(p.skip, func(t []byte) { text.Write(t) }); err != nil {
		return err
	}
	switch encoding {
	case "ASCII":
		return p.ascii(a, text.Bytes())
	case "Base64Binary", "GZipBase64Binary":
	case "ExternalFileBinary":
		return p.failf("data in another file, which is not supported")
	default:
		return p.failf("encoding %.40q, expected ASCII, Base64Binary or GZipBase64Binary", encoding)
	}
	b := dropSpace(text.Bytes())
	n, err := base64.StdEncoding.Decode(b, b) // what is written lies behind what is read
	if err != nil {
		return p.failf("base64: %v", err)
	}
	b = b[:n]
	want := a.Len() * a.kind.size
	if encoding == "GZipBase64Binary" && len(b)+want > 0 { // an empty array may have no stream
		// Deflate shrinks to no less than 1/1032, so a size beyond that is a lie; told before memory is taken.
		if want > len(b)*1040+1024 {
			return p.failf("%d bytes of compressed data cannot hold shape %v of %s", len(b), a.Shape, a.Type)
		}
		if b, err = inflate(b, want); err != nil {
			return p.failf("compressed data: %v", err)
		}
	}
	if len(b) != want {
		return p.failf("%d bytes of data, shape %v of %s needs %d", len(b), a.Shape, a.Type, want)
	}
	a.data = b
	return nil
}

// dropSpace removes white space in place.
func dropSpace(b []byte) []byte {
	out := b[:0]
	for _, c := range b {
		if c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			out = append(out, c)
		}
	}
	return out
}

// inflate undoes the compression, which is zlib's whatever the encoding's name says; gzip is understood as well. At most
// one byte more than is wanted comes out.
func inflate(b []byte, want int) ([]byte, error) {
	var z io.Reader
	var err error
	if bytes.HasPrefix(b, []byte{0x1f, 0x8b}) {
		z, err = gzip.NewReader(bytes.NewReader(b))
	} else {
		z, err = zlib.NewReader(bytes.NewReader(b))
	}
	if err != nil {
		return nil, err
	}
	out := make([]byte, want+1)
	n, err := io.ReadFull(z, out)
	if err == nil {
		return out, nil
	}
	if err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	// A cut stream gives io.ErrUnexpectedEOF as well: only at a true end is the next read io.EOF.
	if _, err := z.Read(out[n:]); err != io.EOF {
		return nil, io.ErrUnexpectedEOF
	}
	return out[:n], nil
}

// ascii reads numbers separated by white space.
func (p *parser) ascii(a *Array, text []byte) error {
	n, k := a.Len(), a.kind
	if n > (len(text)+1)/2 {
		return p.failf("%d bytes of text cannot hold shape %v", len(text), a.Shape)
	}
	a.order = binary.LittleEndian
	a.data = make([]byte, 0, n*k.size)
	count := 0
	for word := range bytes.FieldsSeq(text) {
		if count++; count > n {
			return p.failf("more than the %d values of shape %v", n, a.Shape)
		}
		var bits uint64
		var err error
		switch s := string(word); {
		case k.float && k.size == 4:
			var v float64
			v, err = strconv.ParseFloat(s, 32)
			bits = uint64(math.Float32bits(float32(v)))
		case k.float:
			var v float64
			v, err = strconv.ParseFloat(s, 64)
			bits = math.Float64bits(v)
		case k.signed:
			var v int64
			v, err = strconv.ParseInt(s, 10, 8*k.size)
			bits = uint64(v)
		default:
			bits, err = strconv.ParseUint(s, 10, 8*k.size)
		}
		if err != nil {
			return p.failf("value %d is %.20q, expected %s", count-1, word, a.Type)
		}
		for i := range k.size {
			a.data = append(a.data, byte(bits>>(8*i)))
		}
	}
	if count < n {
		return p.failf("%d values, shape %v needs %d", count, a.Shape, n)
	}
	return nil
}

// toRows brings data whose first index runs fastest to C order.
func (a *Array) toRows() {
	if len(a.Shape) < 2 {
		return
	}
	out := make([]byte, len(a.data))
	at, size := make([]int, len(a.Shape)), a.kind.size
	for i := 0; i < len(a.data); i += size {
		k := 0
		for axis, d := range a.Shape {
			k = k*d + at[axis]
		}
		copy(out[k*size:], a.data[i:i+size])
		for axis := range at {
			if at[axis]++; at[axis] < a.Shape[axis] {
				break
			}
			at[axis] = 0
		}
	}
	a.data = out
}
