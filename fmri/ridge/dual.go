package ridge

import "percept/tensor/linalg"

// dual is the form of more features than rows, and of kernels.
type dual[E linalg.Float] struct {
	*rows[E]
	m      *memory
	kernel dense // XX' of all rows with the weights of scaled
	s      dense
	cross  dense // [rows of a fold, rows outside]: the products of both
	// kernels, if there are any, take the place of X: K = Σ weight[k]·kernels[k].
	kernels []dense
	weight  []float64 // that kernel was made with
	scale   []float64
	made    bool

	spectral bool // eigenvalues for problems of all sizes
}

func newDual[E linalg.Float](m *memory, r *rows[E], kernels []dense) *dual[E] {
	n := len(r.order)
	d := &dual[E]{rows: r, m: m, kernels: kernels}
	d.kernel, d.s = take[float64](m, n, n), take[float64](m, n, n)
	return d
}

func (d *dual[E]) unknowns(f int) int {
	lo, hi := d.held(f)
	return len(d.order) - (hi - lo)
}

// gram makes the products of all rows with each other, with every feature times scale. It
// keeps those that it made last.
func (d *dual[E]) gram(weight, scale []float64) {
	if d.made && same(weight, d.weight) && same(scale, d.scale) {
		return
	}
	d.made, d.weight, d.scale = true, weight, scale
	n := len(d.order)
	if d.kernels != nil {
		eachRow(n, func(from, to int) {
			for i := from; i < to; i++ {
				row := d.kernel.Row(i)
				clear(row)
				for k, kernel := range d.kernels {
					of, w := kernel.Row(d.order[i]), at(weight, k, 1)
					for j, o := range d.order {
						row[j] += w * of[o]
					}
				}
			}
		})
		return
	}
	scale = combine(scale, weight)
	clear(d.kernel.Data)
	p := d.x.Cols
	slab := take[float64](d.m, n, min(gramRows, p))
	for from := 0; from < p; from += gramRows {
		to := min(from+gramRows, p)
		part := slab.Slice(0, n, 0, to-from)
		convert(part, d.x.Slice(0, n, from, to))
		if scale != nil {
			scaleRows(part, nil, scale[from:to])
		}
		linalg.GramLower(d.kernel, 1, part, 1)
	}
	drop(d.m, slab)
	linalg.Mirror(d.kernel)
}

// same says whether two lists are the same memory.
func same(a, b []float64) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

func (d *dual[E]) system(f int, weight []float64) (factor[E], error) {
	_, scale := d.scaling(f)
	d.gram(weight, scale)
	lo, hi := d.held(f)
	n := len(d.order)
	m := n - (hi - lo)
	if f >= 0 && d.cross.Data == nil {
		d.cross = take[float64](d.m, d.largest(), n)
	}
	s := dense{Rows: m, Cols: m, Stride: m, Data: d.s.Data[:m*m]}
	cross := d.crossOf(f)
	eachRow(n, func(from, to int) {
		for i := from; i < to; i++ {
			src := d.kernel.Row(i)
			var dst []float64
			switch {
			case i < lo:
				dst = s.Row(i)
			case i < hi:
				dst = cross.Row(i - lo)
			default:
				dst = s.Row(i - (hi - lo))
			}
			copy(dst[:lo], src[:lo])
			copy(dst[lo:], src[hi:])
		}
	})
	if d.centre && !(f < 0 && d.kernels == nil) {
		centreKernel(s, cross)
	}
	side := m
	if d.kernels == nil {
		side = max(m, d.x.Cols)
	}
	of, err := decompose[E](s, side, d.spectral)
	if e, ok := any(of).(*spectrum); ok && err == nil {
		e.whole = d.kernels != nil
	}
	return of, err
}

// scaling is moments without the mean, which is taken from the kernel.
func (d *dual[E]) scaling(f int) (mean, scale []float64) {
	if d.kernels != nil {
		return nil, nil
	}
	return d.moments(f)
}

func (d *dual[E]) crossOf(f int) dense {
	lo, hi := d.held(f)
	m := len(d.order) - (hi - lo)
	return dense{Rows: hi - lo, Cols: m, Stride: m, Data: d.cross.Data[:(hi-lo)*m]}
}

// left is what system left in cross.
func (d *dual[E]) left(l dense, f int, _ []float64) { convertTransposed(l, d.crossOf(f)) }

func (d *dual[E]) right(r linalg.Matrix[E], f int, columns []int, _ []float64) {
	from, to := d.held(f)
	d.targets(r.Slice(0, from, 0, len(columns)), 0, from, columns)
	d.targets(r.Slice(from, r.Rows, 0, len(columns)), to, len(d.order), columns)
	if d.intercept && f >= 0 {
		subtractRow(r, d.targetMean(f, columns))
	}
}

// centreKernel turns train = XX' and held = X_held·X' into what they would be with the
// mean of the training rows subtracted from X and X_held.
func centreKernel(train, held dense) {
	mean := columnMeans(train) // of each training row's product with all training rows
	grand := 0.0
	for _, v := range mean {
		grand += v
	}
	grand /= float64(len(mean))
	centreRows(held, mean, grand)
	eachRow(train.Rows, func(from, to int) {
		for i := from; i < to; i++ {
			row := train.Row(i)
			for j := range row {
				row[j] += grand - mean[i] - mean[j]
			}
		}
	})
}

// centreRows centres products with training rows, whose mean products with each other are
// mean, and grand on the whole.
func centreRows(held dense, mean []float64, grand float64) {
	eachRow(held.Rows, func(from, to int) {
		for i := from; i < to; i++ {
			row := held.Row(i)
			own := 0.0
			for _, v := range row {
				own += v
			}
			own /= float64(len(row))
			for j := range row {
				row[j] += grand - own - mean[j]
			}
		}
	})
}
