package scheduler

import (
	"errors"
	"fmt"
	"math"
)

// A Schedule holds the variances of the forward process for timesteps 0 … len(Beta)-1.
type Schedule struct {
	Beta     []float64 // β_t
	AlphaBar []float64 // ᾱ_t = Π_{s≤t} (1-β_s)
}

// maxTimesteps is far beyond what models are trained with.
const maxTimesteps = 1 << 20

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
	return accumulate(squared(torchLinspace(math.Sqrt(start), math.Sqrt(end), n))), nil
}

// ScaledLinearDiffusers returns the tables as diffusers' schedulers compute them: torch.linspace and the
// square in float32, the product accumulated in float64 and rounded at every entry. They are up to 5e-7
// away from the original's.
func ScaledLinearDiffusers(start, end float64, n int) (*Schedule, error) {
	if err := checkBetas(start, end, n); err != nil {
		return nil, err
	}
	return accumulate32(squared32(torchLinspace32(float32(math.Sqrt(start)), float32(math.Sqrt(end)), n))), nil
}

func checkBetas(start, end float64, n int) error {
	if n < 2 || n > maxTimesteps || !(start > 0 && start <= end && end < 1) {
		return fmt.Errorf("scheduler: %d timesteps with beta from %g to %g, expected at least 2 and 0 < start <= end < 1", n, start, end)
	}
	return nil
}

// torchLinspace is torch.linspace in float64.
func torchLinspace(start, end float64, n int) []float64 {
	x := make([]float64, n)
	step := (end - start) / float64(n-1)
	for i := range x {
		x[i] = math.FMA(step, float64(i), start) // torch multiplies and adds with one rounding
		if i >= n/2 {
			x[i] = math.FMA(-step, float64(n-1-i), end)
		}
	}
	return x
}

// torchLinspace32 is torch.linspace in float32.
func torchLinspace32(start, end float32, n int) []float32 {
	x := make([]float32, n)
	step := float64((end - start) / float32(n-1))
	for i := range x {
		// One rounding again: in float64 the product is exact.
		x[i] = float32(float64(start) + step*float64(i))
		if i >= n/2 {
			x[i] = float32(float64(end) - step*float64(n-1-i))
		}
	}
	return x
}

func squared(x []float64) []float64 {
	for i, v := range x {
		x[i] = v * v
	}
	return x
}

func squared32(x []float32) []float32 {
	for i, v := range x {
		x[i] = v * v
	}
	return x
}

// accumulate makes a schedule of its β in float64.
func accumulate(beta []float64) *Schedule {
	s := &Schedule{Beta: beta, AlphaBar: make([]float64, len(beta))}
	product := 1.0
	for i, b := range beta {
		product *= 1 - b
		s.AlphaBar[i] = product
	}
	return s
}

// accumulate32 makes a schedule of float32 β as torch.cumprod does.
func accumulate32(beta []float32) *Schedule {
	s := &Schedule{Beta: make([]float64, len(beta)), AlphaBar: make([]float64, len(beta))}
	product := 1.0
	for i, b := range beta {
		product *= float64(1 - b)
		s.Beta[i], s.AlphaBar[i] = float64(b), float64(float32(product))
	}
	return s
}

// check says whether samplers can use the schedule: ᾱ falls, or stays, from below 1 to above 0.
func (s *Schedule) check() error {
	if len(s.AlphaBar) == 0 {
		return errors.New("scheduler: a schedule without timesteps")
	}
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

// AddNoise returns √ᾱ_t·x0 + √(1-ᾱ_t)·noise, the forward process at timestep t.
func (s *Schedule) AddNoise(x0, noise []float32, t int) ([]float32, error) {
	if t < 0 || t >= len(s.AlphaBar) {
		return nil, fmt.Errorf("scheduler: timestep %d, the schedule has 0 to %d", t, len(s.AlphaBar)-1)
	}
	return mix(math.Sqrt(s.AlphaBar[t]), x0, math.Sqrt(1-s.AlphaBar[t]), noise)
}
