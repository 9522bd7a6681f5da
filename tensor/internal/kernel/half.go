package kernel

import "percept/internal/half"

// widenF16Generic is Set.WidenF16.
func widenF16Generic(y []float32, x []uint16) {
	x = x[:len(y)]
	for i, h := range x {
		y[i] = half.FromF16(h)
	}
}

// widenBF16Generic is Set.WidenBF16.
func widenBF16Generic(y []float32, x []uint16) {
	x = x[:len(y)]
	for i, h := range x {
		y[i] = half.FromBF16(h)
	}
}
