package metrics

import "math"

// Resize scales a picture to h×w by bilinear interpolation with pixel centres at half
// integers, as torch's interpolate(align_corners=False). With antialias, a picture that
// gets smaller is averaged over the area of each new pixel by a triangle filter, which is
// what torchvision's Resize does by default since 0.17 and, for tensors, did not do before:
// scores after shrinking depend on it.
func (m Image) Resize(h, w int, antialias bool) Image {
	return m.resize(taps(m.H, h, antialias, exact), taps(m.W, w, antialias, exact))
}

// ResizeEdge scales a picture so that its smaller edge has the given length, keeping its
// proportions, as torchvision's Resize(edge).
func (m Image) ResizeEdge(edge int, antialias bool) Image {
	h, w := m.edge(edge)
	return m.Resize(h, w, antialias)
}

// ResizeEdge32 is ResizeEdge with antialias and with the weights of each pixel in float32,
// as torch computes them for float32 tensors, which is what networks are fed. At sizes
// whose ratio is no float32 number, pixels differ by a few millionths.
func (m Image) ResizeEdge32(edge int) Image {
	h, w := m.edge(edge)
	return m.resize(taps(m.H, h, true, single), taps(m.W, w, true, single))
}

func (m Image) edge(edge int) (h, w int) {
	if m.H <= m.W {
		return edge, edge * m.W / m.H
	}
	return edge * m.H / m.W, edge
}

func (m Image) resize(rows, cols []tap) Image {
	h, w := len(rows), len(cols)
	// Width first, then height: the sums are the same up to rounding.
	wide := make([]float64, m.H*w*3)
	for y := range m.H {
		src, dst := m.Pix[y*m.W*3:(y+1)*m.W*3], wide[y*w*3:(y+1)*w*3]
		for x, t := range cols {
			for k, weight := range t.weights {
				at := 3 * (t.first + k)
				dst[3*x] += weight * src[at]
				dst[3*x+1] += weight * src[at+1]
				dst[3*x+2] += weight * src[at+2]
			}
		}
	}
	out := Image{h, w, make([]float64, h*w*3)}
	for y, t := range rows {
		dst := out.Pix[y*w*3 : (y+1)*w*3]
		for k, weight := range t.weights {
			for i, v := range wide[(t.first+k)*w*3 : (t.first+k+1)*w*3] {
				dst[i] += weight * v
			}
		}
	}
	return out
}

// A tap says from which input samples an output sample is made.
type tap struct {
	first   int
	weights []float64
}

// Precisions of the arithmetic of taps.
func exact(v float64) float64  { return v }
func single(v float64) float64 { return float64(float32(v)) }

// taps returns the weights of every output sample along one axis, rounded after each
// operation by round.
func taps(in, out int, antialias bool, round func(float64) float64) []tap {
	scale := round(float64(in) / float64(out))
	support := 1.0
	if antialias && scale > 1 {
		support = scale
	}
	narrow := round(1 / support)
	all := make([]tap, out)
	for i := range all {
		centre := round(scale * (float64(i) + 0.5))
		first := max(int(math.Floor(round(round(centre-support)+0.5))), 0)
		last := min(int(math.Floor(round(round(centre+support)+0.5))), in)
		weights := make([]float64, last-first)
		sum := 0.0
		for k := range weights {
			d := math.Abs(round(round(round(float64(first+k)-centre)+0.5) * narrow))
			weights[k] = max(round(1-d), 0)
			sum = round(sum + weights[k])
		}
		// At the border the missing neighbours' weight goes to the others, which for two
		// taps is the clamping of torch's plain bilinear mode.
		for k := range weights {
			weights[k] = round(weights[k] / sum)
		}
		all[i] = tap{first, weights}
	}
	return all
}
