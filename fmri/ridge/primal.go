package ridge

import "percept/tensor/linalg"

// A form is one way to write the ridge problem of the rows outside a fold: with
//
//	S  [m, m]        symmetric
//	R  [m, targets]  right-hand sides
//	L  [m, held]     one column for each row left out
//
// the prediction of the rows left out is Lᵀ·(S + α)⁻¹·R. In the primal form m is the number
// of features, S = X'X, R = X'Y; in the dual form m is that of rows outside the fold,
// S = XX', R = Y. weight is a factor for each feature (band or kernel), nil for 1.
type form[E linalg.Float] interface {
	unknowns(f int) int
	system(f int, weight []float64) (factor[E], error)
	left(l dense, f int, weight []float64)
	right(r linalg.Matrix[E], f int, columns []int, weight []float64)
}

// primal is the form of more rows than features.
type primal[E linalg.Float] struct {
	*rows[E]
	m     *memory
	gram  dense            // X'X, its lower triangle
	all   linalg.Matrix[E] // X'Y [p, targets]
	s     dense
	truth linalg.Matrix[E] // work for right [rows of a fold, targets in a batch]

	spectral bool // eigenvalues for problems of all sizes
}

// newPrimal sums X'X and X'Y. all is where X'Y is kept.
func newPrimal[E linalg.Float](m *memory, r *rows[E], all linalg.Matrix[E], batches [][2]int) *primal[E] {
	p := &primal[E]{rows: r, m: m, all: all}
	p.gram = take[float64](m, r.x.Cols, r.x.Cols)
	p.s = take[float64](m, r.x.Cols, r.x.Cols)
	addGram(m, p.gram, 1, r.x)
	p.truth = take[E](m, r.largest(), widest(batches))
	for _, b := range batches {
		to := all.Slice(0, all.Rows, b[0], b[1])
		for f := range len(r.starts) - 1 {
			p.product(to, 1, f, r.columns[b[0]:b[1]], min(f, 1))
		}
	}
	return p
}

// product adds alpha·X_f'·Y_f of the rows of fold f to dst, or sets it with add 0.
func (p *primal[E]) product(dst linalg.Matrix[E], alpha E, f int, columns []int, add int) {
	from, to := p.starts[f], p.starts[f+1]
	y := p.truth.Slice(0, to-from, 0, len(columns))
	p.targets(y, from, to, columns)
	linalg.Mul(dst, alpha, p.x.Slice(from, to, 0, p.x.Cols).T(), y, E(add))
}

func (p *primal[E]) unknowns(int) int { return p.x.Cols }

func (p *primal[E]) system(f int, weight []float64) (factor[E], error) {
	n := p.x.Cols
	lo, hi := p.held(f)
	mean, scale := p.moments(f)
	scale = combine(scale, weight)
	rows := float64(p.x.Rows - (hi - lo))
	if x, ok := any(p.x).(dense); ok && n <= smallSide && int(rows) >= n {
		train := dropRows(x, lo, hi)
		scaleRows(train, mean, scale)
		s, err := singular(train)
		if err != nil {
			return nil, err
		}
		return any(s).(factor[E]), nil
	}
	copy(p.s.Data, p.gram.Data)
	if hi > lo {
		// The Gram matrix outside the fold is the whole without the fold's. Both are sums of
		// squares, so the difference is as exact as the whole.
		addGram(p.m, p.s, -1, p.x.Slice(lo, hi, 0, n))
	}
	eachRow(n, func(from, to int) {
		for i := from; i < to; i++ {
			row := p.s.Row(i)[:i+1]
			for j := range row {
				if mean != nil {
					row[j] -= rows * mean[i] * mean[j]
				}
				if scale != nil {
					row[j] *= scale[i] * scale[j]
				}
			}
		}
	})
	return decompose[E](p.s, max(p.x.Rows, n), p.spectral)
}

func (p *primal[E]) left(l dense, f int, weight []float64) {
	lo, hi := p.held(f)
	mean, scale := p.moments(f)
	scale = combine(scale, weight)
	convertTransposed(l, p.x.Slice(lo, hi, 0, p.x.Cols))
	eachRow(l.Rows, func(from, to int) {
		for i := from; i < to; i++ {
			shiftScale(l.Row(i), at(mean, i, 0), at(scale, i, 1))
		}
	})
}

func (p *primal[E]) right(r linalg.Matrix[E], f int, columns []int, weight []float64) {
	eachRow(r.Rows, func(i0, i1 int) {
		for i := i0; i < i1; i++ {
			row, of := r.Row(i), p.all.Row(i)
			for j, c := range columns {
				row[j] = of[c]
			}
		}
	})
	mean, scale := p.moments(f)
	scale = combine(scale, weight)
	var yMean []float64
	if f >= 0 {
		p.product(r, -1, f, columns, 1)
	}
	if mean != nil {
		yMean = p.targetMean(f, columns)
	}
	from, to := p.held(f)
	n := float64(p.x.Rows - (to - from))
	eachRow(r.Rows, func(i0, i1 int) {
		for i := i0; i < i1; i++ {
			row, s := r.Row(i), at(scale, i, 1)
			if mean == nil {
				shiftScale(row, 0, s)
				continue
			}
			nm := n * mean[i]
			for j, v := range row {
				row[j] = E((float64(v) - nm*yMean[j]) * s)
			}
		}
	})
}

// at returns v[i], or none where v is nil.
func at(v []float64, i int, none float64) float64 {
	if v == nil {
		return none
	}
	return v[i]
}

// combine returns the product of two lists of factors, either of which may be nil.
func combine(a, b []float64) []float64 {
	if a == nil || b == nil {
		return append(a[:len(a):len(a)], b...)
	}
	c := make([]float64, len(a))
	for i := range c {
		c[i] = a[i] * b[i]
	}
	return c
}

// shiftScale sets v = (v − shift)·scale.
func shiftScale[E linalg.Float](v []E, shift, scale float64) {
	if shift == 0 && scale == 1 {
		return
	}
	for j, e := range v {
		v[j] = E((float64(e) - shift) * scale)
	}
}

// scaleRows sets x = (x − mean)·scale by columns.
func scaleRows(x dense, mean, scale []float64) {
	if mean == nil && scale == nil {
		return
	}
	for i := range x.Rows {
		row := x.Row(i)
		for j := range row {
			row[j] = (row[j] - at(mean, j, 0)) * at(scale, j, 1)
		}
	}
}

// gramRows is the number of rows that addGram widens at a time.
const gramRows = 1024

// addGram adds alpha·X'X to the lower triangle of g, in float64.
func addGram[E linalg.Float](m *memory, g dense, alpha float64, x linalg.Matrix[E]) {
	if x, ok := any(x).(dense); ok {
		linalg.GramLower(g, alpha, x.T(), 1)
		return
	}
	slab := take[float64](m, min(gramRows, x.Rows), x.Cols)
	for from := 0; from < x.Rows; from += gramRows {
		to := min(from+gramRows, x.Rows)
		part := slab.Slice(0, to-from, 0, x.Cols)
		convert(part, x.Slice(from, to, 0, x.Cols))
		linalg.GramLower(g, alpha, part.T(), 1)
	}
	drop(m, slab)
}

// dropRows copies y without the rows lo to hi.
func dropRows(y dense, lo, hi int) dense {
	rest := newDense(y.Rows-(hi-lo), y.Cols)
	copy(rest.Data[:lo*y.Cols], y.Data[:lo*y.Cols])
	copy(rest.Data[lo*y.Cols:], y.Data[hi*y.Cols:])
	return rest
}
