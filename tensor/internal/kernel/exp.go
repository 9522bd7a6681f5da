package kernel

import "math"

// Constants of exp: log2(e); ln 2 in two parts, the first with few enough bits that n·ln2Hi is exact; the interval
// outside which the result is 0 (below the smallest normal number) or past the largest one.
const (
	log2E  = 1.44269504088896341
	ln2Hi  = 0.693359375
	ln2Lo  = -2.12194440e-4
	expMin = -87.33654
	expMax = 88.02969
	// Adding and subtracting 1.5·2²³ rounds a float32 to the nearest whole number.
	roundMagic = 12582912
)

// Coefficients of exp(r) = 1 + r + r²·P(r) on |r| ≤ ln2/2, highest power first (Cephes expf).
const (
	expP0 = 1.9875691500e-4
	expP1 = 1.3981999507e-3
	expP2 = 8.3334519073e-3
	expP3 = 4.1665795894e-2
	expP4 = 1.6666665459e-1
	expP5 = 5.0000001201e-1
)

// exp is e^x to about 1 ulp. Below -87.33654 it is 0; above 88.02969 it stays at exp(88.02969), so that sigmoids and
// softmaxes stay finite. NaN gives NaN.
func exp(x float32) float32 {
	if x < expMin {
		return 0
	}
	if x > expMax {
		x = expMax
	}
	t := float32(x*log2E) + roundMagic
	n := t - roundMagic
	r := x - float32(n*ln2Hi)
	r -= float32(n * ln2Lo)
	p := float32(expP0)
	p = p*r + expP1
	p = p*r + expP2
	p = p*r + expP3
	p = p*r + expP4
	p = p*r + expP5
	p = p*(r*r) + r + 1
	if n != n {
		return n
	}
	return p * math.Float32frombits(uint32(int32(n)+127)<<23)
}

func maxGeneric(x []float32) float32 {
	m := x[0]
	for _, v := range x[1:] {
		m = max(m, v)
	}
	return m
}

// expSumGeneric adds in 16 partial sums, as the vector versions do.
func expSumGeneric(x []float32, scale, shift float32) float32 {
	var part [16]float32
	for i, v := range x {
		e := exp((v - shift) * scale)
		x[i] = e
		part[i&15] += e
	}
	for h := 8; h > 0; h /= 2 {
		for i := range h {
			part[i] += part[i+h]
		}
	}
	return part[0]
}
