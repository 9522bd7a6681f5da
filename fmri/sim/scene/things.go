package scene

// painter draws one object in its frame with its colours already lit.
type painter struct {
	frame
	time              Time
	body, dark, light rgb
}

// paint is a colour of the object as the scene's light shows it.
func (p painter) paint(c rgb) rgb { return c.lit(p.time) }

func (p painter) house(c Colour) {
	roof := rgb{0.36, 0.22, 0.20}
	if c == Brown || c == Red {
		roof = rgb{0.24, 0.26, 0.32}
	}
	window := p.paint(rgb{0.62, 0.82, 0.95})
	if p.time == Night || p.time == Sunset {
		window = rgb{1, 0.85, 0.4} // lamps are on
	}
	p.rect(p.body, -0.43, 0.42, 0.43, 1)
	p.rect(p.dark, 0.25, 0.42, 0.43, 1) // the side away from the light
	p.rect(p.paint(roof), 0.18, 0.06, 0.30, 0.3)
	p.polygon(p.paint(roof), -0.52, 0.45, -0.26, 0, 0.26, 0, 0.52, 0.45)
	p.rect(p.paint(rgb{0.30, 0.19, 0.12}), -0.08, 0.66, 0.10, 1)
	p.rect(window, -0.34, 0.56, -0.16, 0.76)
	p.rect(window, 0.17, 0.56, 0.35, 0.76)
}

func (p painter) tree() {
	p.polygon(p.paint(rgb{0.40, 0.26, 0.14}), -0.07, 0.5, 0.07, 0.5, 0.09, 1, -0.09, 1)
	p.ellipse(p.dark, 0.03, 0.36, 0.34, 0.33)
	p.ellipse(p.body, -0.16, 0.42, 0.21, 0.22)
	p.ellipse(p.body, 0.15, 0.40, 0.2, 0.22)
	p.ellipse(p.body, 0, 0.24, 0.26, 0.24)
	p.ellipse(p.light, -0.08, 0.2, 0.12, 0.10)
}

func (p painter) pine(snowy bool) {
	green := mix(p.body, p.paint(rgb{0.02, 0.25, 0.2}), 0.55)
	p.rect(p.paint(rgb{0.36, 0.23, 0.13}), -0.06, 0.8, 0.06, 1)
	top := green
	if snowy {
		top = p.paint(rgb{0.93, 0.95, 0.98})
	}
	p.polygon(green, -0.28, 0.87, 0, 0.42, 0.28, 0.87)
	p.polygon(mix(green, rgb{1, 1, 1}, 0.08), -0.23, 0.62, 0, 0.2, 0.23, 0.62)
	p.polygon(mix(green, rgb{1, 1, 1}, 0.14), -0.17, 0.36, 0, 0, 0.17, 0.36)
	p.polygon(top, -0.09, 0.2, 0, 0, 0.09, 0.2)
}

func (p painter) boat(c Colour) {
	sail := p.paint(rgb{0.97, 0.96, 0.92})
	if c == White {
		sail = p.paint(rgb{0.93, 0.62, 0.35})
	}
	p.rect(p.paint(rgb{0.35, 0.22, 0.12}), -0.02, 0, 0.025, 0.78)
	p.polygon(sail, 0.045, 0.04, 0.045, 0.68, 0.38, 0.68)
	p.polygon(mix(sail, rgb{}, 0.1), -0.045, 0.14, -0.045, 0.68, -0.29, 0.68)
	p.polygon(p.body, -0.45, 0.74, 0.45, 0.74, 0.30, 1, -0.32, 1)
	p.polygon(p.dark, -0.38, 0.89, 0.36, 0.89, 0.30, 1, -0.32, 1)
}

