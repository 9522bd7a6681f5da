package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync"
	"unsafe"

	"percept/internal/half"
	"percept/internal/parts"
)

var le = binary.LittleEndian

// A Tensor is the values of one tensor as they lie in a file.
type Tensor struct {
	DType DType
	Shape []int
	Data  []byte // little-endian, in C order
}

// Len returns the number of elements that Data holds; for a type that cannot be read, what the shape says.
func (t Tensor) Len() int {
	if size := t.DType.Size(); size > 0 {
		return len(t.Data) / size
	}
	n, _ := Elements(t.Shape) // which Parse has looked at
	return n
}

// Float32 returns the values as float32: float16, bfloat16 and float8 widened exactly, float64 and integers rounded.
func (t Tensor) Float32() ([]float32, error) {
	if err := t.DType.readable(); err != nil {
		return nil, err
	}
	x := make([]float32, t.Len())
	return x, t.Widen(x)
}

// Widen is Float32 into x, which has Len elements; parts of a large tensor are done at once.
func (t Tensor) Widen(x []float32) error {
	err := t.DType.readable()
	if err != nil {
		return err
	}
	var once sync.Once
	parts.Each(len(x), func(lo, hi int) {
		size := t.DType.Size()
		part := Tensor{DType: t.DType, Data: t.Data[lo*size : hi*size]}
		if e := part.widenPart(x[lo:hi]); e != nil {
			once.Do(func() { err = e })
		}
	})
	return err
}

func (t Tensor) widenPart(x []float32) error {
	b := t.Data
	switch t.DType {
	case F32:
		for i := range x {
			x[i] = math.Float32frombits(le.Uint32(b[4*i:]))
		}
	case F16:
		for i := range x {
			x[i] = half.FromF16(le.Uint16(b[2*i:]))
		}
	case BF16:
		for i := range x {
			x[i] = half.FromBF16(le.Uint16(b[2*i:]))
		}
	case F8E4M3:
		for i := range x {
			x[i] = half.FromE4M3(b[i])
		}
	case F8E5M2:
		for i := range x {
			x[i] = half.FromF16(uint16(b[i]) << 8)
		}
	case U64: // Int64 would turn the upper half negative
		for i := range x {
			x[i] = float32(le.Uint64(b[8*i:]))
		}
	case F64:
		for i := range x {
			x[i] = float32(math.Float64frombits(le.Uint64(b[8*i:])))
		}
	default:
		n, err := t.Int64()
		if err != nil {
			return fmt.Errorf("dtype %s cannot be widened to float32", t.DType)
		}
		for i, v := range n {
			x[i] = float32(v)
		}
	}
	return nil
}

// View returns the values as they lie in memory where that is float32 in this machine's order of bytes.
func (t Tensor) View() ([]float32, bool) {
	if t.DType != F32 || len(t.Data) == 0 || !littleEndian || uintptr(unsafe.Pointer(&t.Data[0]))%4 != 0 {
		return nil, false
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&t.Data[0])), t.Len()), true
}

var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// Float64 returns the values as float64: exact but for the integers beyond 2^53.
func (t Tensor) Float64() ([]float64, error) {
	if err := t.DType.readable(); err != nil {
		return nil, err
	}
	x := make([]float64, t.Len())
	switch t.DType {
	case F64:
		for i := range x {
			x[i] = math.Float64frombits(le.Uint64(t.Data[8*i:]))
		}
	case U64:
		for i := range x {
			x[i] = float64(le.Uint64(t.Data[8*i:]))
		}
	case F32, F16, BF16, F8E4M3, F8E5M2:
		f, err := t.Float32()
		if err != nil {
			return nil, err
		}
		for i, v := range f {
			x[i] = float64(v)
		}
	default:
		n, err := t.Int64()
		if err != nil {
			return nil, fmt.Errorf("dtype %s cannot be widened to float64", t.DType)
		}
		for i, v := range n {
			x[i] = float64(v)
		}
	}
	return x, nil
}

// Int64 returns the values of a tensor of integers or booleans; those of uint64 keep their bits.
func (t Tensor) Int64() ([]int64, error) {
	if err := t.DType.readable(); err != nil {
		return nil, err
	}
	x := make([]int64, t.Len())
	b := t.Data
	for i := range x {
		switch t.DType {
		case I64, U64:
			x[i] = int64(le.Uint64(b[8*i:]))
		case I32:
			x[i] = int64(int32(le.Uint32(b[4*i:])))
		case U32:
			x[i] = int64(le.Uint32(b[4*i:]))
		case I16:
			x[i] = int64(int16(le.Uint16(b[2*i:])))
		case U16:
			x[i] = int64(le.Uint16(b[2*i:]))
		case I8:
			x[i] = int64(int8(b[i]))
		case U8:
			x[i] = int64(b[i])
		case Bool:
			if b[i] != 0 {
				x[i] = 1
			}
		default:
			return nil, fmt.Errorf("dtype %s holds no integers", t.DType)
		}
	}
	return x, nil
}
