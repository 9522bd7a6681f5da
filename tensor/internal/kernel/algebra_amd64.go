package kernel

var algebra32AVX2 = Algebra[float32]{
	NR: 16, Rows: rowsAVX2,
	Panel: func(c []float32, ldc int, a []float32, m, k, lda int, b []float32, n int, add bool) {
		panelAVX2(c, ldc, Matrix(a, m, k, lda), b, n, nil, add)
	},
	Lower: func(x []float32, w int, t []float32, ldt int) {
		if checkLower(x, w, t, ldt, rowsAVX2, 8) == 2 {
			slower2_avx2(&x[0], &t[0], ldt)
		} else {
			slower1_avx2(&x[0], &t[0], ldt)
		}
	},
}

var algebra64AVX2 = Algebra[float64]{
	NR: 8, Rows: rowsAVX2,
	Panel: func(c []float64, ldc int, a []float64, m, k, lda int, b []float64, n int, add bool) {
		vecs, last := (n+3)/4, (n-1)%4+1
		checkDouble(c, ldc, a, m, k, lda, b, n, 4*vecs)
		tiles := (m + rowsAVX2 - 1) / rowsAVX2
		for t := range tiles {
			i, end := m*t/tiles, m*(t+1)/tiles
			dgemm_avx2(end-i, vecs, k, &a[i*lda], lda, &b[0], &c[i*ldc], ldc, flag(add), last)
		}
	},
	Lower: func(x []float64, w int, t []float64, ldt int) {
		if checkLower(x, w, t, ldt, rowsAVX2, 4) == 2 {
			dlower2_avx2(&x[0], &t[0], ldt)
		} else {
			dlower1_avx2(&x[0], &t[0], ldt)
		}
	},
}

var algebra32AVX512 = Algebra[float32]{
	NR: 32, Rows: rowsAVX512,
	Panel: func(c []float32, ldc int, a []float32, m, k, lda int, b []float32, n int, add bool) {
		panelAVX512(c, ldc, Matrix(a, m, k, lda), b, n, nil, add)
	},
	Lower: func(x []float32, w int, t []float32, ldt int) {
		if checkLower(x, w, t, ldt, rowsAVX512, 16) == 2 {
			slower2_avx512(&x[0], &t[0], ldt)
		} else {
			slower1_avx512(&x[0], &t[0], ldt)
		}
	},
}

var algebra64AVX512 = Algebra[float64]{
	NR: 16, Rows: rowsAVX512,
	Panel: func(c []float64, ldc int, a []float64, m, k, lda int, b []float64, n int, add bool) {
		vecs, mask := (n+7)/8, 1<<((n-1)%8+1)-1
		checkDouble(c, ldc, a, m, k, lda, b, n, 8*vecs)
		tiles := (m + rowsAVX512 - 1) / rowsAVX512
		for t := range tiles {
			i, end := m*t/tiles, m*(t+1)/tiles
			dgemm_avx512(end-i, vecs, k, &a[i*lda], lda, &b[0], &c[i*ldc], ldc, flag(add), mask)
		}
	},
	Lower: func(x []float64, w int, t []float64, ldt int) {
		if checkLower(x, w, t, ldt, rowsAVX512, 8) == 2 {
			dlower2_avx512(&x[0], &t[0], ldt)
		} else {
			dlower1_avx512(&x[0], &t[0], ldt)
		}
	},
}

// checkDouble panics unless the slices hold all that a product of these sizes touches.
func checkDouble(c []float64, ldc int, a []float64, m, k, lda int, b []float64, n, w int) {
	_, _, _ = c[(m-1)*ldc+n-1], a[(m-1)*lda+k-1], b[k*w-1]
}

// checkLower panics unless the slices hold rows rows of w elements and a triangle of that size. It returns the number
// of vectors in a row.
func checkLower[T float32 | float64](x []T, w int, t []T, ldt, rows, lanes int) int {
	_, _ = x[rows*w-1], t[(rows-1)*ldt+rows-1]
	return same(w, w/lanes*lanes) / lanes
}
