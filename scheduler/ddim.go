package scheduler

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// A Convention says whose rule picks the timesteps.
type Convention int

const (
	// CompVis is the rule of the original code: range(0, T, T / S) + 1. Where S does not divide T it
	// gives more steps than asked for (31 for 30), and for some S a timestep outside of the table.
	CompVis Convention = iota
	// Diffusers is the rule of diffusers' DDIMScheduler with the configuration of Stable Diffusion
	// (timestep_spacing "leading", steps_offset 1, set_alpha_to_one false): S steps exactly.
	Diffusers
)

// String returns the name of whose rule it is.
func (c Convention) String() string {
	switch c {
	case CompVis:
		return "CompVis"
	case Diffusers:
		return "diffusers"
	}
	return fmt.Sprintf("Convention(%d)", int(c))
}

// Timesteps returns the timesteps of a sampler with the given number of steps out of total, descending.
func (c Convention) Timesteps(steps, total int) ([]int, error) {
	if steps < 1 || steps > total {
		return nil, fmt.Errorf("scheduler: %d steps, want 1 to %d", steps, total)
	}
	stride := total / steps
	var ts []int
	switch c {
	case CompVis:
		for t := 0; t < total; t += stride {
			ts = append(ts, t+1)
		}
	case Diffusers:
		for i := range steps {
			ts = append(ts, i*stride+1)
		}
	default:
		return nil, fmt.Errorf("scheduler: unknown convention %v", c)
	}
	if last := ts[len(ts)-1]; last >= total {
		return nil, fmt.Errorf("scheduler: %d steps by the %v rule reach timestep %d, the schedule ends at %d; use a number of steps like %d",
			steps, c, last, total-1, nearest(c, steps, total))
	}
	slices.Reverse(ts)
	return ts, nil
}

// nearest finds the number of steps next to an impossible one that is possible.
func nearest(c Convention, steps, total int) int {
	for d := 1; d < total; d++ {
		for _, s := range []int{steps + d, steps - d} {
			if s < 1 || s > total {
				continue
			}
			stride := total / s
			last := (total-1)/stride*stride + 1
			if c == Diffusers {
				last = (s-1)*stride + 1
			}
			if last < total {
				return s
			}
		}
	}
	return 1
}

// DDIM is the sampler of Song et al. 2020 (arXiv:2010.02502), eq. 12, for the timesteps of one run.
// It holds no state of a run and may be shared.
type DDIM struct {
	Timesteps []int     // descending
	AlphaBar  []float64 // ᾱ at each timestep
	AlphaPrev []float64 // ᾱ at the timestep that a step arrives at; ᾱ_0, not 1, for the last
	Sigma     []float64 // standard deviation of the noise that a step adds; 0 with Eta 0
	schedule  *Schedule
}

// DDIMOptions choose the steps. The zero value is 50 deterministic steps as the original code makes them.
type DDIMOptions struct {
	Steps      int        // 0 means 50
	Eta        float64    // 0 is deterministic, 1 as random as DDPM
	Convention Convention // whose rule picks the timesteps
	Schedule   *Schedule  // nil means StableDiffusion().Rounded(), what the original code samples with
}

// NewDDIM prepares a sampler. It refuses a number of steps whose timesteps leave the schedule.
func NewDDIM(o DDIMOptions) (*DDIM, error) {
	if o.Steps == 0 {
		o.Steps = 50
	}
	if o.Schedule == nil {
		o.Schedule = StableDiffusion().Rounded()
	}
	if !(o.Eta >= 0 && o.Eta <= 1) {
		return nil, fmt.Errorf("scheduler: eta %g, want 0 to 1", o.Eta)
	}
	ts, err := o.Convention.Timesteps(o.Steps, len(o.Schedule.AlphaBar))
	if err != nil {
		return nil, err
	}
	d := &DDIM{Timesteps: ts, schedule: o.Schedule}
	stride := len(o.Schedule.AlphaBar) / o.Steps
	for _, t := range ts {
		// Both rules arrive one stride earlier; below the table both take its first entry.
		a, prev := o.Schedule.AlphaBar[t], o.Schedule.AlphaBar[max(t-stride, 0)]
		d.AlphaBar = append(d.AlphaBar, a)
		d.AlphaPrev = append(d.AlphaPrev, prev)
		d.Sigma = append(d.Sigma, o.Eta*math.Sqrt((1-prev)/(1-a)*(1-a/prev)))
	}
	return d, nil
}

