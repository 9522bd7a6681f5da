package sim

import "math"

// orientationEnergy filters an n × n luminance picture with quadrature pairs of Gabor filters of
// 4 cells wavelength, bars at 0 (horizontal), 45, 90 and 135 degrees, and returns the square root
// of the energy.
//
// A complex Gabor with a round envelope is the product of two one-dimensional ones, so each
// orientation costs a few passes along lines; 135 degrees is 45 with one of them conjugated.
func orientationEnergy(lum []float32, n int) (energy [4][]float32) {
	const wavelength = 4
	gauss := gaussianTaps(0.4 * wavelength) // about 1.4 octaves
	wave := func(k float64) (re, im []float32) {
		re, im = make([]float32, len(gauss)), make([]float32, len(gauss))
		for i, g := range gauss {
			s, c := math.Sincos(k * float64(i-len(gauss)/2))
			re[i], im[i] = g*float32(c), g*float32(s)
		}
		return re, im
	}
	along := func(x, taps []float32) []float32 { return line(x, taps, n, 1, n) }
	down := func(x, taps []float32) []float32 { return line(x, taps, n, n, 1) }
	even, odd := wave(2 * math.Pi / wavelength)
	slantEven, slantOdd := wave(2 * math.Pi / wavelength * math.Sqrt2 / 2)

	flat := along(lum, gauss)
	energy[0] = modulus(down(flat, even), down(flat, odd))
	e, o := along(lum, even), along(lum, odd)
	energy[2] = modulus(down(e, gauss), down(o, gauss))

	e, o = along(lum, slantEven), along(lum, slantOdd)
	ee, eo, oe, oo := down(e, slantEven), down(e, slantOdd), down(o, slantEven), down(o, slantOdd)
	for at, sign := range map[int]float32{1: 1, 3: -1} {
		re, im := make([]float32, len(lum)), make([]float32, len(lum))
		for i := range lum {
			re[i], im[i] = ee[i]+sign*oo[i], eo[i]-sign*oe[i]
		}
		energy[at] = modulus(re, im)
	}
	return energy
}

// modulus overwrites re with √(re² + im²).
func modulus(re, im []float32) []float32 {
	for i, r := range re {
		re[i] = float32(math.Sqrt(float64(r*r + im[i]*im[i])))
	}
	return re
}

// line filters an n × n picture along one axis, edges repeated. Neighbours along the axis are step
// apart, lines are other apart.
func line(x, taps []float32, n, step, other int) []float32 {
	half := len(taps) / 2
	y := make([]float32, len(x))
	padded := make([]float32, n+2*half)
	for j := range n {
		for i := range padded {
			padded[i] = x[j*other+min(max(i-half, 0), n-1)*step]
		}
		for i := range n {
			var sum float32
			window := padded[i:][:len(taps)]
			for k, t := range taps {
				sum += t * window[k]
			}
			y[j*other+i*step] = sum
		}
	}
	return y
}

// gaussianTaps is a Gaussian of sum 1.
func gaussianTaps(sigma float64) []float32 {
	half := int(math.Ceil(2.5 * sigma))
	taps := make([]float32, 2*half+1)
	var sum float32
	for i := range taps {
		d := float64(i-half) / sigma
		taps[i] = float32(math.Exp(-d * d / 2))
		sum += taps[i]
	}
	for i := range taps {
		taps[i] /= sum
	}
	return taps
}
