package percept

import (
	"cmp"
	"context"
	"fmt"
	"image"
)

// A Request says which pictures to make.
type Request struct {
	Prompts []string // one picture each
	// Negative is a caption to lead away from; empty is the empty caption that the model was trained with.
	Negative string
	// Init are pictures to start from, one for all or one a prompt, all of one size; none is text to image.
	Init []image.Image
	// Strength is the share of the diffusion that pictures of Init go through; 0 means 0.8, 1 leaves nothing of them.
	Strength float64
	// Width and Height are those of the pictures, in pixels; 0 means the model's. With Init they are its.
	Width, Height int
	Sampling

	// Progress, unless nil, is told of every denoising step.
	Progress func(done, total int)
	// Done, unless nil, is given each picture as soon as it is made; an error ends the run and is returned.
	Done func(i int, p Picture) error
}

// A Picture is one result of Generate.
type Picture struct {
	Image   *image.RGBA
	Prompt  string
	Lost    string  // the end of the prompt that the text encoder has no room for; "" mostly
	Seed    uint64  // of this picture's noise
	Latents Latents // one, that Image was decoded from
}

// Generate makes pictures from captions, or from captions and pictures. Picture i depends on its seed (Seeds, or Seed +
// First + i), its prompt and the options, and not on its neighbours. On an error the pictures made so far are returned with it.
func (p *Pipeline) Generate(ctx context.Context, r Request) ([]Picture, error) {
	h, w, err := p.checkRequest(r)
	if err != nil {
		return nil, err
	}
	if r.Negative != "" {
		if r.Uncond, err = p.TextEmbed(ctx, []string{r.Negative}); err != nil {
			return nil, err
		}
	}
	size := r.Batch
	if size < 1 {
		size = batchFor(h, w)
	}
	batches := (len(r.Prompts) + size - 1) / size
	var made []Picture
	var mean, logVar Latents // of Init, as the VAE sees it
	for b := range batches {
		lo, hi := b*size, min((b+1)*size, len(r.Prompts))
		if len(r.Init) > 1 || len(r.Init) == 1 && b == 0 {
			from := r.Init
			if len(from) > 1 {
				from = from[lo:hi]
			}
			if mean, logVar, err = p.posterior(ctx, from); err != nil {
				return made, err
			}
		}
		x, err := p.generateBatch(ctx, r, mean, logVar, lo, hi, h, w, func(done, total int) {
			if r.Progress != nil {
				r.Progress(b*total+done, batches*total)
			}
		})
		if err != nil {
			return made, err
		}
		images, err := p.Decode(ctx, x)
		if err != nil {
			return made, err
		}
		for i, m := range images {
			prompt := r.Prompts[lo+i]
			made = append(made, Picture{m, prompt, p.Lost(prompt), r.seed(lo + i), x.Slice(i, i+1)})
			if r.Done == nil {
				continue
			}
			if err := r.Done(lo+i, made[lo+i]); err != nil {
				return made, err
			}
		}
	}
	return made, nil
}

// generateBatch denoises pictures lo to hi of a request. An image's generator gives, as in the original scripts and in
// diffusers: with Init what the posterior is sampled with, then the noise, then that of the steps.
func (p *Pipeline) generateBatch(ctx context.Context, r Request, mean, logVar Latents, lo, hi, h, w int,
	progress func(done, total int)) (Latents, error) {
	c, err := p.TextEmbed(ctx, r.Prompts[lo:hi])
	if err != nil {
		return Latents{}, err
	}
	s := r.Sampling
	s.First, s.Batch = r.First+lo, hi-lo
	if r.Seeds != nil {
		s.Seeds = r.Seeds[lo:hi]
	}
	if watch := r.Watch; watch != nil {
		s.Watch = func(st Step) error {
			st.First = lo
			return watch(st)
		}
	}
	if onCall := r.OnCall; onCall != nil {
		s.OnCall = func(c Call) error {
			c.First = lo
			return onCall(c)
		}
	}
	if len(r.Init) == 0 {
		return p.Denoise(ctx, s.draw(0, hi-lo, h, w), c, s, progress)
	}
	if len(r.Init) == 1 {
		mean, logVar = mean.repeat(hi-lo), logVar.repeat(hi-lo)
	}
	z, err := p.sampled(mean, logVar, s.draw(0, hi-lo, h, w))
	if err != nil {
		return Latents{}, err
	}
	s.drawn = 2
	return p.DenoiseFrom(ctx, z, s.draw(1, hi-lo, h, w), r.strength(), c, s, progress)
}

func (r Request) strength() float64 {
	if r.Strength == 0 {
		return 0.8
	}
	return r.Strength
}

// checkRequest returns the sides of the latents.
func (p *Pipeline) checkRequest(r Request) (h, w int, err error) {
	if len(r.Prompts) == 0 {
		return 0, 0, fmt.Errorf("no prompt, expected one for each picture")
	}
	if r.Seeds != nil && len(r.Seeds) != len(r.Prompts) {
		return 0, 0, fmt.Errorf("%d seeds, expected one for each of %d prompts", len(r.Seeds), len(r.Prompts))
	}
	if err := r.Check(); err != nil {
		return 0, 0, err
	}
	if _, err := p.Sampler(r.Sampling); err != nil {
		return 0, 0, err
	}
	height, width := r.Height, r.Width
	if len(r.Init) > 0 {
		if len(r.Init) != 1 && len(r.Init) != len(r.Prompts) {
			return 0, 0, fmt.Errorf("%d pictures to start from, expected one, or one for each of %d prompts", len(r.Init), len(r.Prompts))
		}
		if s := r.strength(); !(s > 0 && s <= 1) {
			return 0, 0, fmt.Errorf("strength is %g, expected more than 0 and at most 1", s)
		}
		size := r.Init[0].Bounds().Size()
		for i, m := range r.Init {
			if got := m.Bounds().Size(); got != size {
				return 0, 0, fmt.Errorf("picture %d to start from is %d×%d, expected %d×%d as the first", i, got.X, got.Y, size.X, size.Y)
			}
		}
		height, width = size.Y, size.X
	}
	if height == 0 {
		height = p.Size
	}
	if width == 0 {
		width = p.Size
	}
	step := p.Granularity()
	if height < step || width < step || height%step != 0 || width%step != 0 {
		return 0, 0, fmt.Errorf("pictures of %d×%d, expected sides that are multiples of %d", width, height, step)
	}
	f := p.VAE.Config.Downscale()
	together := min(len(r.Prompts), cmp.Or(max(0, r.Batch), batchFor(height/f, width/f)))
	if err := p.FitsToGenerate(together, height, width, r.guidance() != 1, len(r.Init) > 0); err != nil {
		return 0, 0, err
	}
	return height / f, width / f, nil
}

// Granularity is what the sides of a picture have to be multiples of, in pixels: the VAE and the U-Net halve them, and
// the U-Net's way up has to meet what its way down has left.
func (p *Pipeline) Granularity() int { return p.VAE.Config.Downscale() * p.UNet.Config.SizeMultiple() }

// Lost returns the end of a caption that the text encoder has no room for; "" if it has.
func (p *Pipeline) Lost(caption string) string {
	_, lost := p.Tokenizer.Cut(caption, p.Tokens)
	return lost
}
