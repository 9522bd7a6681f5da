package scheduler

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
)

// dpm is the multistep form of DPM-Solver and DPM-Solver++ (Lu et al. 2022, arXiv:2206.00927 and 2211.01095) as
// diffusers' DPMSolverMultistepScheduler makes it: of order 1 to 3, for the ODE or the SDE. With the configuration of Stable
// Diffusion v1 it is DPM-Solver++(2M), midpoint, spacing "linspace", last σ 0, so that the first step and the last are of
// first order.
type dpm struct {
	levels
	name string

	predicts prediction
	limit    limit
	noise    bool // integrates over predicted noise (DPM-Solver), not over x_0 (DPM-Solver++)
	sde      bool
	heun     bool
	order    int
	ofEnd    int // most order of the last step
	ofSecond int // most order of the step before it
}

func newDPM(o Options, name string) (Sampler, error) {
	s, schedule, table, err := o.sigmaFamily(name)
	if err != nil {
		return nil, err
	}
	d := &dpm{name: name, predicts: s.predicts(), limit: s.limit(), order: s.solverOrder, heun: s.solverType == "heun",
		noise: s.algorithm == "dpmsolver" || s.algorithm == "sde-dpmsolver", sde: strings.HasPrefix(s.algorithm, "sde-")}
	d.limit.clip = false // which the class does not have
	if d.levels, err = s.solverLevels(name, schedule, table, o.Steps); err != nil {
		return nil, err
	}
	few := s.lowerOrderFinal && d.Steps() < 15
	d.ofEnd, d.ofSecond = d.order, d.order
	if s.eulerAtFinal || few || s.finalSigmas == "zero" {
		d.ofEnd = 1
	}
	if few {
		d.ofSecond = min(d.order, 2)
	}
	return d, nil
}

// solverLevels are the timesteps and σ of DPM-Solver.
func (s *settings) solverLevels(name string, schedule *Schedule, table []float64, steps int) (levels, error) {
	total := len(table)
	end := total - s.clipped(schedule)
	timesteps := s.solverTimesteps(steps, total, end)
	if len(timesteps) == 0 {
		return levels{}, fmt.Errorf("scheduler: lambda_min_clipped is %g, which leaves %d timesteps, expected more than the %d steps",
			s.lambdaMinClipped, end, steps)
	}
	var sigmas []float64
	again, ok := s.respaced(table[0], table[total-1], steps)
	if s.lu && !s.karras {
		again, ok = exponentials(logarithm32(table[total-1]), logarithm32(table[0]), steps), true
	}
	if ok {
		sigmas, timesteps = again, make([]float64, steps)
		for i, v := range sigmas {
			t := timestepOf(table, v)
			if (s.karras || s.lu) && s.betaSchedule != "squaredcos_cap_v2" {
				t = math.RoundToEven(t)
			}
			timesteps[i] = math.Trunc(t)
		}
	} else if s.flow {
		sigmas, timesteps = make([]float64, steps), make([]float64, steps)
		for i, v := range linspace(1-1/float64(total), steps+1)[1:] {
			v = s.flowShift * v / (1 + (s.flowShift-1)*v)
			sigmas[steps-1-i], timesteps[steps-1-i] = v, math.Trunc(v*float64(total))
		}
	} else {
		sigmas = make([]float64, len(timesteps))
		for i, t := range timesteps {
			sigmas[i] = interpolate(table, t)
		}
	}
	l, err := newLevels(name, timesteps, sigmas, s.lastSigma(table), true)
	l.flow = s.flow
	return l, err
}

// clipped is how many of the last timesteps have a λ = log α/σ below lambda_min_clipped.
func (s *settings) clipped(schedule *Schedule) int {
	n := 0
	for i := len(schedule.AlphaBar) - 1; i >= 0; i-- {
		a := float32(schedule.AlphaBar[i])
		alpha, sigma := float32(math.Sqrt(float64(a))), float32(math.Sqrt(float64(1-a)))
		if float64(float32(math.Log(float64(alpha)))-float32(math.Log(float64(sigma)))) >= s.lambdaMinClipped {
			break
		}
		n++
	}
	return n
}

// solverTimesteps are whole timesteps below end of so many in all. Other samplers' spacings have one timestep where this
// class has the end of the last step.
func (s *settings) solverTimesteps(steps, total, end int) []float64 {
	if end < 1 {
		return nil
	}
	switch s.spacing {
	case "trailing":
		return trailing(float64(end), float64(total)/float64(steps))
	case "leading":
		ts := make([]float64, steps)
		for i := range ts {
			ts[steps-1-i] = float64((i+1)*(end/(steps+1)) + s.stepsOffset)
		}
		return ts
	}
	ts := linspace(float64(end-1), steps+1)[1:]
	for i, t := range ts {
		ts[i] = math.RoundToEven(t)
	}
	slices.Reverse(ts)
	return ts
}

// logarithm32 is rounded to float32.
func logarithm32(x float64) float64 { return float64(float32(math.Log(x))) }

func (d *dpm) Name() string { return d.name }

// Start returns a copy of the noise.
func (d *dpm) Start(noise []float32) []float32 { return slices.Clone(noise) }

// Noised is α·x_0 + σ·noise at the first step made.
func (d *dpm) Noised(x0, noise []float32, last int) ([]float32, error) {
	if err := checkLast(last, d.Steps()); err != nil {
		return nil, err
	}
	alpha, sigma := d.scales(d.Steps() - last)
	return mix(alpha, x0, sigma, noise)
}

// Sample asks the model once a step.
func (d *dpm) Sample(ctx context.Context, model Model, x []float32, r Run) ([]float32, error) {
	before, earlier := make([]float64, len(x)), make([]float64, len(x)) // what the two steps before integrated over
	guess := make([]float64, len(x))
	have := 0 // steps before
	return run(ctx, model, x, r, d.Steps(), d.sde, func(w *walk, i int) (float64, error) {
		out, err := w.ask(w.x, d.timesteps[i])
		if err != nil {
			return 0, err
		}
		var noise []float32
		if d.sde {
			noise = w.noise() // also for the last step, as diffusers does
		}
		alpha, sigma := d.scales(i)
		for j, v := range w.x {
			guess[j], _ = d.predicts.split(float64(v), float64(out[j]), alpha, sigma)
		}
		d.limit.apply(guess, w.images)
		k := d.weigh(i, min(have+1, d.orderOf(i)))
		for j, v := range w.x {
			w.pred[j] = float32(guess[j])
			now := guess[j]
			if d.noise {
				now = d.noiseOf(float64(v), float64(out[j]), now, alpha, sigma)
			}
			mean := now + k.slope*(now-before[j]) + k.bend*(before[j]-earlier[j])
			earlier[j], before[j] = before[j], now
			next := k.x*float64(v) + k.mean*mean
			if d.sde {
				next += k.noise * float64(noise[j])
			}
			w.x[j] = float32(next)
		}
		have++
		return d.timesteps[i], nil
	})
}

// orderOf is the most order that step i may have.
func (d *dpm) orderOf(i int) int {
	switch i {
	case d.Steps() - 1:
		return d.ofEnd
	case d.Steps() - 2:
		return d.ofSecond
	}
	return d.order
}

// noiseOf is the noise in x that goes with a guess of x_0, which may have been kept within limits.
func (d *dpm) noiseOf(x, out, guess, alpha, sigma float64) float64 {
	if d.limit.dynamic {
		return (x - alpha*guess) / sigma
	}
	_, eps := d.predicts.split(x, out, alpha, sigma)
	return eps
}
