package nifti

import (
	"encoding/binary"
	"fmt"
	"math"

	"percept/fmri/internal/source"
)

// ReadAll reads all voxels in file order, first index fastest, with scaling applied in float64 and the result rounded to
// float32. An integer that float32 cannot hold exactly, where nothing is scaled, is an error.
func (img *Image) ReadAll() ([]float32, error) {
	rounds := img.Type == Float32 || img.Type == Float64 || img.scaled()
	return source.Read(img.values(), func(b []byte) (float32, error) {
		v, exact := img.value(b)
		if !exact || !rounds && float64(float32(v)) != v {
			return 0, fmt.Errorf("%s: a voxel is about %.0f, which float32 cannot hold exactly", img.name, v)
		}
		return float32(v), nil
	})
}

// ReadAll64 is ReadAll in float64.
func (img *Image) ReadAll64() ([]float64, error) {
	return source.Read(img.values(), func(b []byte) (float64, error) {
		v, exact := img.value(b)
		if !exact {
			return 0, fmt.Errorf("%s: a voxel is about %.0f, which float64 cannot hold exactly", img.name, v)
		}
		return v, nil
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
		v = float64(v * img.Slope) // rounded before the sum, on every processor
		if img.Inter != 0 {        // 0 would make +0 of -0, as it does not in nibabel
			v += img.Inter
		}
	}
	return v, exact
}
