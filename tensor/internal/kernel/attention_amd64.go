package kernel

// exp2Constants are the rows that gen/attention.go reads by number.
var exp2Constants = [...][8]float32{
	row(exp2Magic), row(exp2Least), row(exp2P0), row(exp2P1), row(exp2P2), row(exp2P3), row(exp2P4), row(1),
}

func softmaxAVX2(x []float32, w int, scale float32, state []float32) bool {
	n, _ := checkPanelState(x, w, 8), state[3*w-1]
	moved := 0
	if w == 16 {
		softmax2_avx2(n, &x[0], scale, &state[0], &moved)
	} else {
		softmax1_avx2(n, &x[0], scale, &state[0], &moved)
	}
	return moved != 0
}

func softmaxAVX512(x []float32, w int, scale float32, state []float32) bool {
	n, _ := checkPanelState(x, w, 16), state[3*w-1]
	moved := 0
	if w == 32 {
		softmax2_avx512(n, &x[0], scale, &state[0], &moved)
	} else {
		softmax1_avx512(n, &x[0], scale, &state[0], &moved)
	}
	return moved != 0
}

func scaleColumnsAVX2(x, s []float32) {
	n := checkPanelState(x, len(s), 8)
	if len(s) == 16 {
		scalecolumns2_avx2(n, &x[0], &s[0])
	} else {
		scalecolumns1_avx2(n, &x[0], &s[0])
	}
}

func scaleColumnsAVX512(x, s []float32) {
	n := checkPanelState(x, len(s), 16)
	if len(s) == 32 {
		scalecolumns2_avx512(n, &x[0], &s[0])
	} else {
		scalecolumns1_avx512(n, &x[0], &s[0])
	}
}

// checkPanelState returns how many rows a panel of one or two vectors of lanes has, at least 1.
func checkPanelState(x []float32, w, lanes int) int {
	if w != lanes && w != 2*lanes || len(x) == 0 || len(x)%w != 0 {
		panic("kernel: a panel must be one or two vectors wide, with whole rows")
	}
	return len(x) / w
}

// transposeAVX2 is Set.Transpose, also of the AVX-512 set: 8×8 tiles, and plain Go for the rows and columns that are left.
func transposeAVX2(y []float32, ldy int, x []float32, ldx, m, n int) {
	m8, n8 := m&^7, n&^7
	if m8 > 0 && n8 > 0 {
		_, _ = x[(m8-1)*ldx+n8-1], y[(n8-1)*ldy+m8-1]
		if ldx >= ldy {
			for i := 0; i < m8; i += 8 {
				rows8_avx2(n8/8, &y[i], ldy, &x[i*ldx], ldx)
			}
		} else {
			for j := 0; j < n8; j += 8 {
				columns8_avx2(m8/8, &y[j*ldy], ldy, &x[j], ldx)
			}
		}
	}
	if n8 < n && m8 > 0 {
		transposeGeneric(y[n8*ldy:], ldy, x[n8:], ldx, m8, n-n8)
	}
	if m8 < m {
		transposeGeneric(y[m8:], ldy, x[m8*ldx:], ldx, m-m8, n)
	}
}
