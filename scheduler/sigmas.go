package scheduler

import (
	"fmt"
	"math"
	"sort"

	"gonum.org/v1/gonum/mathext"
)

// The samplers of the sigma family see the latent as x_0 + σ·noise, or that times 1/√(σ²+1), where
// σ = √((1-ᾱ)/ᾱ). Their tables are rounded to float32 where diffusers rounds them.

// sigmaTable returns σ at every timestep, computed in float32 as diffusers does. There the last bit depends on
// the machine, since torch's power of 1/2 is not rounded correctly; here it is.
func (s *Schedule) sigmaTable() []float64 {
	sigmas := make([]float64, len(s.AlphaBar))
	for i, v := range s.AlphaBar {
		a := float32(v)
		sigmas[i] = float64(float32(math.Sqrt(float64((1 - a) / a))))
	}
	return sigmas
}

// sigmaFamily is what the samplers of the sigma family begin with: their settings, and σ at every timestep.
func (o Options) sigmaFamily(name string) (s settings, schedule *Schedule, table []float64, err error) {
	c := orPublished(o.Config)
	if _, s, err = c.of(name); err != nil {
		return s, nil, nil, err
	}
	if schedule, err = s.tables(o.Schedule, Diffusers, true); err != nil {
		return s, nil, nil, c.named(err)
	}
	table = schedule.sigmaTable()
	return s, schedule, table, checkSteps(o.Steps, len(table))
}

// linspace returns n values from 0 to last, both included, rounded as numpy.linspace rounds.
func linspace(last float64, n int) []float64 {
	x := make([]float64, n)
	step := last / float64(n-1)
	for i := range x {
		x[i] = float64(i) * step
	}
	x[n-1] = last
	x[0] = 0 // also where it is the last
	return x
}

// interpolate reads a table between its entries, and at its ends beyond them.
func interpolate(table []float64, t float64) float64 {
	t = min(max(t, 0), float64(len(table)-1))
	i := int(t)
	if t == float64(i) {
		return table[i]
	}
	slope := table[i+1] - table[i]
	return float64(slope*(t-float64(i))) + table[i] // the conversion forbids fusing, as numpy has it
}

// respaced returns n values of σ between two by the settings' rule, and whether they have one.
func (s *settings) respaced(lo, hi float64, n int) ([]float64, bool) {
	lo, hi = s.sigmaMin.or(lo), s.sigmaMax.or(hi)
	switch {
	case s.karras:
		return karras(lo, hi, n), true
	case s.exponential:
		return geometric(lo, hi, n), true
	case s.beta:
		sigmas := linspace(1, n)
		for i, ramp := range sigmas {
			sigmas[i] = lo + betaQuantile(1-ramp)*(hi-lo)
		}
		return sigmas, true
	}
	return nil, false
}

// karras returns n sigmas from the largest to the smallest with the spacing of Karras et al. 2022
// (arXiv:2206.00364), eq. 5, ρ = 7.
func karras(lo, hi float64, n int) []float64 {
	const rho = 7
	lo, hi = math.Pow(lo, 1./rho), math.Pow(hi, 1./rho)
	sigmas := linspace(1, n)
	for i, ramp := range sigmas {
		sigmas[i] = math.Pow(hi+float64(ramp*(lo-hi)), rho)
	}
	return sigmas
}

// geometric returns n sigmas from the largest to the smallest, evenly spaced in their logarithm.
func geometric(lo, hi float64, n int) []float64 {
	return exponentials(math.Log(hi), math.Log(lo), n)
}

// exponentials returns the exponentials of n values from one to another.
func exponentials(from, to float64, n int) []float64 {
	sigmas := linspace(1, n)
	for i, ramp := range sigmas {
		sigmas[i] = math.Exp(from + float64(ramp*(to-from)))
	}
	return sigmas
}

