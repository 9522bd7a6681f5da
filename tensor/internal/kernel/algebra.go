package kernel

// Algebra is what linear algebra is made of, in one element type.
type Algebra[T float32 | float64] struct {
	// NR is the width of a panel: two vectors. A last panel with NR/2 or fewer columns left is NR/2 wide.
	NR int
	// Rows is how many rows Lower solves; a block of A whose height is a multiple of it goes fastest.
	Rows int

	// Panel computes one panel of a matrix product, C (+)= A·B, as Set.Panel does without a bias:
	//
	//	c [m, ldc]  columns 0 … n-1 are written
	//	a [m, k]    rows lda apart
	//	b [k, w]    packed: w is NR or NR/2, columns past n are zero
	Panel func(c []T, ldc int, a []T, m, k, lda int, b []T, n int, add bool)

	// Lower solves a small triangular system for the columns of x, in place:
	//
	//	x [Rows, w]    w is NR or NR/2; row i becomes T[i,i]·(x[i] + Σ over j < i of T[i,j]·x[j])
	//	t [Rows, ldt]  the triangle L as it is wanted here: 1/L[i,i] on the diagonal, -L[i,j] below it
	Lower func(x []T, w int, t []T, ldt int)
}

// Sizes of the plain kernels.
const (
	genericAlgebraNR   = 8
	genericAlgebraRows = 4
)

func algebraGeneric[T float32 | float64]() Algebra[T] {
	return Algebra[T]{NR: genericAlgebraNR, Rows: genericAlgebraRows, Panel: algebraPanelGeneric[T], Lower: lowerGeneric[T]}
}

// algebraPanelGeneric is Algebra.Panel: two rows by four columns at a time, each element one sum over k in order.
func algebraPanelGeneric[T float32 | float64](c []T, ldc int, a []T, m, k, lda int, b []T, n int, add bool) {
	w := genericAlgebraNR
	if n <= genericAlgebraNR/2 {
		w = genericAlgebraNR / 2
	}
	for i := 0; i < m; i += 2 {
		x := a[i*lda:][:k]
		y, two := x, i+1 < m
		if two {
			y = a[(i+1)*lda:][:k]
		}
		for j := 0; j < n; j += 4 {
			s, t := dots2x4(x, y, b[j:], w)
			put(c[i*ldc:][j:n], &s, add)
			if two {
				put(c[(i+1)*ldc:][j:n], &t, add)
			}
		}
	}
}

// dots2x4 returns the products of two rows with four columns of b [k, w].
func dots2x4[T float32 | float64](x, y, b []T, w int) (s, t [4]T) {
	var s0, s1, s2, s3, t0, t1, t2, t3 T
	y = y[:len(x)]
	for k, u := range x {
		v := y[k]
		q := b[k*w : k*w+4 : k*w+4]
		s0 += u * q[0]
		s1 += u * q[1]
		s2 += u * q[2]
		s3 += u * q[3]
		t0 += v * q[0]
		t1 += v * q[1]
		t2 += v * q[2]
		t3 += v * q[3]
	}
	return [4]T{s0, s1, s2, s3}, [4]T{t0, t1, t2, t3}
}

// put writes the first min(4, len(c)) sums.
func put[T float32 | float64](c []T, s *[4]T, add bool) {
	for i := range min(4, len(c)) {
		if add {
			c[i] += s[i]
		} else {
			c[i] = s[i]
		}
	}
}

// lowerGeneric is Algebra.Lower.
func lowerGeneric[T float32 | float64](x []T, w int, t []T, ldt int) {
	for i := range genericAlgebraRows {
		xi := x[i*w:][:w]
		for j := range xi {
			xi[j] *= t[i*ldt+i]
		}
		for r := i + 1; r < genericAlgebraRows; r++ {
			tri := t[r*ldt+i]
			xr := x[r*w:][:w]
			for j, v := range xi {
				xr[j] += tri * v
			}
		}
	}
}
