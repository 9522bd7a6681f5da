package percept

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
)

// FromImages lays pictures out as the models want them: [n,3,h,w], values in [-1, 1].
// All pictures must have the size of the first.
func FromImages(pictures []image.Image) (x []float32, h, w int, err error) {
	if len(pictures) == 0 {
		return nil, 0, 0, fmt.Errorf("no picture given, expected at least one")
	}
	size := pictures[0].Bounds().Size()
	h, w = size.Y, size.X
	x = make([]float32, len(pictures)*3*h*w)
	for i, m := range pictures {
		if got := m.Bounds().Size(); got != size {
			return nil, 0, 0, fmt.Errorf("picture %d is %d×%d, expected %d×%d as the first", i, got.X, got.Y, w, h)
		}
		rgba := toRGBA(m)
		plane := x[i*3*h*w:]
		for y := range h {
			row := rgba.Pix[y*rgba.Stride:]
			for c := range w {
				for ch := range 3 {
					plane[ch*h*w+y*w+c] = float32(row[4*c+ch])/127.5 - 1
				}
			}
		}
	}
	return x, h, w, nil
}

// ToImages is the inverse: values are clamped to [-1, 1] and rounded to the nearest of 256 levels
// (half to even), as diffusers does it; the CompVis scripts truncate instead.
func ToImages(x []float32, n, h, w int) ([]*image.RGBA, error) {
	if len(x) != n*3*h*w {
		return nil, fmt.Errorf("%d values for %d pictures of 3×%d×%d, expected %d", len(x), n, h, w, n*3*h*w)
	}
	out := make([]*image.RGBA, n)
	for i := range out {
		m := image.NewRGBA(image.Rect(0, 0, w, h))
		plane := x[i*3*h*w:]
		for p := range h * w {
			for ch := range 3 {
				m.Pix[4*p+ch] = level(plane[ch*h*w+p])
			}
			m.Pix[4*p+3] = 255
		}
		out[i] = m
	}
	return out, nil
}

// level maps [-1, 1] to 0 … 255.
func level(v float32) uint8 {
	f := (float64(v)/2 + 0.5) * 255
	switch {
	case !(f > 0): // also NaN
		return 0
	case f >= 255:
		return 255
	}
	// Adding 2^52 rounds half to even in float64.
	const big = 1 << 52
	return uint8(f + big - big)
}

// toRGBA returns m with its corner at (0, 0), laid on black where it is transparent.
func toRGBA(m image.Image) *image.RGBA {
	if r, ok := m.(*image.RGBA); ok && r.Rect.Min == (image.Point{}) {
		return r
	}
	r := image.NewRGBA(image.Rectangle{Max: m.Bounds().Size()})
	draw.Draw(r, r.Rect, image.NewUniform(color.Black), image.Point{}, draw.Src)
	draw.Draw(r, r.Rect, m, m.Bounds().Min, draw.Over)
	return r
}
