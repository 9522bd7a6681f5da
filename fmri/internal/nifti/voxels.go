package nifti

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// ReadAll reads all voxels in file order, first index fastest, with scaling applied in float64 and the result rounded to
// float32. An integer that float32 cannot hold exactly, where nothing is scaled, is an error.
func (img *Image) ReadAll() ([]float32, error) {
	v := img.values()
	out := make([]float32, 0, v.Room()) // grows with what the file really holds: a compressed file's dimensions may lie
	err := v.Blocks(0, v.Count, func(b []byte, n int) error {
		at := len(out)
		out = slices.Grow(out, n)[:at+n]
		return img.decode(out[at:], b, n)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ReadAll64 is ReadAll in float64.
func (img *Image) ReadAll64() ([]float64, error) {
	v := img.values()
	out := make([]float64, 0, v.Room())
	err := v.Blocks(0, v.Count, func(b []byte, n int) error {
		for i := range n {
			x, exact := img.value(b[i*v.Size:])
			if !exact {
				return fmt.Errorf("%s: a voxel is about %.0f, which float64 cannot hold exactly", img.name, x)
			}
			out = append(out, x)
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
	v := img.values()
	out := make([]int, 0, v.Room())
	err := v.Blocks(0, v.Count, func(b []byte, n int) error {
		for i := range n {
			x, exact := img.value(b[i*v.Size:])
			if !exact || x != math.Trunc(x) || math.Abs(x) > 1<<53 {
				return fmt.Errorf("%s: voxel %d is %v, expected a whole number", img.name, len(out), x)
			}
			out = append(out, int(x))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ReadVolumes reads whole volumes, beginning with the given one, as many as fit in dst, which holds n·Voxels() values, in
// file order, as ReadAll does. Of a file that is not compressed nothing else is read.
func (img *Image) ReadVolumes(dst []float32, first int) error {
	n := len(dst) / img.Voxels()
	if len(dst) != n*img.Voxels() || first < 0 || first > img.Volumes() || n > img.Volumes()-first {
		return fmt.Errorf("%s: %d values from volume %d on, the file has %d volumes of %d", img.name, len(dst), first, img.Volumes(), img.Voxels())
	}
	return img.values().Blocks(first*img.Voxels(), len(dst), func(b []byte, n int) error {
		err := img.decode(dst, b, n)
		dst = dst[n:]
		return err
	})
}

// ReadVoxels reads some voxels of every volume as they are stored into dst [Volumes(), len(index)], Type.Size() bytes each, in
// one pass that keeps nothing else. An index is the place in a volume, x fastest: (z·Y+y)·X+x; any order, repeats allowed. Of
// a file that is not compressed only the parts that hold one are read.
func (img *Image) ReadVoxels(dst []byte, index []int) error {
	size := img.Type.Size()
	if len(dst) != img.Volumes()*len(index)*size {
		return fmt.Errorf("%s: %d voxels of %d volumes into %d values", img.name, len(index), img.Volumes(), len(dst)/size)
	}
	for _, v := range index {
		if v < 0 || v >= img.Voxels() {
			return fmt.Errorf("%s: voxel %d of %d", img.name, v, img.Voxels())
		}
	}
	return img.values().Pick(img.Voxels(), index, func(place int, b []byte) error {
		copy(dst[place*size:], b[:size])
		return nil
	})
}

// BigEndian says in which order the bytes of a voxel are stored.
func (img *Image) BigEndian() bool { return img.order == binary.BigEndian }

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
