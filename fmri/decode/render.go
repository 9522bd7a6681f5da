package decode

import (
	"context"
	"fmt"
	"image"

	"percept"
	"percept/internal/picture"
	"percept/tensor/linalg"
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
	// Size is the width and height of the pictures, in pixels; 0 means that of ẑ. As published, where ẑ is of another size
	// (320 there, pictures of 512), its decoded picture is scaled by Pillow's bicubic filter before it is encoded again.
	Size int
	Seed uint64 // of the noise; row i gets the same noise however many rows there are
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
func Render(ctx context.Context, p *percept.Pipeline, m Method, z, c linalg.Matrix[float32], h, w int, o RenderOptions, progress func(done, total int)) ([]*image.RGBA, error) {
	var pictures []*image.RGBA
	err := RenderEach(ctx, p, m, z, c, h, w, o, nil, func(lo int, part []*image.RGBA) error {
		pictures = append(pictures, part...)
		if progress != nil {
			total := z.Rows
			if m == COnly {
				total = c.Rows
			}
			progress(len(pictures), total)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return pictures, nil
}

// RenderEach is Render for pictures that are not kept in memory: keep is given the pictures of rows lo and on, RenderBatch of
// them or the rest. Rows lo to hi for which done, unless nil, says true are not rendered.
func RenderEach(ctx context.Context, p *percept.Pipeline, m Method, z, c linalg.Matrix[float32], h, w int, o RenderOptions,
	done func(lo, hi int) bool, keep func(lo int, pictures []*image.RGBA) error) error {
	n := z.Rows
	switch m {
	case COnly:
		n = c.Rows
	case ZOnly, ZC:
	default:
		return fmt.Errorf("decode: unknown method %q, expected %q, %q or %q", m, ZOnly, COnly, ZC)
	}
	if h < 1 || w < 1 {
		return fmt.Errorf("decode: latent of %d×%d, expected sides of 1 or more", h, w)
	}
	if m != COnly && z.Cols != percept.LatentChannels*h*w {
		return fmt.Errorf("decode: z has %d columns, expected %d of a latent of 4×%d×%d", z.Cols, percept.LatentChannels*h*w, h, w)
	}
	if m != ZOnly && c.Cols != p.Tokens*p.Width {
		return fmt.Errorf("decode: c has %d columns, expected %d×%d of the text encoder", c.Cols, p.Tokens, p.Width)
	}
	if m == ZC && c.Rows != n {
		return fmt.Errorf("decode: %d rows of c, expected %d as of z", c.Rows, n)
	}
	if f := p.VAE.Config.Downscale(); o.Size < 0 || o.Size%f != 0 {
		return fmt.Errorf("decode: pictures of %d pixels, expected a multiple of %d", o.Size, f)
	} else if o.Size != 0 && (o.Size != h*f || o.Size != w*f) && o.KeepZ && m == ZC {
		return fmt.Errorf("decode: pictures of %d pixels from ẑ of %d×%d itself, expected the same size", o.Size, w*f, h*f)
	}
	for lo := 0; lo < n; lo += RenderBatch {
		hi := min(lo+RenderBatch, n)
		if done != nil && done(lo, hi) {
			continue
		}
		part, err := o.renderRows(ctx, p, m, z, c, h, w, lo, hi)
		if err != nil {
			return err
		}
		if err := keep(lo, part); err != nil {
			return err
		}
	}
	return nil
}

// RenderBatch is how many pictures are denoised together. A picture's bits may depend on it, but not on which of the batches
// are made.
const RenderBatch = 8

// scaled brings the pictures of ẑ to the size of the diffusion.
func (o RenderOptions) scaled(decoded []*image.RGBA) []*image.RGBA {
	for i, m := range decoded {
		if o.Size != 0 && m.Rect.Size() != (image.Point{X: o.Size, Y: o.Size}) {
			decoded[i] = picture.Resize(m, o.Size, o.Size, picture.Bicubic)
		}
	}
	return decoded
}

func (o RenderOptions) renderRows(ctx context.Context, p *percept.Pipeline, m Method, z, c linalg.Matrix[float32], h, w, lo, hi int) ([]*image.RGBA, error) {
	o.Sampling.First = lo
	switch m {
	case ZOnly:
		decoded, err := p.Decode(ctx, latents(z, h, w, lo, hi))
		return o.scaled(decoded), err
	case COnly:
		noise := o.noise(p, lo, hi, h, w)
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
			for i, m := range o.scaled(decoded) {
				pictures[i] = m
			}
			if start, err = p.Encode(ctx, pictures); err != nil {
				return nil, err
			}
		}
		noise := o.noise(p, lo, hi, h, w)
		x, err := p.DenoiseFrom(ctx, start, noise, o.strength(), rows(c, lo, hi), o.Sampling, nil)
		if err != nil {
			return nil, err
		}
		return p.Decode(ctx, x)
	}
}

// noise is what rows lo to hi begin with, h×w unless o.Size says otherwise.
func (o RenderOptions) noise(p *percept.Pipeline, lo, hi, h, w int) percept.Latents {
	if o.Size != 0 {
		h = o.Size / p.VAE.Config.Downscale()
		w = h
	}
	return percept.NoiseFor(o.Seed, lo, hi, h, w)
}

// rows are values of rows lo to hi−1, without gaps.
func rows(m linalg.Matrix[float32], lo, hi int) []float32 {
	return m.Slice(lo, hi, 0, m.Cols).Clone().Data
}

func latents(z linalg.Matrix[float32], h, w, lo, hi int) percept.Latents {
	return percept.Latents{Data: rows(z, lo, hi), N: hi - lo, H: h, W: w}
}
