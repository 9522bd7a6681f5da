package scene

func (p painter) horse() {
	legs := p.dark
	p.polygon(legs, -0.34, 0.5, -0.22, 0.5, -0.25, 1, -0.33, 1) // far and near hind leg
	p.polygon(p.body, -0.26, 0.5, -0.12, 0.5, -0.17, 1, -0.25, 1)
	p.polygon(legs, 0.12, 0.5, 0.24, 0.5, 0.21, 1, 0.13, 1)
	p.polygon(p.body, 0.20, 0.5, 0.32, 0.5, 0.31, 1, 0.23, 1)
	p.polygon(p.dark, -0.36, 0.36, -0.44, 0.40, -0.52, 0.78, -0.42, 0.76, -0.34, 0.48) // tail
	p.ellipse(p.body, -0.02, 0.46, 0.37, 0.18)
	p.polygon(p.body, 0.14, 0.40, 0.26, 0.04, 0.42, 0.12, 0.36, 0.50) // neck
	p.polygon(p.body, 0.25, 0.06, 0.34, 0.0, 0.57, 0.22, 0.50, 0.31, 0.33, 0.2)
	p.polygon(p.body, 0.25, 0.07, 0.28, -0.03, 0.34, 0.04)
	p.polygon(p.dark, 0.08, 0.40, 0.21, 0.04, 0.29, 0.03, 0.20, 0.36) // mane
}

func (p painter) dog() {
	p.polygon(p.dark, -0.30, 0.6, -0.18, 0.6, -0.21, 1, -0.31, 1)
	p.polygon(p.body, -0.42, 0.55, -0.26, 0.55, -0.30, 1, -0.41, 1)
	p.polygon(p.dark, 0.08, 0.6, 0.19, 0.6, 0.18, 1, 0.08, 1)
	p.polygon(p.body, 0.18, 0.55, 0.31, 0.55, 0.30, 1, 0.19, 1)
	p.polygon(p.body, -0.36, 0.52, -0.46, 0.44, -0.57, 0.12, -0.47, 0.12, -0.34, 0.40) // tail up
	p.polygon(p.body, -0.42, 0.42, 0.30, 0.38, 0.32, 0.70, -0.40, 0.72)
	p.polygon(p.body, 0.10, 0.46, 0.16, 0.14, 0.40, 0.14, 0.34, 0.62)
	p.ellipse(p.body, 0.28, 0.20, 0.18, 0.19)
	p.polygon(p.light, 0.34, 0.16, 0.57, 0.22, 0.57, 0.34, 0.34, 0.38) // muzzle
	p.ellipse(p.paint(rgb{0.05, 0.05, 0.05}), 0.55, 0.24, 0.045, 0.045)
	p.ellipse(p.dark, 0.14, 0.24, 0.08, 0.19) // hanging ear
}

func (p painter) cat() {
	p.polygon(p.dark, -0.20, 0.98, -0.36, 0.80, -0.33, 0.50, -0.24, 0.50, -0.25, 0.78, -0.1, 0.9) // tail
	p.ellipse(p.body, -0.03, 0.76, 0.22, 0.24)
	p.ellipse(p.body, 0.04, 0.56, 0.15, 0.22)
	p.polygon(p.light, 0.02, 0.6, 0.14, 0.6, 0.15, 1, 0.04, 1)
	p.polygon(p.body, -0.12, 0.24, -0.12, 0, 0.04, 0.12)
	p.polygon(p.body, 0.24, 0.24, 0.24, 0, 0.08, 0.12)
	p.ellipse(p.body, 0.06, 0.26, 0.20, 0.17)
	eye := rgb{0.55, 0.85, 0.25}
	p.ellipse(p.paint(eye), -0.02, 0.25, 0.045, 0.05)
	p.ellipse(p.paint(eye), 0.14, 0.25, 0.045, 0.05)
}
