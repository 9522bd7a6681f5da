package ridge

import (
	"math"

	"percept/tensor/linalg"
)

// rows are X and Y ready to be solved: in the order of the folds, X standardised and, with
// an intercept, without its mean. A fold f < 0 leaves out no rows.
type rows[E linalg.Float] struct {
	x      linalg.Matrix[E] // [n, p]
	shift  []float64        // subtracted from the (standardised) X; nil if it has been taken as it is
	scaler *Scaler

	y     linalg.Matrix[float32]
	order []int     // row of y behind each row of x
	yMean []float64 // subtracted from Y; nil without intercept

	columns   []int // of Y: 0, 1, …
	starts    []int // fold f is rows starts[f] … starts[f+1]−1
	centre    bool  // X by the mean of the rows outside the fold
	rescale   bool  // X by their standard deviation
	intercept bool

	lost []bool // columns of X that vary in the rows of one fold alone, up to rounding; nil for none

	sums, squares [][]float64 // of every fold's X
	ySums         [][]float64 // and Y
}

// newTargets has Y and the folds and no X.
func newTargets[E linalg.Float](y linalg.Matrix[float32], parts [][]int, o Options) *rows[E] {
	r := &rows[E]{y: y, columns: sequence(y.Cols), intercept: !o.NoIntercept, starts: make([]int, len(parts)+1)}
	for f, part := range parts {
		r.order = append(r.order, part...)
		r.starts[f+1] = len(r.order)
	}
	if r.intercept {
		r.yMean = columnMeans(y)
	}
	return r
}

// newRows copies x, in the type that it will be multiplied in, and checks nothing.
func newRows[E linalg.Float](m *memory, x, y linalg.Matrix[float32], parts [][]int, o Options) (*rows[E], error) {
	r := newTargets[E](y, parts, o)
	r.rescale = !o.NoStandardise && !o.StandardiseOnce
	r.centre = r.intercept || r.rescale
	if !o.NoStandardise {
		s, err := FitScaler(x)
		if err != nil {
			return nil, err
		}
		r.scaler = s
	}
	r.x = take[E](m, x.Rows, x.Cols)
	standardise(r.x, x, r.order, r.scaler)
	if r.centre {
		// Near zero the means of the folds cost no digits when they are subtracted later.
		r.shift = columnMeans(r.x)
		subtractRow(r.x, r.shift)
	}
	if r.centre {
		for f := range parts {
			sum, square := make([]float64, x.Cols), make([]float64, x.Cols)
			for i := r.starts[f]; i < r.starts[f+1]; i++ {
				for j, v := range r.x.Row(i) {
					d := float64(v)
					sum[j] += d
					square[j] += d * d
				}
			}
			r.sums, r.squares = append(r.sums, sum), append(r.squares, square)
		}
		r.sumTargets()
	}
	return r, nil
}

// sumTargets sums Y, without its mean, over every fold.
func (r *rows[E]) sumTargets() {
	for f := range len(r.starts) - 1 {
		sum := make([]float64, r.y.Cols)
		for i := r.starts[f]; i < r.starts[f+1]; i++ {
			for j, v := range r.y.Row(r.order[i]) {
				sum[j] += float64(v) - at(r.yMean, j, 0)
			}
		}
		r.ySums = append(r.ySums, sum)
	}
}

// standardise sets dst to the rows of x in that order, standardised by s unless it is nil.
func standardise[E linalg.Float](dst linalg.Matrix[E], x linalg.Matrix[float32], order []int, s *Scaler) {
	eachRow(dst.Rows, func(from, to int) {
		for i := from; i < to; i++ {
			from := i
			if order != nil {
				from = order[i]
			}
			row := dst.Row(i)
			for j, v := range x.Row(from) {
				if s != nil {
					row[j] = E((float64(v) - s.Mean[j]) / s.Scale[j])
				} else {
					row[j] = E(v)
				}
			}
		}
	})
}

// largest returns the number of rows of the largest fold.
func (r *rows[E]) largest() int {
	most := 0
	for f := range len(r.starts) - 1 {
		most = max(most, r.starts[f+1]-r.starts[f])
	}
	return most
}

// held returns the rows of fold f.
func (r *rows[E]) held(f int) (from, to int) {
	if f < 0 {
		return 0, 0
	}
	return r.starts[f], r.starts[f+1]
}

// outside returns the number of rows outside fold f, and their sums.
func (r *rows[E]) outside(of [][]float64, f int) (n float64, sum []float64) {
	lo, hi := r.held(f)
	sum = make([]float64, len(of[0]))
	for g, s := range of {
		if g == f {
			continue
		}
		for j, v := range s {
			sum[j] += v
		}
	}
	return float64(len(r.order) - (hi - lo)), sum
}

// moments returns what X needs outside fold f: the mean to subtract, nil for none, and the
// factor of every feature, nil for 1. A feature that does not vary there gets 0: nothing can
// be learnt from it.
func (r *rows[E]) moments(f int) (mean, factor []float64) {
	if f < 0 || !r.centre {
		return nil, nil // the rows as a whole have been brought there already
	}
	n, mean := r.outside(r.sums, f)
	for j := range mean {
		mean[j] /= n
	}
	if !r.rescale {
		return mean, nil
	}
	_, factor = r.outside(r.squares, f)
	for j, s := range factor {
		s /= n
		if v := s - mean[j]*mean[j]; v > 1e-12*s {
			factor[j] = 1 / math.Sqrt(v)
		} else {
			factor[j] = 0
			if r.squares[f][j] > 0 {
				r.lose(j)
			}
		}
	}
	return mean, factor
}

// lose notes a column of X of which nothing is left without a fold: it has a value there that makes all others rounding.
func (r *rows[E]) lose(j int) {
	if r.lost == nil {
		r.lost = make([]bool, r.x.Cols)
	}
	r.lost[j] = true
}

// lostColumns lists them.
func (r *rows[E]) lostColumns() (columns []int) {
	for j, lost := range r.lost {
		if lost {
			columns = append(columns, j)
		}
	}
	return columns
}

// targetMean returns the mean of some columns of Y outside fold f; of a Y without its own
// mean, with an intercept.
func (r *rows[E]) targetMean(f int, columns []int) []float64 {
	n, sum := r.outside(r.ySums, f)
	mean := make([]float64, len(columns))
	for j, c := range columns {
		mean[j] = sum[c] / n
	}
	return mean
}

// targets sets dst to some columns of Y in rows from … to−1.
func (r *rows[E]) targets(dst linalg.Matrix[E], from, to int, columns []int) {
	eachRow(to-from, func(i0, i1 int) {
		for i := i0; i < i1; i++ {
			row, of := dst.Row(i), r.y.Row(r.order[from+i])
			for j, c := range columns {
				if r.yMean != nil {
					row[j] = E(float64(of[c]) - r.yMean[c])
				} else {
					row[j] = E(of[c])
				}
			}
		}
	})
}
