package weights

import (
	"math"
	"sync/atomic"

	"percept/internal/parts"
)

// countNonFinite counts NaN and Inf, which are rare: it looks for any first.
func countNonFinite(name string, x []float32) NonFinite {
	var some atomic.Bool
	parts.Each(len(x), func(lo, hi int) {
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