func (p painter) car() {
	glass := p.paint(rgb{0.68, 0.85, 0.95})
	tyre := p.paint(rgb{0.08, 0.08, 0.09})
	p.polygon(p.body, -0.55, 0.45, -0.33, 0.02, 0.28, 0.02, 0.52, 0.45)
	p.polygon(glass, -0.42, 0.43, -0.26, 0.12, -0.05, 0.12, -0.05, 0.43)
	p.polygon(glass, 0.05, 0.43, 0.05, 0.12, 0.22, 0.12, 0.39, 0.43)
	p.polygon(p.body, -0.94, 0.46, 0.80, 0.42, 0.95, 0.55, 0.95, 0.82, -0.94, 0.82)
	p.rect(p.dark, -0.94, 0.70, 0.95, 0.82)
	for _, u := range []float64{-0.52, 0.52} {
		p.ellipse(tyre, u, 0.78, 0.22, 0.22)
		p.ellipse(p.paint(rgb{0.75, 0.76, 0.78}), u, 0.78, 0.09, 0.09)
	}
	p.rect(rgb{1, 0.93, 0.6}, 0.84, 0.52, 0.95, 0.64)
}

func (p painter) person() {
	skin := p.paint(rgb{0.93, 0.74, 0.58})
	trousers := p.paint(rgb{0.20, 0.22, 0.32})
	p.polygon(trousers, -0.10, 0.56, 0.10, 0.56, 0.14, 1, 0.03, 1, 0, 0.68, -0.03, 1, -0.14, 1)
	p.polygon(p.dark, -0.08, 0.28, -0.12, 0.34, -0.20, 0.56, -0.13, 0.59, -0.06, 0.42)
	p.polygon(p.dark, 0.08, 0.28, 0.12, 0.34, 0.20, 0.56, 0.13, 0.59, 0.06, 0.42)
	p.polygon(p.body, -0.12, 0.27, 0.12, 0.27, 0.12, 0.62, -0.12, 0.62)
	p.ellipse(skin, 0, 0.13, 0.105, 0.12)
	p.polygon(p.paint(rgb{0.28, 0.17, 0.10}), -0.11, 0.12, -0.09, 0.02, 0, -0.005, 0.09, 0.02, 0.11, 0.12, 0.05, 0.07, -0.05, 0.07)
}

func (p painter) sun() {
	glow := mix(skies[p.time].bottom, rgb{1, 0.85, 0.5}, 0.45)
	core := rgb{1, 0.87, 0.25}
	if p.time == Sunset {
		core = rgb{1, 0.75, 0.22}
	}
	p.ellipse(glow, 0, 0.5, 0.5, 0.5)
	p.ellipse(core, 0, 0.5, 0.38, 0.38)
}

// moon is a crescent: the half circle on one side, closed by a flatter arc.
func (p painter) moon() {
	const k = 0.5522847498 * 0.48
	p.begin()
	p.ras.MoveTo(p.at(0.1, 0.02))
	p.cube(0.1-k, 0.02, -0.38, 0.5-k, -0.38, 0.5)
	p.cube(-0.38, 0.5+k, 0.1-k, 0.98, 0.1, 0.98)
	p.cube(0.22, 0.98, 0.30, 0.92, 0.34, 0.86)
	p.cube(-0.12, 0.86, -0.12, 0.14, 0.34, 0.14)
	p.cube(0.30, 0.08, 0.22, 0.02, 0.1, 0.02)
	p.fill(rgb{0.97, 0.95, 0.78})
}

func (p painter) mountain() {
	rock := mix(p.body, p.paint(rgb{0.42, 0.40, 0.52}), 0.6)
	snow := p.paint(rgb{0.95, 0.96, 0.98})
	p.polygon(mix(rock, rgb{}, 0.15), 0.05, 1.02, 0.62, 0.3, 1.2, 1.02)
	p.polygon(snow, 0.475, 0.483, 0.62, 0.3, 0.767, 0.483)
	p.polygon(rock, -1.2, 1.02, -0.28, 0, 0.64, 1.02)
	p.polygon(snow, -0.53, 0.28, -0.28, 0, -0.03, 0.28, -0.2, 0.22, -0.3, 0.32, -0.4, 0.22)
}
