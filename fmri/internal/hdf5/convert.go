package hdf5

import (
	"encoding/binary"
	"fmt"
	"math"

	"percept/internal/half"
)

// decoder turns n stored elements into dst[0], dst[stride], dst[2·stride], ...
type decoder[T Number] func(dst []T, stride int, src []byte, n int)

// newDecoder returns the decoder from a stored type, or an error if T cannot hold every value of it exactly.
func newDecoder[T Number](t Type) (decoder[T], error) {
	if !holds(typeOf[T](), t) {
		return nil, fmt.Errorf("elements are %s, which %s cannot hold exactly", t, typeOf[T]())
	}
	var order binary.ByteOrder = binary.LittleEndian
	if t.BigEndian {
		order = binary.BigEndian
	}
	if t.Class == Float {
		switch t.Size {
		case 2:
			return each(2, func(b []byte) T { return T(half.FromF16(order.Uint16(b))) }), nil
		case 4:
			return each(4, func(b []byte) T { return T(math.Float32frombits(order.Uint32(b))) }), nil
		}
		return each(8, func(b []byte) T { return T(math.Float64frombits(order.Uint64(b))) }), nil
	}
	switch {
	case t.Size == 1 && t.Signed:
		return each(1, func(b []byte) T { return T(int8(b[0])) }), nil
	case t.Size == 1:
		return each(1, func(b []byte) T { return T(b[0]) }), nil
	case t.Size == 2 && t.Signed && !t.BigEndian: // NSD's betas
		return func(dst []T, stride int, src []byte, n int) {
			for i, k := 0, 0; i < n; i, k = i+1, k+stride {
				dst[k] = T(int16(uint16(src[2*i]) | uint16(src[2*i+1])<<8))
			}
		}, nil
	case t.Size == 2 && t.Signed:
		return each(2, func(b []byte) T { return T(int16(order.Uint16(b))) }), nil
	case t.Size == 2:
		return each(2, func(b []byte) T { return T(order.Uint16(b)) }), nil
	case t.Size == 4 && t.Signed:
		return each(4, func(b []byte) T { return T(int32(order.Uint32(b))) }), nil
	case t.Size == 4:
		return each(4, func(b []byte) T { return T(order.Uint32(b)) }), nil
	case t.Signed:
		return each(8, func(b []byte) T { return T(int64(order.Uint64(b))) }), nil
	}
	return each(8, func(b []byte) T { return T(order.Uint64(b)) }), nil
}

func each[T Number](size int, get func([]byte) T) decoder[T] {
	return func(dst []T, stride int, src []byte, n int) {
		for i, k := 0, 0; i < n; i, k = i+1, k+stride {
			dst[k] = get(src[size*i : size*i+size])
		}
	}
}

// copyElements leaves elements of size bytes as they are stored; the stride is in bytes.
func copyElements(size int) decoder[byte] {
	return func(dst []byte, stride int, src []byte, n int) {
		switch {
		case stride == size:
			copy(dst, src[:n*size])
		case size == 2: // NSD's betas
			for i, k := 0, 0; i < n; i, k = i+1, k+stride {
				dst[k], dst[k+1] = src[2*i], src[2*i+1]
			}
		default:
			for i, k := 0, 0; i < n; i, k = i+1, k+stride {
				copy(dst[k:], src[i*size:(i+1)*size])
			}
		}
	}
}

// holds says whether every value of the type from is a value of the type to.
func holds(to, from Type) bool {
	switch {
	case from.Class == Float:
		return to.Class == Float && to.Size >= from.Size
	case from.Class != Fixed:
		return false
	case to.Class == Float:
		valueBits := 8 * from.Size
		if from.Signed {
			valueBits-- // the most negative value is a power of two
		}
		return valueBits <= map[int]int{4: 24, 8: 53}[to.Size]
	case from.Signed:
		return to.Signed && to.Size >= from.Size
	case to.Signed:
		return to.Size > from.Size
	}
	return to.Size >= from.Size
}
