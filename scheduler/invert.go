package scheduler

import (
	"context"
	"errors"
)

// Invert runs the deterministic steps upwards, from data to the noise that leads to it: the result is what a
// run of the same steps begins with. With Run.Last it goes up through the last so many steps only.
//
// A step down asks the model at the noisier end; the step up asks at the same timestep but with the cleaner
// latent, so the way there and back misses x_0 by an amount that falls with the number of steps, and grows
// with guidance. Source: diffusers' DDIMInverseScheduler, which an Invert of the diffusers convention follows.
func (d *DDIM) Invert(ctx context.Context, model Model, x0 []float32, r Run) ([]float32, error) {
	for _, s := range d.Sigma {
		if s > 0 {
			return nil, errors.New("scheduler: inversion needs eta 0")
		}
	}
	if d.predicts != predictsNoise || d.limit.clip || d.limit.dynamic {
		return nil, errors.New(`scheduler: inversion needs prediction_type "epsilon", clip_sample false and thresholding false`)
	}
	first, err := r.first(d.Steps())
	if err != nil {
		return nil, err
	}
	r.Last = 0
	last := d.Steps() - 1
	return run(ctx, model, x0, r, d.Steps()-first, false, func(w *walk, i int) (float64, error) {
		k := last - i
		t := float64(d.Timesteps[k])
		eps, err := w.ask(w.x, t)
		if err != nil {
			return 0, err
		}
		for j, v := range w.x {
			next, x0 := transfer(float64(v), float64(eps[j]), d.AlphaPrev[k], d.AlphaBar[k])
			w.x[j], w.pred[j] = float32(next), float32(x0)
		}
		return t, nil
	})
}
