package hdf5

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
)

// bitNumber says where in an element's bytes, taken as one little-endian number, the bits of an integer or a float are.
type bitNumber struct {
	offset, precision int // first bit and number of bits

	// Of floats, counted from bit 0 of the element.
	signAt, exponentAt, exponent, mantissaAt, mantissa int
	bias                                               int64
	implied                                            bool // the leading 1 of the mantissa is not stored
	mixed                                              bool // VAX order of bytes
}

// ieee754 is the layout of halves, singles and doubles, by size.
var ieee754 = map[int]bitNumber{
	2: {precision: 16, signAt: 15, exponentAt: 10, exponent: 5, mantissa: 10, bias: 15, implied: true},
	4: {precision: 32, signAt: 31, exponentAt: 23, exponent: 8, mantissa: 23, bias: 127, implied: true},
	8: {precision: 64, signAt: 63, exponentAt: 52, exponent: 11, mantissa: 52, bias: 1023, implied: true},
}

const maxNumberBytes = 32

// check says why the bits of a number of the given class cannot be read.
func (n *bitNumber) check(class Class, size int) error {
	bits := 8 * size
	switch {
	case class != Float && (size < 1 || size > 8 || n.precision < 1 || n.offset+n.precision > bits):
		return fmt.Errorf("integers of %d bits at bit %d of %d bytes cannot be read", n.precision, n.offset, size)
	case class != Float:
		return nil
	case n.mixed:
		return errors.New("floats in the byte order of a VAX cannot be read")
	case size < 1 || size > maxNumberBytes || n.exponent < 1 || n.exponent > 15 || n.mantissa < 1 || n.signAt >= bits ||
		n.exponentAt+n.exponent > bits || n.mantissaAt+n.mantissa > bits:
		return fmt.Errorf("floats of %d bytes with an exponent of %d bits at %d and a mantissa of %d bits at %d cannot be read", size,
			n.exponent, n.exponentAt, n.mantissa, n.mantissaAt)
	}
	return nil
}

// digits is how many bits a float's values take at most.
func (n *bitNumber) digits() int {
	if n.implied {
		return n.mantissa + 1
	}
	return n.mantissa
}

// exponents are those of the last bit of the smallest value and of the first bit of the largest one.
func (n *bitNumber) exponents() (low, high int) {
	fraction := n.mantissa
	if !n.implied {
		fraction--
	}
	return 1 - int(n.bias) - fraction, 1<<n.exponent - 2 - int(n.bias)
}

// little is the bytes of an element from the last significant to the most.
func little(b []byte, bigEndian bool) [maxNumberBytes]byte {
	var v [maxNumberBytes]byte
	copy(v[:], b)
	if bigEndian {
		slices.Reverse(v[:len(b)])
	}
	return v
}

// field is n bits from bit at, n at most 64.
func field(v *[maxNumberBytes]byte, at, n int) uint64 {
	var x uint64
	for i := range n {
		bit := at + i
		x |= uint64(v[bit/8]>>(bit%8)&1) << i
	}
	return x
}

// integer is the value of an integer of at most 8 bytes, negative ones in two's complement.
func (n *bitNumber) integer(b []byte, bigEndian, signed bool) uint64 {
	v := little(b, bigEndian)
	x := binary.LittleEndian.Uint64(v[:]) >> n.offset << (64 - n.precision)
	if signed {
		return uint64(int64(x) >> (64 - n.precision))
	}
	return x >> (64 - n.precision)
}

// float is the value of a float, rounded to the nearest float64, to even between two, and whether it is that exactly. The largest
// exponent is that of infinity and of what is no number.
func (n *bitNumber) float(b []byte, bigEndian bool) (x float64, exact bool) {
	v := little(b, bigEndian)
	sign := 1.0
	if field(&v, n.signAt, 1) == 1 {
		sign = -1
	}
	e := int(field(&v, n.exponentAt, n.exponent))
	fraction := n.mantissa // bits behind the point
	if !n.implied {
		fraction--
	}
	if e == 1<<n.exponent-1 {
		for i := range fraction {
			if field(&v, n.mantissaAt+i, 1) == 1 {
				return math.NaN(), true
			}
		}
		return math.Inf(int(sign)), true
	}
	scale := max(e, 1) - int(n.bias) - fraction
	if n.mantissa <= 52 {
		m := field(&v, n.mantissaAt, n.mantissa)
		if n.implied && e > 0 {
			m |= 1 << n.mantissa
		}
		x = sign * math.Ldexp(float64(m), scale)
		return x, !math.IsInf(x, 0)
	}
	m := new(big.Int)
	for i := n.mantissa - 1; i >= 0; i-- {
		m.Lsh(m, 1)
		m.SetBit(m, 0, uint(field(&v, n.mantissaAt+i, 1)))
	}
	if n.implied && e > 0 {
		m.SetBit(m, n.mantissa, 1)
	}
	f := new(big.Float).SetInt(m)
	x, accuracy := f.SetMantExp(f, scale).Float64()
	return sign * x, accuracy == big.Exact
}
