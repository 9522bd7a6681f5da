package picture

import (
	"image"
	"math"
)

// Unit returns the colours of a picture, as ToRGB makes them, divided by 255: [h, w, 3].
func Unit(m image.Image) (pix []float64, h, w int) {
	rgb := ToRGB(m)
	pix = make([]float64, 0, len(rgb.Pix)/4*3)
	for i, v := range rgb.Pix {
		if i%4 != 3 {
			pix = append(pix, float64(v)/255)
		}
	}
	return pix, rgb.Rect.Dy(), rgb.Rect.Dx()
}

// Resize64 scales pix [h, w, 3] to [outH, outW, 3] as Interpolate does in bilinear mode, but in float64.
func Resize64(pix []float64, h, w, outH, outW int, antialias bool) []float64 {
	rows, cols := spans(h, outH, antialias), spans(w, outW, antialias)
	// Width first, then height: the sums are the same up to rounding.
	wide := make([]float64, h*outW*3)
	for y := range h {
		src, dst := pix[y*w*3:(y+1)*w*3], wide[y*outW*3:(y+1)*outW*3]
		for x, t := range cols {
			for k, weight := range t.weights {
				at := 3 * (t.first + k)
				dst[3*x] += weight * src[at]
				dst[3*x+1] += weight * src[at+1]
				dst[3*x+2] += weight * src[at+2]
			}
		}
	}
	out := make([]float64, outH*outW*3)
	for y, t := range rows {
		dst := out[y*outW*3 : (y+1)*outW*3]
		for k, weight := range t.weights {
			for i, v := range wide[(t.first+k)*outW*3 : (t.first+k+1)*outW*3] {
				dst[i] += weight * v
			}
		}
	}
	return out
}

// A span says from which neighbours an output sample is made.
type span struct {
	first   int
	weights []float64
}

// spans returns those of every output sample along one axis.
func spans(in, out int, antialias bool) []span {
	scale := float64(in) / float64(out)
	support := 1.0
	if antialias && scale > 1 {
		support = scale
	}
	narrow := 1 / support
	all := make([]span, out)
	for i := range all {
		centre := scale * (float64(i) + 0.5)
		first := max(int(math.Floor(centre-support+0.5)), 0)
		last := min(int(math.Floor(centre+support+0.5)), in)
		weights := make([]float64, last-first)
		sum := 0.0
		for k := range weights {
			weights[k] = max(1-math.Abs((float64(first+k)-centre+0.5)*narrow), 0)
			sum += weights[k]
		}
		// At the border the missing neighbours' weight goes to the others, which for two
		// taps is the clamping of torch's plain bilinear mode.
		for k := range weights {
			weights[k] /= sum
		}
		all[i] = span{first, weights}
	}
	return all
}
