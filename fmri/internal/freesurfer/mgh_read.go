package freesurfer

import (
	"encoding/binary"
	"fmt"
	"math"

	"percept/fmri/internal/source"
)

// Image is an MGH or MGZ file whose header was read. Its values are read from the file each time they are asked for; a
// compressed file is then read through to its end, so that damage shows.
type Image struct {
	Header
	file *source.File
}

// OpenMGH reads the header of an .mgh or .mgz file; whether it is compressed shows in its first bytes, not in its name.
func OpenMGH(path string) (*Image, error) {
	f, err := source.Open(path, mghFormat)
	if err != nil {
		return nil, err
	}
	return newImage(f)
}

func newImage(f *source.File) (*Image, error) {
	m := &Image{file: f}
	s, err := f.Stream()
	if err != nil {
		return nil, err
	}
	defer s.Close()
	b := make([]byte, mghHeader)
	if err := s.Read(b, "the header of 284 bytes"); err != nil {
		return nil, err
	}
	return m, m.parse(f, b)
}

// ReadAll reads all values in file order: width fastest, frames slowest. An int32 that float32 cannot hold is an error.
func (m *Image) ReadAll() ([]float32, error) {
	return source.Read(m.values(), func(b []byte) (float32, error) {
		x := m.value(b)
		if m.Type == Int32 && float64(float32(x)) != x {
			return 0, fmt.Errorf("%s: a value is %.0f, which float32 cannot hold exactly", m.file.Name, x)
		}
		return float32(x), nil
	})
}

// ReadAll64 is ReadAll in float64, which holds every value.
func (m *Image) ReadAll64() ([]float64, error) {
	return source.Read(m.values(), func(b []byte) (float64, error) { return m.value(b), nil })
}

// ReadVoxels reads some values of every frame as they are stored, big-endian, into dst [Frames(), len(index)], Type.Size()
// bytes each. An index is the place in a frame, width fastest; of a surface's map, the vertex. Any order, repeats allowed. Of
// a file that is not compressed only the parts that hold one are read, neighbours together.
func (m *Image) ReadVoxels(dst []byte, index []int) error {
	size := m.Type.Size()
	if len(dst) != m.Frames()*len(index)*size {
		return fmt.Errorf("%s: %d values of %d frames into %d places", m.file.Name, len(index), m.Frames(), len(dst)/size)
	}
	for _, v := range index {
		if v < 0 || v >= m.Voxels() {
			return fmt.Errorf("%s: value %d of a frame of %d", m.file.Name, v, m.Voxels())
		}
	}
	return m.values().Pick(m.Voxels(), index, func(place int, b []byte) error {
		copy(dst[place*size:], b[:size])
		return nil
	})
}

// values is where the values lie.
func (m *Image) values() *source.Values {
	v := &source.Values{File: m.file, Offset: mghHeader, Size: m.Type.Size(), Count: m.Voxels() * m.Frames()}
	v.What = fmt.Sprintf("the values: dimensions %v of %s need %d bytes", m.Dims, m.Type, mghHeader+int64(v.Count)*int64(v.Size))
	return v
}

// value is the stored value at the front of b.
func (m *Image) value(b []byte) float64 {
	switch m.Type {
	case Float32:
		return float64(math.Float32frombits(binary.BigEndian.Uint32(b)))
	case Int32:
		return float64(int32(binary.BigEndian.Uint32(b)))
	case Int16:
		return float64(int16(binary.BigEndian.Uint16(b)))
	case Uint16:
		return float64(binary.BigEndian.Uint16(b))
	}
	return float64(b[0])
}
