package percept

import (
	"context"
	"fmt"
	"image"

	"percept/vae"
)

// batch bounds how many captions or small pictures go through a network at once.
const batch = 8

// batchFor bounds how many latents go through the U-Net or the VAE at once, so that what lies between layers takes
// about as much memory as for one or two of 64×64.
func batchFor(h, w int) int { return max(1, min(batch, 2*64*64/(h*w))) }

// Latents are image latents z, [N,4,H,W], multiplied by the model's scale: the space in which
// diffusion happens and which ridge regression predicts.
type Latents struct {
	Data    []float32
	N, H, W int
}

// LatentChannels is the number of channels of a latent of Stable Diffusion v1.
const LatentChannels = 4

// Len is the number of values of one latent.
func (l Latents) Len() int { return LatentChannels * l.H * l.W }

// At is latent i as a view, [4,H,W].
func (l Latents) At(i int) []float32 { return l.Data[i*l.Len() : (i+1)*l.Len()] }

// Slice is latents lo to hi as a view.
func (l Latents) Slice(lo, hi int) Latents {
	return Latents{Data: l.Data[lo*l.Len() : hi*l.Len()], N: hi - lo, H: l.H, W: l.W}
}

// with is other latents of the same size.
func (l Latents) with(data []float32) Latents { return Latents{Data: data, N: l.N, H: l.H, W: l.W} }

// repeat is one latent n times.
func (l Latents) repeat(n int) Latents {
	all := Latents{Data: make([]float32, 0, n*l.Len()), N: n, H: l.H, W: l.W}
	for range n {
		all.Data = append(all.Data, l.Data...)
	}
	return all
}

func (l Latents) check() error {
	if l.N < 1 || l.H < 1 || l.W < 1 || len(l.Data) != l.N*l.Len() {
		return fmt.Errorf("latents: %d values for %d latents of 4×%d×%d", len(l.Data), l.N, l.H, l.W)
	}
	return nil
}

// TextEmbed returns c [len(captions), Tokens, Width]: the text encoder's last hidden state after
// the final norm, each caption padded with end tokens and cut to the encoder's length.
func (p *Pipeline) TextEmbed(ctx context.Context, captions []string) ([]float32, error) {
	c := make([]float32, 0, len(captions)*p.Tokens*p.Width)
	for len(captions) > 0 {
		n := min(batch, len(captions))
		ids := make([][]int32, n)
		for i, caption := range captions[:n] {
			ids[i], _ = p.Tokenizer.Pad(p.Tokenizer.Encode(caption), p.Tokens)
		}
		part, err := p.Text.Encode(ctx, ids)
		if err != nil {
			return nil, err
		}
		c = append(c, part...)
		captions = captions[n:]
	}
	return c, nil
}

// MeanTextEmbed returns c [Tokens, Width] averaged over an image's captions, as Takagi & Nishimoto
// do with the five captions that COCO has for most images.
func (p *Pipeline) MeanTextEmbed(ctx context.Context, captions []string) ([]float32, error) {
	if len(captions) == 0 {
		return nil, fmt.Errorf("no caption to embed, expected at least one")
	}
	all, err := p.TextEmbed(ctx, captions)
	if err != nil {
		return nil, err
	}
	mean := make([]float32, p.Tokens*p.Width)
	for i := range mean {
		var sum float64
		for k := range captions {
			sum += float64(all[k*len(mean)+i])
		}
		mean[i] = float32(sum / float64(len(captions)))
	}
	return mean, nil
}

// Encode returns the latents of pictures of one size: the mean of the VAE's posterior, scaled.
// The published pipeline draws a sample instead, which makes z depend on the order of the calls.
func (p *Pipeline) Encode(ctx context.Context, pictures []image.Image) (Latents, error) {
	mean, _, err := p.posterior(ctx, pictures)
	for i := range mean.Data {
		mean.Data[i] *= p.Scale
	}
	return mean, err
}

// EncodeSample returns samples of the VAE's posterior, scaled: the mean, and the standard deviation times noise, which is
// standard normal and has the latents' size.
func (p *Pipeline) EncodeSample(ctx context.Context, pictures []image.Image, noise Latents) (Latents, error) {
	mean, logVar, err := p.posterior(ctx, pictures)
	if err != nil {
		return Latents{}, err
	}
	return p.sampled(mean, logVar, noise)
}

func (p *Pipeline) sampled(mean, logVar, noise Latents) (Latents, error) {
	if len(noise.Data) != len(mean.Data) {
		return Latents{}, fmt.Errorf("noise has %d values, expected %d as the latents", len(noise.Data), len(mean.Data))
	}
	z := mean.with(make([]float32, len(mean.Data)))
	return z, vae.Sample(z.Data, mean.Data, logVar.Data, noise.Data, p.Scale)
}

// posterior returns mean and log-variance of pictures' latents, not scaled.
func (p *Pipeline) posterior(ctx context.Context, pictures []image.Image) (mean, logVar Latents, err error) {
	if len(pictures) == 0 {
		return mean, logVar, fmt.Errorf("no picture given, expected at least one")
	}
	f := p.VAE.Config.Downscale()
	size := pictures[0].Bounds().Size()
	if size.Y%f != 0 || size.X%f != 0 || size.Y < f || size.X < f {
		return mean, logVar, fmt.Errorf("picture is %d×%d, expected sides that are multiples of %d", size.X, size.Y, f)
	}
	mean = Latents{N: len(pictures), H: size.Y / f, W: size.X / f}
	at := batchFor(mean.H, mean.W)
	for lo := 0; lo < len(pictures); lo += at {
		part := pictures[lo:min(lo+at, len(pictures))]
		for i, m := range part {
			if got := m.Bounds().Size(); got != size {
				return mean, logVar, fmt.Errorf("picture %d is %d×%d, expected %d×%d as the first", lo+i, got.X, got.Y, size.X, size.Y)
			}
		}
		x, h, w, err := FromImages(part)
		if err != nil {
			return mean, logVar, err
		}
		moments := make([]float32, len(part)*2*mean.Len())
		if err := p.VAE.Encode(ctx, moments, x, len(part), h, w); err != nil {
			return mean, logVar, err
		}
		m, v, err := vae.Moments(moments, len(part))
		if err != nil {
			return mean, logVar, err
		}
		mean.Data, logVar.Data = append(mean.Data, m...), append(logVar.Data, v...)
	}
	return mean, mean.with(logVar.Data), nil
}

// Decode renders latents as pictures.
func (p *Pipeline) Decode(ctx context.Context, z Latents) ([]*image.RGBA, error) {
	if err := z.check(); err != nil {
		return nil, err
	}
	f := p.VAE.Config.Downscale()
	pictures := make([]*image.RGBA, 0, z.N)
	at := batchFor(z.H, z.W)
	for lo := 0; lo < z.N; lo += at {
		part := z.Slice(lo, min(lo+at, z.N))
		unscaled := make([]float32, len(part.Data))
		for i, v := range part.Data {
			unscaled[i] = v / p.Scale
		}
		x := make([]float32, part.N*3*z.H*f*z.W*f)
		if err := p.VAE.Decode(ctx, x, unscaled, part.N, z.H, z.W); err != nil {
			return nil, err
		}
		images, err := ToImages(x, part.N, z.H*f, z.W*f)
		if err != nil {
			return nil, err
		}
		pictures = append(pictures, images...)
	}
	return pictures, nil
}
