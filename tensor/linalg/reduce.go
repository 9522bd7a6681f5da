package linalg

import "math"

// groupSize is how many Householder vectors are applied together, four panels of them: enough for the products to run
// at full speed.
const groupSize = 4 * BandWidth

// leafSize is how many columns of a panel are reduced by scalar code.
const leafSize = 8

// ReduceToBand computes a band matrix B and a rotation Q with A = Q·B·Qᵀ for a symmetric A [n, n], of which
// it reads the lower triangle and overwrites everything. It costs 4/3·n³ operations. The system (A + α)·X = C, for any
// number of shifts α, is then QᵀC once, a band for each shift, and Q once.
//
// Source: Golub & Van Loan, Matrix Computations, 4th edition, §5.1–5.2 (Householder vectors and their blocks); Bischof,
// Lang & Sun 2000, doi:10.1145/365723.365735 (successive band reduction).
func ReduceToBand[E Float](a Matrix[E]) (*Band[E], *Rotation[E]) {
	a.need("ReduceToBand", "A", a.Rows, a.Rows)
	a.needPlain("ReduceToBand", "A")
	const w = BandWidth
	n := a.Rows
	Mirror(a)
	r := &reduction[E]{band: newBand[E](n), a: a}
	q := &Rotation[E]{N: n}
	for i := range parts(n, w) {
		from, to := r.band.block(i)
		d := r.band.onDiagonal(i)
		for j := range d.Rows {
			copy(d.line(j, 0, j+1), a.line(from+j, from, from+j+1))
		}
		switch {
		case to == n:
		case n-to <= w: // lies inside the band
			s := r.band.below(i + 1)
			for j := range s.Rows {
				copy(s.line(j, 0, w), a.line(to+j, from, from+w))
			}
		default:
			if r.count == 0 {
				r.from = to
				r.v = New[E](groupSize, n-to)
			}
			r.panel(i)
			if r.count == groupSize || n-to-w <= w {
				q.groups = append(q.groups, r.reflectors())
				r.count = 0
			}
		}
	}
	return r.band, q
}

// reduction is the work of ReduceToBand.
type reduction[E Float] struct {
	a    Matrix[E]
	band *Band[E]

	// The Householder vectors of the group so far.
	from  int       // the row that they begin with
	v     Matrix[E] // [groupSize, n-from]
	tau   [groupSize]float64
	count int

	columns, left, right, u, dots, t, h space[E]
}

// panel reduces the columns of block i and applies what it did to all that is right of them.
func (r *reduction[E]) panel(i int) {
	const w = BandWidth
	n := r.a.Rows
	from, to := i*w, (i+1)*w
	m := n - to
	// The columns lie one after the other, so that vectors are contiguous.
	columns := Of(r.columns.resized(w*m), w, m)
	transpose(columns.Data, m, r.a.Data[to*r.a.Stride+from:], r.a.Stride, m, w, 1)
	v := r.v.Slice(r.count, r.count+w, to-r.from, n-r.from)
	tau := r.tau[r.count : r.count+w]
	r.factor(columns, v, tau, 0, w)
	r.count += w
	s := r.band.below(i + 1)
	for j := range w {
		for k := range j + 1 {
			s.Set(k, j, columns.At(j, k))
		}
	}
	r.update(r.a.Slice(to, n, to, n), v, tau)
}

// factor makes the columns c0 … c1-1, which are rows of x, upper triangular by Householder vectors v, which are rows
// too: H = I − tau·v·vᵀ.
func (r *reduction[E]) factor(x, v Matrix[E], tau []float64, c0, c1 int) {
	m := x.Cols
	if c1-c0 <= leafSize {
		for c := c0; c < c1; c++ {
			vc := v.line(c, 0, m)
			tau[c] = householder(x.line(c, 0, m), vc, c)
			for o := c + 1; o < c1 && tau[c] != 0; o++ {
				reflectVector(x.line(o, c, m), vc[c:], tau[c])
			}
		}
		return
	}
	middle := (c0 + c1) / 2
	r.factor(x, v, tau, c0, middle)
	// Columns to the right: X − V·Tᵀ·Vᵀ·X, transposed.
	k, rest := middle-c0, c1-middle
	vs, xs := v.Slice(c0, middle, c0, m), x.Slice(middle, c1, c0, m)
	t := r.triangle(vs, tau[c0:middle])
	dots := Of(r.dots.resized(2*rest*k), 2*rest, k)
	first, second := dots.Slice(0, rest, 0, k), dots.Slice(rest, 2*rest, 0, k)
	Mul(first, 1, xs, vs.T(), 0)
	Mul(second, 1, first, t, 0)
	Mul(xs, -1, second, vs, 1)
	r.factor(x, v, tau, middle, c1)
}

