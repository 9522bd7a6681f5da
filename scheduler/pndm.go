package scheduler

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// pndm is diffusers' PNDMScheduler, with skip_prk_steps the sampler that Stable Diffusion v1 is published
// with. A whole run is then PLMS on diffusers' timesteps and tables. A run of the last steps is not, and is kept as
// it is there: the list of calls has one entry twice, image to image cuts from the list without regard to it,
// and so the run begins one timestep earlier and passes over one.
//
// Without skip_prk_steps the first three steps are of the Runge-Kutta kind and ask the model four times each (algorithm 2
// of Liu et al. 2022, arXiv:2202.09778).
type pndm struct {
	calls    []int // timesteps at which the model is asked
	prk      []int // those of the Runge-Kutta steps of a whole run; nil with skip_prk_steps
	steps    int
	stride   int
	final    float64 // ᾱ below the table
	schedule *Schedule
	predicts prediction
}

func newPNDM(o Options) (Sampler, error) {
	c := orPublished(o.Config)
	_, s, err := c.of("pndm")
	if err != nil {
		return nil, err
	}
	schedule, err := s.tables(o.Schedule, Diffusers, false)
	if err != nil {
		return nil, c.named(err)
	}
	total := len(schedule.AlphaBar)
	ts, err := s.wholeTimesteps(o.Steps, total)
	if err != nil {
		return nil, c.named(err)
	}
	p := &pndm{steps: len(ts), stride: total / o.Steps, final: schedule.AlphaBar[0], schedule: schedule, predicts: s.predicts()}
	if s.setAlphaToOne {
		p.final = 1
	}
	switch {
	case !s.skipPRK:
		if len(ts) < 4 {
			return nil, c.named(fmt.Errorf("scheduler: %d steps of pndm with skip_prk_steps false, expected at least 4", len(ts)))
		}
		p.prk = rungeKutta(ts, p.stride)
		p.calls = append(slices.Clone(p.prk), ts[3:]...)
	case len(ts) > 1:
		p.calls = slices.Insert(ts, 1, ts[1])
		if again := ts[1] + p.stride; again >= total {
			return nil, fmt.Errorf("scheduler: %d steps of pndm by timestep_spacing %q reach timestep %d, the schedule ends at %d; use fewer",
				o.Steps, s.spacing, again, total-1)
		}
	default:
		p.calls = ts
	}
	return p, nil
}

// rungeKutta lists the twelve timesteps of three steps: each asks where it begins, twice half of a stride earlier and
// where it ends.
func rungeKutta(descending []int, stride int) []int {
	half := stride / 2
	var ts []int
	for i := range 3 {
		from, to := descending[i], descending[i+1]
		ts = append(ts, from, to+half, to+half, to)
	}
	return ts
}

func (*pndm) Name() string { return "pndm" }

func (p *pndm) Steps() int { return p.steps }

// Start returns a copy of the noise.
func (*pndm) Start(noise []float32) []float32 { return slices.Clone(noise) }

// checkLast is checkLast of the package, and refuses runs that the Runge-Kutta steps do not fit in.
func (p *pndm) checkLast(last int) error {
	if p.prk != nil && last > 0 && last < 3 {
		return fmt.Errorf("scheduler: the last %d steps of pndm with skip_prk_steps false, expected at least 3", last)
	}
	return checkLast(last, p.steps)
}

// Noised noises at the first timestep of the calls made.
func (p *pndm) Noised(x0, noise []float32, last int) ([]float32, error) {
	if err := p.checkLast(last); err != nil {
		return nil, err
	}
	return p.schedule.AddNoise(x0, noise, p.calls[p.steps-last])
}

// Sample asks the model once a step, and in the first step twice, unless one step is all there is; with Runge-Kutta steps
// four times in the first three.
func (p *pndm) Sample(ctx context.Context, model Model, x []float32, r Run) ([]float32, error) {
	if r.Last != 0 {
		if err := p.checkLast(r.Last); err != nil {
			return nil, err
		}
	}
	start := make([]float32, len(x))
	var history [][]float32
	first := -1 // number of the run's first step
	return run(ctx, model, x, r, p.steps, false, func(w *walk, i int) (float64, error) {
		if first < 0 {
			first = i
		}
		n := i - first // steps made before
		switch {
		case p.prk != nil && n < 3:
			return p.rungeKuttaStep(w, start, &history, p.prk[4*n], p.calls[first+4*n:][:4])
		case p.prk != nil:
			return p.step(w, &history, p.calls[first+12+n-3])
		case n > 0:
			return p.step(w, &history, p.calls[i+1])
		}
		return p.firstStep(w, start, &history, i)
	})
}

// firstStep makes the step of number i twice: again from where it began, with the mean of both directions.
func (p *pndm) firstStep(w *walk, start []float32, history *[][]float32, i int) (float64, error) {
	copy(start, w.x)
	t, err := p.step(w, history, p.calls[i])
	if err != nil || len(p.calls) == 1 {
		return t, err
	}
	again := p.calls[i+1]
	out, err := w.ask(w.x, float64(again))
	if err != nil {
		return 0, err
	}
	p.move(w, start, again+p.stride, again, func(j int) float64 { return (float64(out[j]) + float64((*history)[0][j])) / 2 })
	return t, nil
}

// step moves the latent from timestep t by one stride.
func (p *pndm) step(w *walk, history *[][]float32, t int) (float64, error) {
	out, err := w.ask(w.x, float64(t))
	if err != nil {
		return 0, err
	}
	*history = remember(*history, out)
	p.move(w, w.x, t, t-p.stride, func(j int) float64 { return adamsBashforth(*history, j) })
	return float64(t), nil
}

// rungeKuttaStep moves the latent from timestep `from` by asking at four. In a run of the last steps diffusers asks at the
// run's own timesteps and still begins at those of a whole run's.
func (p *pndm) rungeKuttaStep(w *walk, start []float32, history *[][]float32, from int, asked []int) (float64, error) {
	copy(start, w.x)
	sum := make([]float64, len(start))
	weights := [4]float64{1. / 6, 1. / 3, 1. / 3, 1. / 6}
	for k, t := range asked {
		out, err := w.ask(w.x, float64(t))
		if err != nil {
			return 0, err
		}
		if k == 0 {
			*history = remember(*history, out)
		}
		for j, v := range out {
			sum[j] += weights[k] * float64(v)
		}
		to := t
		if k%2 == 0 {
			to -= p.stride / 2
		}
		direction := func(j int) float64 { return float64(out[j]) }
		if k == 3 {
			direction = func(j int) float64 { return sum[j] }
		}
		p.move(w, start, from, to, direction)
	}
	return float64(asked[0]), nil
}

// move sets the latent to what x becomes on the way from one timestep to another. direction is in the terms of what the
// model predicts.
func (p *pndm) move(w *walk, x []float32, from, to int, direction func(j int) float64) {
	bar := p.at(from)
	alpha, sigma := math.Sqrt(bar), math.Sqrt(1-bar)
	for j, v := range x {
		eps := direction(j)
		if p.predicts != predictsNoise {
			_, eps = p.predicts.split(float64(v), eps, alpha, sigma)
		}
		next, x0 := transfer(float64(v), eps, bar, p.at(to))
		w.x[j], w.pred[j] = float32(next), float32(x0)
	}
}

// at is ᾱ of a timestep, which may lie below the table.
func (p *pndm) at(t int) float64 {
	if t < 0 {
		return p.final
	}
	return p.schedule.AlphaBar[t]
}
