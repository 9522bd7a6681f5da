package nifti

import (
	"fmt"
	"math"
	"slices"
)

// ReadAll reads all voxels in file order, first index fastest, with scaling applied in float64 and the result rounded to
// float32. An integer that float32 cannot hold exactly, where nothing is scaled, is an error.
func (img *Image) ReadAll() ([]float32, error) {
	var out []float32 // grows with what the file really holds: dimensions may lie
	err := img.blocks(func(b []byte, n int) error {
		at := len(out)
		out = append(out, make([]float32, n)...)
		return img.decode(out[at:], b, n)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ReadAll64 is ReadAll in float64.
func (img *Image) ReadAll64() ([]float64, error) {
	var out []float64
	err := img.blocks(func(b []byte, n int) error {
		for i := range n {
			v, exact := img.value(b[i*img.Type.Size():])
			if !exact {
				return fmt.Errorf("%s: a voxel is about %.0f, which float64 cannot hold exactly", img.name, v)
			}
			out = append(out, v)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ReadInts reads all voxels of an image of integers in file order, first index fastest. Values that scaling or a float
// type makes fractional are an error: label volumes have none.
func (img *Image) ReadInts() ([]int, error) {
	x, err := img.ReadAll()
	if err != nil {
		return nil, err
	}
	out := make([]int, len(x))
	for i, v := range x {
		if v != float32(math.Trunc(float64(v))) || math.Abs(float64(v)) > 1<<24 {
			return nil, fmt.Errorf("%s: voxel %d is %v, want a whole number", img.name, i, v)
		}
		out[i] = int(v)
	}
	return out, nil
}

// ReadVoxels reads some voxels of every volume into dst [Volumes(), len(index)], in one pass that keeps nothing else.
// An index is the place in a volume, x fastest: (z·Y+y)·X+x; any order, repeats allowed.
func (img *Image) ReadVoxels(dst []float32, index []int) error {
	vox, volumes := img.Voxels(), img.Volumes()
	if len(dst) != volumes*len(index) {
		return fmt.Errorf("%s: %d voxels of %d volumes into %d values", img.name, len(index), volumes, len(dst))
	}
	order := make([]int, len(index))
	for i, v := range index {
		if v < 0 || v >= vox {
			return fmt.Errorf("%s: voxel %d of %d", img.name, v, vox)
		}
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return index[a] - index[b] })
	size := img.Type.Size()
	begin, volume, next := 0, 0, 0 // of the block; the volume and the voxel that come next
	one := make([]float32, 1)
	return img.blocks(func(b []byte, n int) error {
		for len(order) > 0 && volume < volumes {
			at := volume*vox + index[order[next]] - begin
			if at >= n {
				break
			}
			if err := img.decode(one, b[at*size:], 1); err != nil {
				return err
			}
			dst[volume*len(index)+order[next]] = one[0]
			if next++; next == len(order) {
				next, volume = 0, volume+1
			}
		}
		begin += n
		return nil
	})
}

// blocks hands all voxels out, as stored, some at a time.
func (img *Image) blocks(take func(b []byte, n int) error) error {
	s, err := img.stream()
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.skip(img.offset, "the voxels"); err != nil {
		return err
	}
	size := img.Type.Size()
	buf := make([]byte, 1<<18)
	for left := volume(img.Dims); left > 0; {
		n := min(left, len(buf)/size)
		b := buf[:n*size]
		if err := s.read(b, fmt.Sprintf("the voxels: dimensions %v of %s need %d bytes", img.Dims, img.Type, volume(img.Dims)*size)); err != nil {
			return err
		}
		if err := take(b, n); err != nil {
			return err
		}
		left -= n
	}
	return s.drain()
}

// decode converts n stored values to float32.
func (img *Image) decode(dst []float32, b []byte, n int) error {
	size := img.Type.Size()
	isFloat := img.Type == Float32 || img.Type == Float64
	for i := range n {
		v, exact := img.value(b[i*size:])
		if !isFloat && !img.scaled() && float64(float32(v)) != v {
			exact = false
		}
		if !exact {
			return fmt.Errorf("%s: a voxel is about %.0f, which float32 cannot hold exactly", img.name, v)
		}
		dst[i] = float32(v)
	}
	return nil
}

// value is the stored value at the front of b, scaled; exact is false if it is an integer that float64 cannot hold.
func (img *Image) value(b []byte) (v float64, exact bool) {
	o := img.order
	exact = true
	switch img.Type {
	case Uint8:
		v = float64(b[0])
	case Int8:
		v = float64(int8(b[0]))
	case Int16:
		v = float64(int16(o.Uint16(b)))
	case Uint16:
		v = float64(o.Uint16(b))
	case Int32:
		v = float64(int32(o.Uint32(b)))
	case Uint32:
		v = float64(o.Uint32(b))
	case Int64:
		x := int64(o.Uint64(b))
		v = float64(x)
		exact = x >= -1<<53 && x <= 1<<53
	case Uint64:
		x := o.Uint64(b)
		v = float64(x)
		exact = x <= 1<<53
	case Float32:
		v = float64(math.Float32frombits(o.Uint32(b)))
	default:
		v = math.Float64frombits(o.Uint64(b))
	}
	if img.scaled() {
		v = v*img.Slope + img.Inter
	}
	return v, exact
}
