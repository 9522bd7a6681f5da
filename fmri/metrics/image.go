package metrics

import (
	"fmt"
	"image"
	"math"

	"percept/internal/picture"
)

// An Image is an RGB picture with values from 0 to 1, row after row, three values a pixel.
type Image struct {
	H, W int
	Pix  []float64 // [H, W, 3]
}

// A Plane is one channel of a picture.
type Plane struct {
	H, W int
	Pix  []float64 // [H, W]
}

// FromImage converts a picture of package image, as Pillow's convert("RGB") does, to colours divided by 255. Alpha is
// dropped.
func FromImage(m image.Image) Image {
	pix, h, w := picture.Unit(m)
	return Image{h, w, pix}
}

// FromPlanar converts pix [3, h, w] with values from 0 to 1, as a model's decoder gives
// them after (x+1)/2; values outside are clamped.
func FromPlanar(pix []float32, h, w int) (Image, error) {
	if h <= 0 || w <= 0 || len(pix) != 3*h*w {
		return Image{}, fmt.Errorf("metrics: picture of %d values, expected 3×%d×%d", len(pix), h, w)
	}
	out := Image{h, w, make([]float64, 3*h*w)}
	for c := range 3 {
		for i, v := range pix[c*h*w : (c+1)*h*w] {
			out.Pix[3*i+c] = math.Min(math.Max(float64(v), 0), 1)
		}
	}
	return out, nil
}

// Channel returns red, green or blue (0, 1, 2).
func (m Image) Channel(c int) Plane {
	p := Plane{m.H, m.W, make([]float64, m.H*m.W)}
	for i := range p.Pix {
		p.Pix[i] = m.Pix[3*i+c]
	}
	return p
}

// Grey returns 0.2125 R + 0.7154 G + 0.0721 B, as skimage's rgb2gray.
func (m Image) Grey() Plane {
	p := Plane{m.H, m.W, make([]float64, m.H*m.W)}
	for i := range p.Pix {
		p.Pix[i] = 0.2125*m.Pix[3*i] + 0.7154*m.Pix[3*i+1] + 0.0721*m.Pix[3*i+2]
	}
	return p
}

// Resize scales a picture to h×w by bilinear interpolation with pixel centres at half
// integers, as torch's interpolate(align_corners=False). With antialias, a picture that
// gets smaller is averaged over the area of each new pixel by a triangle filter, which is
// what torchvision's Resize does by default since 0.17 and, for tensors, did not do before:
// scores after shrinking depend on it.
func (m Image) Resize(h, w int, antialias bool) Image {
	return Image{h, w, picture.Resize64(m.Pix, m.H, m.W, h, w, antialias)}
}

// ResizeEdge scales a picture so that its smaller edge has the given length, keeping its
// proportions, as torchvision's Resize(edge).
func (m Image) ResizeEdge(edge int, antialias bool) Image {
	if m.H <= m.W {
		return m.Resize(edge, edge*m.W/m.H, antialias)
	}
	return m.Resize(edge*m.H/m.W, edge, antialias)
}

// sameSize reports pictures that cannot be compared pixel for pixel.
func sameSize(a, b Image) error {
	for _, m := range []Image{a, b} {
		if m.H <= 0 || m.W <= 0 || len(m.Pix) != 3*m.H*m.W {
			return fmt.Errorf("metrics: picture of %d values, expected %d×%d×3", len(m.Pix), m.H, m.W)
		}
	}
	if a.H != b.H || a.W != b.W {
		return fmt.Errorf("metrics: decoded picture is %d×%d, expected %d×%d as the one seen", b.H, b.W, a.H, a.W)
	}
	return nil
}
