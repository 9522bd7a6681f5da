package decode

import (
	"context"
	"fmt"
	"image"

	"percept"
	"percept/fmri/ridge"
)

// Method is a way to make a picture from decoded features.
type Method string

// The three methods that Takagi & Nishimoto compare.
const (
	ZOnly Method = "z"   // decode ẑ as it is, without diffusion
	COnly Method = "c"   // start from noise, denoise under ĉ
	ZC    Method = "z+c" // noise ẑ, denoise under ĉ
)

// RenderOptions says how features become pictures.
type RenderOptions struct {
	Sampling percept.Sampling
	// Strength is the share of the diffusion that ẑ is noised by before it is denoised under ĉ;
	// 0 means 0.8, the published value.
	Strength float64
	// KeepZ starts the diffusion from ẑ itself. Otherwise, as published, ẑ is decoded to a picture
	// and encoded again, which moves it to a latent that the VAE could have made.
	KeepZ bool
	Seed  uint64 // of the noise; row i gets the same noise however many rows there are
}

func (o RenderOptions) strength() float64 {
	if o.Strength == 0 {
		return 0.8
	}
	return o.Strength
}

// Render makes one picture per row of z and c. A method that does not use one of them ignores it.
//
//	z  [images, 4·h·w]          scaled latents
//	c  [images, tokens·width]   text conditioning
//
// h and w are the sides of a latent. progress may be nil; it counts pictures.
func Render(ctx context.Context, p *percept.Pipeline, m Method, z, c ridge.Matrix, h, w int, o RenderOptions, progress func(done, total int)) ([]*image.RGBA, error) {
	n := z.Rows
	switch m {
	case COnly:
		n = c.Rows
	case ZOnly, ZC:
	default:
		return nil, fmt.Errorf("decode: unknown method %q, expected %q, %q or %q", m, ZOnly, COnly, ZC)
	}
	if h < 1 || w < 1 {
		return nil, fmt.Errorf("decode: latent of %d×%d, expected sides of 1 or more", h, w)
	}
	if m != COnly && z.Cols != percept.LatentChannels*h*w {
		return nil, fmt.Errorf("decode: z has %d columns, expected %d of a latent of 4×%d×%d", z.Cols, percept.LatentChannels*h*w, h, w)
	}
	if m != ZOnly && c.Cols != p.Tokens*p.Width {
		return nil, fmt.Errorf("decode: c has %d columns, expected %d×%d of the text encoder", c.Cols, p.Tokens, p.Width)
	}
	if m == ZC && c.Rows != n {
		return nil, fmt.Errorf("decode: %d rows of c, expected %d as of z", c.Rows, n)
	}
	if progress == nil {
		progress = func(int, int) {}
	}
	pictures := make([]*image.RGBA, 0, n)
	for lo := 0; lo < n; lo += renderBatch {
		hi := min(lo+renderBatch, n)
		part, err := o.renderRows(ctx, p, m, z, c, h, w, lo, hi)
		if err != nil {
			return nil, err
		}
		pictures = append(pictures, part...)
		progress(hi, n)
	}
	return pictures, nil
}

// renderBatch is how many pictures are denoised together.
const renderBatch = 8

func (o RenderOptions) renderRows(ctx context.Context, p *percept.Pipeline, m Method, z, c ridge.Matrix, h, w, lo, hi int) ([]*image.RGBA, error) {
	o.Sampling.First = lo
	switch m {
	case ZOnly:
		return p.Decode(ctx, latents(z, h, w, lo, hi))
	case COnly:
		noise := percept.NoiseFor(o.Seed, lo, hi, h, w)
		x, err := p.Denoise(ctx, noise, rows(c, lo, hi), o.Sampling, nil)
		if err != nil {
			return nil, err
		}
		return p.Decode(ctx, x)
	default: // ZC
		start := latents(z, h, w, lo, hi)
		if !o.KeepZ {
			decoded, err := p.Decode(ctx, start)
			if err != nil {
				return nil, err
			}
			pictures := make([]image.Image, len(decoded))
			for i, m := range decoded {
				pictures[i] = m
			}
			if start, err = p.Encode(ctx, pictures); err != nil {
				return nil, err
			}
		}
		noise := percept.NoiseFor(o.Seed, lo, hi, h, w)
		x, err := p.DenoiseFrom(ctx, start, noise, o.strength(), rows(c, lo, hi), o.Sampling, nil)
		if err != nil {
			return nil, err
		}
		return p.Decode(ctx, x)
	}
}

func rows(m ridge.Matrix, lo, hi int) []float32 { return m.Data[lo*m.Cols : hi*m.Cols] }

func latents(z ridge.Matrix, h, w, lo, hi int) percept.Latents {
	return percept.Latents{Data: rows(z, lo, hi), N: hi - lo, H: h, W: w}
}
