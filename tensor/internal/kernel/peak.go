package kernel

// peakGeneric has eight chains, as many as scalar registers allow.
func peakGeneric(y []float32, a, b float32, n int) {
	y0, y1, y2, y3, y4, y5, y6, y7 := y[0], y[1], y[2], y[3], y[4], y[5], y[6], y[7]
	for range n {
		y0 = y0*a + b
		y1 = y1*a + b
		y2 = y2*a + b
		y3 = y3*a + b
		y4 = y4*a + b
		y5 = y5*a + b
		y6 = y6*a + b
		y7 = y7*a + b
	}
	y[0], y[1], y[2], y[3], y[4], y[5], y[6], y[7] = y0, y1, y2, y3, y4, y5, y6, y7
}
