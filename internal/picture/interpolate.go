package picture

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// A Mode is one of torch.nn.functional.interpolate's for pictures.
type Mode int

// The modes. Nearest rounds down as torch's first version of it did and as OpenCV does; nearest-exact takes the sample
// under the centre as Pillow does.
const (
	InterpolateNearest Mode = iota
	InterpolateNearestExact
	InterpolateBilinear
	InterpolateBicubic // Keys' cubic: a = -0.75, with antialias -0.5 as Pillow's
	InterpolateArea    // adaptive_avg_pool2d
)

var modeNames = []string{"nearest", "nearest-exact", "bilinear", "bicubic", "area"}

// String is torch's name of the mode.
func (m Mode) String() string { return nameOf("mode", modeNames, int(m)) }

// ParseMode returns the mode of torch's name.
func ParseMode(name string) (Mode, error) {
	i := slices.Index(modeNames, name)
	if i < 0 {
		return 0, fmt.Errorf("mode %q is not known, expected one of %s", name, strings.Join(modeNames, ", "))
	}
	return Mode(i), nil
}

// InterpolateOptions are those of torch's interpolate; the zero value has its defaults.
type InterpolateOptions struct {
	// Antialias widens the filter where the picture shrinks; bilinear and bicubic alone.
	Antialias bool
	// AlignCorners puts the corners' centres on one another; bilinear and bicubic alone.
	AlignCorners bool
	// ScaleH and ScaleW are the scale_factor that was given in place of a size (recompute_scale_factor unset), from
	// which torch then computes coordinates; 0 means the quotient of the sizes. They must give the size: ⌊h·ScaleH⌋.
	ScaleH, ScaleW float64
}

// Interpolate scales x [n, c, h, w] to [n, c, outH, outW] as torch's F.interpolate does on a CPU in float32: coordinates
// and weights are rounded to float32 where torch rounds them, with fused multiply-add as its kernels for AVX2 have. The
// nearest modes are exact; the others differ in the last bit or two, since torch's sums depend on its vector width.
func Interpolate(x []float32, n, c, h, w, outH, outW int, mode Mode, o InterpolateOptions) ([]float32, error) {
	if n <= 0 || c <= 0 || h <= 0 || w <= 0 || outH <= 0 || outW <= 0 || len(x) != n*c*h*w {
		return nil, fmt.Errorf("interpolate: %d values as [%d, %d, %d, %d] to %d×%d, expected positive sizes that fit",
			len(x), n, c, h, w, outH, outW)
	}
	if mode < 0 || int(mode) >= len(modeNames) {
		return nil, fmt.Errorf("interpolate: %v, expected one of %s", mode, strings.Join(modeNames, ", "))
	}
	smooth := mode == InterpolateBilinear || mode == InterpolateBicubic
	if !smooth && (o.Antialias || o.AlignCorners) {
		return nil, fmt.Errorf("interpolate: %v with antialias or align_corners, expected bilinear or bicubic", mode)
	}
	for _, s := range []struct {
		scale   float64
		in, out int
	}{{o.ScaleH, h, outH}, {o.ScaleW, w, outW}} {
		if s.scale != 0 && math.Floor(s.scale*float64(s.in)) != float64(s.out) {
			return nil, fmt.Errorf("interpolate: scale factor %v of %d samples, expected one that gives %d", s.scale, s.in, s.out)
		}
	}
	cols, rows := mode.taps(w, outW, o.ScaleW, o), mode.taps(h, outH, o.ScaleH, o)
	wide := make([]float32, n*c*h*outW)
	parallel(n*c*h, outW, func(from, to int) {
		for y := from; y < to; y++ {
			src, dst := x[y*w:][:w], wide[y*outW:][:outW]
			for i, t := range cols {
				dst[i] = t.sum(src)
			}
		}
	})
	out := make([]float32, n*c*outH*outW)
	parallel(n*c*outH, outW, func(from, to int) {
		for y := from; y < to; y++ {
			plane, dst := wide[y/outH*h*outW:], out[y*outW:][:outW]
			t := rows[y%outH]
			for k, at := range t.index {
				weight, src := t.weight[k], plane[at*outW:][:outW]
				if k == 0 {
					for i, v := range src {
						dst[i] = v * weight
					}
					continue
				}
				for i, v := range src {
					dst[i] = fma(v, weight, dst[i])
				}
			}
			if t.count > 1 {
				for i := range dst {
					dst[i] /= t.count
				}
			}
		}
	})
	return out, nil
}

// A tap says from which samples an output sample is made.
type tap struct {
	index  []int
	weight []float32
	count  float32 // what the sum is divided by, where it is a mean
}

