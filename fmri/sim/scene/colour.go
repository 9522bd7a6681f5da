package scene

import (
	"image/color"
	"math/rand/v2"
)

// Colour is a colour that has a name in the captions.
type Colour uint8

// The named colours.
const (
	Red Colour = iota
	Orange
	Yellow
	Green
	Blue
	Purple
	Brown
	Black
	White
	Gray
	numColours
)

var colourNames = [numColours]string{
	"red", "orange", "yellow", "green", "blue", "purple", "brown", "black", "white", "gray",
}

// String is the label of c and its word in captions.
func (c Colour) String() string { return colourNames[c] }

// rgb is a colour as it is displayed, 0 to 1 each; mixtures are of displayed values.
type rgb struct{ r, g, b float64 }

var colourValues = [numColours]rgb{
	Red: {0.84, 0.16, 0.15}, Orange: {0.94, 0.53, 0.13}, Yellow: {0.96, 0.83, 0.22}, Green: {0.18, 0.56, 0.22},
	Blue: {0.16, 0.36, 0.82}, Purple: {0.54, 0.25, 0.68}, Brown: {0.48, 0.30, 0.16}, Black: {0.11, 0.11, 0.13},
	White: {0.95, 0.95, 0.94}, Gray: {0.52, 0.53, 0.56},
}

// kindColours lists the colours that objects of a kind come in.
var kindColours = [numKinds][]Colour{
	House:  {Red, Yellow, Blue, White, Orange, Purple, Brown},
	Tree:   {Green, Green, Green, Orange, Red, Yellow},
	Pine:   {Green},
	Boat:   {Red, Blue, Yellow, White, Green, Black},
	Car:    {Red, Blue, Yellow, White, Green, Orange, Black},
	Horse:  {Brown, Black, White, Gray},
	Dog:    {Brown, Black, White, Orange},
	Cat:    {Black, White, Orange, Gray},
	Person: {Red, Blue, Yellow, Green, Purple, Orange},
}

func kindColour(r *rand.Rand, k Kind) Colour {
	list := kindColours[k]
	return list[r.IntN(len(list))]
}

// mix is a at t = 0 and b at t = 1.
func mix(a, b rgb, t float64) rgb {
	return rgb{a.r + (b.r-a.r)*t, a.g + (b.g-a.g)*t, a.b + (b.b-a.b)*t}
}

// shaded lightens (s > 0) or darkens (s < 0) a colour a little.
func (c rgb) shaded(s float64) rgb {
	if s > 0 {
		return mix(c, rgb{1, 1, 1}, 0.12*s)
	}
	return mix(c, rgb{}, -0.16*s)
}

// lit is the colour c of a thing as it looks at time t.
func (c rgb) lit(t Time) rgb {
	switch t {
	case Sunset:
		return mix(rgb{c.r * 1.0, c.g * 0.86, c.b * 0.78}, rgb{0.85, 0.4, 0.25}, 0.08)
	case Night:
		return mix(rgb{c.r * 0.74, c.g * 0.75, c.b * 0.84}, rgb{0.14, 0.17, 0.36}, 0.12)
	case Overcast:
		return mix(rgb{c.r * 0.9, c.g * 0.9, c.b * 0.92}, rgb{0.55, 0.57, 0.6}, 0.1)
	}
	return c
}

func (c rgb) rgba() color.RGBA {
	return color.RGBA{byte8(c.r), byte8(c.g), byte8(c.b), 255}
}

func byte8(v float64) uint8 { return uint8(min(max(v, 0), 1)*255 + 0.5) }
