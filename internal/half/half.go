// Package half converts single numbers of 8 and 16 bits to float32 and back, as IEEE 754 says: widening is exact, narrowing
// rounds to the nearest, ties to even. The kernels of package tensor do the same to many at once.
package half

import "math"

// FromF16 widens an IEEE 754 binary16 value, exactly; a NaN becomes quiet and keeps its payload, as the processors do it.
func FromF16(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exp, frac := uint32(h>>10)&0x1F, uint32(h)&0x3FF
	switch {
	case exp == 0x1F && frac != 0:
		return math.Float32frombits(sign | 0x7FC00000 | frac<<13)
	case exp == 0x1F:
		return math.Float32frombits(sign | 0x7F800000)
	case exp == 0: // zero and subnormals: frac · 2^-24 is exact in float32
		return math.Float32frombits(sign | math.Float32bits(float32(frac)*0x1p-24))
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

// ToF16 rounds to IEEE 754 binary16, nearest even. Values from 65520 on become Inf; NaN stays a
// (quiet) NaN.
func ToF16(f float32) uint16 {
	b := math.Float32bits(f)
	sign := uint16(b>>16) & 0x8000
	b &= 0x7FFFFFFF
	switch {
	case b > 0x7F800000:
		return sign | 0x7E00 | uint16(b>>13)&0x1FF
	case b >= 0x477FF000: // 65520, half way between the largest finite value and 2^16
		return sign | 0x7C00
	case b < 0x38800000: // below 2^-14: subnormal result, a multiple of 2^-24
		// Adding 0.5 puts the unit of the sum's fraction at 2^-24, so the addition itself rounds to nearest even.
		sum := math.Float32frombits(b) + 0.5
		return sign | uint16(math.Float32bits(sum)-0x3F000000)
	}
	b += 0xFFF + b>>13&1 // round the 13 lost bits to nearest even; a carry runs into the exponent
	return sign | uint16((b-112<<23)>>13)
}

// FromBF16 widens a bfloat16 value, exactly.
func FromBF16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// ToBF16 rounds to bfloat16, nearest even; NaN stays a (quiet) NaN.
func ToBF16(f float32) uint16 {
	b := math.Float32bits(f)
	if b&0x7FFFFFFF > 0x7F800000 {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7FFF + b>>16&1) >> 16)
}

// FromE4M3 widens an 8-bit float with 4 exponent bits, bias 7, no Inf and one NaN ("E4M3FN"), exactly.
func FromE4M3(h uint8) float32 {
	sign := uint32(h&0x80) << 24
	exp, frac := uint32(h>>3)&0xF, uint32(h)&7
	switch {
	case exp == 0xF && frac == 7:
		return math.Float32frombits(sign | 0x7FC00000)
	case exp == 0: // zero and subnormals: multiples of 2^-9
		return math.Float32frombits(sign | math.Float32bits(float32(frac)*0x1p-9))
	}
	return math.Float32frombits(sign | (exp+120)<<23 | frac<<20)
}
