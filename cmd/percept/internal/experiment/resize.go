package experiment

import (
	"image"

	"percept/internal/picture"
)

// resize brings a picture to size×size by Pillow's Lanczos, as the published pipeline scales stimuli. A picture of that
// size is returned as it is.
func resize(m image.Image, size int) image.Image {
	if m.Bounds().Dx() == size && m.Bounds().Dy() == size {
		return m
	}
	return picture.Resize(picture.ToRGB(m), size, size, picture.Lanczos)
}
