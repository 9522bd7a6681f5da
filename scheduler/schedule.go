package scheduler

import (
	"fmt"
	"math"
)

// A Schedule holds the variances of the forward process for timesteps 0 … len(Beta)-1.
type Schedule struct {
	Beta     []float64 // β_t
	AlphaBar []float64 // ᾱ_t = Π_{s≤t} (1-β_s)
}

// StableDiffusion returns the schedule of Stable Diffusion v1: 1000 timesteps, β scaled-linear from
// 0.00085 to 0.012, in float64.
func StableDiffusion() *Schedule {
	s, err := ScaledLinear(0.00085, 0.012, 1000)
	if err != nil {
		panic(err) // the constants above are valid
	}
	return s
}

// ScaledLinear returns the schedule whose √β grows linearly from √start to √end over n timesteps, with
// the rounding of torch.linspace in float64 (the second half counts down from the end).
// Source: make_beta_schedule("linear") in ldm/modules/diffusionmodules/util.py.
func ScaledLinear(start, end float64, n int) (*Schedule, error) {
	if err := checkBetas(start, end, n); err != nil {
		return nil, err
	}
	s := &Schedule{Beta: make([]float64, n), AlphaBar: make([]float64, n)}
	lo, hi := math.Sqrt(start), math.Sqrt(end)
	step := (hi - lo) / float64(n-1)
	product := 1.0
	for i := range n {
		root := math.FMA(step, float64(i), lo) // torch multiplies and adds with one rounding
		if i >= n/2 {
			root = math.FMA(-step, float64(n-1-i), hi)
		}
		s.Beta[i] = root * root
		product *= 1 - float64(root*root) // the conversion forbids a fused multiply-subtract
		s.AlphaBar[i] = product
	}
	return s, nil
}

func checkBetas(start, end float64, n int) error {
	if n < 2 || n > 1<<20 || !(start > 0 && start <= end && end < 1) {
		return fmt.Errorf("scheduler: %d timesteps with beta from %g to %g, expected at least 2 and 0 < start <= end < 1", n, start, end)
	}
	return nil
}

// check says whether samplers can use the schedule: ᾱ falls, or stays, from below 1 to above 0.
func (s *Schedule) check() error {
	before := 1.0
	for t, a := range s.AlphaBar {
		if !(a > 0 && a < 1 && a <= before) {
			return fmt.Errorf("scheduler: alpha-bar at timestep %d is %g after %g, expected 0 to 1 and no rise", t, a, before)
		}
		before = a
	}
	return nil
}

// Rounded returns the schedule with every value rounded to float32: the tables that the original code
// keeps in its model and samples with.
func (s *Schedule) Rounded() *Schedule {
	r := &Schedule{Beta: make([]float64, len(s.Beta)), AlphaBar: make([]float64, len(s.AlphaBar))}
	for i := range s.Beta {
		r.Beta[i], r.AlphaBar[i] = float64(float32(s.Beta[i])), float64(float32(s.AlphaBar[i]))
	}
	return r
}

// ScaledLinearDiffusers returns the tables as diffusers' schedulers compute them: torch.linspace and the
// square in float32, the product accumulated in float64 and rounded at every entry. They are up to 5e-7
// away from the original's.
func ScaledLinearDiffusers(start, end float64, n int) (*Schedule, error) {
	if err := checkBetas(start, end, n); err != nil {
		return nil, err
	}
	s := &Schedule{Beta: make([]float64, n), AlphaBar: make([]float64, n)}
	lo, hi := float32(math.Sqrt(start)), float32(math.Sqrt(end))
	step := float64((hi - lo) / float32(n-1))
	product := 1.0
	for i := range n {
		// One rounding again: in float64 the product is exact.
		root := float32(float64(lo) + step*float64(i))
		if i >= n/2 {
			root = float32(float64(hi) - step*float64(n-1-i))
		}
		beta := float32(root * root)
		product *= float64(1 - beta)
		s.Beta[i], s.AlphaBar[i] = float64(beta), float64(float32(product))
	}
	return s, nil
}

// AddNoise returns √ᾱ_t·x0 + √(1-ᾱ_t)·noise, the forward process at timestep t.
func (s *Schedule) AddNoise(x0, noise []float32, t int) ([]float32, error) {
	if t < 0 || t >= len(s.AlphaBar) {
		return nil, fmt.Errorf("scheduler: timestep %d, the schedule has 0 to %d", t, len(s.AlphaBar)-1)
	}
	return mix(math.Sqrt(s.AlphaBar[t]), x0, math.Sqrt(1-s.AlphaBar[t]), noise)
}
