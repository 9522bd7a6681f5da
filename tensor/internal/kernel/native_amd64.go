package kernel

import "golang.org/x/sys/cpu"

// native returns the vector sets that this processor can run, the best last.
func native() []*Set {
	var sets []*Set
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		sets = append(sets, setAVX2)
		if cpu.X86.HasAVX512F {
			sets = append(sets, setAVX512)
		}
	}
	return sets
}

var setAVX2 = &Set{
	Name: "avx2", Index: 1, NR: 16,
	Panel: panelAVX2, Algebra32: algebra32AVX2, Algebra64: algebra64AVX2,
	Softmax: softmaxAVX2, ScaleColumns: scaleColumnsAVX2, Transpose: transposeAVX2,
	Max: func(x []float32) (m float32) {
		max_avx2(len(x), &x[0], &m)
		return m
	},
	ExpSum: func(x []float32, scale, shift float32) (sum float32) {
		if len(x) > 0 {
			expsum_avx2(len(x), &x[0], scale, shift, &sum)
		}
		return sum
	},
	Scale: func(x []float32, s float32) {
		if len(x) > 0 {
			scale_avx2(len(x), &x[0], s)
		}
	},
	Add: func(y, a, b []float32) {
		if n := same(len(y), len(a), len(b)); n > 0 {
			add_avx2(n, &y[0], &a[0], &b[0])
		}
	},
	Sigmul: func(y, x []float32, s float32) {
		if n := same(len(y), len(x)); n > 0 {
			sigmul_avx2(n, &y[0], &x[0], s)
		}
	},
	GELU: func(y, x []float32) {
		if n := same(len(y), len(x)); n > 0 {
			gelu_avx2(n, &y[0], &x[0])
		}
	},
	MulGELU: func(y, x, g []float32) {
		if n := same(len(y), len(x), len(g)); n > 0 {
			mulgelu_avx2(n, &y[0], &g[0], &x[0])
		}
	},
	Affine: func(y, x, a, b []float32) {
		if n := same(len(y), len(x), len(a), len(b)); n > 0 {
			affine_avx2(n, &y[0], &x[0], &a[0], &b[0])
		}
	},
	AffineSiLU: func(y, x, a, b []float32) {
		if n := same(len(y), len(x), len(a), len(b)); n > 0 {
			affinesilu_avx2(n, &y[0], &x[0], &a[0], &b[0])
		}
	},
	Norm: func(y, x, a, b []float32, mean, rstd float32) {
		if n := same(len(y), len(x), len(a), len(b)); n > 0 {
			norm_avx2(n, &y[0], &x[0], &a[0], &b[0], mean, rstd)
		}
	},
	WidenF16:  func(y []float32, x []uint16) { widenBy(8, widenf16_avx2, widenF16Generic, y, x) },
	WidenBF16: func(y []float32, x []uint16) { widenBy(8, widenbf16_avx2, widenBF16Generic, y, x) },
	Moments: func(sum, square []float64, x []float32, c int) {
		momentsBy(8, 2, moments2_avx2, moments1_avx2, sum, square, x, c)
	},
	WinogradIn: func(f, n int, x []float32, row, pix int, v []float32, step int) {
		vecs := winogradVecs(f, n, 8, x, row, pix, f+2, v, step)
		switch f {
		case 2:
			winogradin2_avx2(vecs, &x[0], row, pix, &v[0], step)
		case 4:
			winogradin4_avx2(vecs, &x[0], row, pix, &v[0], step)
		}
	},
	WinogradOut: func(f, n int, m []float32, step int, y []float32, row, pix int, bias []float32) {
		vecs := winogradVecs(f, n, 8, y, row, pix, f, m, step)
		var b *float32
		if bias != nil {
			b = &bias[:n][0]
		}
		switch f {
		case 2:
			winogradout2_avx2(vecs, &m[0], step, &y[0], row, pix, b)
		case 4:
			winogradout4_avx2(vecs, &m[0], step, &y[0], row, pix, b)
		}
	},
	Sums: func(x []float32) (sum, square float64) {
		var lanes [8]float64
		n := len(x) &^ 15
		if n > 0 {
			sums_avx2(n, &x[0], &lanes[0])
		}
		return foldSums(lanes[:], x[n:])
	},
	Peak: func(y []float32, a, b float32, n int) {
		_ = y[95]
		peak_avx2(n, &y[0], a, b)
	},
	PeakWidth: 96,
}

