package percept

import (
	"context"
	"fmt"

	"percept/scheduler"
)

// Sampling says how latents are denoised. The zero value is that of Takagi & Nishimoto's code.
type Sampling struct {
	Sampler  string   // one of scheduler.Names or SamplerAuto; empty means "ddim", that of the original code
	Steps    int      // denoising steps of a whole diffusion; 0 means 50
	Guidance float64  // scale of classifier-free guidance; 0 means 5, 1 switches it off
	Eta      float64  // 0 is deterministic DDIM, 1 adds as much noise as DDPM
	Noise    string   // whose random numbers: those of torch's generator on a CPU (TorchCPU, or empty), or on a GPU (TorchCUDA)
	Seed     uint64   // image i draws from a generator of its own, seeded with Seed + i
	First    int      // number i of the first image
	Seeds    []uint64 // of each image, instead of Seed and First; nil means those
	Batch    int      // images denoised together; 0 means as many as a network can take at little memory

	// Uncond is the conditioning [Tokens, Width] that guidance leads away from; nil is that of the empty caption.
	Uncond []float32
	// Watch, unless nil, is shown every step of every batch; an error ends the run and is returned.
	Watch func(Step) error
	// OnCall, unless nil, is told of every run of the U-Net right before it, so that probes on its Program know where
	// they stand; an error ends the run and is returned.
	OnCall func(Call) error

	drawn int // draws that each generator has made before its steps; 0 means one
}

// A Step is what a run shows of itself after each denoising step. Its latents are valid during the call.
type Step struct {
	First     int     // number of the batch's first image among those of the run, from 0
	Index, Of int     // 0-based number of the step and their count
	Timestep  float64 // at which the U-Net was asked
	X         Latents // after the step
	X0        Latents // the guess of the finished latents that the step was made with
}