// StepsFor returns how many of the last steps an image-to-image run of that strength makes, for a sampler
// asked for the given number of steps: int(strength·steps), as both conventions count.
func StepsFor(strength float64, steps int) (int, error) {
	n := int(strength * float64(steps))
	if !(strength >= 0 && strength <= 1) || n < 1 {
		return 0, fmt.Errorf("scheduler: strength %g with %d steps, want 0 to 1 and at least one step", strength, steps)
	}
	return n, nil
}

// StochasticEncode noises x0 for an image-to-image run of the last n steps as the original code does:
// with entry n of its ascending timesteps, although the first step made is entry n-1. So the latent is one
// step noisier than the sampler assumes (timestep 801, then 781, for 40 of 50). n equal to the number of
// timesteps is outside of its list, and an error. Source: ldm/models/diffusion/ddim.py, stochastic_encode.
func (d *DDIM) StochasticEncode(x0, noise []float32, n int) ([]float32, error) {
	if n < 0 || n >= len(d.Timesteps) {
		return nil, fmt.Errorf("scheduler: the original code cannot encode for %d of %d steps, want fewer than all", n, len(d.Timesteps))
	}
	return d.schedule.AddNoise(x0, noise, d.Timesteps[len(d.Timesteps)-1-n])
}

// AddNoise noises x0 for the last n steps as diffusers does: at the first timestep that is made.
func (d *DDIM) AddNoise(x0, noise []float32, n int) ([]float32, error) {
	if n < 1 || n > len(d.Timesteps) {
		return nil, fmt.Errorf("scheduler: %d of %d steps", n, len(d.Timesteps))
	}
	return d.schedule.AddNoise(x0, noise, d.Timesteps[len(d.Timesteps)-n])
}

// A Step is what a run shows of itself after each step. Its slices are valid during the call.
type Step struct {
	Index, Of int       // 0-based number of the step and their count
	Timestep  int       // at which the model was asked
	X         []float32 // latent after the step
	PredX0    []float32 // the model's guess of x_0 during the step
	Eps       []float32 // what the model returned
}

// Run says how a sampler runs. The zero value makes all steps and shows none.
type Run struct {
	Last   int               // make only the last so many steps (image to image); 0 means all
	Noise  func(x []float32) // fills x with standard normal values; needed where Eta > 0
	OnStep func(Step) error  // called after each step; an error stops the run and is returned
}

// Sample carries x from noise to data and returns the result in new memory. The context is looked at before each step.
func (d *DDIM) Sample(ctx context.Context, model Model, x []float32, r Run) ([]float32, error) {
	first, err := d.firstStep(r)
	if err != nil {
		return nil, err
	}
	x = slices.Clone(x)
	pred := make([]float32, len(x))
	noise := make([]float32, len(x))
	for i := first; i < len(d.Timesteps); i++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		eps, err := model(ctx, x, d.Timesteps[i])
		if err != nil {
			return nil, err
		}
		if len(eps) != len(x) {
			return nil, fmt.Errorf("scheduler: the model returned %d values for %d", len(eps), len(x))
		}
		if d.Sigma[i] > 0 {
			r.Noise(noise)
		}
		d.step(i, x, pred, eps, noise)
		if r.OnStep != nil {
			if err := r.OnStep(Step{i - first, len(d.Timesteps) - first, d.Timesteps[i], x, pred, eps}); err != nil {
				return nil, err
			}
		}
	}
	return x, nil
}

func (d *DDIM) firstStep(r Run) (int, error) {
	n := len(d.Timesteps)
	if r.Last < 0 || r.Last > n {
		return 0, fmt.Errorf("scheduler: the last %d of %d steps", r.Last, n)
	}
	if r.Noise == nil && slices.Max(d.Sigma) > 0 {
		return 0, errors.New("scheduler: eta above 0 needs a source of noise")
	}
	if r.Last == 0 {
		return 0, nil
	}
	return n - r.Last, nil
}

// step replaces x by x_{t-1}: √ᾱ_prev·x̂_0 + √(1-ᾱ_prev-σ²)·ε + σ·noise, x̂_0 = (x - √(1-ᾱ)·ε)/√ᾱ.
func (d *DDIM) step(i int, x, pred, eps, noise []float32) {
	a, prev, sigma := d.AlphaBar[i], d.AlphaPrev[i], d.Sigma[i]
	sqrtA, sqrtNoise := math.Sqrt(a), math.Sqrt(1-a)
	sqrtPrev, direction := math.Sqrt(prev), math.Sqrt(max(0, 1-prev-sigma*sigma))
	for j := range x {
		e := float64(eps[j])
		x0 := (float64(x[j]) - sqrtNoise*e) / sqrtA
		pred[j] = float32(x0)
		x[j] = float32(sqrtPrev*x0 + direction*e + sigma*float64(noise[j]))
	}
}
