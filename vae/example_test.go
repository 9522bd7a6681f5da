package vae_test

import (
	"fmt"

	"percept/vae"
)

// From an encoder's output to the latent that the U-Net sees: one image, latents of one channel and two pixels.
func ExampleSample() {
	moments := []float32{2, -1, 0, -60} // two means, two log-variances
	mean, logVar, err := vae.Moments(moments, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	noise := []float32{0.5, 0.5}
	z := make([]float32, 2)
	if err := vae.Sample(z, mean, logVar, noise, vae.SD14().ScalingFactor); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("log-variance %g, latent %.4f\n", logVar, z)
	// Output: log-variance [0 -30], latent [0.4554 -0.1821]
}
