package scheduler

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// Both samplers of this file are the linear multistep method of Liu et al. 2022 (arXiv:2202.09778) with the
// first steps of lower order. The first step asks the model twice, so a run of n steps makes n+1 calls.

// adamsBashforth combines what the model returned, the newest last, to the direction of the next step.
// Source: eq. 12 of the paper for four; get the others from its derivation with fewer.
func adamsBashforth(eps [][]float32, j int) float64 {
	at := func(back int) float64 { return float64(eps[len(eps)-1-back][j]) }
	switch len(eps) {
	case 1:
		return at(0)
	case 2:
		return (3*at(0) - at(1)) / 2
	case 3:
		return (23*at(0) - 16*at(1) + 5*at(2)) / 12
	}
	return (55*at(0) - 59*at(1) + 37*at(2) - 9*at(3)) / 24
}

// remember appends a copy of eps and forgets all but the newest four.
func remember(history [][]float32, eps []float32) [][]float32 {
	history = append(history, slices.Clone(eps))
	return history[max(0, len(history)-4):]
}

// transfer moves x from the noise level ᾱ to ᾱ_to along eps: a deterministic DDIM step, which is eq. 9 of the
// paper. It returns the guess of x_0 too.
func transfer(x, eps, alphaBar, to float64) (next, x0 float64) {
	x0 = (x - math.Sqrt(1-alphaBar)*eps) / math.Sqrt(alphaBar)
	return math.Sqrt(to)*x0 + math.Sqrt(1-to)*eps, x0
}

// plms is the sampler of the original code. Source: ldm/models/diffusion/plms.py.
type plms struct{ *DDIM }

func newPLMS(o Options) (Sampler, error) {
	d, err := NewDDIM(DDIMOptions{Steps: o.Steps, Schedule: o.Schedule, Config: o.Config})
	if err == nil && slices.Contains(d.AlphaBar, 0) {
		return nil, fmt.Errorf("scheduler: rescale_betas_zero_snr leaves no signal at timestep %d, where plms needs some; "+
			"use another number of steps", d.Timesteps[0])
	}
	return plms{d}, err
}

func (plms) Name() string { return "plms" }

// Noised noises at the first timestep made, as diffusers does: the original has no image to image with PLMS.
func (p plms) Noised(x0, noise []float32, last int) ([]float32, error) {
	return p.AddNoise(x0, noise, last)
}

// Sample asks the model once a step, and in the first step twice.
func (p plms) Sample(ctx context.Context, model Model, x []float32, r Run) ([]float32, error) {
	var history [][]float32
	ahead := make([]float32, len(x))
	return run(ctx, model, x, r, p.Steps(), false, func(w *walk, i int) (float64, error) {
		t := float64(p.Timesteps[i])
		from, to := p.AlphaBar[i], p.AlphaPrev[i]
		out, err := w.ask(w.x, t)
		if err != nil {
			return 0, err
		}
		eps := p.predicts.noiseOf(w.x, out, from)
		history = remember(history, eps)
		direction := func(j int) float64 { return adamsBashforth(history, j) }
		if len(history) == 1 {
			for j, v := range w.x {
				next, _ := transfer(float64(v), float64(eps[j]), from, to)
				ahead[j] = float32(next)
			}
			next := min(i+1, p.Steps()-1)
			out, err := w.ask(ahead, float64(p.Timesteps[next]))
			if err != nil {
				return 0, err
			}
			second := p.predicts.noiseOf(ahead, out, p.AlphaBar[next])
			direction = func(j int) float64 { return (float64(history[0][j]) + float64(second[j])) / 2 }
		}
		for j, v := range w.x {
			next, x0 := transfer(float64(v), direction(j), from, to)
			w.x[j], w.pred[j] = float32(next), float32(x0)
		}
		return t, nil
	})
}
