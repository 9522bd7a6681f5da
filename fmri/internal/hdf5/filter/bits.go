package filter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	bitorder "math/bits"
)

// bitReader takes bits from the most significant of the first byte on.
type bitReader struct {
	b   []byte
	at  int // bits
	cut bool
}

// take is the next n bits, n at most 64; zeros and cut where there are fewer.
func (r *bitReader) take(n int) uint64 {
	if r.cut || n > 8*len(r.b)-r.at {
		r.cut = true
		return 0
	}
	var x uint64
	for n > 0 {
		k := min(n, 8-r.at%8)
		x = x<<k | uint64(r.b[r.at/8])>>(8-r.at%8-k)&(1<<k-1)
		r.at += k
		n -= k
	}
	return x
}

// zeros counts the 0 bits before the next 1, which it takes too.
func (r *bitReader) zeros() int {
	n := 0
	for r.take(1) == 0 {
		if r.cut {
			return 0
		}
		n++
	}
	return n
}

// put stores the size low bytes of x.
func put(b []byte, size int, bigEndian bool, x uint64) {
	for i := range size {
		if bigEndian {
			b[size-1-i] = byte(x >> (8 * i))
		} else {
			b[i] = byte(x >> (8 * i))
		}
	}
}

// unscale undoes scale-offset: of each number the difference from the smallest is stored in as many bits as the largest
// difference takes; of floats the rounded difference times a power of ten. The largest stored value stands for the fill value.
func unscale(f Filter, b []byte, most int) ([]byte, error) {
	const (
		floatDecimal = 0
		integer      = 2
		header       = 21
	)
	kind, scale := f.Params[0], int32(f.Params[1])
	count, class, size, bigEndian, filled := uint64(f.Params[2]), f.Params[3], int(f.Params[4]), f.Params[6] == 1, f.Params[7] == 1
	switch {
	case size != 1 && size != 2 && size != 4 && size != 8 || class > 1 || class == 1 && size < 4 ||
		kind != floatDecimal && kind != integer || (kind == integer) != (class == 0):
		return nil, fmt.Errorf("scale type %d of numbers of class %d with %d bytes is not known", kind, class, size)
	case kind == integer && int(scale) == 8*size: // the filter has nothing to do
		return b, nil
	case count*uint64(size) > uint64(most):
		return nil, tooMuch(most)
	case len(b) < header:
		return nil, errCut
	}
	bits := int(binary.LittleEndian.Uint32(b))
	if bits > 8*size {
		return nil, fmt.Errorf("%d bits for numbers of %d bytes", bits, size)
	}
	if b[4] != 8 {
		return nil, fmt.Errorf("a minimum of %d bytes, expected 8", b[4])
	}
	least := binary.LittleEndian.Uint64(b[5:])
	fill := uint64(f.Params[8]) | uint64(f.Params[9])<<32
	out := make([]byte, int(count)*size)
	r := &bitReader{b: b[header:]}
	for i := 0; i < len(out); i += size {
		x := r.take(bits)
		switch {
		case bits == 8*size: // the number itself, its first byte the least
			x = bitorder.ReverseBytes64(x) >> (64 - 8*size)
		case filled && x == 1<<bits-1:
			x = fill
		case class == 0:
			x += least
		case size == 4:
			x = uint64(math.Float32bits(float32(int32(x))/float32(math.Pow(10, float64(scale))) + math.Float32frombits(uint32(least))))
		default:
			x = math.Float64bits(float64(int64(x))/math.Pow(10, float64(scale)) + math.Float64frombits(least))
		}
		put(out[i:], size, bigEndian, x)
	}
	if r.cut {
		return nil, errCut
	}
	return out, nil
}

// Kinds of types in the parameters of n-bit.
const (
	nbitAtomic   = 1
	nbitArray    = 2
	nbitCompound = 3
	nbitWhole    = 4
)

// unpackBits undoes n-bit, which stores of each number only the bits that its type says it has. The parameters describe the
// type, compounds and arrays included.
func unpackBits(f Filter, b []byte, most int) ([]byte, error) {
	if f.Params[1] == 1 { // the filter has nothing to do
		return b, nil
	}
	count := uint64(f.Params[2])
	n := &nbit{params: f.Params[3:], bits: bitReader{b: b}}
	size := uint64(n.size(0))
	if n.err != nil {
		return nil, n.err
	}
	if size == 0 || count > uint64(most)/size {
		return nil, fmt.Errorf("%d elements of %d bytes in %d bytes", count, size, most)
	}
	out := make([]byte, count*size)
	for i := uint64(0); i < count && n.err == nil && !n.bits.cut; i++ {
		n.element(0, out[i*size:(i+1)*size], 0)
	}
	if n.bits.cut {
		return nil, errCut
	}
	return out, n.err
}

type nbit struct {
	params []uint32
	bits   bitReader
	err    error
}

var errNBit = errors.New("the parameters describe no type")

// param is parameter i, 0 beyond the end.
func (n *nbit) param(i int) int {
	if i >= len(n.params) {
		n.err = errNBit
		return 0
	}
	return int(n.params[i])
}

// size is the bytes of the type whose parameters begin at i.
func (n *nbit) size(i int) int { return n.param(i + 1) }

// element reads an element of the type whose parameters begin at i into b, and returns where the parameters end.
func (n *nbit) element(i int, b []byte, depth int) int {
	size := n.size(i)
	if depth > 8 || size < 1 || size > len(b) {
		n.err = errNBit
	}
	if n.err != nil {
		return i
	}
	switch kind := n.param(i); kind {
	case nbitWhole:
		for k := range size {
			b[k] = byte(n.bits.take(8))
		}
		return i + 2
	case nbitAtomic:
		order, precision, offset := n.param(i+2), n.param(i+3), n.param(i+4)
		if n.err != nil || order > 1 || precision < 1 || precision > 8*size || offset > 8*size-precision {
			n.err = errNBit
			return i
		}
		for at := offset + precision; at > offset; { // from the most significant bit down
			low := max(offset, (at-1)/8*8)
			k := low / 8
			if order == 1 {
				k = size - 1 - k
			}
			b[k] = byte(n.bits.take(at-low) << (low % 8))
			at = low
		}
		return i + 5
	case nbitArray:
		inner := n.size(i + 2)
		if inner < 1 || size%inner != 0 {
			n.err = errNBit
			return i
		}
		end := i
		for at := 0; at < size && n.err == nil && !n.bits.cut; at += inner {
			end = n.element(i+2, b[at:at+inner], depth+1)
		}
		return end
	case nbitCompound:
		members, end := n.param(i+2), i+3
		for range members {
			at := n.param(end)
			if n.err != nil || at > size || n.bits.cut {
				n.err = errNBit
				return i
			}
			end = n.element(end+1, b[at:size], depth+1)
		}
		return end
	default:
		n.err = errNBit
		return i
	}
}
