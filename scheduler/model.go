package scheduler

import (
	"context"
	"fmt"
)

// A Model predicts the noise in x at timestep t, which is a fraction for the Euler samplers. What it returns
// has the length of x and is read before the next call.
type Model func(ctx context.Context, x []float32, t float64) (eps []float32, err error)

// Guide writes uncond + scale·(cond - uncond) to dst: classifier-free guidance.
// dst may be one of the inputs.
func Guide(dst, uncond, cond []float32, scale float32) {
	for i, u := range uncond {
		dst[i] = u + scale*(cond[i]-u)
	}
}

// Guided makes a guided model of one that takes both halves as one batch: batch gets x twice and
// returns the noise without the condition, then with it.
func Guided(batch Model, scale float32) Model {
	var twice, eps []float32
	return func(ctx context.Context, x []float32, t float64) ([]float32, error) {
		twice = append(append(twice[:0], x...), x...)
		both, err := batch(ctx, twice, t)
		if err != nil {
			return nil, err
		}
		if len(both) != 2*len(x) {
			return nil, fmt.Errorf("scheduler: the model returned %d values for a batch of %d", len(both), 2*len(x))
		}
		if len(eps) != len(x) {
			eps = make([]float32, len(x))
		}
		Guide(eps, both[:len(x)], both[len(x):], scale)
		return eps, nil
	}
}
