package scheduler

import "math"

// normalVector makes 16 normal values of 16 uniform ones, the first eight with the last eight: the Box–Muller
// transform with the logarithm, sine and cosine of the Cephes library, rounded after every operation as the
// vector code of torch rounds. The steps are those of log256_ps and sincos256_ps (avx_mathfun.h); fma32
// stands where the compiler made one instruction of a product and a sum.
func normalVector(x *[16]float32) {
	for i, u := range x[:8] {
		radius := float32(math.Sqrt(float64(-2 * cephesLog(1-u))))
		sin, cos := cephesSincos(float32(2*math.Pi) * x[i+8])
		// The product with the deviation 1 and the sum with the mean 0 only turn -0 into 0.
		x[i] = positiveZero(radius * cos)
		x[i+8] = positiveZero(radius * sin)
	}
}

func positiveZero(v float32) float32 {
	if v == 0 {
		return 0
	}
	return v
}

// cephesLog is the natural logarithm of x in (0, 1].
func cephesLog(x float32) float32 {
	bits := math.Float32bits(x)
	e := float32(int32(bits>>23)-127) + 1
	x = math.Float32frombits(bits&0x007fffff | 0x3f000000) // in [1/2, 1)
	if x < 0.707106781186547524 {
		e--
		x = x - 1 + x
	} else {
		x--
	}
	z := float32(x * x)
	y := fma32(7.0376836292e-2, x, -1.1514610310e-1)
	y = fma32(y, x, 1.1676998740e-1)
	y = fma32(y, x, -1.2420140846e-1)
	y = fma32(y, x, 1.4249322787e-1)
	y = fma32(y, x, -1.6668057665e-1)
	y = fma32(y, x, 2.0000714765e-1)
	y = fma32(y, x, -2.4999993993e-1)
	y = fma32(y, x, 3.3333331174e-1)
	y = float32(y * x)
	y = fma32(y, z, float32(e*-2.12194440e-4))
	y -= float32(z * 0.5)
	return fma32(e, 0.693359375, x+y)
}

// cephesSincos is the sine and cosine of x in [0, 2π].
func cephesSincos(x float32) (sin, cos float32) {
	octant := (int32(x*1.27323954473516) + 1) &^ 1 // 4/π
	k := float32(octant)
	x = fma32(k, -0.78515625, x) // π/4 in three parts
	x = fma32(k, -2.4187564849853515625e-4, x)
	x = fma32(k, -3.77489497744594108e-8, x)
	z := float32(x * x)

	c := fma32(2.443315711809948e-5, z, -1.388731625493765e-3)
	c = fma32(c, z, 4.166664568298827e-2)
	c = fma32(z, float32(c*z), float32(z*-0.5)) + 1

	s := fma32(-1.9515295891e-4, z, 8.3321608736e-3)
	s = fma32(s, z, -1.6666654611e-1)
	s = fma32(x, float32(s*z), x)

	if octant&2 != 0 {
		s, c = c, s
	}
	if octant&4 != 0 {
		s = -s
	}
	if (octant-2)&4 == 0 {
		c = -c
	}
	return s, c
}

// fma32 is x·y + z with one rounding.
func fma32(x, y, z float32) float32 {
	// The product is exact in float64. The sum is rounded there and then once more, which is wrong only where
	// the first rounding ends in the middle between two float32: such a value has zeros in its low bits.
	s := float64(x)*float64(y) + float64(z)
	if math.Float64bits(s)&(1<<28-1) == 0 {
		return fma32Exact(x, y, z)
	}
	return float32(s)
}

// fma32Exact rounds the sum to odd before it rounds to float32 (Boldo & Melquiond 2008).
func fma32Exact(x, y, z float32) float32 {
	product := float64(float64(x) * float64(y)) // the conversion forbids fusing
	addend := float64(z)
	s := product + addend
	b := s - product
	rest := (product - (s - b)) + (addend - b) // what the sum lost, exactly
	bits := math.Float64bits(s)
	if rest != 0 && rest-rest == 0 && bits&1 == 0 {
		if rest > 0 == (s > 0) {
			bits++
		} else {
			bits--
		}
	}
	return float32(math.Float64frombits(bits))
}
