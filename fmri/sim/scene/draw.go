package scene

import "image"

// Draw paints the scene as an opaque square picture of size by size pixels, anti-aliased. The
// drawing is the same at every size but for its resolution.
func (s Scene) Draw(size int) *image.RGBA {
	c := newCanvas(max(size, 1))
	sky := skies[s.Time]
	// The sky reaches behind the ground, so that the row on the horizon has no gap.
	horizon := sky.bottom.shaded(-s.Tone)
	c.gradient(0, s.Horizon, sky.top.shaded(s.Tone), horizon)
	c.gradient(s.Horizon-1/float64(c.size), 1, horizon, horizon)
	drawn := 0
	// The sun, the moon and mountains stand behind the ground, clouds in front of the sun.
	for _, o := range s.Objects {
		if o.Kind.Main() || o.Kind == Mountain {
			break
		}
		s.drawObject(c, o)
		drawn++
	}
	for _, cl := range s.Clouds {
		s.drawCloud(c, cl)
	}
	for _, o := range s.Objects[drawn:] {
		if o.Kind.Main() {
			break
		}
		s.drawObject(c, o)
		drawn++
	}
	g := grounds[s.Ground]
	far, near := g.far.shaded(s.Tone).lit(s.Time), g.near.shaded(-s.Tone).lit(s.Time)
	if s.Ground == Water { // water mirrors the sky
		far, near = mix(far, sky.bottom, 0.3), mix(near, sky.top, 0.15)
	}
	c.gradient(s.Horizon, 1, far, near)
	for _, o := range s.Objects[drawn:] {
		s.drawObject(c, o)
	}
	return c.img
}

var skies = [numTimes]struct{ top, bottom rgb }{
	Day:      {rgb{0.33, 0.60, 0.92}, rgb{0.72, 0.87, 0.97}},
	Sunset:   {rgb{0.42, 0.27, 0.52}, rgb{0.98, 0.58, 0.28}},
	Night:    {rgb{0.04, 0.05, 0.16}, rgb{0.13, 0.16, 0.36}},
	Overcast: {rgb{0.56, 0.59, 0.63}, rgb{0.76, 0.78, 0.80}},
}

var grounds = [numGrounds]struct{ far, near rgb }{
	Grass: {rgb{0.47, 0.70, 0.30}, rgb{0.30, 0.55, 0.20}},
	Snow:  {rgb{0.86, 0.90, 0.95}, rgb{0.96, 0.97, 0.99}},
	Sand:  {rgb{0.90, 0.80, 0.55}, rgb{0.82, 0.69, 0.43}},
	Water: {rgb{0.25, 0.55, 0.75}, rgb{0.08, 0.30, 0.55}},
}

func (s Scene) drawCloud(c *canvas, cl Cloud) {
	col := [numTimes]rgb{{0.97, 0.98, 1}, {0.95, 0.62, 0.55}, {0.2, 0.22, 0.35}, {0.66, 0.68, 0.71}}[s.Time]
	f := frame{canvas: c, x: cl.X, top: cl.Y, scale: cl.Size, sign: 1}
	f.ellipse(col, -0.7, 0.1, 0.8, 0.36)
	f.ellipse(col, 0.65, 0.12, 0.85, 0.34)
	f.ellipse(col, 0, -0.05, 0.75, 0.5)
}

// drawObject paints one object in the light of the scene.
func (s Scene) drawObject(c *canvas, o Object) {
	p := painter{frame: c.frame(o), time: s.Time}
	p.body = p.paint(colourValues[o.Colour].shaded(o.Shade))
	p.dark = mix(p.body, rgb{}, 0.3)
	p.light = mix(p.body, p.paint(rgb{1, 1, 1}), 0.3)
	switch o.Kind {
	case House:
		p.house(o.Colour)
	case Tree:
		p.tree()
	case Pine:
		p.pine(s.Ground == Snow)
	case Boat:
		p.boat(o.Colour)
	case Car:
		p.car()
	case Horse:
		p.horse()
	case Dog:
		p.dog()
	case Cat:
		p.cat()
	case Person:
		p.person()
	case Sun:
		p.sun()
	case Moon:
		p.moon()
	case Mountain:
		p.mountain()
	}
}
