package picture

import (
	"fmt"
	"math"
	"strings"
)

// A Filter is one of Pillow's resampling filters.
type Filter int

// The filters of Pillow's Image.Resampling. Half a filter's width ("support") is in pixels of the smaller picture.
const (
	Lanczos  Filter = iota // windowed sinc, support 3
	Bicubic                // Keys' cubic with a = -0.5, support 2
	Hamming                // sinc under a Hamming window, support 1
	Bilinear               // triangle, support 1
	Box                    // mean over the area, support 0.5
	Nearest                // the pixel under the centre; never antialiased
)

var filterNames = []string{"lanczos", "bicubic", "hamming", "bilinear", "box", "nearest"}

// String is the filter's name in lower case.
func (f Filter) String() string { return nameOf("filter", filterNames, int(f)) }

// nameOf is name i of a kind of values, or what stands for one that there is not.
func nameOf(kind string, names []string, i int) string {
	if i < 0 || i >= len(names) {
		return fmt.Sprintf("%s(%d)", kind, i)
	}
	return names[i]
}

// ParseFilter returns the filter of a name, in any case.
func ParseFilter(name string) (Filter, error) {
	for i, n := range filterNames {
		if strings.EqualFold(n, name) {
			return Filter(i), nil
		}
	}
	return 0, fmt.Errorf("filter %q is not known, expected one of %s", name, strings.Join(filterNames, ", "))
}

// support is the distance from the centre at which the filter ends.
func (f Filter) support() float64 {
	switch f {
	case Lanczos:
		return 3
	case Bicubic:
		return 2
	case Hamming, Bilinear:
		return 1
	}
	return 0.5
}

// at is the filter's value at a distance x. Products are rounded before they are added (the conversions),
// so that a processor with fused multiply-add gives the same weights.
func (f Filter) at(x float64) float64 {
	switch f {
	case Lanczos:
		if -3 <= x && x < 3 {
			return sinc(x) * sinc(x/3)
		}
		return 0
	case Bicubic:
		const a = -0.5
		switch x = math.Abs(x); {
		case x < 1:
			return float64((float64((a+2)*x)-(a+3))*x*x) + 1
		case x < 2:
			return (float64((float64((x-5)*x)+8)*x) - 4) * a
		}
		return 0
	case Hamming:
		switch x = math.Abs(x); {
		case x == 0:
			return 1
		case x >= 1:
			return 0
		}
		x *= math.Pi
		const a, b = float64(float32(0.54)), float64(float32(0.46)) // as Pillow writes them, 0.54f and 0.46f
		return math.Sin(x) / x * (a + float64(b*math.Cos(x)))
	case Bilinear:
		return max(1-math.Abs(x), 0)
	}
	if -0.5 < x && x <= 0.5 {
		return 1
	}
	return 0
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	x *= math.Pi
	return math.Sin(x) / x
}

// weightBits are the binary digits after the point of a weight: what an int32 has left beside a pixel's 8 and 2 for
// the filters' overshoot.
const weightBits = 32 - 8 - 2

// weights say from which input pixels each output pixel along one axis is made.
type weights struct {
	first []int32 // the first input pixel
	count []int32 // how many, at least one
	at    []int32 // where their weights begin in k
	k     []int32 // in units of 2^-weightBits
}

// of returns the first input pixel of output pixel i and the weights from there on.
func (w *weights) of(i int) (first int, k []int32) {
	return int(w.first[i]), w.k[w.at[i]:][:w.count[i]]
}

// newWeights computes the weights as Pillow does: the filter is widened where the picture shrinks, cut off at the border,
// divided by its sum and rounded to fixed point, half away from 0.
func newWeights(in, out int, f Filter) *weights {
	scale := float64(in) / float64(out)
	wide := max(scale, 1)
	support, narrow := f.support()*wide, 1/wide
	widest := min(int(math.Ceil(support))*2+1, in)
	row := make([]float64, widest)
	w := &weights{first: make([]int32, out), count: make([]int32, out), at: make([]int32, out), k: make([]int32, 0, out*widest)}
	for i := range out {
		centre := (float64(i) + 0.5) * scale
		first := max(int(centre-support+0.5), 0)
		last := min(int(centre+support+0.5), in)
		row = row[:last-first]
		sum := 0.0
		for j := range row {
			row[j] = f.at((float64(j+first) - centre + 0.5) * narrow)
			sum += row[j]
		}
		w.first[i], w.count[i], w.at[i] = int32(first), int32(len(row)), int32(len(w.k))
		for _, v := range row {
			if sum != 0 {
				v /= sum
			}
			w.k = append(w.k, int32(math.Copysign(0.5, v)+float64(v*(1<<weightBits))))
		}
		row = row[:widest]
	}
	return w
}
