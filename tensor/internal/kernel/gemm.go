package kernel

// genericNR is Set.NR of the plain kernels.
const genericNR = 8

// panelGeneric is Set.Panel: two rows by four columns at a time, each element one sum over k in order.
func panelGeneric(c []float32, ldc int, a Left, b []float32, n int, bias []float32, add bool) {
	w := genericNR
	if n <= genericNR/2 {
		w = genericNR / 2
	}
	for i := 0; i < a.M; i += 2 {
		x := a.X[i*a.Stride:]
		y, two := x, i+1 < a.M
		if two {
			y = a.X[(i+1)*a.Stride:]
		}
		for j := 0; j < n; j += 4 {
			var s [2][4]float32
			add := add
			for r := range a.Runs {
				dot2x4(&s, x[r*a.Jump:][:a.Run], y[r*a.Jump:][:a.Run], b[r*a.Run*w+j:], w)
				if r < a.Runs-1 && !a.Fold {
					continue
				}
				put4(c[i*ldc:][j:n], &s[0], bias, j, add)
				if two {
					put4(c[(i+1)*ldc:][j:n], &s[1], bias, j, add)
				}
				s, add = [2][4]float32{}, true
			}
		}
	}
}

// dot2x4 adds the products of two rows with four columns of b [k, w] to s.
func dot2x4(s *[2][4]float32, x, y, b []float32, w int) {
	s00, s01, s02, s03 := s[0][0], s[0][1], s[0][2], s[0][3]
	s10, s11, s12, s13 := s[1][0], s[1][1], s[1][2], s[1][3]
	y = y[:len(x)]
	for k, u := range x {
		v := y[k]
		q := b[k*w : k*w+4 : k*w+4]
		s00 += u * q[0]
		s01 += u * q[1]
		s02 += u * q[2]
		s03 += u * q[3]
		s10 += v * q[0]
		s11 += v * q[1]
		s12 += v * q[2]
		s13 += v * q[3]
	}
	s[0] = [4]float32{s00, s01, s02, s03}
	s[1] = [4]float32{s10, s11, s12, s13}
}

// put4 writes the first min(4, len(c)) sums.
func put4(c []float32, s *[4]float32, bias []float32, j int, add bool) {
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
