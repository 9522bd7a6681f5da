package hdf5

import (
	"math"
	"math/bits"
)

// Float64s reads the whole dataset in C order, whatever its numbers are. Floats of more digits than float64 has are rounded to
// the nearest one, as numpy's astype does; an integer that float64 does not hold, or a float beyond its range, is an error.
func Float64s(d *Dataset) ([]float64, error) {
	if err := d.Readable(); err != nil {
		return nil, err
	}
	if d.elem.truth {
		x, err := Raw(d)
		out := make([]float64, len(x))
		for i, v := range x {
			if v != 0 {
				out[i] = 1
			}
		}
		return out, err
	}
	switch t := d.elem.number(); {
	case holds(Type{Class: Float, Size: 8}, t):
		return Read[float64](d)
	case t.Class == Float:
		return roundedFloats(d, t)
	case t.Signed:
		return exactFloats[int64](d)
	}
	return exactFloats[uint64](d)
}

// exactFloats reads 64-bit integers as float64, those that float64 holds.
func exactFloats[T int64 | uint64](d *Dataset) ([]float64, error) {
	x, err := Read[T](d)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(x))
	for i, v := range x {
		size := uint64(v)
		if v < 0 {
			size = -size
		}
		if out[i] = float64(v); bits.Len64(size)-bits.TrailingZeros64(size) > 53 && size > 0 {
			return nil, d.errorf("value %d is %d, which float64 cannot hold exactly", i, v)
		}
	}
	return out, nil
}

// roundedFloats reads floats that are wider than float64.
func roundedFloats(d *Dataset, t Type) ([]float64, error) {
	b, err := Raw(d)
	if err != nil {
		return nil, err
	}
	out := make([]float64, d.Len())
	for i := range out {
		x, exact := t.bits.float(b[i*t.Size:(i+1)*t.Size], t.BigEndian)
		if math.IsInf(x, 0) && !exact {
			return nil, d.errorf("value %d is beyond float64's range", i)
		}
		out[i] = x
	}
	return out, nil
}
