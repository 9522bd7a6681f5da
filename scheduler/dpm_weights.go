package scheduler

import "math"

// weights are those of one step of dpm: x becomes x·x + mean·(m + slope·(m-m₁) + bend·(m₁-m₂)) + noise·z, where m, m₁ and m₂
// are what this step and the two before it integrate over, and z is standard normal.
type weights struct{ x, mean, slope, bend, noise float64 }

// weigh computes the weights of step i. In the papers' letters h is the step's length in λ = log α/σ, infinite for a last
// step to σ = 0, which is of first order, and r₀, r₁ are those of the two steps before in units of it.
// Sources: DPM-Solver++, algorithms 1 and 2 and eq. 18 ff.; diffusers' DPMSolverMultistepScheduler.
func (d *dpm) weigh(i, order int) weights {
	alphaFrom, sigmaFrom := d.scales(i)
	alphaTo, sigmaTo := d.scales(i + 1)
	// e^-h = σ_to/σ_from of levels of variance 1, so that the last step needs no special case.
	decay := d.sigmas[i+1] / d.sigmas[i]
	if d.flow {
		decay = d.ratio(i+1) / d.ratio(i)
	}
	h := math.Log(d.ratio(i) / d.ratio(i+1))
	k := weights{x: sigmaTo / sigmaFrom, mean: alphaTo * (1 - decay)}
	var first, second float64 // of the papers' D₁ and D₂, in units of the mean's
	switch {
	case d.noise:
		k.x, k.mean = alphaTo/alphaFrom, -sigmaTo*(1/decay-1)
		first, second = grows(h)
		if d.sde {
			k.mean *= 2
			k.noise = sigmaTo * math.Sqrt(math.Exp(2*h)-1)
		}
	case d.sde:
		k.x, k.mean = sigmaTo/sigmaFrom*decay, alphaTo*(1-decay*decay)
		k.noise = sigmaTo * math.Sqrt(1-decay*decay)
		// The derivation of the ODE's weights gives the last term the other sign; diffusers' results have this one.
		first, second = falls(2 * h)
		second -= 1 / (1 - decay*decay)
	default:
		first, second = falls(h)
	}
	if order == 1 || h == 0 {
		return k
	}
	h0 := math.Log(d.ratio(i-1) / d.ratio(i))
	if order == 2 {
		if k.slope = h / (2 * h0); d.heun {
			k.slope = first * h / h0
		}
		return k
	}
	h1 := math.Log(d.ratio(i-2) / d.ratio(i-1))
	r0, r1 := h0/h, h1/h
	// D₁ = d₀ + r₀/(r₀+r₁)·(d₀-d₁) and D₂ = (d₀-d₁)/(r₀+r₁), with d₀ = (m-m₁)/r₀ and d₁ = (m₁-m₂)/r₁.
	across := (first*r0 + second) / (r0 + r1)
	k.slope, k.bend = (first+across)/r0, -across/r1
	return k
}

// ratio is σ/α at number i of sigmas, e^-λ.
func (d *dpm) ratio(i int) float64 {
	if d.flow {
		return d.sigmas[i] / (1 - d.sigmas[i])
	}
	return d.sigmas[i]
}

// falls returns the weights of D₁ and D₂ where the integral over x_0 weighs the mean by 1 - e^-h.
func falls(h float64) (first, second float64) {
	mean := -math.Expm1(-h)
	return (1 - mean/h) / mean, (0.5 - (h-mean)/(h*h)) / mean
}

// grows returns those where the integral over noise weighs the mean by e^h - 1.
func grows(h float64) (first, second float64) {
	mean := math.Expm1(h)
	return (mean/h - 1) / mean, ((mean-h)/(h*h) - 0.5) / mean
}