func (t tap) sum(x []float32) float32 {
	s := x[t.index[0]] * t.weight[0]
	for k := 1; k < len(t.index); k++ {
		s = fma(x[t.index[k]], t.weight[k], s)
	}
	if t.count > 1 {
		s /= t.count
	}
	return s
}

// taps lists those of one axis.
func (m Mode) taps(in, out int, scaleFactor float64, o InterpolateOptions) []tap {
	list := make([]tap, out)
	step := float32(in) / float32(out)
	if scaleFactor > 0 {
		step = float32(1 / scaleFactor)
	}
	if o.AlignCorners {
		if step = 0; out > 1 {
			step = float32(in-1) / float32(out-1)
		}
	}
	for i := range list {
		switch {
		case m == InterpolateArea:
			first, last := i*in/out, ((i+1)*in+out-1)/out
			for k := first; k < last; k++ {
				list[i].index = append(list[i].index, k)
				list[i].weight = append(list[i].weight, 1)
			}
			list[i].count = float32(last - first)
		case m == InterpolateNearest || m == InterpolateNearestExact:
			list[i] = tap{index: []int{m.nearest(i, in, out, step)}, weight: []float32{1}}
		case o.Antialias:
			list[i] = m.antialiased(i, in, step)
		case in == out:
			list[i] = tap{index: []int{i}, weight: []float32{1}}
		default:
			list[i] = m.plain(i, in, step, o.AlignCorners)
		}
	}
	return list
}

// nearest is the sample that output i repeats.
func (m Mode) nearest(i, in, out int, step float32) int {
	at := float32(i) * step
	switch {
	case m == InterpolateNearestExact:
		at = (float32(i) + 0.5) * step
	case out == in:
		return i
	case out == 2*in:
		return i / 2
	}
	return min(int(at), in-1)
}

// plain interpolates between the 2 or 4 samples around a coordinate, whatever the scale.
func (m Mode) plain(i, in int, step float32, corners bool) tap {
	at := float32(i) * step
	if !corners {
		at = fma(step, float32(i)+0.5, -0.5)
	}
	if m == InterpolateBilinear {
		at = max(at, 0)
		k := min(int(at), in-1)
		t := min(max(at-float32(k), 0), 1)
		return tap{index: []int{k, min(k+1, in-1)}, weight: []float32{1 - t, t}}
	}
	floor := math.Floor(float64(at))
	k, t := int(floor), min(max(at-float32(floor), 0), 1)
	out := tap{weight: []float32{cubicOuter(t + 1), cubicInner(t), cubicInner(1 - t), cubicOuter((1 - t) + 1)}}
	for d := -1; d <= 2; d++ {
		out.index = append(out.index, max(min(k+d, in-1), 0))
	}
	return out
}

// fma is x·y + z, rounded once to float32: what torch's kernels, compiled for processors that have it, make of some
// such expressions, found by comparing weights. The product of two float32 is exact in float64.
func fma(x, y, z float32) float32 { return float32(float64(x)*float64(y) + float64(z)) }

// cubicInner is Keys' cubic with a = -0.75 for |x| ≤ 1.
func cubicInner(x float32) float32 {
	return float32(float32(float32(float32(1.25*x)-2.25)*x)*x) + 1
}

// cubicOuter is Keys' cubic with a = -0.75 for 1 < |x| < 2.
func cubicOuter(x float32) float32 {
	return float32(fma(fma(-0.75, x, 3.75), x, -6)*x) + 3
}

// antialiased weighs all samples under a filter that is widened where the picture shrinks.
func (m Mode) antialiased(i, in int, step float32) tap {
	half := float32(1)
	if m == InterpolateBicubic {
		half = 2
	}
	support, narrow := half, float32(1)
	if step >= 1 {
		support, narrow = half*step, 1/step
	}
	centre := step * (float32(i) + 0.5)
	first := max(int(centre-support+0.5), 0)
	last := min(int(centre+support+0.5), in)
	var t tap
	sum := float32(0)
	for k := first; k < last; k++ {
		d := float32(math.Abs(float64((float32(k) - centre + 0.5) * narrow)))
		v := float32(0)
		switch {
		case m == InterpolateBilinear:
			v = max(1-d, 0)
		case d < 1: // Keys' cubic with a = -0.5
			v = fma(fma(1.5, d, -2.5)*d, d, 1)
		case d < 2:
			v = fma(fma(d-5, d, 8), d, -4) * -0.5
		}
		t.index, t.weight = append(t.index, k), append(t.weight, v)
		sum += v
	}
	for k := range t.weight {
		t.weight[k] /= sum
	}
	return t
}
