package scheduler

import (
	"errors"
	"fmt"
	"math"
)

// nearZero is what diffusers' samplers in σ take for ᾱ of the last timestep with zero terminal signal: there σ would be
// infinite.
const nearZero = 0x1p-24

// schedule computes the tables of a configuration by the rule of whose code it is. The last ᾱ is 0 with zero terminal
// signal (rescale_betas_zero_snr), 2⁻²⁴ for a sampler in σ.
func (s *settings) schedule(c Convention, inSigma bool) (*Schedule, error) {
	if s.trainedBetas != nil && len(s.trainedBetas) != s.timesteps {
		return nil, fmt.Errorf("trained_betas has %d values, expected %d as num_train_timesteps", len(s.trainedBetas), s.timesteps)
	}
	var table *Schedule
	if c == Diffusers {
		beta, err := s.betas32()
		if err != nil {
			return nil, err
		}
		table = accumulate32(beta)
	} else {
		beta, err := s.betas()
		if err != nil {
			return nil, err
		}
		table = accumulate(beta).Rounded()
	}
	last := len(table.AlphaBar) - 1
	if s.zeroSNR && inSigma {
		table.AlphaBar[last] = nearZero
	}
	checked := table
	if s.zeroSNR && !inSigma {
		if table.AlphaBar[last] != 0 {
			return nil, errors.New("rescale_betas_zero_snr leaves signal at the last timestep")
		}
		checked = &Schedule{AlphaBar: table.AlphaBar[:last]}
	}
	if err := checked.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", s.describeBetas(), err)
	}
	return table, nil
}

// describeBetas are the keys that a schedule comes from.
func (s *settings) describeBetas() string {
	if s.trainedBetas != nil {
		return "trained_betas"
	}
	return fmt.Sprintf("beta_schedule %q from beta_start %g to beta_end %g", s.betaSchedule, s.betaStart, s.betaEnd)
}

func (s *settings) unknownSchedule() error {
	return fmt.Errorf(`beta_schedule is %.60q, expected "linear", "scaled_linear" or "squaredcos_cap_v2"`, s.betaSchedule)
}

// betas32 computes β as diffusers' constructors do, in float32.
func (s *settings) betas32() ([]float32, error) {
	var beta []float32
	switch {
	case s.trainedBetas != nil:
		beta = make([]float32, len(s.trainedBetas))
		for i, b := range s.trainedBetas {
			beta[i] = float32(b)
		}
	case s.betaSchedule == "linear":
		beta = torchLinspace32(float32(s.betaStart), float32(s.betaEnd), s.timesteps)
	case s.betaSchedule == "scaled_linear":
		beta = squared32(torchLinspace32(float32(math.Sqrt(s.betaStart)), float32(math.Sqrt(s.betaEnd)), s.timesteps))
	case s.betaSchedule == "squaredcos_cap_v2":
		beta = make([]float32, s.timesteps)
		for i, b := range cosine(s.timesteps) {
			beta[i] = float32(b)
		}
	default:
		return nil, s.unknownSchedule()
	}
	if s.zeroSNR {
		rescale32(beta)
	}
	return beta, nil
}

// betas computes β in float64, as the original code computes its own.
func (s *settings) betas() ([]float64, error) {
	var beta []float64
	switch {
	case s.trainedBetas != nil:
		beta = s.trainedBetas
	case s.betaSchedule == "linear":
		beta = torchLinspace(s.betaStart, s.betaEnd, s.timesteps)
	case s.betaSchedule == "scaled_linear":
		beta = squared(torchLinspace(math.Sqrt(s.betaStart), math.Sqrt(s.betaEnd), s.timesteps))
	case s.betaSchedule == "squaredcos_cap_v2":
		beta = cosine(s.timesteps)
	default:
		return nil, s.unknownSchedule()
	}
	if s.zeroSNR {
		beta = rescale(beta)
	}
	return beta, nil
}

// cosine is the schedule of Nichol & Dhariwal 2021 (arXiv:2102.09672), eq. 17, with β at most 0.999.
func cosine(n int) []float64 {
	bar := func(i int) float64 {
		c := math.Cos((float64(i)/float64(n) + 0.008) / 1.008 * math.Pi / 2)
		return c * c
	}
	beta := make([]float64, n)
	for i := range beta {
		beta[i] = min(1-bar(i+1)/bar(i), 0.999)
	}
	return beta
}

// rescale changes a schedule so that nothing is left of x_0 at its last timestep: algorithm 1 of Lin et al. 2023
// (arXiv:2305.08891).
func rescale(beta []float64) []float64 {
	root := make([]float64, len(beta))
	product := 1.0
	for i, b := range beta {
		product *= 1 - b
		root[i] = math.Sqrt(product)
	}
	first, last := root[0], root[len(root)-1]
	scaled := make([]float64, len(beta))
	before := 1.0
	for i, r := range root {
		r = (r - last) * (first / (first - last))
		scaled[i] = 1 - r*r/before
		before = r * r
	}
	return scaled
}

// rescale32 is rescale in place, in float32 as diffusers does.
func rescale32(beta []float32) {
	root := make([]float32, len(beta))
	product := 1.0
	for i, b := range beta {
		product *= float64(1 - b)
		root[i] = float32(math.Sqrt(float64(float32(product))))
	}
	first, last := root[0], root[len(root)-1]
	scale := first / (first - last)
	before := float32(1)
	for i, r := range root {
		r = float32(r-last) * scale
		bar := float32(r * r)
		beta[i] = 1 - bar/before
		before = bar
	}
}
