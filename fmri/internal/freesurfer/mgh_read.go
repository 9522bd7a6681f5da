package freesurfer

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

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
	v := m.values()
	out := make([]float32, 0, v.Room()) // grows with what the file really holds: a compressed file's dimensions may lie
	err := v.Blocks(0, v.Count, func(b []byte, n int) error {
		at := len(out)
		out = slices.Grow(out, n)[:at+n]
		return m.decode(out[at:], b, n)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ReadAll64 is ReadAll in float64, which holds every value.
func (m *Image) ReadAll64() ([]float64, error) {
	v := m.values()
	out := make([]float64, 0, v.Room())
	err := v.Blocks(0, v.Count, func(b []byte, n int) error {
		for i := range n {
			out = append(out, m.value(b[i*v.Size:]))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ReadInts reads all values of an image of whole numbers, such as labels.
func (m *Image) ReadInts() ([]int32, error) {
	v := m.values()
	out := make([]int32, 0, v.Room())
	err := v.Blocks(0, v.Count, func(b []byte, n int) error {
		for i := range n {
			x := m.value(b[i*v.Size:])
			if x != math.Trunc(x) || math.Abs(x) > math.MaxInt32 {
				return fmt.Errorf("%s: value %d is %v, expected a whole number", m.file.Name, len(out), x)
			}
			out = append(out, int32(x))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ReadFrames reads whole frames, beginning with the given one, as many as fit in dst, which holds n·Voxels() values. Of a
// file that is not compressed nothing else is read.
func (m *Image) ReadFrames(dst []float32, first int) error {
	n := len(dst) / m.Voxels()
	if len(dst) != n*m.Voxels() || first < 0 || first > m.Frames() || n > m.Frames()-first {
		return fmt.Errorf("%s: %d values from frame %d on, the file has %d frames of %d", m.file.Name, len(dst), first, m.Frames(), m.Voxels())
	}
	return m.values().Blocks(first*m.Voxels(), len(dst), func(b []byte, n int) error {
		err := m.decode(dst, b, n)
		dst = dst[n:]
		return err
	})
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

// Footer is what follows the values: five float32 (repetition time and echo time in ms, flip angle in rad, inversion time,
// field of view) and tags, as far as the file has them; at most 16 MiB.
func (m *Image) Footer() ([]byte, error) {
	v := m.values()
	s, err := m.file.Stream()
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := s.Skip(v.Offset+int64(v.Count)*int64(v.Size), "the end of the values"); err != nil {
		return nil, err
	}
	return s.ReadAll(16<<20, "the footer")
}

// values is where the values lie.
func (m *Image) values() *source.Values {
	v := &source.Values{File: m.file, Offset: mghHeader, Size: m.Type.Size(), Count: m.Voxels() * m.Frames()}
	v.What = fmt.Sprintf("the values: dimensions %v of %s need %d bytes", m.Dims, m.Type, mghHeader+int64(v.Count)*int64(v.Size))
	return v
}

// decode converts n stored values to float32.
func (m *Image) decode(dst []float32, b []byte, n int) error {
	be := binary.BigEndian
	switch m.Type {
	case Float32:
		for i := range n {
			dst[i] = math.Float32frombits(be.Uint32(b[4*i:]))
		}
	case Int32:
		for i := range n {
			v := int32(be.Uint32(b[4*i:]))
			dst[i] = float32(v)
			if float64(dst[i]) != float64(v) {
				return fmt.Errorf("%s: a value is %d, which float32 cannot hold exactly", m.file.Name, v)
			}
		}
	case Int16:
		for i := range n {
			dst[i] = float32(int16(be.Uint16(b[2*i:])))
		}
	default:
		for i := range n {
			dst[i] = float32(b[i])
		}
	}
	return nil
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
	}
	return float64(b[0])
}
