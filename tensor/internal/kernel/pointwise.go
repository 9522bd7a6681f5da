package kernel

import "math"

func scaleGeneric(x []float32, s float32) {
	for i := range x {
		x[i] *= s
	}
}

func addGeneric(y, a, b []float32) {
	a, b = a[:len(y)], b[:len(y)]
	for i := range y {
		y[i] = a[i] + b[i]
	}
}

func affineGeneric(y, x, a, b []float32) {
	x, a, b = x[:len(y)], a[:len(y)], b[:len(y)]
	for i := range y {
		y[i] = x[i]*a[i] + b[i]
	}
}

func affineSiLUGeneric(y, x, a, b []float32) {
	affineGeneric(y, x, a, b)
	sigmulGeneric(y, y, 1)
}

func sigmulGeneric(y, x []float32, s float32) {
	x = x[:len(y)]
	for i, v := range x {
		y[i] = v / (1 + exp(-s*v))
	}
}

func geluGeneric(y, x []float32) {
	x = x[:len(y)]
	for i, v := range x {
		y[i] = gelu(v)
	}
}

func mulGELUGeneric(y, x, g []float32) {
	x, g = x[:len(y)], g[:len(y)]
	for i, v := range g {
		y[i] = x[i] * gelu(v)
	}
}

// gelu is x·Φ(x), rounded once.
func gelu(x float32) float32 {
	v := float64(x)
	return float32(0.5 * v * math.Erfc(-v*(1/math.Sqrt2)))
}
