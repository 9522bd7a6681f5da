package linalg

import "percept/tensor/internal/kernel"

// packRight copies rows k0 … k0+depth-1 of columns j0 … j0+n-1 of b, times alpha, into a panel dst [depth, w]. Columns
// past n are zero.
func packRight[E Float](dst []E, w int, b *Matrix[E], k0, depth, j0, n int, alpha E) {
	if n < w {
		clear(dst[:depth*w])
	}
	if b.Trans {
		transpose(dst, w, b.Data[j0*b.Stride+k0:], b.Stride, n, depth, alpha)
		return
	}
	for k := range depth {
		copyScaled(dst[k*w:], b.line(k0+k, j0, j0+n), alpha)
	}
}

// packLeft copies rows i0 … i0+m-1 of columns k0 … k0+depth-1 of a into dst, rows ldd apart.
func packLeft[E Float](dst []E, ldd int, a *Matrix[E], i0, m, k0, depth int) {
	if a.Trans {
		transpose(dst, ldd, a.Data[k0*a.Stride+i0:], a.Stride, depth, m, 1)
		return
	}
	for i := range m {
		copy(dst[i*ldd:], a.line(i0+i, k0, k0+depth))
	}
}

// copyScaled sets dst = alpha·src for as many elements as src has.
func copyScaled[E Float](dst, src []E, alpha E) {
	if alpha == 1 {
		copy(dst, src)
		return
	}
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] = alpha * v
	}
}

// Columns that transpose works on at once: enough for the processor to see that lines are read one after the other, few
// enough for what is written to stay in the first-level cache until its lines are full.
const strip = 256

// transpose sets dst[j·ldd + i] = alpha·src[i·lds + j] for lines i and length j, four lines at a time.
func transpose[E Float](dst []E, ldd int, src []E, lds, lines, length int, alpha E) {
	for j0 := 0; j0 < length; j0 += strip {
		n := min(strip, length-j0)
		i := 0
		for ; i+4 <= lines; i += 4 {
			s := src[i*lds+j0:]
			s0, s1, s2, s3 := s[:n], s[lds:][:n], s[2*lds:][:n], s[3*lds:][:n]
			at := j0*ldd + i
			for j := range n {
				d := dst[at : at+4 : at+4]
				d[0], d[1], d[2], d[3] = alpha*s0[j], alpha*s1[j], alpha*s2[j], alpha*s3[j]
				at += ldd
			}
		}
		for ; i < lines; i++ {
			at := j0*ldd + i
			for _, v := range src[i*lds+j0:][:n] {
				dst[at] = alpha * v
				at += ldd
			}
		}
	}
}

// panelWidth returns the packed width of a panel with n columns.
func panelWidth[E Float](k *kernel.Algebra[E], n int) int {
	if n <= k.NR/2 {
		return k.NR / 2
	}
	return k.NR
}
