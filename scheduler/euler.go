package scheduler

import (
	"context"
	"math"
)

// euler is Euler's method on the probability flow in σ, and its ancestral form that replaces a part of the
// noise in every step: algorithm 2 of Karras et al. 2022 without churn, as diffusers'
// EulerDiscreteScheduler and EulerAncestralDiscreteScheduler make it with the configuration of Stable
// Diffusion v1. That configuration does not name a spacing, so theirs is "linspace": timesteps are fractions.
type euler struct {
	levels
	ancestral bool
}

func newEuler(o Options, ancestral bool) (Sampler, error) {
	e := &euler{ancestral: ancestral}
	schedule, err := Diffusers.tables(o.Schedule)
	if err != nil {
		return nil, err
	}
	table := schedule.sigmaTable()
	if err := checkSteps(o.Steps, len(table)); err != nil {
		return nil, err
	}
	ascending := linspace(float64(len(table)-1), o.Steps)
	timesteps, sigmas := make([]float64, o.Steps), make([]float64, o.Steps)
	for i, t := range ascending {
		t = float64(float32(t))
		timesteps[o.Steps-1-i], sigmas[o.Steps-1-i] = t, interpolate(table, t)
	}
	e.levels, err = newLevels(e.Name(), timesteps, sigmas)
	return e, err
}

func (e *euler) Name() string {
	if e.ancestral {
		return "euler-a"
	}
	return "euler"
}

// Start multiplies by the largest σ.
func (e *euler) Start(noise []float32) []float32 {
	x := make([]float32, len(noise))
	for i, v := range noise {
		x[i] = float32(e.sigmas[0] * float64(v))
	}
	return x
}

// Noised is x_0 + σ·noise with the σ of the first step made.
func (e *euler) Noised(x0, noise []float32, last int) ([]float32, error) {
	if err := checkLast(last, e.Steps()); err != nil {
		return nil, err
	}
	return mix(1, x0, e.sigmas[e.Steps()-last], noise)
}

// Sample asks the model once a step, about x/√(σ²+1).
func (e *euler) Sample(ctx context.Context, model Model, x []float32, r Run) ([]float32, error) {
	scaled := make([]float32, len(x))
	return run(ctx, model, x, r, e.Steps(), e.ancestral, func(w *walk, i int) (float64, error) {
		sigma, next := e.sigmas[i], e.sigmas[i+1]
		scale := math.Sqrt(sigma*sigma + 1)
		for j, v := range w.x {
			scaled[j] = float32(float64(v) / scale)
		}
		eps, err := w.ask(scaled, e.timesteps[i])
		if err != nil {
			return 0, err
		}
		down, up := next, 0.0
		var noise []float32
		if e.ancestral {
			up = math.Sqrt(next * next * (sigma*sigma - next*next) / (sigma * sigma))
			down = math.Sqrt(next*next - up*up)
			noise = w.noise() // also for the last step, where up is 0: diffusers draws there too
		}
		for j, v := range w.x {
			v, eps := float64(v), float64(eps[j])
			w.pred[j] = float32(v - sigma*eps)
			v += (down - sigma) * eps
			if up > 0 {
				v += up * float64(noise[j])
			}
			w.x[j] = float32(v)
		}
		return e.timesteps[i], nil
	})
}
