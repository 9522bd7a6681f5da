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
	var out []float32 // grows with what the file really holds: a compressed file's dimensions may lie
	return out, m.read(0, m.total(), func(b []byte, n int) error {
		at := len(out)
		out = append(out, make([]float32, n)...)
		return m.decode(out[at:], b, n)
	})
}

// ReadAll64 is ReadAll in float64, which holds every value.
func (m *Image) ReadAll64() ([]float64, error) {
	var out []float64
	size := m.Type.Size()
	return out, m.read(0, m.total(), func(b []byte, n int) error {
		for i := range n {
			out = append(out, m.value(b[i*size:]))
		}
		return nil
	})
}

// ReadInts reads all values of an image of whole numbers, such as labels.
func (m *Image) ReadInts() ([]int32, error) {
	var out []int32
	size := m.Type.Size()
	return out, m.read(0, m.total(), func(b []byte, n int) error {
		for i := range n {
			v := m.value(b[i*size:])
			if v != math.Trunc(v) || math.Abs(v) > math.MaxInt32 {
				return fmt.Errorf("%s: value %d is %v, want a whole number", m.file.Name, len(out), v)
			}
			out = append(out, int32(v))
		}
		return nil
	})
}

// ReadFrames reads whole frames, beginning with the given one, as many as fit in dst, which holds n·Voxels() values. Of a
// file that is not compressed nothing else is read.
func (m *Image) ReadFrames(dst []float32, first int) error {
	n := len(dst) / m.Voxels()
	if len(dst) != n*m.Voxels() || first < 0 || first+n > m.Frames() {
		return fmt.Errorf("%s: %d values from frame %d on, the file has %d frames of %d", m.file.Name, len(dst), first, m.Frames(), m.Voxels())
	}
	return m.read(first*m.Voxels(), len(dst), func(b []byte, n int) error {
		err := m.decode(dst, b, n)
		dst = dst[n:]
		return err
	})
}

// ReadVoxels reads some values of every frame into dst [Frames(), len(index)]. An index is the place in a frame, width
// fastest; of a surface's map, the vertex. Any order, repeats allowed. Of a file that is not compressed only the parts
// that hold one are read, neighbours together.
func (m *Image) ReadVoxels(dst []float32, index []int) error {
	vox, frames := m.Voxels(), m.Frames()
	if len(dst) != frames*len(index) {
		return fmt.Errorf("%s: %d values of %d frames into %d places", m.file.Name, len(index), frames, len(dst))
	}
	order := make([]int, len(index))
	for i, v := range index {
		if v < 0 || v >= vox {
			return fmt.Errorf("%s: value %d of a frame of %d", m.file.Name, v, vox)
		}
		order[i] = i
	}
	if len(index) == 0 {
		return nil
	}
	slices.SortStableFunc(order, func(a, b int) int { return index[a] - index[b] })
	if m.file.Gzip {
		return m.pick(dst, index, order)
	}
	at, err := m.file.At()
	if err != nil {
		return err
	}
	defer at.Close()
	size := m.Type.Size()
	buf := make([]byte, 0, maxSpan+size)
	for frame := range frames {
		for rest := order; len(rest) > 0; {
			// A span is values that are near enough to be read together.
			first, k := index[rest[0]], 1
			for k < len(rest) && (index[rest[k]]-index[rest[k-1]])*size <= maxGap && (index[rest[k]]-first)*size < maxSpan {
				k++
			}
			span := buf[:(index[rest[k-1]]+1-first)*size]
			if err := at.Read(span, mghHeader+int64(frame*vox+first)*int64(size), "the values"); err != nil {
				return err
			}
			for _, o := range rest[:k] {
				if err := m.decode(dst[frame*len(index)+o:], span[(index[o]-first)*size:], 1); err != nil {
					return err
				}
			}
			rest = rest[k:]
		}
	}
	return nil
}

const (
	maxGap  = 32 << 10 // bytes that are cheaper read and dropped than sought over
	maxSpan = 1 << 18
)

// pick is ReadVoxels in one pass; order is the indices sorted.
func (m *Image) pick(dst []float32, index, order []int) error {
	size, vox := m.Type.Size(), m.Voxels()
	begin, frame, next := 0, 0, 0 // of the block; the frame and the index that come next
	return m.read(0, m.total(), func(b []byte, n int) error {
		for frame < m.Frames() {
			at := frame*vox + index[order[next]] - begin
			if at >= n {
				break
			}
			if err := m.decode(dst[frame*len(index)+order[next]:], b[at*size:], 1); err != nil {
				return err
			}
			if next++; next == len(order) {
				next, frame = 0, frame+1
			}
		}
		begin += n
		return nil
	})
}

// Footer is what follows the values: five float32 (repetition time and echo time in ms, flip angle in rad, inversion time,
// field of view) and tags, as far as the file has them; at most 16 MiB.
func (m *Image) Footer() ([]byte, error) {
	s, err := m.file.Stream()
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := s.Skip(mghHeader+int64(m.total())*int64(m.Type.Size()), "the end of the values"); err != nil {
		return nil, err
	}
	return s.ReadAll(16<<20, "footer")
}

func (m *Image) total() int { return m.Voxels() * m.Frames() }

// read hands values out as they are stored, n of them from the one numbered first on, some at a time.
func (m *Image) read(first, n int, take func(b []byte, n int) error) error {
	size := m.Type.Size()
	buf := make([]byte, min(n*size, 1<<16))
	what := fmt.Sprintf("the values: dimensions %v of %s need %d bytes", m.Dims, m.Type, mghHeader+int64(m.total())*int64(size))
	var next func(b []byte) error
	end := func() error { return nil }
	if m.file.Gzip {
		s, err := m.file.Stream()
		if err != nil {
			return err
		}
		defer s.Close()
		if err := s.Skip(mghHeader+int64(first)*int64(size), what); err != nil {
			return err
		}
		next = func(b []byte) error { return s.Read(b, what) }
		end = func() error { return s.Drain("the values") }
	} else {
		at, err := m.file.At()
		if err != nil {
			return err
		}
		defer at.Close()
		pos := mghHeader + int64(first)*int64(size)
		next = func(b []byte) error {
			err := at.Read(b, pos, what)
			pos += int64(len(b))
			return err
		}
	}
	for n > 0 {
		k := min(n, len(buf)/size)
		if err := next(buf[:k*size]); err != nil {
			return err
		}
		if err := take(buf[:k*size], k); err != nil {
			return err
		}
		n -= k
	}
	return end()
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
