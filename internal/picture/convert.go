package picture

import (
	"image"
	"image/color"
)

// ToRGB converts a picture as Pillow's convert("RGB") converts what it reads into such a picture. The result is opaque
// and lies at (0, 0); it never shares pixels with m.
//
//   - Alpha is dropped, not composited: the colour under a transparent pixel shows. Colours that are multiplied by
//     alpha (image.RGBA) are divided first.
//   - 16-bit colours lose their lower byte.
//   - 16-bit grey is clipped at 255, since Pillow takes the numbers as they are: almost all of such a picture is white.
//   - CMYK is 255 minus the colour, scaled by what black leaves.
//   - YCbCr is converted by libjpeg's integers; chroma is taken from the nearest sample.
func ToRGB(m image.Image) *image.RGBA {
	b := m.Bounds()
	if r, ok := m.(*image.RGBA); ok && r.Opaque() {
		return clone(r)
	}
	out := image.NewRGBA(image.Rectangle{Max: b.Size()})
	w, h := b.Dx(), b.Dy()
	put := func(at func(x, y int) (r, g, b uint8)) {
		for y := range h {
			row := out.Pix[y*out.Stride:][:4*w]
			for x := range w {
				r, g, bl := at(b.Min.X+x, b.Min.Y+y)
				row[4*x], row[4*x+1], row[4*x+2], row[4*x+3] = r, g, bl, 255
			}
		}
	}
	switch m := m.(type) {
	case *image.RGBA:
		put(func(x, y int) (uint8, uint8, uint8) {
			c := m.RGBAAt(x, y)
			return divide(c.R, c.A), divide(c.G, c.A), divide(c.B, c.A)
		})
	case *image.RGBA64:
		put(func(x, y int) (uint8, uint8, uint8) {
			c := m.RGBA64At(x, y)
			alpha := uint8(c.A >> 8)
			return divide(uint8(c.R>>8), alpha), divide(uint8(c.G>>8), alpha), divide(uint8(c.B>>8), alpha)
		})
	case *image.NRGBA:
		put(func(x, y int) (uint8, uint8, uint8) { c := m.NRGBAAt(x, y); return c.R, c.G, c.B })
	case *image.Gray:
		put(func(x, y int) (uint8, uint8, uint8) { c := m.GrayAt(x, y).Y; return c, c, c })
	case *image.Gray16:
		put(func(x, y int) (uint8, uint8, uint8) {
			c := uint8(min(m.Gray16At(x, y).Y, 255))
			return c, c, c
		})
	case *image.NRGBA64:
		put(func(x, y int) (uint8, uint8, uint8) {
			c := m.NRGBA64At(x, y)
			return uint8(c.R >> 8), uint8(c.G >> 8), uint8(c.B >> 8)
		})
	case *image.Paletted:
		table := paletteRGB(m.Palette)
		put(func(x, y int) (uint8, uint8, uint8) {
			c := table[m.ColorIndexAt(x, y)]
			return c[0], c[1], c[2]
		})
	case *image.CMYK:
		put(func(x, y int) (uint8, uint8, uint8) {
			c := m.CMYKAt(x, y)
			return ink(c.C, c.K), ink(c.M, c.K), ink(c.Y, c.K)
		})
	case *image.YCbCr:
		put(func(x, y int) (uint8, uint8, uint8) {
			c := m.YCbCrAt(x, y)
			return fromYCbCr(c.Y, c.Cb, c.Cr)
		})
	default:
		put(func(x, y int) (uint8, uint8, uint8) {
			c := color.NRGBAModel.Convert(m.At(x, y)).(color.NRGBA)
			return c.R, c.G, c.B
		})
	}
	return out
}

// divide undoes the multiplication by alpha.
func divide(c, alpha uint8) uint8 {
	switch alpha {
	case 0:
		return 0
	case 255:
		return c
	}
	return uint8(min(255*int(c)/int(alpha), 255))
}

// ink is how bright a colour is of which there is c ink, and k of black. The product over 255 is rounded as Pillow's MULDIV255
// does it.
func ink(c, k uint8) uint8 {
	left := 255 - int(k)
	t := int(c)*left + 128
	return uint8(max(left-(t>>8+t)>>8, 0))
}

// paletteRGB lists a palette's colours; entries that it lacks are black.
func paletteRGB(p color.Palette) (table [256][3]uint8) {
	for i, c := range p[:min(len(p), 256)] {
		n, ok := c.(color.NRGBA)
		if !ok {
			n = color.NRGBAModel.Convert(c).(color.NRGBA)
		}
		table[i] = [3]uint8{n.R, n.G, n.B}
	}
	return table
}

// fromYCbCr is libjpeg's conversion (JFIF, full range) in 16-bit fixed point.
func fromYCbCr(y, cb, cr uint8) (r, g, b uint8) {
	const half = 1 << 15
	const toR, toB, crToG, cbToG = 91881, 116130, 46802, 22554 // 1.402, 1.772, 0.71414, 0.34414 times 2^16
	l, u, v := int(y), int(cb)-128, int(cr)-128
	return clip8(l + (toR*v+half)>>16), clip8(l + (-cbToG*u-crToG*v+half)>>16), clip8(l + (toB*u+half)>>16)
}

func clip8(v int) uint8 { return uint8(max(min(v, 255), 0)) }

// Gray is Pillow's RGB→L, ITU-R 601-2 luma in 16-bit fixed point: one value a pixel, row after row.
func Gray(m *image.RGBA) []uint8 {
	size := m.Rect.Size()
	out := make([]uint8, 0, size.X*size.Y)
	for y := range size.Y {
		row := m.Pix[y*m.Stride:][:4*size.X]
		for x := 0; x < len(row); x += 4 {
			l := uint32(row[x])*19595 + uint32(row[x+1])*38470 + uint32(row[x+2])*7471 + 0x8000
			out = append(out, uint8(l>>16))
		}
	}
	return out
}
