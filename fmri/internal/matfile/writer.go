package matfile

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"math"

	"percept/internal/atomicfile"
)

// Matrix is an array of doubles to be written.
type Matrix struct {
	Name string
	Dims []int     // at least two
	Data []float64 // column-major: the first index runs fastest
}

// Write writes a compressed version 5 file that appears at path when it is complete. As MATLAB does, values that are
// all whole numbers are stored in the smallest integer type that holds them; their class stays double.
func Write(path string, vars ...Matrix) error {
	f, err := atomicfile.CreateAll(path)
	if err != nil {
		return err
	}
	defer f.Abort()
	var out bytes.Buffer
	header := make([]byte, 128)
	copy(header, fmt.Sprintf("%-116s", "MATLAB 5.0 MAT-file, written by percept"))
	binary.LittleEndian.PutUint16(header[124:], 0x0100)
	copy(header[126:], "IM") // little-endian
	out.Write(header)
	for _, v := range vars {
		m, err := matrixElement(v)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		var z bytes.Buffer
		zw := zlib.NewWriter(&z)
		zw.Write(m)
		zw.Close()
		out.Write(tag(miCompressed, z.Len()))
		out.Write(z.Bytes())
	}
	if _, err := f.Write(out.Bytes()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return f.Commit()
}

func tag(kind uint32, n int) []byte {
	b := binary.LittleEndian.AppendUint32(nil, kind)
	return binary.LittleEndian.AppendUint32(b, uint32(n))
}

// element is a tagged data element, padded to 8 bytes; up to 4 bytes of data go into the tag itself.
func element(kind uint32, data []byte) []byte {
	if n := len(data); n > 0 && n <= 4 {
		b := binary.LittleEndian.AppendUint32(nil, uint32(n)<<16|kind)
		return append(append(b, data...), make([]byte, 4-n)...)
	}
	b := append(tag(kind, len(data)), data...)
	return append(b, make([]byte, -len(data)&7)...)
}

func matrixElement(v Matrix) ([]byte, error) {
	n := 1
	var dims []byte
	for _, d := range v.Dims {
		if d < 0 || d > math.MaxInt32 {
			return nil, fmt.Errorf("variable %s: dimensions %v cannot be written", v.Name, v.Dims)
		}
		n *= d
		dims = binary.LittleEndian.AppendUint32(dims, uint32(d))
	}
	if len(v.Dims) < 2 || n != len(v.Data) || 8*n > math.MaxInt32 {
		return nil, fmt.Errorf("variable %s: dimensions %v for %d values", v.Name, v.Dims, len(v.Data))
	}
	if v.Name == "" || len(v.Name) > 63 {
		return nil, fmt.Errorf("variable %q: a MATLAB name has 1 to 63 letters", v.Name)
	}
	flags := binary.LittleEndian.AppendUint32(nil, uint32(Double))
	body := element(miUint32, append(flags, 0, 0, 0, 0))
	body = append(body, element(miInt32, dims)...)
	body = append(body, element(miInt8, []byte(v.Name))...)
	body = append(body, element(store(v.Data))...)
	return append(tag(miMatrix, len(body)), body...), nil
}

// store chooses the storage type of doubles.
func store(x []float64) (kind uint32, data []byte) {
	lo, hi, whole := 0.0, 0.0, true
	for _, v := range x {
		lo, hi = min(lo, v), max(hi, v)
		if v != math.Trunc(v) || (v == 0 && math.Signbit(v)) || math.IsInf(v, 0) {
			whole = false
			break
		}
	}
	le := binary.LittleEndian
	switch {
	case !whole:
		kind = miDouble
	case lo >= 0 && hi <= math.MaxUint8:
		kind = miUint8
	case lo >= math.MinInt16 && hi <= math.MaxInt16:
		kind = miInt16
	case lo >= 0 && hi <= math.MaxUint16:
		kind = miUint16
	case lo >= math.MinInt32 && hi <= math.MaxInt32:
		kind = miInt32
	default:
		kind = miDouble
	}
	for _, v := range x {
		switch kind {
		case miUint8:
			data = append(data, uint8(v))
		case miInt16:
			data = le.AppendUint16(data, uint16(int16(v)))
		case miUint16:
			data = le.AppendUint16(data, uint16(v))
		case miInt32:
			data = le.AppendUint32(data, uint32(int32(v)))
		default:
			data = le.AppendUint64(data, math.Float64bits(v))
		}
	}
	return kind, data
}
