package verify

import (
	"context"
	"fmt"
	"math"

	"percept/internal/golden"
)

// A check collects what one case finds.
type check struct {
	ctx         context.Context
	set         *set
	comparisons int
	problems    []string
	notYet      string
	measured    bool
	worst       deviation // the comparison nearest to, or farthest beyond, its tolerance
	ends        []func() error
}

// deviation is the result of comparing two arrays.
type deviation struct {
	label    string
	err, tol float64
}

// ratio is the error as a fraction of the tolerance.
func (d deviation) ratio() float64 {
	switch {
	case d.err == 0:
		return 0
	case math.IsNaN(d.err) || d.tol == 0:
		return math.Inf(1)
	}
	return d.err / d.tol
}

// abort ends a case; err is the problem, nil where it has been noted.
type abort struct{ err error }

// must ends the case where err is not nil.
func (c *check) must(err error) {
	if err != nil {
		panic(abort{err})
	}
}

// must returns v, or ends the case where err is not nil.
func must[T any](v T, err error) T {
	if err != nil {
		panic(abort{err})
	}
	return v
}

// atEnd calls f when the case has ended; nothing that cases open is written to, so that its error tells nothing.
func (c *check) atEnd(f func() error) { c.ends = append(c.ends, f) }

// later ends a case that cannot be run yet, or not here. The files of the set whose names begin with prefix are its own.
func (c *check) later(prefix, format string, args ...any) {
	c.set.knows(prefix)
	c.notYet = fmt.Sprintf(format, args...)
	panic(abort{})
}

func (c *check) problem(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

// that counts a comparison that is true or false.
func (c *check) that(ok bool, format string, args ...any) {
	c.comparisons++
	if !ok {
		c.problem(format, args...)
	}
}

// near compares two arrays by the largest distance between two elements.
func near[T float32 | float64](c *check, label string, got, want []T, tol float64) {
	c.comparisons++
	largest, at, err := golden.Distance(got, want)
	if err != nil {
		c.problem("%s: %v", label, err)
		return
	}
	d := deviation{label, largest, tol}
	if !c.measured || d.ratio() > c.worst.ratio() {
		c.worst = d
	}
	c.measured = true
	if !(largest <= tol) {
		c.problem("%s: error %.3g, tolerance %.3g: value %d is %g, the reference has %g", label, largest, tol, at, got[at], want[at])
	}
}

// ifStored is near for a tensor that a set leaves out where a case has none.
func (c *check) ifStored(label string, got []float32, file, name string, tol float64) {
	if c.holds(file, name) {
		near(c, label, got, c.float32s(file, name), tol)
	}
}

// relative compares values in units of max(1, |reference|); two NaN are equal.
func (c *check) relative(label string, got, want []float32, tol float64) {
	x, y := converted[float64](got), converted[float64](want)
	for i := range min(len(x), len(y)) {
		if x[i] != x[i] && y[i] != y[i] {
			x[i], y[i] = 0, 0
		}
		unit := max(1, math.Abs(y[i]))
		x[i], y[i] = x[i]/unit, y[i]/unit
	}
	near(c, label, x, y, tol)
}

// sameLength counts a comparison of whole arrays.
func (c *check) sameLength(label string, got, want int) bool {
	c.that(got == want, "%s: %d values, the reference has %d", label, got, want)
	return got == want
}

// bits compares two arrays bit for bit; any NaN equals any other.
func (c *check) bits(label string, got, want []float32) {
	if !c.sameLength(label, len(got), len(want)) {
		return
	}
	if i := golden.Differ(got, want); i >= 0 {
		c.problem("%s: value %d is %g, the reference has %g", label, i, got[i], want[i])
	}
}

// whole compares numbers that have to be the same.
func whole[T ~int | ~int32 | ~int64 | ~uint8](c *check, label string, got []T, want []int64) {
	if !c.sameLength(label, len(got), len(want)) {
		return
	}
	for i, w := range want {
		if int64(got[i]) != w {
			c.problem("%s: value %d is %d, the reference has %d", label, i, got[i], w)
			return
		}
	}
}

// each compares whole numbers that are results of their own with a tensor.
func (c *check) each(file, name string, got []int) {
	for i, want := range c.ints(file, name) {
		c.that(i < len(got) && int64(got[i]) == want, "%s: value %d is not %d, the reference's: %v", name, i, want, got)
	}
}

// converted is an array in another type, each value rounded once.
func converted[To, From float32 | float64 | int | int32 | int64 | uint8](x []From) []To {
	y := make([]To, len(x))
	for i, v := range x {
		y[i] = To(v)
	}
	return y
}

// rms is the root mean square of an array.
func rms(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(max(len(x), 1)))
}

// tolerance is that of a float32 result whose reference library is off by f32Error in float32.
func tolerance(f32Error, rms float64) float64 {
	return golden.Error{F32MaxAbs: f32Error, RMS: rms}.Tolerance()
}
