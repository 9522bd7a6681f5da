package scheduler

import (
	"context"
	"slices"
)

// pndm is diffusers' PNDMScheduler with skip_prk_steps, the sampler that Stable Diffusion v1 is published
// with. A whole run is PLMS on diffusers' timesteps and tables. A run of the last steps is not, and is kept as
// it is there: the list of calls has one entry twice, image to image cuts from the list without regard to it,
// and so the run begins one timestep earlier and passes over one.
type pndm struct {
	calls    []int // timesteps at which the model is asked; the second one twice
	stride   int
	schedule *Schedule
}

func newPNDM(o Options) (Sampler, error) {
	schedule, err := Diffusers.tables(o.Schedule)
	if err != nil {
		return nil, err
	}
	ts, err := Diffusers.Timesteps(o.Steps, len(schedule.AlphaBar))
	if err != nil {
		return nil, err
	}
	p := &pndm{calls: ts, stride: len(schedule.AlphaBar) / o.Steps, schedule: schedule}
	if len(ts) > 1 {
		p.calls = slices.Insert(ts, 1, ts[1])
	}
	return p, nil
}

func (*pndm) Name() string { return "pndm" }

func (p *pndm) Steps() int { return max(1, len(p.calls)-1) }

// Start returns a copy of the noise.
func (*pndm) Start(noise []float32) []float32 { return slices.Clone(noise) }

// Noised noises at the first timestep of the calls made.
func (p *pndm) Noised(x0, noise []float32, last int) ([]float32, error) {
	if err := checkLast(last, p.Steps()); err != nil {
		return nil, err
	}
	return p.schedule.AddNoise(x0, noise, p.calls[p.Steps()-last])
}

// Sample asks the model once a step, and in the first step twice, unless one step is all there is.
func (p *pndm) Sample(ctx context.Context, model Model, x []float32, r Run) ([]float32, error) {
	var history [][]float32
	first := true
	start := make([]float32, len(x))
	return run(ctx, model, x, r, p.Steps(), false, func(w *walk, i int) (float64, error) {
		if !first {
			return p.step(w, &history, p.calls[i+1])
		}
		first = false
		copy(start, w.x)
		t, err := p.step(w, &history, p.calls[i])
		if err != nil || len(p.calls) == 1 {
			return t, err
		}
		// The step is made again, from where it began and with the mean of both directions.
		again := p.calls[i+1]
		eps, err := w.ask(w.x, float64(again))
		if err != nil {
			return 0, err
		}
		from, to := p.schedule.AlphaBar[again+p.stride], p.schedule.AlphaBar[again]
		for j, v := range start {
			next, x0 := transfer(float64(v), (float64(eps[j])+float64(history[0][j]))/2, from, to)
			w.x[j], w.pred[j] = float32(next), float32(x0)
		}
		return t, nil
	})
}

// step moves the latent from timestep t by one stride.
func (p *pndm) step(w *walk, history *[][]float32, t int) (float64, error) {
	eps, err := w.ask(w.x, float64(t))
	if err != nil {
		return 0, err
	}
	*history = remember(*history, eps)
	from, to := p.schedule.AlphaBar[t], p.schedule.AlphaBar[max(t-p.stride, 0)]
	for j, v := range w.x {
		next, x0 := transfer(float64(v), adamsBashforth(*history, j), from, to)
		w.x[j], w.pred[j] = float32(next), float32(x0)
	}
	return float64(t), nil
}
