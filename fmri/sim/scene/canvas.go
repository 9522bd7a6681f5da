package scene

import (
	"image"

	"golang.org/x/image/vector"
)

// canvas paints anti-aliased shapes given in fractions of the picture's side.
type canvas struct {
	img  *image.RGBA
	size int
	ras  vector.Rasterizer
}

func newCanvas(size int) *canvas {
	return &canvas{img: image.NewRGBA(image.Rect(0, 0, size, size)), size: size}
}

// gradient fills rows y0 to y1 with colours from top to bottom.
func (c *canvas) gradient(y0, y1 float64, top, bottom rgb) {
	n := float64(c.size)
	for row := range c.size {
		y := (float64(row) + 0.5) / n
		// The row on the border is covered in part: mixing it keeps the edge smooth.
		cover := min(max((y1*n)-float64(row), 0), 1) * min(max(float64(row)+1-y0*n, 0), 1)
		if cover == 0 {
			continue
		}
		v := mix(top, bottom, min(max((y-y0)/(y1-y0), 0), 1)).rgba()
		line := c.img.Pix[row*c.img.Stride:]
		for i := 0; i < 4*c.size; i += 4 {
			line[i] = blend(line[i], v.R, cover)
			line[i+1] = blend(line[i+1], v.G, cover)
			line[i+2] = blend(line[i+2], v.B, cover)
			line[i+3] = 255
		}
	}
}

func blend(a, b uint8, t float64) uint8 {
	return uint8(float64(a)*(1-t) + float64(b)*t + 0.5)
}

func (c *canvas) begin() { c.ras.Reset(c.size, c.size) }

func (c *canvas) fill(col rgb) {
	c.ras.ClosePath()
	c.ras.Draw(c.img, c.img.Bounds(), image.NewUniform(col.rgba()), image.Point{})
}

// frame places unit drawings: u runs to the right from the object's middle and v down from its
// top, both in units of the object's height.
type frame struct {
	*canvas
	x, top, scale float64
	sign          float64 // -1 mirrors
}

func (c *canvas) frame(o Object) frame {
	f := frame{canvas: c, x: o.X, top: o.Y - o.Size/2, scale: o.Size, sign: 1}
	if o.Flip {
		f.sign = -1
	}
	return f
}

func (f frame) at(u, v float64) (x, y float32) {
	n := float64(f.size)
	return float32((f.x + f.sign*u*f.scale) * n), float32((f.top + v*f.scale) * n)
}

// polygon fills the corners u0, v0, u1, v1, ...
func (f frame) polygon(col rgb, uv ...float64) {
	f.begin()
	f.ras.MoveTo(f.at(uv[0], uv[1]))
	for i := 2; i < len(uv); i += 2 {
		f.ras.LineTo(f.at(uv[i], uv[i+1]))
	}
	f.fill(col)
}

// rect fills the box from (u0, v0) to (u1, v1).
func (f frame) rect(col rgb, u0, v0, u1, v1 float64) {
	f.polygon(col, u0, v0, u1, v0, u1, v1, u0, v1)
}

// ellipse fills an upright ellipse.
func (f frame) ellipse(col rgb, u, v, ru, rv float64) {
	const k = 0.5522847498 // control point of a quarter circle
	f.begin()
	f.ras.MoveTo(f.at(u+ru, v))
	f.cube(u+ru, v+k*rv, u+k*ru, v+rv, u, v+rv)
	f.cube(u-k*ru, v+rv, u-ru, v+k*rv, u-ru, v)
	f.cube(u-ru, v-k*rv, u-k*ru, v-rv, u, v-rv)
	f.cube(u+k*ru, v-rv, u+ru, v-k*rv, u+ru, v)
	f.fill(col)
}

func (f frame) cube(u1, v1, u2, v2, u3, v3 float64) {
	x1, y1 := f.at(u1, v1)
	x2, y2 := f.at(u2, v2)
	x3, y3 := f.at(u3, v3)
	f.ras.CubeTo(x1, y1, x2, y2, x3, y3)
}
