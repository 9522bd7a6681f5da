package scheduler

import (
	"context"
	"math"
	"slices"
)

// dpmpp is DPM-Solver++(2M), algorithm 2 of Lu et al. 2022 (arXiv:2211.01095), as diffusers'
// DPMSolverMultistepScheduler makes it with the configuration of Stable Diffusion v1: midpoint, spacing
// "linspace", last σ 0, so the first step and the last are of first order.
type dpmpp struct {
	levels
	karras bool
}

func newDPMPP(o Options, useKarras bool) (Sampler, error) {
	d := &dpmpp{karras: useKarras}
	schedule, err := Diffusers.tables(o.Schedule)
	if err != nil {
		return nil, err
	}
	table := schedule.sigmaTable()
	if err := checkSteps(o.Steps, len(table)-1); err != nil {
		return nil, err
	}
	timesteps, sigmas := make([]float64, o.Steps), make([]float64, o.Steps)
	if useKarras {
		sigmas = karras(table, o.Steps)
		for i, s := range sigmas {
			timesteps[i] = math.RoundToEven(timestepOf(table, s))
		}
	} else {
		for i, t := range linspace(float64(len(table)-1), o.Steps+1)[1:] {
			t = math.RoundToEven(t)
			timesteps[o.Steps-1-i], sigmas[o.Steps-1-i] = t, table[int(t)]
		}
	}
	d.levels, err = newLevels(d.Name(), timesteps, sigmas)
	return d, err
}

func (d *dpmpp) Name() string {
	if d.karras {
		return "dpmpp-2m-karras"
	}
	return "dpmpp-2m"
}

// Start returns a copy of the noise.
func (d *dpmpp) Start(noise []float32) []float32 { return slices.Clone(noise) }

// Noised is α·x_0 + σ·noise at the first step made.
func (d *dpmpp) Noised(x0, noise []float32, last int) ([]float32, error) {
	if err := checkLast(last, d.Steps()); err != nil {
		return nil, err
	}
	alpha, sigma := d.scales(d.Steps() - last)
	return mix(alpha, x0, sigma, noise)
}

// Sample asks the model once a step.
func (d *dpmpp) Sample(ctx context.Context, model Model, x []float32, r Run) ([]float32, error) {
	before := make([]float64, len(x)) // guess of x_0 in the step before
	fresh := true
	return run(ctx, model, x, r, d.Steps(), false, func(w *walk, i int) (float64, error) {
		eps, err := w.ask(w.x, d.timesteps[i])
		if err != nil {
			return 0, err
		}
		alpha, sigma := d.scales(i)
		alphaTo, sigmaTo := d.scales(i + 1)
		// λ = log α/σ = -log of the table's σ; h is the step's length in it, infinite for the last.
		// e^-h = σ_to/σ of the table, so that the last step needs no special case.
		ratio := d.sigmas[i+1] / d.sigmas[i]
		slope := 0.0 // weight of the difference of two guesses, 1/(2·r_0)
		if last := i == d.Steps()-1; !fresh && !last {
			h, h0 := math.Log(d.sigmas[i]/d.sigmas[i+1]), math.Log(d.sigmas[i-1]/d.sigmas[i])
			slope = h / (2 * h0)
		}
		for j, v := range w.x {
			x0 := (float64(v) - sigma*float64(eps[j])) / alpha
			w.pred[j] = float32(x0)
			guess := x0 + slope*(x0-before[j])
			before[j] = x0
			w.x[j] = float32(sigmaTo/sigma*float64(v) + alphaTo*(1-ratio)*guess)
		}
		fresh = false
		return d.timesteps[i], nil
	})
}
