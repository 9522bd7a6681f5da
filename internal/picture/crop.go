package picture

import (
	"image"
	"math"
)

// ResizeEdge scales a picture so that its smaller edge has the given length, as torchvision's Resize(edge) does with a
// Pillow picture: the other edge is rounded down.
func ResizeEdge(m *image.RGBA, edge int, f Filter) *image.RGBA {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	if w <= h {
		return Resize(m, edge, edge*h/w, f)
	}
	return Resize(m, edge*w/h, edge, f)
}

// CenterCrop cuts w×h from the middle, as torchvision's CenterCrop: half a pixel goes to the even side. Where the picture
// is smaller, it is surrounded with black.
func CenterCrop(m *image.RGBA, w, h int) *image.RGBA {
	offset := func(have, want int) int {
		if have < want { // the smaller half before, the larger after
			return -((want - have) / 2)
		}
		return int(math.RoundToEven(float64(have-want) / 2))
	}
	x0, y0 := offset(m.Rect.Dx(), w), offset(m.Rect.Dy(), h)
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		row := out.Pix[y*out.Stride:][:4*w]
		for x := range w {
			if p := (image.Point{x0 + x, y0 + y}).Add(m.Rect.Min); p.In(m.Rect) {
				copy(row[4*x:4*x+3], m.Pix[m.PixOffset(p.X, p.Y):])
			}
			row[4*x+3] = 255
		}
	}
	return out
}

// Mean and standard deviation of each colour that published networks were trained with.
var (
	ImageNetMean, ImageNetStd = [3]float32{0.485, 0.456, 0.406}, [3]float32{0.229, 0.224, 0.225}
	CLIPMean, CLIPStd         = [3]float32{0.48145466, 0.4578275, 0.40821073}, [3]float32{0.26862954, 0.26130258, 0.27577711}
)

// Normalize makes a network's input [3, h, w] as torchvision's ToTensor and Normalize: (level/255 - mean) / std in float32.
func Normalize(m *image.RGBA, mean, std [3]float32) []float32 {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	x := make([]float32, 0, 3*w*h)
	for c := range 3 {
		var table [256]float32
		for i := range table {
			table[i] = (float32(i)/255 - mean[c]) / std[c]
		}
		for y := range h {
			row := m.Pix[y*m.Stride:][:4*w]
			for i := c; i < len(row); i += 4 {
				x = append(x, table[row[i]])
			}
		}
	}
	return x
}
