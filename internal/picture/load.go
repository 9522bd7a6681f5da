package picture

import (
	"fmt"
	"image"
	"math"
)

// LoadOptions say how Load cuts and scales a picture. The zero value is that of LDM's scripts/img2img.py.
type LoadOptions struct {
	Filter Filter // Lanczos unless set
	// Multiple is what the sides are cut to a multiple of; 0 means 32. Other versions of the scripts take 64, and 8 is
	// diffusers' for Stable Diffusion's VAE.
	Multiple int
	// Width and Height scale to this size instead, as the published fMRI pipeline does (320×320 from 425×425).
	Width, Height int
}

// Load makes a model's input of a picture, as LDM's load_img: scaled so that its sides are multiples of 32, divided by
// 255, 2x-1. x is [3, h, w] float32, from -1 to 1.
func Load(m *image.RGBA, o LoadOptions) (x []float32, w, h int, err error) {
	size := m.Rect.Size()
	w, h = o.Width, o.Height
	switch {
	case w == 0 && h == 0:
		step := o.Multiple
		if step == 0 {
			step = 32
		}
		if step < 0 {
			return nil, 0, 0, fmt.Errorf("sides are to be multiples of %d, expected a positive number", step)
		}
		w, h = size.X-size.X%step, size.Y-size.Y%step
		if w <= 0 || h <= 0 {
			return nil, 0, 0, fmt.Errorf("the picture is %d×%d, expected at least %d×%d", size.X, size.Y, step, step)
		}
	case w <= 0 || h <= 0 || size.X <= 0 || size.Y <= 0:
		return nil, 0, 0, fmt.Errorf("a picture of %d×%d is to be scaled to %d×%d, expected positive sizes", size.X, size.Y, w, h)
	}
	m = Resize(m, w, h, o.Filter)
	x = make([]float32, 3*w*h)
	for y := range h {
		row := m.Pix[y*m.Stride:][:4*w]
		for c := range 3 {
			dst := x[(c*h+y)*w:][:w]
			for i := range dst {
				dst[i] = signed[row[4*i+c]]
			}
		}
	}
	return x, w, h, nil
}

// signed maps a level to 2(v/255)-1, rounded to float32 after the division and at the end.
var signed = func() (t [256]float32) {
	for i := range t {
		t[i] = 2*(float32(i)/255) - 1 // doubling is exact
	}
	return t
}()

// A Rounding is a rule that makes 8-bit levels of a model's output.
type Rounding int

// The two rules in use. They differ in half of all pixels, by one level.
const (
	HalfToEven Rounding = iota // diffusers: (255x).round()
	Truncate                   // LDM's scripts: (255x).astype(uint8)
)

// ToUint8 makes a level of a model's output x in [-1, 1]: (x+1)/2, clamped to [0, 1], times 255 in float32, then
// rounded. NaN becomes 0.
func ToUint8(x float32, rule Rounding) uint8 {
	var v float32
	if rule == Truncate {
		v = (x + 1) / 2
	} else {
		v = float32(x/2) + 0.5
	}
	if !(v > 0) {
		return 0
	}
	v = float32(min(v, 1) * 255)
	if rule == Truncate {
		return uint8(v)
	}
	return uint8(math.RoundToEven(float64(v)))
}

// FromFloat makes a picture of a model's output x [3, h, w] in [-1, 1], the inverse of Load.
func FromFloat(x []float32, w, h int, rule Rounding) (*image.RGBA, error) {
	if w <= 0 || h <= 0 || len(x) != 3*w*h {
		return nil, fmt.Errorf("%d values for a picture of 3×%d×%d", len(x), h, w)
	}
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		for c := range 3 {
			m.Pix[4*i+c] = ToUint8(x[c*w*h+i], rule)
		}
		m.Pix[4*i+3] = 255
	}
	return m, nil
}
