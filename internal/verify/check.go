package verify

import (
	"fmt"
	"math"
)

// A check collects what one case finds.
type check struct {
	set         *set
	comparisons int
	problems    []string
	notYet      string
	measured    bool
	worst       deviation // the comparison nearest to, or farthest beyond, its tolerance
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

func (c *check) problem(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

// must ends the case where err is not nil.
func (c *check) must(err error) {
	if err != nil {
		c.problem("%v", err)
		panic(abort{})
	}
}

// that counts a comparison that is true or false.
func (c *check) that(ok bool, format string, args ...any) {
	c.comparisons++
	if !ok {
		c.problem(format, args...)
	}
}

// near compares two arrays element by element.
func (c *check) near(label string, got, want []float32, tol float64) {
	if len(got) != len(want) {
		c.comparisons++
		c.problem("%s: %d values, the reference has %d", label, len(got), len(want))
		return
	}
	largest, at := 0.0, 0
	for i, w := range want {
		d := math.Abs(float64(got[i]) - float64(w))
		if w == got[i] { // also equal infinities
			d = 0
		}
		if !(d <= largest) { // NaN is worst
			largest, at = d, i
			if math.IsNaN(d) {
				break
			}
		}
	}
	found := ""
	if len(want) > 0 {
		found = fmt.Sprintf("value %d is %g, the reference has %g", at, got[at], want[at])
	}
	c.measure(label, largest, tol, found)
}

// near64 is near for float64 arrays.
func (c *check) near64(label string, got, want []float64, tol float64) {
	if len(got) != len(want) {
		c.comparisons++
		c.problem("%s: %d values, the reference has %d", label, len(got), len(want))
		return
	}
	largest, at := 0.0, 0
	for i, w := range want {
		d := math.Abs(got[i] - w)
		if w == got[i] {
			d = 0
		}
		if !(d <= largest) {
			largest, at = d, i
			if math.IsNaN(d) {
				break
			}
		}
	}
	found := ""
	if len(want) > 0 {
		found = fmt.Sprintf("value %d is %g, the reference has %g", at, got[at], want[at])
	}
	c.measure(label, largest, tol, found)
}

// measure notes the error of one comparison.
func (c *check) measure(label string, err, tol float64, found string) {
	c.comparisons++
	d := deviation{label, err, tol}
	if !c.measured || d.ratio() > c.worst.ratio() {
		c.worst = d
	}
	c.measured = true
	if !(err <= tol) {
		c.problem("%s: error %.3g, tolerance %.3g: %s", label, err, tol, found)
	}
}

// bits compares two arrays bit for bit; any NaN equals any other.
func (c *check) bits(label string, got, want []float32) {
	c.comparisons++
	if len(got) != len(want) {
		c.problem("%s: %d values, the reference has %d", label, len(got), len(want))
		return
	}
	for i, w := range want {
		if g := got[i]; math.Float32bits(g) != math.Float32bits(w) && !(g != g && w != w) {
			c.problem("%s: value %d is %g (%#08x), the reference has %g (%#08x)", label, i, g, math.Float32bits(g), w, math.Float32bits(w))
			return
		}
	}
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
func tolerance(f32Error, rms float64) float64 { return 10*f32Error + 1e-6*rms }
