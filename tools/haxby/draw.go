package main

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

var (
	paper = color.RGBA{255, 255, 255, 255}
	ink   = color.RGBA{32, 34, 40, 255}
	faint = color.RGBA{112, 116, 124, 255}
)

var fontOf = func() *opentype.Font {
	f, err := opentype.Parse(goregular.TTF)
	if err != nil {
		panic(err) // the font is part of the program
	}
	return f
}()

// canvas is a white picture with text on it.
type canvas struct {
	*image.RGBA
	faces map[float64]font.Face
}

func newCanvas(w, h int) *canvas {
	c := &canvas{image.NewRGBA(image.Rect(0, 0, w, h)), map[float64]font.Face{}}
	c.fill(c.Bounds(), paper)
	return c
}

func (c *canvas) fill(r image.Rectangle, with color.Color) {
	draw.Draw(c, r, image.NewUniform(with), image.Point{}, draw.Src)
}

// text writes s at a height of size pixels with its baseline at y. align is the part of its width that lies left of x: 0
// begins there, ½ is centred, 1 ends there.
func (c *canvas) text(x, y int, align, size float64, of color.Color, s string) {
	face := c.faces[size]
	if face == nil {
		var err error
		if face, err = opentype.NewFace(fontOf, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull}); err != nil {
			panic(err) // sizes are constants
		}
		c.faces[size] = face
	}
	wide := font.MeasureString(face, s).Round()
	d := font.Drawer{Dst: c, Src: image.NewUniform(of), Face: face, Dot: fixed.P(x-int(align*float64(wide)), y)}
	d.DrawString(s)
}

// A ramp is colours at equal distances.
type ramp []color.RGBA

// at returns the colour of t from 0 to 1.
func (r ramp) at(t float64) color.RGBA {
	t = math.Max(0, math.Min(1, t)) * float64(len(r)-1)
	i := min(int(t), len(r)-2)
	f := t - float64(i)
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + f*(float64(b)-float64(a)))) }
	a, b := r[i], r[i+1]
	return color.RGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 255}
}

var (
	blues = ramp{{247, 250, 253, 255}, {198, 219, 239, 255}, {107, 174, 214, 255}, {33, 113, 181, 255}, {8, 48, 107, 255}}
	heat  = ramp{{120, 16, 60, 255}, {190, 40, 50, 255}, {235, 100, 30, 255}, {250, 175, 50, 255}, {255, 248, 170, 255}}
)

// categoryColours are those of Okabe & Ito, which people with any colour vision can tell apart.
var categoryColours = []color.RGBA{
	{230, 159, 0, 255}, {86, 180, 233, 255}, {0, 158, 115, 255}, {213, 94, 0, 255},
	{0, 114, 178, 255}, {240, 228, 66, 255}, {250, 250, 250, 255}, {204, 121, 167, 255},
}
