package scheduler

import (
	"fmt"
	"math"
	"slices"
)

// A prediction is what a model returns.
type prediction int

const (
	predictsNoise    prediction = iota // ε, "epsilon"
	predictsVelocity                   // v = √ᾱ·ε - √(1-ᾱ)·x_0 of Salimans & Ho 2022 (arXiv:2202.00512), "v_prediction"
	predictsSample                     // x_0, "sample"
	predictsFlow                       // ε - x_0, "flow_prediction"
)

func (s *settings) predicts() prediction {
	switch s.prediction {
	case "v_prediction":
		return predictsVelocity
	case "sample", "original_sample":
		return predictsSample
	case "flow_prediction":
		return predictsFlow
	}
	return predictsNoise
}

// split returns x_0 and ε of x = α·x_0 + σ·ε, of which the model says out.
func (p prediction) split(x, out, alpha, sigma float64) (x0, eps float64) {
	switch p {
	case predictsVelocity:
		return alpha*x - sigma*out, alpha*out + sigma*x
	case predictsSample:
		return out, (x - alpha*out) / sigma
	case predictsFlow:
		x0 = x - sigma*out
		return x0, (x - alpha*x0) / sigma
	}
	return (x - sigma*out) / alpha, out
}

// noiseOf turns what the model returned for x at the noise level ᾱ into ε, in new memory unless it is that already.
func (p prediction) noiseOf(x, out []float32, alphaBar float64) []float32 {
	if p == predictsNoise {
		return out
	}
	alpha, sigma := math.Sqrt(alphaBar), math.Sqrt(1-alphaBar)
	eps := make([]float32, len(out))
	for i, v := range out {
		_, e := p.split(float64(x[i]), float64(v), alpha, sigma)
		eps[i] = float32(e)
	}
	return eps
}

// needsSignal says that ε alone does not tell x_0 where nothing of it is left.
func (p prediction) needsSignal(alphaBar float64, t int) error {
	if p == predictsNoise && alphaBar == 0 {
		return fmt.Errorf(`prediction_type is "epsilon" with rescale_betas_zero_snr, expected "v_prediction" or "sample": `+
			"no signal is left at timestep %d", t)
	}
	return nil
}

// A limit keeps guesses of x_0 within a range: not at all, each value by itself (clip_sample), or each image by its own
// large values (thresholding; Saharia et al. 2022, arXiv:2205.11487, dynamic thresholding).
type limit struct {
	clip    bool
	clipTo  float64
	dynamic bool
	ratio   float64 // share of an image's values that stay as they are
	most    float64 // of the threshold
}

func (s *settings) limit() limit {
	return limit{clip: s.clipSample, clipTo: s.clipRange, dynamic: s.thresholding, ratio: s.thresholdRatio, most: s.sampleMax}
}

// apply changes the guesses of so many images in place.
func (l limit) apply(x0 []float64, images int) {
	switch {
	case l.dynamic && len(x0) > 0:
		n := len(x0) / images
		for one := range slices.Chunk(x0, n) {
			to := min(max(quantile(one, l.ratio), 1), l.most)
			for i, v := range one {
				one[i] = min(max(v, -to), to) / to
			}
		}
	case l.clip:
		for i, v := range x0 {
			x0[i] = min(max(v, -l.clipTo), l.clipTo)
		}
	}
}

// quantile is torch.quantile of the magnitudes of x, which is rounded to float32 as there; interpolation is linear.
func quantile(x []float64, q float64) float64 {
	sorted := make([]float64, len(x))
	for i, v := range x {
		sorted[i] = float64(float32(math.Abs(v)))
	}
	slices.Sort(sorted)
	rank := float64(float32(q) * float32(len(x)-1))
	low := int(rank)
	high := min(low+1, len(x)-1)
	return sorted[low] + (rank-float64(low))*(sorted[high]-sorted[low])
}
