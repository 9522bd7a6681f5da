package hdf5

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"

	"percept/internal/half"
)

// decoder turns n stored elements into dst[0], dst[stride], dst[2·stride], ...
type decoder[T Number] func(dst []T, stride int, src []byte, n int)

// newDecoder returns the decoder from a stored type, or an error if T cannot hold every value of it exactly.
func newDecoder[T Number](t Type) (decoder[T], error) {
	t = t.number()
	if err := t.numeric(); err != nil {
		return nil, err
	}
	if !holds(typeOf[T](), t) {
		return nil, fmt.Errorf("elements are %s, which %s cannot hold exactly", t, typeOf[T]())
	}
	if d := newBitDecoder[T](t); d != nil {
		return d, nil
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

// newBitDecoder is for numbers that do not fill their bytes, or fill an odd number of them, nil for others.
func newBitDecoder[T Number](t Type) decoder[T] {
	n := t.bits
	switch {
	case t.Class == Float && n != nil:
		return each(t.Size, func(b []byte) T {
			x, _ := n.float(b, t.BigEndian)
			return T(x)
		})
	case t.Class == Float:
		return nil
	case n == nil && bits.OnesCount(uint(t.Size)) == 1:
		return nil
	case n == nil:
		n = &bitNumber{precision: 8 * t.Size}
	}
	if t.Signed {
		return each(t.Size, func(b []byte) T { return T(int64(n.integer(b, t.BigEndian, true))) })
	}
	return each(t.Size, func(b []byte) T { return T(n.integer(b, t.BigEndian, false)) })
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

// holds says whether every value of the type from is a value of the type to, which fills its bytes.
func holds(to, from Type) bool {
	width := 8 * from.Size
	if from.Class == Fixed && from.bits != nil {
		width = from.bits.precision
	}
	switch {
	case from.Class == Float && from.bits != nil:
		if to.Class != Float {
			return false
		}
		have := ieee754[to.Size]
		low, high := have.exponents()
		least, most := from.bits.exponents()
		return from.bits.digits() <= have.digits() && least >= low && most <= high
	case from.Class == Float:
		return to.Class == Float && to.Size >= from.Size
	case from.Class != Fixed:
		return false
	case to.Class == Float:
		if from.Signed {
			width-- // the most negative value is a power of two
		}
		return width <= map[int]int{4: 24, 8: 53}[to.Size]
	case from.Signed:
		return to.Signed && 8*to.Size >= width
	case to.Signed:
		return 8*to.Size > width
	}
	return 8*to.Size >= width
}