// householder finds v with v[j] = 1, zeros before, and tau so that H·x has zeros after element j, and stores H·x.
func householder[E Float](x, v []E, j int) float64 {
	rest := 0.0
	for _, e := range x[j+1:] {
		rest += float64(e) * float64(e)
	}
	clear(v[:j])
	v[j] = 1
	if rest == 0 {
		clear(v[j+1:])
		return 0
	}
	first := float64(x[j])
	norm := -math.Copysign(math.Sqrt(first*first+rest), first)
	scale := E(1 / (first - norm))
	for i, e := range x[j+1:] {
		v[j+1+i] = scale * e
	}
	clear(x[j+1:])
	x[j] = E(norm)
	return (norm - first) / norm
}

// reflectVector replaces x by x − tau·v·(vᵀx). Eight partial sums, for the processor to add at once.
func reflectVector[E Float](x, v []E, tau float64) {
	x = x[:len(v)]
	var sum [8]E
	i := 0
	for ; i+8 <= len(v); i += 8 {
		a, b := x[i:i+8:i+8], v[i:i+8:i+8]
		sum[0] += a[0] * b[0]
		sum[1] += a[1] * b[1]
		sum[2] += a[2] * b[2]
		sum[3] += a[3] * b[3]
		sum[4] += a[4] * b[4]
		sum[5] += a[5] * b[5]
		sum[6] += a[6] * b[6]
		sum[7] += a[7] * b[7]
	}
	dot := (sum[0] + sum[1]) + (sum[2] + sum[3]) + ((sum[4] + sum[5]) + (sum[6] + sum[7]))
	for ; i < len(v); i++ {
		dot += x[i] * v[i]
	}
	f := E(tau) * dot
	for i, e := range v {
		x[i] -= f * e
	}
}

// triangle returns the upper triangular T of I − V·T·Vᵀ = H₀·H₁·…, with vectors in the rows of v.
func (r *reduction[E]) triangle(v Matrix[E], tau []float64) Matrix[E] {
	k := v.Rows
	both := r.t.resized(2 * k * k)
	g, t := Of(both[:k*k], k, k), Of(both[k*k:], k, k)
	Gram(g, 1, v, 0)
	clear(t.Data)
	for j := range k {
		for i := range j {
			sum := E(0)
			for l := i; l < j; l++ {
				sum += t.Data[i*k+l] * g.Data[j*k+l]
			}
			t.Data[i*k+j] = -E(tau[j]) * sum
		}
		t.Data[j*k+j] = E(tau[j])
	}
	return t
}

// update replaces the symmetric a [m, m] by Qᵀ·a·Q = a − X·Vᵀ − V·Xᵀ.
func (r *reduction[E]) update(a, v Matrix[E], tau []float64) {
	m, k := a.Rows, v.Rows
	t := r.triangle(v, tau)
	// X = U − ½·V·H, U = a·V·T, H = Tᵀ·Vᵀ·U
	u := Of(r.u.resized(m*k), m, k)
	left, right := Of(r.left.resized(2*m*k), m, 2*k), Of(r.right.resized(2*m*k), m, 2*k)
	x := left.Slice(0, m, 0, k)
	Mul(u, 1, a, v.T(), 0)
	Mul(x, 1, u, t, 0)
	hs := Of(r.h.resized(2*k*k), 2*k, k)
	vu, h := hs.Slice(0, k, 0, k), hs.Slice(k, 2*k, 0, k)
	Mul(vu, 1, v, x, 0)
	Mul(h, 1, t.T(), vu, 0)
	Mul(x, -0.5, v.T(), h, 1)
	for i := range m {
		copy(right.line(i, k, 2*k), x.line(i, 0, k))
	}
	transpose(left.Data[k:], 2*k, v.Data, v.Stride, k, m, 1)
	for i := range m {
		copy(right.line(i, 0, k), left.line(i, k, 2*k))
	}
	MulLower(a, -1, left, right.T(), 1)
	Mirror(a)
}

// reflectors returns the vectors of the group. T is that of the group as a whole.
func (r *reduction[E]) reflectors() reflectors[E] {
	n := r.v.Cols
	t := r.triangle(r.v.Slice(0, r.count, 0, n), r.tau[:r.count])
	return reflectors[E]{r.from, Of(r.v.Data[:r.count*n], r.count, n), Of(append([]E(nil), t.Data...), r.count, r.count)}
}

// ConvertRotation returns q in another type.
func ConvertRotation[D, S Float](q *Rotation[S]) *Rotation[D] {
	c := &Rotation[D]{N: q.N}
	for _, g := range q.groups {
		c.groups = append(c.groups, reflectors[D]{g.from, converted[D](g.v), converted[D](g.t)})
	}
	return c
}

func converted[D, S Float](m Matrix[S]) Matrix[D] {
	c := New[D](m.Rows, m.Cols)
	for i, e := range m.Data {
		c.Data[i] = D(e)
	}
	return c
}