// betaQuantile is the quantile of the Beta(0.6, 0.6) distribution, by bisection: the spacing of Lee et al. 2024
// (arXiv:2407.12173).
func betaQuantile(p float64) float64 {
	const shape = 0.6
	if p <= 0 || p >= 1 {
		return min(max(p, 0), 1)
	}
	lo, hi := 0.0, 1.0
	for {
		mid := lo + (hi-lo)/2
		if mid <= lo || mid >= hi {
			return mid
		}
		if mathext.RegIncBeta(shape, shape, mid) < p {
			lo = mid
		} else {
			hi = mid
		}
	}
}

// timestepOf returns the fractional timestep whose σ it is: linear in log σ between the entries of the
// ascending table, and within it. The logarithms of the table are float32, as in diffusers.
func timestepOf(table []float64, sigma float64) float64 {
	i := sort.Search(len(table), func(i int) bool { return table[i] > sigma })
	i = min(max(i-1, 0), len(table)-2)
	low, high := float32(math.Log(table[i])), float32(math.Log(table[i+1]))
	w := (float64(low) - math.Log(max(sigma, 1e-10))) / float64(low-high)
	w = min(max(w, 0), 1)
	return float64((1-w)*float64(i)) + float64(w*float64(i+1))
}

// levels are the timesteps and the noise of each step, and of its end.
type levels struct {
	timesteps []float64
	sigmas    []float64 // one more than timesteps
	flow      bool      // the latent is (1-σ)·x_0 + σ·noise
}

// newLevels rounds sigmas, of which there may be more than timesteps, to float32, and has them end with last. In a strict
// sampler each must be below the one before it, but for the end of the last step.
func newLevels(name string, timesteps, sigmas []float64, last float64, strict bool) (levels, error) {
	n := len(timesteps)
	if lowest := sigmas[n-1]; lowest > sigmas[0] {
		return levels{}, fmt.Errorf("scheduler: sigma_min and sigma_max let σ rise from %g to %g, expected a fall", sigmas[0], lowest)
	}
	sigmas = append(sigmas, last)[:n+1]
	for i, v := range sigmas {
		sigmas[i] = float64(float32(v))
		if i == n {
			break
		}
		rises := i > 0 && (sigmas[i] > sigmas[i-1] || strict && sigmas[i] == sigmas[i-1])
		if !(sigmas[i] > 0 && sigmas[i] <= maxFloat) || rises {
			return levels{}, fmt.Errorf("scheduler: %d steps of %s are more than the schedule tells apart; use fewer", n, name)
		}
	}
	return levels{timesteps: timesteps, sigmas: sigmas}, nil
}

// lastSigma is where the last step arrives.
func (s *settings) lastSigma(table []float64) float64 {
	if s.finalSigmas == "sigma_min" {
		return table[0]
	}
	return 0
}

// checkSteps says whether a sampler can make so many steps on a schedule.
func checkSteps(steps, most int) error {
	if steps < 1 || steps > most {
		return fmt.Errorf("scheduler: %d steps, expected 1 to %d", steps, most)
	}
	return nil
}

func (l levels) Steps() int { return len(l.timesteps) }

// scales returns the share of x_0 and of the noise in a latent at number i of sigmas; its variance is 1, but for flows.
func (l levels) scales(i int) (alpha, sigma float64) {
	s := l.sigmas[i]
	if l.flow {
		return 1 - s, s
	}
	alpha = 1 / math.Sqrt(s*s+1)
	return alpha, s * alpha
}

// mix returns a·x0 + b·noise in new memory.
func mix(a float64, x0 []float32, b float64, noise []float32) ([]float32, error) {
	if len(x0) != len(noise) {
		return nil, fmt.Errorf("scheduler: %d values and noise of %d values", len(x0), len(noise))
	}
	x := make([]float32, len(x0))
	for i := range x {
		x[i] = float32(a*float64(x0[i]) + b*float64(noise[i]))
	}
	return x, nil
}
