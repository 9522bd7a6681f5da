package percept

import (
	"context"
	"fmt"

	"percept/scheduler"
)

// Sampling says how latents are denoised. The zero value is that of Takagi & Nishimoto's code.
type Sampling struct {
	Steps    int     // DDIM steps of a whole diffusion; 0 means 50
	Guidance float64 // scale of classifier-free guidance; 0 means 5, 1 switches it off
	Eta      float64 // 0 is deterministic DDIM, 1 adds as much noise as DDPM
	Seed     uint64  // of the noise that Eta > 0 adds
	First    int     // number of the first image: its noise depends on Seed and its number alone
}

func (s Sampling) steps() int {
	if s.Steps == 0 {
		return 50
	}
	return s.Steps
}

func (s Sampling) guidance() float32 {
	if s.Guidance == 0 {
		return 5
	}
	return float32(s.Guidance)
}

// NoiseFor returns Gaussian noise for images lo to hi. An image's noise depends on its number and
// the seed alone, not on what it is batched with.
func NoiseFor(seed uint64, lo, hi, h, w int) Latents {
	x := Latents{N: hi - lo, H: h, W: w}
	x.Data = make([]float32, 0, x.N*x.Len())
	for i := lo; i < hi; i++ {
		x.Data = append(x.Data, scheduler.Noise(imageSeed(seed, i), x.Len())...)
	}
	return x
}

// imageSeed is the seed of image i; an odd multiplier keeps different images and runs apart.
func imageSeed(seed uint64, i int) uint64 { return seed ^ (uint64(i)+1)*0x9E3779B97F4A7C15 }

// stepNoise fills the latents of images from number first on, each from a stream of its own.
func stepNoise(seed uint64, first int, x Latents) func([]float32) {
	const apart = 0x6574_6121 // from the stream that the image's first noise comes from
	sources := make([]*scheduler.NoiseSource, x.N)
	for i := range sources {
		sources[i] = scheduler.NewNoise(imageSeed(seed^apart, first+i))
	}
	return func(noise []float32) {
		for i, s := range sources {
			s.Fill(noise[i*x.Len() : (i+1)*x.Len()])
		}
	}
}

// Denoise runs a whole diffusion from noise under the conditioning c [N, Tokens, Width].
// onStep may be nil.
func (p *Pipeline) Denoise(ctx context.Context, noise Latents, c []float32, s Sampling, onStep func(done, total int)) (Latents, error) {
	d, err := s.ddim()
	if err != nil {
		return Latents{}, err
	}
	return p.sample(ctx, d, noise, c, s, 0, onStep)
}

// DenoiseFrom noises z by a share strength of the diffusion and denoises it under c: image to image
// as CompVis does it, with the noise level of entry int(strength·steps) of the ascending timesteps
// and the first denoising step one entry below.
func (p *Pipeline) DenoiseFrom(ctx context.Context, z, noise Latents, strength float64, c []float32, s Sampling, onStep func(done, total int)) (Latents, error) {
	if !(strength > 0 && strength < 1) {
		return Latents{}, fmt.Errorf("strength is %g, expected more than 0 and less than 1", strength)
	}
	if len(noise.Data) != len(z.Data) {
		return Latents{}, fmt.Errorf("noise has %d values, expected %d as the latents", len(noise.Data), len(z.Data))
	}
	d, err := s.ddim()
	if err != nil {
		return Latents{}, err
	}
	last, err := scheduler.StepsFor(strength, s.steps())
	if err != nil {
		return Latents{}, err
	}
	x := z
	if x.Data, err = d.StochasticEncode(z.Data, noise.Data, last); err != nil {
		return Latents{}, err
	}
	return p.sample(ctx, d, x, c, s, last, onStep)
}

func (s Sampling) ddim() (*scheduler.DDIM, error) {
	return scheduler.NewDDIM(scheduler.DDIMOptions{Steps: s.steps(), Eta: s.Eta})
}

// sample makes the last so many steps (0: all) in batches.
func (p *Pipeline) sample(ctx context.Context, d *scheduler.DDIM, x Latents, c []float32, s Sampling, last int, onStep func(done, total int)) (Latents, error) {
	if err := x.check(); err != nil {
		return Latents{}, err
	}
	row := p.Tokens * p.Width
	if len(c) != x.N*row {
		return Latents{}, fmt.Errorf("conditioning has %d values, expected %d×%d×%d", len(c), x.N, p.Tokens, p.Width)
	}
	steps := last
	if steps == 0 {
		steps = len(d.Timesteps)
	}
	if onStep == nil {
		onStep = func(int, int) {}
	}
	batches := (x.N + batch - 1) / batch
	out := Latents{Data: make([]float32, 0, len(x.Data)), N: x.N, H: x.H, W: x.W}
	for b := range batches {
		lo, hi := b*batch, min((b+1)*batch, x.N)
		part := x.Slice(lo, hi)
		model, err := p.noiseModel(ctx, part, c[lo*row:hi*row], s)
		if err != nil {
			return Latents{}, err
		}
		run := scheduler.Run{Last: last, OnStep: func(st scheduler.Step) error {
			onStep(b*steps+st.Index+1, batches*steps)
			return nil
		}}
		if s.Eta > 0 {
			run.Noise = stepNoise(s.Seed, s.First+lo, part)
		}
		data, err := d.Sample(ctx, model, part.Data, run)
		if err != nil {
			return Latents{}, err
		}
		out.Data = append(out.Data, data...)
	}
	return out, nil
}

// noiseModel is the U-Net as a function of (x, t) under c, guided against the empty caption with
// both halves in one batch: the half without the condition comes first.
func (p *Pipeline) noiseModel(ctx context.Context, x Latents, c []float32, s Sampling) (scheduler.Model, error) {
	g := s.guidance()
	if !(g >= 1) {
		return nil, fmt.Errorf("guidance is %g, expected 1 or more", g)
	}
	n, conditioning := x.N, c
	if g != 1 {
		empty, err := p.TextEmbed(ctx, []string{""})
		if err != nil {
			return nil, err
		}
		n *= 2
		conditioning = make([]float32, 0, 2*len(c))
		for range x.N {
			conditioning = append(conditioning, empty...)
		}
		conditioning = append(conditioning, c...)
	}
	timesteps := make([]float32, n)
	eps := make([]float32, n*x.Len())
	model := func(ctx context.Context, x2 []float32, t float64) ([]float32, error) {
		for i := range timesteps {
			timesteps[i] = float32(t)
		}
		return eps, p.UNet.Predict(ctx, eps, x2, timesteps, conditioning, n, x.H, x.W)
	}
	if g == 1 {
		return model, nil
	}
	return scheduler.Guided(model, g), nil
}
