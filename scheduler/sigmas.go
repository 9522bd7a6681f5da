package scheduler

import (
	"fmt"
	"math"
	"slices"
	"sort"
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

// interpolate reads a table between its entries; t is in [0, len(table)-1].
func interpolate(table []float64, t float64) float64 {
	i := int(t)
	if t == float64(i) {
		return table[i]
	}
	slope := table[i+1] - table[i]
	return float64(slope*(t-float64(i))) + table[i] // the conversion forbids fusing, as numpy has it
}

// karras returns n sigmas from the table's largest to its smallest with the spacing of Karras et al. 2022
// (arXiv:2206.00364), eq. 5, ρ = 7.
func karras(table []float64, n int) []float64 {
	const rho = 7
	lo, hi := math.Pow(slices.Min(table), 1./rho), math.Pow(slices.Max(table), 1./rho)
	sigmas := linspace(1, n)
	for i, ramp := range sigmas {
		sigmas[i] = math.Pow(hi+float64(ramp*(lo-hi)), rho)
	}
	return sigmas
}

// timestepOf returns the fractional timestep whose σ it is: linear in log σ between the entries of the
// ascending table, and within it.
func timestepOf(table []float64, sigma float64) float64 {
	i := sort.Search(len(table), func(i int) bool { return table[i] > sigma })
	i = min(max(i-1, 0), len(table)-2)
	low, high := math.Log(table[i]), math.Log(table[i+1])
	w := (low - math.Log(sigma)) / (low - high)
	return float64(i) + min(max(w, 0), 1)
}

// levels are the timesteps and the noise of each step, and of its end.
type levels struct {
	timesteps []float64
	sigmas    []float64 // one more than timesteps; the last is 0
}

// newLevels rounds sigmas to float32, appends the 0 and looks whether they fall.
func newLevels(name string, timesteps, sigmas []float64) (levels, error) {
	for i, v := range sigmas {
		sigmas[i] = float64(float32(v))
		if !(sigmas[i] > 0) || i > 0 && sigmas[i] >= sigmas[i-1] {
			return levels{}, fmt.Errorf("scheduler: %d steps of %s are more than the schedule tells apart; use fewer", len(sigmas), name)
		}
	}
	return levels{timesteps, append(sigmas, 0)}, nil
}

// checkSteps says whether a sampler can make so many steps on a schedule.
func checkSteps(steps, most int) error {
	if steps < 1 || steps > most {
		return fmt.Errorf("scheduler: %d steps, expected 1 to %d", steps, most)
	}
	return nil
}

func (l levels) Steps() int { return len(l.timesteps) }

// scales returns the share of x_0 and of the noise in a latent of variance 1 at number i of sigmas.
func (l levels) scales(i int) (alpha, sigma float64) {
	s := l.sigmas[i]
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
