package weights

import (
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"
)

var le = binary.LittleEndian

// count returns the elements of a dense tensor; its data has been checked to hold them.
func (t tensorInfo) count() int { return len(t.data) / t.dtype.Size() }

func (t tensorInfo) float32s() ([]float32, error) {
	t, err := t.dense()
	if err != nil {
		return nil, err
	}
	x := make([]float32, t.count())
	return x, t.widen(x)
}

// widen writes a dense tensor to x, in parts at once.
func (t tensorInfo) widen(x []float32) error {
	var err error
	var once sync.Once
	inParts(len(x), func(lo, hi int) {
		size := t.dtype.Size()
		part := tensorInfo{dtype: t.dtype, data: t.data[lo*size : hi*size]}
		if e := part.widenPart(x[lo:hi]); e != nil {
			once.Do(func() { err = e })
		}
	})
	return err
}

func (t tensorInfo) widenPart(x []float32) error {
	b := t.data
	switch t.dtype {
	case F32:
		for i := range x {
			x[i] = math.Float32frombits(le.Uint32(b[4*i:]))
		}
	case F16:
		for i := range x {
			x[i] = F16ToF32(le.Uint16(b[2*i:]))
		}
	case BF16:
		for i := range x {
			x[i] = BF16ToF32(le.Uint16(b[2*i:]))
		}
	case F8E4M3:
		for i := range x {
			x[i] = F8E4M3ToF32(b[i])
		}
	case F8E5M2:
		for i := range x {
			x[i] = F16ToF32(uint16(b[i]) << 8)
		}
	case U64: // int64s would turn the upper half negative
		for i := range x {
			x[i] = float32(le.Uint64(b[8*i:]))
		}
	case F64:
		for i := range x {
			x[i] = float32(math.Float64frombits(le.Uint64(b[8*i:])))
		}
	default:
		n, err := t.int64s()
		if err != nil {
			return fmt.Errorf("dtype %s cannot be widened to float32", t.dtype)
		}
		for i, v := range n {
			x[i] = float32(v)
		}
	}
	return nil
}

// view returns a dense tensor as it lies in memory where that is float32 in this machine's order.
func (t tensorInfo) view() ([]float32, bool) {
	if t.dtype != F32 || len(t.data) == 0 || !littleEndian || uintptr(unsafe.Pointer(&t.data[0]))%4 != 0 {
		return nil, false
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&t.data[0])), t.count()), true
}

var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// inParts calls f for 0 … n-1 cut into parts, several at once where n is large.
func inParts(n int, f func(lo, hi int)) {
	const part = 1 << 18
	workers := min(runtime.GOMAXPROCS(0), (n+part-1)/part)
	if workers <= 1 {
		f(0, n)
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				hi := int(next.Add(part))
				if hi-part >= n {
					return
				}
				f(hi-part, min(hi, n))
			}
		})
	}
	wg.Wait()
}

func (t tensorInfo) float64s() ([]float64, error) {
	t, err := t.dense()
	if err != nil {
		return nil, err
	}
	x := make([]float64, t.count())
	switch t.dtype {
	case F64:
		for i := range x {
			x[i] = math.Float64frombits(le.Uint64(t.data[8*i:]))
		}
	case U64:
		for i := range x {
			x[i] = float64(le.Uint64(t.data[8*i:]))
		}
	case F32, F16, BF16, F8E4M3, F8E5M2:
		f, err := t.float32s()
		if err != nil {
			return nil, err
		}
		for i, v := range f {
			x[i] = float64(v)
		}
	default:
		n, err := t.int64s()
		if err != nil {
			return nil, fmt.Errorf("dtype %s cannot be widened to float64", t.dtype)
		}
		for i, v := range n {
			x[i] = float64(v)
		}
	}
	return x, nil
}

func (t tensorInfo) int64s() ([]int64, error) {
	t, err := t.dense()
	if err != nil {
		return nil, err
	}
	x := make([]int64, t.count())
	b := t.data
	for i := range x {
		switch t.dtype {
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
			return nil, fmt.Errorf("dtype %s holds no integers", t.dtype)
		}
	}
	return x, nil
}

// countNonFinite counts NaN and Inf, which are rare: it looks for any first.
func countNonFinite(name string, x []float32) NonFinite {
	var some atomic.Bool
	inParts(len(x), func(lo, hi int) {
		if anyNonFinite(x[lo:hi]) {
			some.Store(true)
		}
	})
	bad := NonFinite{Name: name}
	if !some.Load() {
		return bad
	}
	for _, v := range x {
		if b := math.Float32bits(v); b&0x7F800000 == 0x7F800000 {
			if b&0x7FFFFF != 0 {
				bad.NaN++
			} else {
				bad.Inf++
			}
		}
	}
	return bad
}

// anyNonFinite reports an exponent of all ones: adding one to it carries into the sign bit.
func anyNonFinite(x []float32) bool {
	const mask, one = 0x7F800000, 0x00800000
	var a, b uint32
	for ; len(x) >= 4; x = x[4:] {
		a |= math.Float32bits(x[0])&mask + one
		b |= math.Float32bits(x[1])&mask + one
		a |= math.Float32bits(x[2])&mask + one
		b |= math.Float32bits(x[3])&mask + one
	}
	for _, v := range x {
		a |= math.Float32bits(v)&mask + one
	}
	return (a|b)>>31 != 0
}
