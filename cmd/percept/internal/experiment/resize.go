package experiment

import (
	"image"

	"golang.org/x/image/draw"
)

// resize brings a picture to size×size. A picture of that size is returned as it is.
func resize(m image.Image, size int) image.Image {
	if m.Bounds().Dx() == size && m.Bounds().Dy() == size {
		return m
	}
	out := image.NewRGBA(image.Rect(0, 0, size, size))
	draw.CatmullRom.Scale(out, out.Rect, m, m.Bounds(), draw.Src, nil)
	return out
}
