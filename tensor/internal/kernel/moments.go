package kernel

// Sums are float64: a float32 squared is exact there, and the difference E[x²] - E[x]² keeps its digits.

func momentsGeneric(sum, square []float64, x []float32, c int) {
	sum, square = sum[:c], square[:c]
	for ; len(x) >= c; x = x[c:] {
		for i, v := range x[:c] {
			d := float64(v)
			sum[i] += d
			square[i] += d * d
		}
	}
}

func sumsGeneric(x []float32) (sum, square float64) {
	for _, v := range x {
		d := float64(v)
		sum += d
		square += d * d
	}
	return sum, square
}

func normGeneric(y, x, a, b []float32, mean, rstd float32) {
	x, a, b = x[:len(y)], a[:len(y)], b[:len(y)]
	for i, v := range x {
		y[i] = (v-mean)*rstd*a[i] + b[i]
	}
}
