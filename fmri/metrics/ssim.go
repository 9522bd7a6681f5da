package metrics

import (
	"fmt"
	"math"
)

// A Window weights the neighbourhood over which structural similarity is taken.
type Window struct {
	weights []float64 // along one axis; the window is separable
	sample  bool      // divide variances by N−1
}

// GaussianWindow is the window of Wang et al. 2004 and of all published reconstruction
// scores: σ = 1.5, cut at radius 5, population variances.
func GaussianWindow() Window {
	const sigma, radius = 1.5, 5 // radius = ⌊3.5σ + ½⌋
	w := make([]float64, 2*radius+1)
	sum := 0.0
	for i := range w {
		d := float64(i-radius) / sigma
		w[i] = math.Exp(-d * d / 2)
		sum += w[i]
	}
	for i := range w {
		w[i] /= sum
	}
	return Window{weights: w}
}

// UniformWindow is the square window of skimage's default (size 7, sample variances).
// size has to be odd.
func UniformWindow(size int) Window {
	w := make([]float64, size)
	for i := range w {
		w[i] = 1 / float64(size)
	}
	return Window{weights: w, sample: true}
}

// SSIM returns the structural similarity of two pictures of one size, from −1 to 1, as all
// published scores: of the grey pictures, with the Gaussian window, K1 = 0.01, K2 = 0.03,
// the range of values 1, and the mean taken without a border of 5 pixels.
//
// A trap: evaluation code that calls an old skimage with multichannel=True on a grey
// picture takes its columns for channels, and gets another number. See
// SSIMColumnsAsChannels; the two are not comparable.
//
// Source: Wang et al. 2004, doi:10.1109/TIP.2003.819861; skimage's structural_similarity.
func SSIM(seen, decoded Image) (float64, error) {
	if err := sameSize(seen, decoded); err != nil {
		return 0, err
	}
	mean, _, err := GaussianWindow().SSIM(seen.Grey(), decoded.Grey())
	return mean, err
}

// SSIM returns the mean structural similarity of two planes with values from 0 to 1, over
// the pixels whose window lies inside, and its value at every pixel.
func (w Window) SSIM(a, b Plane) (mean float64, at Plane, err error) {
	border := len(w.weights) / 2
	if a.H != b.H || a.W != b.W || len(a.Pix) != a.H*a.W || len(b.Pix) != len(a.Pix) {
		return 0, Plane{}, fmt.Errorf("metrics: planes of %d×%d and %d×%d, expected one size", a.H, a.W, b.H, b.W)
	}
	if a.H <= 2*border || a.W <= 2*border {
		return 0, Plane{}, fmt.Errorf("metrics: picture of %d×%d, expected at least %d pixels each way for SSIM", a.H, a.W, 2*border+1)
	}
	n := float64(len(w.weights) * len(w.weights))
	unbias := 1.0
	if w.sample {
		unbias = n / (n - 1)
	}
	at = similarityMap(a, b, unbias, func(p Plane) Plane { return w.across(w.down(p)) })
	for y := border; y < a.H-border; y++ {
		for _, v := range at.Pix[y*a.W+border : (y+1)*a.W-border] {
			mean += v
		}
	}
	return mean / float64((a.H-2*border)*(a.W-2*border)), at, nil
}

// SSIMColumnsAsChannels returns what skimage before 0.19 made of two grey pictures when it
// was told multichannel=True, as some published evaluation code does: every column is
// compared as a picture of its own, one pixel wide. It serves to compare with numbers
// published that way, and for nothing else.
func SSIMColumnsAsChannels(seen, decoded Image) (float64, error) {
	if err := sameSize(seen, decoded); err != nil {
		return 0, err
	}
	w := GaussianWindow()
	border := len(w.weights) / 2
	if seen.H <= 2*border {
		return 0, fmt.Errorf("metrics: picture of %d×%d, expected at least %d rows for SSIM", seen.H, seen.W, 2*border+1)
	}
	at := similarityMap(seen.Grey(), decoded.Grey(), 1, w.down)
	sum, inside := 0.0, at.Pix[border*at.W:(at.H-border)*at.W]
	for _, v := range inside {
		sum += v
	}
	return sum / float64(len(inside)), nil
}

// similarityMap compares two planes at every pixel, with filter taking weighted means of
// neighbourhoods.
func similarityMap(a, b Plane, unbias float64, filter func(Plane) Plane) Plane {
	const c1, c2 = 0.01 * 0.01, 0.03 * 0.03
	ma, mb := filter(a), filter(b)
	aa, bb, ab := filter(product(a, a)), filter(product(b, b)), filter(product(a, b))
	at := Plane{a.H, a.W, make([]float64, len(a.Pix))}
	for i := range at.Pix {
		x, y := ma.Pix[i], mb.Pix[i]
		va, vb, cov := unbias*(aa.Pix[i]-x*x), unbias*(bb.Pix[i]-y*y), unbias*(ab.Pix[i]-x*y)
		at.Pix[i] = (2*x*y + c1) * (2*cov + c2) / ((x*x + y*y + c1) * (va + vb + c2))
	}
	return at
}

func product(a, b Plane) Plane {
	p := Plane{a.H, a.W, make([]float64, len(a.Pix))}
	for i, v := range a.Pix {
		p.Pix[i] = v * b.Pix[i]
	}
	return p
}

// down convolves every column with the window, mirrored at the border (d c b a | a b c d).
func (w Window) down(p Plane) Plane {
	radius := len(w.weights) / 2
	out := Plane{p.H, p.W, make([]float64, len(p.Pix))}
	for y := range p.H {
		dst := out.Pix[y*p.W : (y+1)*p.W]
		for k, weight := range w.weights {
			from := mirror(y+k-radius, p.H) * p.W
			for x, v := range p.Pix[from : from+p.W] {
				dst[x] += weight * v
			}
		}
	}
	return out
}

// across convolves every row with the window.
func (w Window) across(p Plane) Plane {
	radius := len(w.weights) / 2
	out := Plane{p.H, p.W, make([]float64, len(p.Pix))}
	for y := range p.H {
		src := p.Pix[y*p.W : (y+1)*p.W]
		for x := range p.W {
			sum := 0.0
			for k, weight := range w.weights {
				sum += weight * src[mirror(x+k-radius, p.W)]
			}
			out.Pix[y*p.W+x] = sum
		}
	}
	return out
}

func mirror(i, n int) int {
	if i < 0 {
		i = -1 - i
	}
	if i >= n {
		i = 2*n - 1 - i
	}
	return i
}
