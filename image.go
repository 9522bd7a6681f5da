package percept

import (
	"fmt"
	"image"

	"percept/internal/picture"
)

// ReadPicture reads a PNG, JPEG or TIFF file as Pillow opens it and converts it to RGB, turned as its EXIF orientation
// says.
func ReadPicture(path string) (*image.RGBA, error) { return picture.Read(path) }

// FromImages lays pictures out as the models want them: [n,3,h,w], values in [-1, 1], computed as the original scripts
// do. Alpha is dropped, as Pillow's convert("RGB") does. All pictures must have the size of the first.
func FromImages(pictures []image.Image) (x []float32, h, w int, err error) {
	if len(pictures) == 0 {
		return nil, 0, 0, fmt.Errorf("no picture given, expected at least one")
	}
	size := pictures[0].Bounds().Size()
	h, w = size.Y, size.X
	for i, m := range pictures {
		if got := m.Bounds().Size(); got != size {
			return nil, 0, 0, fmt.Errorf("picture %d is %d×%d, expected %d×%d as the first", i, got.X, got.Y, w, h)
		}
		one, _, _, err := picture.Load(rgb(m), picture.LoadOptions{Width: w, Height: h})
		if err != nil {
			return nil, 0, 0, fmt.Errorf("picture %d: %w", i, err)
		}
		x = append(x, one...)
	}
	return x, h, w, nil
}

// rgb is m itself where it is opaque and lies at (0, 0).
func rgb(m image.Image) *image.RGBA {
	if r, ok := m.(*image.RGBA); ok && r.Rect.Min == (image.Point{}) && r.Opaque() {
		return r
	}
	return picture.ToRGB(m)
}

// ToImages is the inverse: values are clamped to [-1, 1] and rounded to the nearest of 256 levels
// (half to even), as diffusers does it; the CompVis scripts truncate instead.
func ToImages(x []float32, n, h, w int) ([]*image.RGBA, error) {
	if len(x) != n*3*h*w {
		return nil, fmt.Errorf("%d values for %d pictures of 3×%d×%d, expected %d", len(x), n, h, w, n*3*h*w)
	}
	out := make([]*image.RGBA, n)
	for i := range out {
		m, err := picture.FromFloat(x[i*3*h*w:][:3*h*w], w, h, picture.HalfToEven)
		if err != nil {
			return nil, err
		}
		out[i] = m
	}
	return out, nil
}
