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
// picture takes its columns for channels, and gets another, usually higher number. This
// function never does; scores from such code are not comparable.
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
		return 0, Plane{}, fmt.Errorf("metrics: planes of %d×%d and %d×%d, want one size", a.H, a.W, b.H, b.W)
	}
	if a.H <= 2*border || a.W <= 2*border {
		return 0, Plane{}, fmt.Errorf("metrics: picture of %d×%d, want at least %d pixels each way for SSIM", a.H, a.W, 2*border+1)
	}
	n := float64(len(w.weights) * len(w.weights))
	unbias := 1.0
	if w.sample {
		unbias = n / (n - 1)
	}
	const c1, c2 = 0.01 * 0.01, 0.03 * 0.03
	ma, mb := w.filter(a), w.filter(b)
	aa, bb, ab := w.filter(product(a, a)), w.filter(product(b, b)), w.filter(product(a, b))
	at = Plane{a.H, a.W, make([]float64, len(a.Pix))}
	for i := range at.Pix {
		x, y := ma.Pix[i], mb.Pix[i]
		va, vb, cov := unbias*(aa.Pix[i]-x*x), unbias*(bb.Pix[i]-y*y), unbias*(ab.Pix[i]-x*y)
		at.Pix[i] = (2*x*y + c1) * (2*cov + c2) / ((x*x + y*y + c1) * (va + vb + c2))
	}
	for y := border; y < a.H-border; y++ {
		for _, v := range at.Pix[y*a.W+border : (y+1)*a.W-border] {
			mean += v
		}
	}
	return mean / float64((a.H-2*border)*(a.W-2*border)), at, nil
}

func product(a, b Plane) Plane {
	p := Plane{a.H, a.W, make([]float64, len(a.Pix))}
	for i, v := range a.Pix {
		p.Pix[i] = v * b.Pix[i]
	}
	return p
}

// filter convolves a plane with the window, mirrored at the border (d c b a | a b c d).
func (w Window) filter(p Plane) Plane {
	radius := len(w.weights) / 2
	tall := make([]float64, len(p.Pix))
	for y := range p.H {
		dst := tall[y*p.W : (y+1)*p.W]
		for k, weight := range w.weights {
			from := mirror(y+k-radius, p.H) * p.W
			for x, v := range p.Pix[from : from+p.W] {
				dst[x] += weight * v
			}
		}
	}
	out := Plane{p.H, p.W, make([]float64, len(p.Pix))}
	for y := range p.H {
		src := tall[y*p.W : (y+1)*p.W]
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
