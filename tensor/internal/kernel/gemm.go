package kernel

// genericNR is Set.NR of the plain kernels.
const genericNR = 8

// panelGeneric is Set.Panel: two rows by four columns at a time, each element one sum over k in order.
func panelGeneric(c []float32, ldc int, a []float32, lda, m, kc int, b []float32, n int, bias []float32, add bool) {
	w := genericNR
	if n <= genericNR/2 {
		w = genericNR / 2
	}
	for i := 0; i < m; i += 2 {
		a0 := a[i*lda:][:kc]
		a1, two := a0, i+1 < m
		if two {
			a1 = a[(i+1)*lda:][:kc]
		}
		for j := 0; j < n; j += 4 {
			s0, s1 := dot2x4(a0, a1, b[j:], w)
			put4(c[i*ldc:][j:n], s0, bias, j, add)
			if two {
				put4(c[(i+1)*ldc:][j:n], s1, bias, j, add)
			}
		}
	}
}

// dot2x4 returns the products of two rows with four columns of b [k, w].
func dot2x4(a0, a1, b []float32, w int) (s0, s1 [4]float32) {
	var s00, s01, s02, s03, s10, s11, s12, s13 float32
	a1 = a1[:len(a0)]
	for k, x := range a0 {
		y := a1[k]
		q := b[k*w : k*w+4 : k*w+4]
		s00 += x * q[0]
		s01 += x * q[1]
		s02 += x * q[2]
		s03 += x * q[3]
		s10 += y * q[0]
		s11 += y * q[1]
		s12 += y * q[2]
		s13 += y * q[3]
	}
	return [4]float32{s00, s01, s02, s03}, [4]float32{s10, s11, s12, s13}
}

// put4 writes the first min(4, len(c)) sums.
func put4(c []float32, s [4]float32, bias []float32, j int, add bool) {
	for i := range min(4, len(c)) {
		v := s[i]
		switch {
		case add:
			v += c[i]
		case bias != nil:
			v += bias[j+i]
		}
		c[i] = v
	}
}
