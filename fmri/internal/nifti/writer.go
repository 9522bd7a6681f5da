package nifti

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"percept/internal/atomicfile"
)

const (
	header1Size = 348
	dataOffset  = 352 // header and the four bytes that announce no extension
)

// Element is what images are written from.
type Element interface {
	uint8 | int16 | int32 | float32
}

// Write writes a whole image; data is in file order, first index fastest. A path that ends in .gz is compressed.
func Write[T Element](path string, h Header, data []T) error {
	w, err := Create[T](path, h)
	if err != nil {
		return err
	}
	defer w.Abort()
	if err := w.Append(data); err != nil {
		return err
	}
	return w.Close()
}

// Create starts an image that is written piece by piece, in file order, and appears at path when Close succeeds. Header.Type
// is ignored: T decides.
func Create[T Element](path string, h Header) (*atomicfile.Array[T], error) {
	b, err := encodeHeader(h, elementType[T]())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	compress, what := strings.HasSuffix(path, ".gz"), fmt.Sprintf("dimensions %v hold", h.Dims)
	return atomicfile.CreateArray[T](path, compress, b, binary.LittleEndian, volume(h.Dims), what)
}

func elementType[T Element]() DataType {
	var z T
	return map[any]DataType{uint8(0): Uint8, int16(0): Int16, int32(0): Int32, float32(0): Float32}[z]
}

// encodeHeader is a little-endian NIfTI-1 header, in millimetres and seconds, with the affine as sform.
func encodeHeader(h Header, t DataType) ([]byte, error) {
	if len(h.Dims) < 1 || len(h.Dims) > 7 {
		return nil, fmt.Errorf("dimensions %v: NIfTI holds 1 to 7", h.Dims)
	}
	b := make([]byte, dataOffset)
	le := binary.LittleEndian
	put := func(at int, v float64) { le.PutUint32(b[at:], math.Float32bits(float32(v))) }
	le.PutUint32(b, header1Size)
	le.PutUint16(b[40:], uint16(len(h.Dims)))
	for i := range 7 {
		d := 1
		if i < len(h.Dims) {
			d = h.Dims[i]
		}
		if d < 1 || d > math.MaxInt16 {
			return nil, fmt.Errorf("dimensions %v: NIfTI-1 holds 1 to 32767 each", h.Dims)
		}
		le.PutUint16(b[42+2*i:], uint16(d))
		put(80+4*i, 1) // pixdim
	}
	le.PutUint16(b[70:], uint16(t))
	le.PutUint16(b[72:], uint16(8*t.Size()))
	put(76, 1) // qfac
	put(108, dataOffset)
	put(112, h.Slope)
	put(116, h.Inter)
	b[123] = 2 | 8 // millimetres, seconds
	if h.Affine != ([4][4]float64{}) {
		for j, s := range voxelSize(h.Affine) {
			put(80+4*j, s)
		}
		le.PutUint16(b[254:], 1) // sform: scanner coordinates
		for i := range 3 {
			for j := range 4 {
				put(280+16*i+4*j, h.Affine[i][j])
			}
		}
	}
	copy(b[344:], "n+1\x00")
	return b, nil
}
