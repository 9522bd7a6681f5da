package series

import (
	"fmt"
	"math"
)

// Detrend takes from every column of x [rows, cols], run by run, the polynomial of time of the given degree that fits it
// best: 0 is the mean, 1 a line (scipy.signal.detrend, PyMVPA's poly_detrend). It works in place. All volumes of a run
// count, whatever their label; a run needs more volumes than the degree.
func Detrend(x []float32, cols int, run []int, degree int) error {
	spans, err := spansOf(x, cols, run)
	if err != nil {
		return err
	}
	if degree < 0 || degree > 20 {
		return fmt.Errorf("series: a trend of degree %d, expected 0 to 20", degree)
	}
	for _, s := range spans {
		n := s.To - s.From
		if n <= degree {
			return fmt.Errorf("series: run %d has %d volumes, expected more than %d for a trend of degree %d", run[s.From], n, degree,
				degree)
		}
	}
	for _, s := range spans {
		detrend(x[s.From*cols:s.To*cols], cols, polynomials(s.To-s.From, degree))
	}
	return nil
}

// polynomials returns an orthonormal basis of the polynomials over n equal steps, lowest degree first, by the three-term
// recurrence (monomials would lose digits with the degree).
func polynomials(n, degree int) [][]float64 {
	basis := make([][]float64, degree+1)
	for d := range basis {
		p := make([]float64, n)
		for i := range p {
			p[i] = 1
			if d > 0 {
				p[i] = basis[d-1][i] * (2*float64(i) - float64(n-1)) / float64(n)
			}
		}
		for _, q := range basis[:d] {
			remove(p, q)
		}
		for _, q := range basis[:d] { // again, for what rounding left
			remove(p, q)
		}
		length := 0.0
		for _, v := range p {
			length += v * v
		}
		for i := range p {
			p[i] /= math.Sqrt(length)
		}
		basis[d] = p
	}
	return basis
}

// remove subtracts from p its part along q, of length 1.
func remove(p, q []float64) {
	dot := 0.0
	for i, v := range q {
		dot += v * p[i]
	}
	for i, v := range q {
		p[i] -= dot * v
	}
}

func detrend(x []float32, cols int, basis [][]float64) {
	column := make([]float64, len(x)/cols)
	for j := range cols {
		for i := range column {
			column[i] = float64(x[i*cols+j])
		}
		first := column[0] // what remains of a constant is then exactly 0
		for i := range column {
			column[i] -= first
		}
		for _, q := range basis {
			remove(column, q)
		}
		for i, v := range column {
			x[i*cols+j] = float32(v)
		}
	}
}

// ZScore brings every column of x [rows, cols] to mean 0 and standard deviation 1 (divisor n) within each run, in place. A
// column that does not vary within a run is 0 there.
//
// The statistics of a run come from that run alone: a test run is scaled by itself, not by the training runs, and neither by
// its labels. What is lost is the difference between runs.
func ZScore(x []float32, cols int, run []int) error {
	spans, err := spansOf(x, cols, run)
	if err != nil {
		return err
	}
	for _, s := range spans {
		part, n := x[s.From*cols:s.To*cols], float64(s.To-s.From)
		for j := range cols {
			first := float64(part[j])
			mean := 0.0
			for i := j; i < len(part); i += cols {
				mean += float64(part[i]) - first
			}
			mean /= n
			sum, largest := 0.0, 0.0
			for i := j; i < len(part); i += cols {
				d := float64(part[i]) - first - mean
				sum += d * d
				largest = max(largest, math.Abs(float64(part[i])))
			}
			sd := math.Sqrt(sum / n)
			if sd <= 1e-7*largest { // the rounding of float32
				sd = math.Inf(1)
			}
			for i := j; i < len(part); i += cols {
				part[i] = float32((float64(part[i]) - first - mean) / sd)
			}
		}
	}
	return nil
}

// spansOf checks x against run and returns the runs.
func spansOf(x []float32, cols int, run []int) ([]Span, error) {
	rows, err := shape(x, cols)
	if err != nil {
		return nil, err
	}
	if rows != len(run) {
		return nil, fmt.Errorf("series: %d rows and the run of %d volumes", rows, len(run))
	}
	for i, v := range x {
		if d := float64(v); math.IsNaN(d) || math.IsInf(d, 0) {
			return nil, fmt.Errorf("series: row %d, column %d is %v, expected a finite number", i/cols, i%cols, v)
		}
	}
	return Runs(run)
}
