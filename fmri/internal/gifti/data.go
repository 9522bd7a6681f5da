package gifti

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"percept/internal/cause"
)

// How the values of an array are stored, as the format names it.
const (
	ascii     = "ASCII"
	plainB64  = "Base64Binary"
	packedB64 = "GZipBase64Binary"
	external  = "ExternalFileBinary"
)

// encodings are the names in files: those of the format, and those of early writers, which nibabel takes as well.
var encodings = map[string]string{
	"ASCII": ascii, "GIFTI_ENCODING_ASCII": ascii,
	"Base64Binary": plainB64, "GIFTI_ENCODING_B64BIN": plainB64, "B64BIN": plainB64,
	"GZipBase64Binary": packedB64, "GIFTI_ENCODING_B64GZ": packedB64, "B64GZ": packedB64,
	"ExternalFileBinary": external, "GIFTI_ENCODING_EXTBIN": external, "External": external,
}

// endians are the names of byte orders, in lower case: those of the format, and those of early writers. Where none is given
// programs take the machine's order, which is little today.
var endians = map[string]binary.ByteOrder{
	"": binary.LittleEndian, "littleendian": binary.LittleEndian, "little": binary.LittleEndian, "gifti_endian_little": binary.LittleEndian,
	"bigendian": binary.BigEndian, "big": binary.BigEndian, "gifti_endian_big": binary.BigEndian,
}

// storage is where and how the values of an array are stored.
type storage struct {
	encoding     string
	file, offset string // of external data
}

// data decodes the present element's text into the array.
func (p *parser) data(a *Array, s storage) error {
	var text bytes.Buffer
	if err := p.children(p.skip, func(t []byte) { text.Write(t) }); err != nil {
		return err
	}
	switch s.encoding {
	case ascii:
		return p.ascii(a, text.Bytes())
	case external:
		return p.external(a, s)
	}
	b := dropSpace(text.Bytes())
	n, err := base64.StdEncoding.Decode(b, b) // what is written lies behind what is read
	if err != nil {
		return p.failf("base64: %v", err)
	}
	b = b[:n]
	want := a.Len() * a.kind.size
	if s.encoding == packedB64 && len(b)+want > 0 { // an empty array may have no stream
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

// external reads the values out of another file, whose name is relative to the folder of this one.
func (p *parser) external(a *Array, s storage) error {
	if s.file == "" || p.folder == "" {
		return p.failf("data in another file, of which no name is given")
	}
	if !filepath.IsLocal(s.file) {
		return p.failf("data in another file, %.60q, expected the name of one beside this one", s.file)
	}
	offset := int64(0)
	if s.offset != "" {
		var err error
		if offset, err = strconv.ParseInt(s.offset, 10, 64); err != nil || offset < 0 {
			return p.failf("offset %.20q in another file, expected a number from 0 on", s.offset)
		}
	}
	f, err := os.Open(filepath.Join(p.folder, s.file))
	if err != nil {
		return p.failf("data in another file, %.60q: %v", s.file, cause.Of(err))
	}
	defer f.Close()
	st, err := f.Stat()
	if want := int64(a.Len() * a.kind.size); err == nil && (offset > st.Size() || want > st.Size()-offset) {
		return p.failf("data in another file, %.60q, of %d bytes, expected %d from %d on", s.file, st.Size(), want, offset)
	}
	a.data = make([]byte, a.Len()*a.kind.size)
	if _, err := f.ReadAt(a.data, offset); err != nil {
		return p.failf("data in another file, %.60q: %v", s.file, cause.Of(err))
	}
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
			v, err = strconv.ParseInt(whole(s), 10, 8*k.size)
			bits = uint64(v)
		default:
			bits, err = strconv.ParseUint(whole(s), 10, 8*k.size)
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

// whole is a number without the point and zeros that some writers put behind integers.
func whole(s string) string {
	if digits, zeros, ok := strings.Cut(s, "."); ok && digits != "" && strings.Trim(zeros, "0") == "" {
		return digits
	}
	return s
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