// seed is that of image i of the run.
func (s Sampling) seed(i int) uint64 {
	if s.Seeds != nil {
		return s.Seeds[i]
	}
	return s.Seed + uint64(s.First+i)
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

// Check says what is wrong with the options whatever the model is, before long work; Pipeline.Sampler says what else is.
func (s Sampling) Check() error {
	if g := s.guidance(); !(g >= 1) {
		return fmt.Errorf("guidance is %g, expected 1 or more", g)
	}
	if s.Noise != "" && s.Noise != TorchCPU && s.Noise != TorchCUDA {
		return fmt.Errorf("noise %q, expected %s or %s", s.Noise, TorchCPU, TorchCUDA)
	}
	if s.Sampler == SamplerAuto {
		return nil
	}
	return scheduler.Check(s.Sampler, s.steps(), s.Eta)
}

// Values of Sampling.Noise: the generators of scheduler.Torch and scheduler.TorchCUDA.
const (
	TorchCPU  = "cpu"
	TorchCUDA = "cuda"
)

// NoiseFor returns Gaussian noise for images lo to hi: image i has the first numbers of torch's CPU generator seeded
// with seed + i, as torch.randn(1, 4, h, w) gives them, whatever it is batched with.
func NoiseFor(seed uint64, lo, hi, h, w int) Latents {
	return Sampling{Seed: seed, First: lo}.draw(0, hi-lo, h, w)
}

// A generator gives what one torch.randn of the length of x does.
type generator interface{ Randn(x []float32) }

// generator is that of image i of the run, after so many draws of x's length.
func (s Sampling) generator(i, drawn int, x []float32) generator {
	var g generator = scheduler.NewTorch(s.seed(i))
	if s.Noise == TorchCUDA {
		g = scheduler.NewTorchCUDA(s.seed(i), 0)
	}
	for range drawn {
		g.Randn(x)
	}
	return g
}

// draw is what the generators of the first n images give in their draw number k, from 0.
func (s Sampling) draw(k, n, h, w int) Latents {
	x := Latents{N: n, H: h, W: w}
	x.Data = make([]float32, n*x.Len())
	for i := range n {
		s.generator(i, k, x.At(i)).Randn(x.At(i))
	}
	return x
}

// stepNoise fills the latents of a batch, whose first image is number lo of the run, with what their generators give
// after what they began with.
func (s Sampling) stepNoise(lo int, x Latents) func([]float32) {
	generators := make([]generator, x.N)
	scratch := make([]float32, x.Len())
	for i := range generators {
		generators[i] = s.generator(lo+i, max(s.drawn, 1), scratch)
	}
	return func(noise []float32) {
		for i, g := range generators {
			g.Randn(noise[i*x.Len() : (i+1)*x.Len()])
		}
	}
}

// Denoise runs a whole diffusion from standard normal noise under the conditioning c [N, Tokens, Width].
// onStep may be nil.
func (p *Pipeline) Denoise(ctx context.Context, noise Latents, c []float32, s Sampling, onStep func(done, total int)) (Latents, error) {
	if err := noise.check(); err != nil {
		return Latents{}, err
	}
	d, err := p.Sampler(s)
	if err != nil {
		return Latents{}, err
	}
	x := noise
	x.Data = d.Start(noise.Data)
	return p.sample(ctx, d, x, c, s, d.Steps(), onStep)
}

// DenoiseFrom noises z by a share strength of the diffusion and denoises it under c: image to image, by the rule of
// whose sampler it is. That of the original code ("ddim") noises to entry int(strength·steps) of its ascending
// timesteps and makes its first step one entry below.
func (p *Pipeline) DenoiseFrom(ctx context.Context, z, noise Latents, strength float64, c []float32, s Sampling,
	onStep func(done, total int)) (Latents, error) {
	if !(strength > 0 && strength <= 1) {
		return Latents{}, fmt.Errorf("strength is %g, expected more than 0 and at most 1", strength)
	}
	if err := z.check(); err != nil {
		return Latents{}, err
	}
	if len(noise.Data) != len(z.Data) {
		return Latents{}, fmt.Errorf("noise has %d values, expected %d as the latents", len(noise.Data), len(z.Data))
	}
	d, err := p.Sampler(s)
	if err != nil {
		return Latents{}, err
	}
	last, err := scheduler.LastFor(d, strength, s.steps())
	if err != nil {
		return Latents{}, err
	}
	x := z
	if x.Data, err = d.Noised(z.Data, noise.Data, last); err != nil {
		return Latents{}, err
	}
	return p.sample(ctx, d, x, c, s, last, onStep)
}

// sample makes the last so many steps in batches.
func (p *Pipeline) sample(ctx context.Context, d scheduler.Sampler, x Latents, c []float32, s Sampling, last int,
	onStep func(done, total int)) (Latents, error) {
	row := p.Tokens * p.Width
	if len(c) != x.N*row {
		return Latents{}, fmt.Errorf("conditioning has %d values, expected %d×%d×%d", len(c), x.N, p.Tokens, p.Width)
	}
	if s.Seeds != nil && len(s.Seeds) != x.N {
		return Latents{}, fmt.Errorf("%d seeds, expected one for each of %d images", len(s.Seeds), x.N)
	}
	if onStep == nil {
		onStep = func(int, int) {}
	}
	size := s.Batch
	if size < 1 {
		size = batchFor(x.H, x.W)
	}
	batches := (x.N + size - 1) / size
	out := Latents{Data: make([]float32, 0, len(x.Data)), N: x.N, H: x.H, W: x.W}
	for b := range batches {
		lo, hi := b*size, min((b+1)*size, x.N)
		part := x.Slice(lo, hi)
		at := Call{First: lo, N: part.N, Of: last, Guided: s.guidance() != 1}
		model, err := p.noiseModel(ctx, part, c[lo*row:hi*row], s, &at)
		if err != nil {
			return Latents{}, err
		}
		run := scheduler.Run{Last: last, Images: part.N, Noise: s.stepNoise(lo, part), OnStep: func(st scheduler.Step) error {
			at.Step, at.Call = st.Index+1, 0
			onStep(b*st.Of+st.Index+1, batches*st.Of)
			if s.Watch == nil {
				return nil
			}
			return s.Watch(Step{First: lo, Index: st.Index, Of: st.Of, Timestep: st.Timestep, X: part.with(st.X), X0: part.with(st.PredX0)})
		}}
		data, err := d.Sample(ctx, model, part.Data, run)
		if err != nil {
			return Latents{}, err
		}
		out.Data = append(out.Data, data...)
	}
	return out, nil
}

// noiseModel is the U-Net as a function of (x, t) under c, guided against the unconditional embedding with both
// halves in one batch: that half comes first. at is where the next call stands, up to its timestep; the model counts its calls.
func (p *Pipeline) noiseModel(ctx context.Context, x Latents, c []float32, s Sampling, at *Call) (scheduler.Model, error) {
	g := s.guidance()
	if !(g >= 1) {
		return nil, fmt.Errorf("guidance is %g, expected 1 or more", g)
	}
	n, conditioning := x.N, c
	if g != 1 {
		uncond := s.Uncond
		if uncond == nil {
			var err error
			if uncond, err = p.TextEmbed(ctx, []string{""}); err != nil {
				return nil, err
			}
		}
		if len(uncond) != p.Tokens*p.Width {
			return nil, fmt.Errorf("unconditional embedding has %d values, expected %d×%d", len(uncond), p.Tokens, p.Width)
		}
		n *= 2
		conditioning = make([]float32, 0, 2*len(c))
		for range x.N {
			conditioning = append(conditioning, uncond...)
		}
		conditioning = append(conditioning, c...)
	}
	timesteps := make([]float32, n)
	eps := make([]float32, n*x.Len())
	model := func(ctx context.Context, x2 []float32, t float64) ([]float32, error) {
		for i := range timesteps {
			timesteps[i] = float32(t)
		}
		at.Timestep = t
		if s.OnCall != nil {
			if err := s.OnCall(*at); err != nil {
				return nil, err
			}
		}
		at.Call++
		return eps, p.UNet.Predict(ctx, eps, x2, timesteps, conditioning, n, x.H, x.W)
	}
	if g == 1 {
		return model, nil
	}
	return scheduler.Guided(model, g), nil
}