var setAVX512 = &Set{
	Name: "avx512", Index: 2, NR: 32,
	Panel: panelAVX512, Algebra32: algebra32AVX512, Algebra64: algebra64AVX512,
	Softmax: softmaxAVX512, ScaleColumns: scaleColumnsAVX512, Transpose: transposeAVX2,
	Max: func(x []float32) (m float32) {
		max_avx512(len(x), &x[0], &m)
		return m
	},
	ExpSum: func(x []float32, scale, shift float32) (sum float32) {
		if len(x) > 0 {
			expsum_avx512(len(x), &x[0], scale, shift, &sum)
		}
		return sum
	},
	Scale: func(x []float32, s float32) {
		if len(x) > 0 {
			scale_avx512(len(x), &x[0], s)
		}
	},
	Add: func(y, a, b []float32) {
		if n := same(len(y), len(a), len(b)); n > 0 {
			add_avx512(n, &y[0], &a[0], &b[0])
		}
	},
	Sigmul: func(y, x []float32, s float32) {
		if n := same(len(y), len(x)); n > 0 {
			sigmul_avx512(n, &y[0], &x[0], s)
		}
	},
	GELU: func(y, x []float32) {
		if n := same(len(y), len(x)); n > 0 {
			gelu_avx512(n, &y[0], &x[0])
		}
	},
	MulGELU: func(y, x, g []float32) {
		if n := same(len(y), len(x), len(g)); n > 0 {
			mulgelu_avx512(n, &y[0], &g[0], &x[0])
		}
	},
	Affine: func(y, x, a, b []float32) {
		if n := same(len(y), len(x), len(a), len(b)); n > 0 {
			affine_avx512(n, &y[0], &x[0], &a[0], &b[0])
		}
	},
	AffineSiLU: func(y, x, a, b []float32) {
		if n := same(len(y), len(x), len(a), len(b)); n > 0 {
			affinesilu_avx512(n, &y[0], &x[0], &a[0], &b[0])
		}
	},
	Norm: func(y, x, a, b []float32, mean, rstd float32) {
		if n := same(len(y), len(x), len(a), len(b)); n > 0 {
			norm_avx512(n, &y[0], &x[0], &a[0], &b[0], mean, rstd)
		}
	},
	WidenF16:  func(y []float32, x []uint16) { widenBy(16, widenf16_avx512, widenF16Generic, y, x) },
	WidenBF16: func(y []float32, x []uint16) { widenBy(16, widenbf16_avx512, widenBF16Generic, y, x) },
	Moments: func(sum, square []float64, x []float32, c int) {
		momentsBy(16, 4, moments4_avx512, moments1_avx512, sum, square, x, c)
	},
	WinogradIn: func(f, n int, x []float32, row, pix int, v []float32, step int) {
		vecs := winogradVecs(f, n, 16, x, row, pix, f+2, v, step)
		switch f {
		case 2:
			winogradin2_avx512(vecs, &x[0], row, pix, &v[0], step)
		case 4:
			winogradin4_avx512(vecs, &x[0], row, pix, &v[0], step)
		}
	},
	WinogradOut: func(f, n int, m []float32, step int, y []float32, row, pix int, bias []float32) {
		vecs := winogradVecs(f, n, 16, y, row, pix, f, m, step)
		var b *float32
		if bias != nil {
			b = &bias[:n][0]
		}
		switch f {
		case 2:
			winogradout2_avx512(vecs, &m[0], step, &y[0], row, pix, b)
		case 4:
			winogradout4_avx512(vecs, &m[0], step, &y[0], row, pix, b)
		}
	},
	Sums: func(x []float32) (sum, square float64) {
		var lanes [16]float64
		n := len(x) &^ 31
		if n > 0 {
			sums_avx512(n, &x[0], &lanes[0])
		}
		return foldSums(lanes[:], x[n:])
	},
	Peak: func(y []float32, a, b float32, n int) {
		_ = y[191]
		peak_avx512(n, &y[0], a, b)
	},
	PeakWidth: 192,
}
