package main

import (
	"fmt"
	"io"
	"strings"

	"percept"
	"percept/scheduler"
)

// samplingError names the flags that choose a sampler.
func (g *generateFlags) samplingError(err error) error {
	return fmt.Errorf("--sampler %s, --steps %d, --eta %g: %w", g.Sampler, g.Steps, g.Eta, err)
}

// chooseSampler settles which sampler it is, by the model where it is auto, and says whether it can be had. What follows
// otherwise than the flags or the model's folder say is told in a line each.
func (g *generateFlags) chooseSampler(note io.Writer, pipe *percept.Pipeline) error {
	name, err := pipe.SamplerName(g.Sampling)
	if err != nil {
		return fmt.Errorf("--sampler %s: %w", g.Sampler, err)
	}
	g.Sampler = name
	s, err := pipe.Sampler(g.Sampling)
	if err != nil {
		if c := pipe.Scheduler; c != nil && strings.HasPrefix(err.Error(), c.File+": ") {
			return err // the file's fault, not the command line's
		}
		return usageError{g.samplingError(err)}
	}
	if len(g.images) > 0 {
		last, err := scheduler.LastFor(s, g.Strength, g.Steps)
		if err == nil {
			_, err = s.Noised([]float32{0}, []float32{0}, last)
		}
		if err != nil {
			return usageError{fmt.Errorf("--strength %g: %w", g.Strength, err)}
		}
	} else if n := s.Steps(); n != g.Steps {
		fmt.Fprintf(note, "percept: --sampler %s with --steps %d makes %d steps, as the code that it follows does\n", name, g.Steps, n)
	}
	tellScheduler(note, pipe, name)
	return nil
}

// tellScheduler says in a line each what a sampler does otherwise than the model's scheduler_config.json says.
func tellScheduler(note io.Writer, pipe *percept.Pipeline, sampler string) {
	if pipe.Scheduler == nil {
		return
	}
	for _, line := range pipe.Scheduler.Notes(sampler) {
		fmt.Fprintf(note, "percept: %s: %s\n", pipe.Scheduler.File, line)
	}
}

// mostThreads is how many values a GPU of the smaller kind, the T4, draws at once.
const mostThreads = 40960

// tellNoise says where the noise of a seed depends on the GPU.
func (g *generateFlags) tellNoise(note io.Writer, width, height int, pipe *percept.Pipeline) {
	f := pipe.VAE.Config.Downscale()
	if n := percept.LatentChannels * (width / f) * (height / f); g.Noise == percept.TorchCUDA && n > mostThreads {
		fmt.Fprintf(note, "percept: --noise cuda: %d values a latent, more than the %d that a T4 draws at once: "+
			"this is the noise of a larger GPU such as the A100, and not of a T4\n", n, mostThreads)
	}
}
