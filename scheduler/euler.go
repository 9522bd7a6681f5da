package scheduler

import (
	"context"
	"math"
	"slices"
)

// euler is Euler's method on the probability flow in σ, and its ancestral form that replaces a part of the
// noise in every step: algorithm 2 of Karras et al. 2022 without churn, as diffusers'
// EulerDiscreteScheduler and EulerAncestralDiscreteScheduler make it. The configuration of Stable
// Diffusion v1 does not name a spacing, so theirs is "linspace": timesteps are fractions.
type euler struct {
	levels
	ancestral bool
	start     float64 // scale of the noise that a whole run begins with
	predicts  prediction
}

func newEuler(o Options, ancestral bool) (Sampler, error) {
	e := &euler{ancestral: ancestral}
	s, _, table, err := o.sigmaFamily(e.Name())
	if err != nil {
		return nil, err
	}
	e.predicts = s.predicts()
	if e.levels, err = s.eulerLevels(e.Name(), table, o.Steps); err != nil {
		return nil, err
	}
	e.start = slices.Max(e.sigmas)
	if s.spacing == "leading" {
		e.start = float64(float32(math.Sqrt(float64(float32(e.start*e.start) + 1))))
	}
	return e, nil
}

// eulerLevels are the timesteps and σ of the Euler samplers.
func (s *settings) eulerLevels(name string, table []float64, steps int) (levels, error) {
	timesteps := s.spaced(steps, len(table))
	sigmas := make([]float64, len(timesteps))
	for i, t := range timesteps {
		timesteps[i] = float64(float32(t))
		sigmas[i] = interpolate(table, timesteps[i])
	}
	if s.interpolation == "log_linear" {
		sigmas = logLinear(table, steps) // one more than timesteps: the last step arrives there
	}
	if again, ok := s.respaced(sigmas[len(sigmas)-1], sigmas[0], steps); ok {
		sigmas, timesteps = again, make([]float64, steps)
		for i, v := range sigmas {
			timesteps[i] = float64(float32(timestepOf(table, v)))
		}
	}
	l, err := newLevels(name, timesteps, sigmas, s.lastSigma(table), false)
	if err == nil && s.timestepType == "continuous" && s.prediction == "v_prediction" {
		for i := range l.timesteps {
			l.timesteps[i] = float64(float32(0.25 * math.Log(l.sigmas[i])))
		}
	}
	return l, err
}

// logLinear returns n+1 sigmas from the table's largest to its smallest, evenly spaced in their logarithm and rounded as
// torch rounds them.
func logLinear(table []float64, n int) []float64 {
	from, to := math.Log(table[len(table)-1]), math.Log(table[0])
	sigmas := make([]float64, n+1)
	for i, v := range torchLinspace32(float32(from), float32(to), n+1) {
		sigmas[i] = float64(float32(math.Exp(float64(v))))
	}
	return sigmas
}

func (e *euler) Name() string {
	if e.ancestral {
		return "euler-a"
	}
	return "euler"
}

// Start multiplies by the largest σ, or with leading timesteps by √(σ²+1).
func (e *euler) Start(noise []float32) []float32 {
	x := make([]float32, len(noise))
	for i, v := range noise {
		x[i] = float32(e.start * float64(v))
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
		out, err := w.ask(scaled, e.timesteps[i])
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
			v, eps := float64(v), e.noiseOf(float64(v), float64(out[j]), sigma)
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

// noiseOf is the noise in x = x_0 + σ·ε, of which the model says out: the derivative dx/dσ.
func (e *euler) noiseOf(x, out, sigma float64) float64 {
	switch e.predicts {
	case predictsVelocity: // about x/√(σ²+1) = α·x_0 + σ·α·ε
		x0 := x/(sigma*sigma+1) - out*sigma/math.Sqrt(sigma*sigma+1)
		return (x - x0) / sigma
	case predictsSample:
		return (x - out) / sigma
	}
	return out
}
