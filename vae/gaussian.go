package vae

import (
	"fmt"
	"math"
)

// Bounds of the log-variance, as DiagonalGaussianDistribution of the original code has them.
const (
	minLogVar = -30
	maxLogVar = 20
)

// Moments splits moments [n, 2·latent, h, w] of an encoder into mean and log-variance, each [n, latent, h, w]; the
// log-variance is clamped to [-30, 20].
func Moments(moments []float32, n int) (mean, logVar []float32, err error) {
	if n < 1 || len(moments)%(2*n) != 0 {
		return nil, nil, fmt.Errorf("vae: %d moments cannot be those of %d images", len(moments), n)
	}
	half := len(moments) / (2 * n)
	mean, logVar = make([]float32, 0, n*half), make([]float32, 0, n*half)
	for i := range n {
		item := moments[2*half*i : 2*half*(i+1)]
		mean = append(mean, item[:half]...)
		for _, v := range item[half:] {
			logVar = append(logVar, min(max(v, minLogVar), maxLogVar))
		}
	}
	return mean, logVar, nil
}

// Std is the standard deviation exp(logVar/2), element by element.
func Std(logVar []float32) []float32 {
	std := make([]float32, len(logVar))
	for i, v := range logVar {
		std[i] = float32(math.Exp(0.5 * float64(v)))
	}
	return std
}

// Sample writes scale·(mean + exp(logVar/2)·noise) to z: a latent as the U-Net sees it, with scale the
// Config.ScalingFactor and standard normal noise. Nil noise gives the scaled mean.
func Sample(z, mean, logVar, noise []float32, scale float32) error {
	if len(z) != len(mean) || len(mean) != len(logVar) || noise != nil && len(noise) != len(mean) {
		return fmt.Errorf("vae: sample of %d values from %d means, %d log-variances and %d noise values", len(z), len(mean),
			len(logVar), len(noise))
	}
	if noise == nil {
		for i, m := range mean {
			z[i] = scale * m
		}
		return nil
	}
	for i, std := range Std(logVar) {
		z[i] = scale * (mean[i] + float32(std*noise[i])) // rounded, not fused: the same bits on every machine
	}
	return nil
}
