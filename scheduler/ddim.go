package scheduler

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// DDIM is the sampler of Song et al. 2020 (arXiv:2010.02502), eq. 12, for the timesteps of one run.
// It holds no state of a run and may be shared.
type DDIM struct {
	Timesteps []int     // descending
	AlphaBar  []float64 // ᾱ at each timestep
	AlphaPrev []float64 // ᾱ at the timestep that a step arrives at; ᾱ_0, not 1, for the last unless set_alpha_to_one
	Sigma     []float64 // standard deviation of the noise that a step adds; 0 with Eta 0
	schedule  *Schedule

	convention Convention
	predicts   prediction
	limit      limit
}

// DDIMOptions choose the steps. The zero value is 50 deterministic steps as the original code makes them.
type DDIMOptions struct {
	Steps      int        // 0 means 50
	Eta        float64    // 0 is deterministic, 1 as random as DDPM
	Convention Convention // whose rule picks the timesteps
	Schedule   *Schedule  // nil means the configuration's as the convention computes it
	Config     *Config    // nil means that of Stable Diffusion v1; of CompVis it has what is the model's: betas and prediction
}

// NewDDIM prepares a sampler. It refuses a number of steps whose timesteps leave the schedule, and settings that it
// does not have.
func NewDDIM(o DDIMOptions) (*DDIM, error) {
	if o.Steps == 0 {
		o.Steps = 50
	}
	if !(o.Eta >= 0 && o.Eta <= 1) {
		return nil, fmt.Errorf("scheduler: eta %g, expected 0 to 1", o.Eta)
	}
	name := "ddim"
	if o.Convention == Diffusers {
		name = "ddim-diffusers"
	}
	c := orPublished(o.Config)
	_, s, err := c.of(name)
	if err != nil {
		return nil, err
	}
	d, err := newDDIM(o, &s)
	if err != nil {
		return nil, c.named(err)
	}
	return d, nil
}

func newDDIM(o DDIMOptions, s *settings) (*DDIM, error) {
	schedule, err := s.tables(o.Schedule, o.Convention, false)
	if err != nil {
		return nil, err
	}
	total := len(schedule.AlphaBar)
	d := &DDIM{schedule: schedule, convention: o.Convention, predicts: s.predicts()}
	final := schedule.AlphaBar[0]
	if o.Convention == Diffusers {
		if d.Timesteps, err = s.wholeTimesteps(o.Steps, total); err != nil {
			return nil, err
		}
		if d.limit = s.limit(); s.setAlphaToOne {
			final = 1
		}
	} else if d.Timesteps, err = o.Convention.Timesteps(o.Steps, total); err != nil {
		return nil, err
	}
	stride := total / o.Steps
	for _, t := range d.Timesteps {
		// Both rules arrive one stride earlier; below the table they take what there is no noise left at.
		a, prev := schedule.AlphaBar[t], final
		if t >= stride {
			prev = schedule.AlphaBar[t-stride]
		}
		if err := d.predicts.needsSignal(a, t); err != nil {
			return nil, err
		}
		d.AlphaBar = append(d.AlphaBar, a)
		d.AlphaPrev = append(d.AlphaPrev, prev)
		d.Sigma = append(d.Sigma, o.Eta*math.Sqrt((1-prev)/(1-a)*(1-a/prev)))
	}
	return d, nil
}

// StochasticEncode noises x0 for an image-to-image run of the last n steps as the original code does:
// with entry n of its ascending timesteps, although the first step made is entry n-1. So the latent is one
// step noisier than the sampler assumes (timestep 801, then 781, for 40 of 50). n equal to the number of
// timesteps is outside of its list, and an error. Source: ldm/models/diffusion/ddim.py, stochastic_encode.
func (d *DDIM) StochasticEncode(x0, noise []float32, n int) ([]float32, error) {
	if n < 0 || n >= len(d.Timesteps) {
		return nil, fmt.Errorf("scheduler: the original cannot encode for %d of %d steps, expected fewer than all", n, len(d.Timesteps))
	}
	return d.schedule.AddNoise(x0, noise, d.Timesteps[len(d.Timesteps)-1-n])
}

// AddNoise noises x0 for the last n steps as diffusers does: at the first timestep that is made.
func (d *DDIM) AddNoise(x0, noise []float32, n int) ([]float32, error) {
	if err := checkLast(n, len(d.Timesteps)); err != nil {
		return nil, err
	}
	return d.schedule.AddNoise(x0, noise, d.Timesteps[len(d.Timesteps)-n])
}

// Name is "ddim" or "ddim-diffusers", by the convention.
func (d *DDIM) Name() string {
	if d.convention == Diffusers {
		return "ddim-diffusers"
	}
	return "ddim"
}

// Steps is the number of timesteps: by the rule of CompVis it may exceed what was asked for.
func (d *DDIM) Steps() int { return len(d.Timesteps) }

// Start returns a copy of the noise.
func (d *DDIM) Start(noise []float32) []float32 { return slices.Clone(noise) }

// Noised is StochasticEncode by the convention of CompVis and AddNoise by that of diffusers.
func (d *DDIM) Noised(x0, noise []float32, last int) ([]float32, error) {
	if err := checkLast(last, len(d.Timesteps)); err != nil {
		return nil, err
	}
	if d.convention == Diffusers {
		return d.AddNoise(x0, noise, last)
	}
	return d.StochasticEncode(x0, noise, last)
}

// Sample carries x from noise to data and returns the result in new memory. It calls the model once a step.
func (d *DDIM) Sample(ctx context.Context, model Model, x []float32, r Run) ([]float32, error) {
	random := slices.Max(d.Sigma) > 0
	guess := make([]float64, len(x))
	return run(ctx, model, x, r, len(d.Timesteps), random, func(w *walk, i int) (float64, error) {
		t := float64(d.Timesteps[i])
		out, err := w.ask(w.x, t)
		if err != nil {
			return 0, err
		}
		var noise []float32
		if d.Sigma[i] > 0 {
			noise = w.noise()
		}
		d.step(i, w, guess, out, noise)
		return t, nil
	})
}

// step replaces x by x_{t-1}: √ᾱ_prev·x̂_0 + √(1-ᾱ_prev-σ²)·ε + σ·noise. Where x̂_0 is kept within limits, ε stays what
// the model said. guess is memory for x̂_0.
func (d *DDIM) step(i int, w *walk, guess []float64, out, noise []float32) {
	a, prev, sigma := d.AlphaBar[i], d.AlphaPrev[i], d.Sigma[i]
	sqrtA, sqrtNoise := math.Sqrt(a), math.Sqrt(1-a)
	sqrtPrev, direction := math.Sqrt(prev), math.Sqrt(max(0, 1-prev-sigma*sigma))
	for j, v := range w.x {
		guess[j], _ = d.predicts.split(float64(v), float64(out[j]), sqrtA, sqrtNoise)
	}
	d.limit.apply(guess, w.images)
	for j, x0 := range guess {
		_, e := d.predicts.split(float64(w.x[j]), float64(out[j]), sqrtA, sqrtNoise)
		w.pred[j] = float32(x0)
		next := sqrtPrev*x0 + direction*e
		if sigma > 0 {
			next += sigma * float64(noise[j])
		}
		w.x[j] = float32(next)
	}
}
