package scheduler

import "math"

// normalScalar makes 16 normal values of 16 uniform ones as torch's plain code does, which calls the C
// library. The functions below round to float32 as glibc's do from version 2.28 on; they compute in float64
// and are wrong in 1 of 140 (the logarithm) or 80 (sine and cosine) results by one unit in the last place, and
// those have to be the same. The conversions forbid fusing.
func normalScalar(x *[16]float32) {
	for i, u := range x[:8] {
		radius := float32(math.Sqrt(float64(-2 * glibcLog(1-u))))
		theta := float32(2 * math.Pi * float64(x[i+8]))
		sin, cos := glibcSincos(theta)
		x[i] = positiveZero(radius * cos)
		x[i+8] = positiveZero(radius * sin)
	}
}

// glibcLog is logf of x in (0, 1]: log z + k·log 2 with z near 1, where the table has 1/c and log c for a
// c near z, and a polynomial of z/c - 1. Source of the constants: sysdeps/ieee754/flt-32/e_logf_data.c of
// glibc, from ARM's optimized routines.
func glibcLog(x float32) float32 {
	const off = 0x3f330000
	bits := math.Float32bits(x)
	offset := bits - off
	c := &logTable[offset>>19%16]
	k := float64(int32(offset) >> 23)
	z := float64(math.Float32frombits(bits - offset&0xff800000))
	r := float64(z*c.inv) - 1
	y0 := c.log + float64(k*math.Ln2)
	r2 := float64(r * r)
	y := float64(0x1.5575b0be00b6ap-2*r) - 0x1.ffffef20a4123p-2
	y = float64(-0x1.00ea348b88334p-2*r2) + y
	return float32(float64(y*r2) + (y0 + r))
}

var logTable = [16]struct{ inv, log float64 }{
	{0x1.661ec79f8f3bep+0, -0x1.57bf7808caadep-2},
	{0x1.571ed4aaf883dp+0, -0x1.2bef0a7c06ddbp-2},
	{0x1.49539f0f010bp+0, -0x1.01eae7f513a67p-2},
	{0x1.3c995b0b80385p+0, -0x1.b31d8a68224e9p-3},
	{0x1.30d190c8864a5p+0, -0x1.6574f0ac07758p-3},
	{0x1.25e227b0b8eap+0, -0x1.1aa2bc79c81p-3},
	{0x1.1bb4a4a1a343fp+0, -0x1.a4e76ce8c0e5ep-4},
	{0x1.12358f08ae5bap+0, -0x1.1973c5a611cccp-4},
	{0x1.0953f419900a7p+0, -0x1.252f438e10c1ep-5},
	{0x1p+0, 0x0p+0},
	{0x1.e608cfd9a47acp-1, 0x1.aa5aa5df25984p-5},
	{0x1.ca4b31f026aap-1, 0x1.c5e53aa362eb4p-4},
	{0x1.b2036576afce6p-1, 0x1.526e57720db08p-3},
	{0x1.9c2d163a1aa2dp-1, 0x1.bc2860d22477p-3},
	{0x1.886e6037841edp-1, 0x1.1058bc8a07ee1p-2},
	{0x1.767dcf5534862p-1, 0x1.4043057b6ee09p-2},
}

// glibcSincos is sinf and cosf of x in [0, 2π]: a polynomial of the distance from the nearest multiple of
// π/2. Source of the constants: sysdeps/ieee754/flt-32/s_sincosf_data.c of glibc, from ARM's optimized routines.
func glibcSincos(x float32) (sin, cos float32) {
	v, quadrant := float64(x), 0
	if x >= math.Pi/4 {
		quadrant = (int(v*0x1.45f306dc9c883p+23) + 0x800000) >> 24 // 2/π·2²⁴
		v -= float64(float64(quadrant) * (math.Pi / 2))
	}
	v2 := float64(v * v)
	v3 := float64(v * v2)
	v4 := float64(v2 * v2)
	s := v + float64(v3*-0x1.555545995a603p-3)
	s += float64(float64(v3*v2) * (0x1.1107605230bc4p-7 + float64(v2*-0x1.994eb3774cf24p-13)))
	c := 1 + float64(v2*-0x1.ffffffd0c621cp-2)
	c += float64(v4 * 0x1.55553e1068f19p-5)
	c += float64(float64(v4*v2) * (-0x1.6c087e89a359dp-10 + float64(v2*0x1.99343027bf8c3p-16)))
	switch quadrant & 3 {
	case 1:
		s, c = c, -s
	case 2:
		s, c = -s, -c
	case 3:
		s, c = -c, s
	}
	return float32(s), float32(c)
}
