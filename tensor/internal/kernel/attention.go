package kernel

import "math"

// Constants of exp2: below exp2Least, where float32 numbers end, the result is 0. Adding exp2Magic to x leaves the
// whole number nearest to x + 127 in the last bits: the exponent of its power of two. The coefficients make the relative
// error of 1 + f·P(f) on |f| ≤ 1/2 least, 9e-8 (found by linear programming, then rounded one by one).
const (
	exp2Least = -127
	exp2Magic = roundMagic + 127
	exp2P0    = 0.0013269515
	exp2P1    = 0.00967129
	exp2P2    = 0.05550711
	exp2P3    = 0.24022247
	exp2P4    = 0.693147
)

// exp2 is 2^x for x ≤ 0, to 1.5e-7. Below the smallest normal number it is 0 or about as small; NaN gives NaN.
func exp2(x float32) float32 {
	if x < exp2Least {
		x = exp2Least
	}
	z := x + exp2Magic
	f := x - (z - exp2Magic)
	p := float32(exp2P0)
	p = p*f + exp2P1
	p = p*f + exp2P2
	p = p*f + exp2P3
	p = p*f + exp2P4
	p = p*f + 1
	return p * math.Float32frombits(math.Float32bits(z)<<23)
}

// softmaxGeneric is Set.Softmax.
func softmaxGeneric(x []float32, w int, scale float32, state []float32) (moved bool) {
	top, sum, fade := state[:w], state[w:2*w], state[2*w:3*w]
	var old, part [genericNR]float32
	copy(old[:w], top)
	for i := 0; i < len(x); i += w {
		for j, v := range x[i : i+w] {
			if v > top[j] {
				top[j] = v
			}
		}
	}
	for i := 0; i < len(x); i += w {
		row := x[i : i+w]
		for j, v := range row {
			e := exp2((v - top[j]) * scale)
			row[j] = e
			part[j] += e
		}
	}
	for j := range w {
		fade[j] = exp2((old[j] - top[j]) * scale)
		sum[j] = sum[j]*fade[j] + part[j]
		moved = moved || top[j] != old[j]
	}
	return moved
}

func scaleColumnsGeneric(x, s []float32) {
	for i := 0; i < len(x); i += len(s) {
		row := x[i : i+len(s)]
		for j, v := range s {
			row[j] *= v
		}
	}
}

func transposeGeneric(y []float32, ldy int, x []float32, ldx, m, n int) {
	for i := range m {
		at := i
		for _, v := range x[i*ldx:][:n] {
			y[at] = v
			at += ldy
		}
	}
}
