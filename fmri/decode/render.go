package decode

import (
	"context"
	"fmt"
	"image"
	"slices"

	"percept"
	"percept/fmri/table"
	"percept/internal/picture"
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
	// Height and Width are those of the pictures, in pixels; 0 means that of ẑ or, without ẑ, the model's own. As published,
	// where ẑ is of another size (320 there, pictures of 512), its decoded picture is scaled by Pillow's bicubic filter before
	// it is encoded again.
	Height, Width int
	Seed          uint64 // of the noise; row i gets the same noise however many rows there are
}

func (o RenderOptions) strength() float64 {
	if o.Strength == 0 {
		return 0.8
	}
	return o.Strength
}

// RenderBatch is how many pictures are denoised together. A picture's bits may depend on it, but not on which of the batches
// are made.
const RenderBatch = 8

// Render makes one picture per row of z and c. A method that does not use one of them ignores it; it may be nil.
//
//	z  [images, 4, h, w]          scaled latents; they need not be square
//	c  [images, tokens, width]    text conditioning
//
// progress may be nil; it counts pictures.
func Render(ctx context.Context, p *percept.Pipeline, m Method, z, c *table.Table, o RenderOptions,
	progress func(done, total int)) ([]*image.RGBA, error) {
	var pictures []*image.RGBA
	err := RenderEach(ctx, p, m, z, c, o, nil, func(lo int, part []*image.RGBA) error {
		pictures = append(pictures, part...)
		if progress != nil {
			of := z
			if m == COnly {
				of = c
			}
			progress(len(pictures), of.Len())
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
func RenderEach(ctx context.Context, p *percept.Pipeline, m Method, z, c *table.Table, o RenderOptions,
	done func(lo, hi int) bool, keep func(lo int, pictures []*image.RGBA) error) error {
	r := &renderer{RenderOptions: o, pipe: p, method: m}
	if err := r.open(z, c); err != nil {
		return err
	}
	defer r.close()
	for lo := 0; lo < r.rows; lo += RenderBatch {
		hi := min(lo+RenderBatch, r.rows)
		if done != nil && done(lo, hi) {
			continue
		}
		part, err := r.render(ctx, lo, hi)
		if err != nil {
			return err
		}
		if err := keep(lo, part); err != nil {
			return err
		}
	}
	return nil
}

// renderer makes the pictures of one method.
type renderer struct {
	RenderOptions
	pipe   *percept.Pipeline
	method Method
	rows   int
	h, w   int           // of ẑ, where there is one
	z, c   *table.Reader // nil for what the method does not use
}

// open checks everything that can be wrong before a network runs.
func (r *renderer) open(z, c *table.Table) (err error) {
	switch r.method {
	case ZOnly:
		c = nil
	case COnly:
		z = nil
	case ZC:
	default:
		return fmt.Errorf("decode: unknown method %q, expected %q, %q or %q", r.method, ZOnly, COnly, ZC)
	}
	if z == nil && r.method != COnly || c == nil && r.method != ZOnly {
		return fmt.Errorf("decode: method %q without what it needs of z and c, expected a table of each that it uses", r.method)
	}
	if z != nil {
		s := z.Cols.Shape
		if len(s) != 3 || s[0] != percept.LatentChannels {
			return fmt.Errorf("decode: z of shape %v, expected a latent as [%d, height, width]", s, percept.LatentChannels)
		}
		r.rows, r.h, r.w = z.Len(), s[1], s[2]
	}
	if c != nil {
		if want := []int{r.pipe.Tokens, r.pipe.Width}; !slices.Equal(c.Cols.Shape, want) {
			return fmt.Errorf("decode: c of shape %v, expected %v of the text encoder", c.Cols.Shape, want)
		}
		if z != nil && c.Len() != r.rows {
			return fmt.Errorf("decode: %d rows of c, expected %d as of z", c.Len(), r.rows)
		}
		r.rows = c.Len()
	}
	f := r.pipe.VAE.Config.Downscale()
	own := [2]int{r.h * f, r.w * f}
	if z == nil {
		own = [2]int{r.pipe.Size, r.pipe.Size}
	}
	if r.Height == 0 && r.Width == 0 {
		r.Height, r.Width = own[0], own[1]
	}
	if r.Height < 1 || r.Width < 1 || r.Height%f != 0 || r.Width%f != 0 {
		return fmt.Errorf("decode: pictures of %d×%d pixels (height × width), expected multiples of %d", r.Height, r.Width, f)
	}
	if r.KeepZ && r.method == ZC && own != [2]int{r.Height, r.Width} {
		return fmt.Errorf("decode: pictures of %d×%d pixels from ẑ of %d×%d itself, expected the same size", r.Height, r.Width, own[0],
			own[1])
	}
	if z != nil {
		if r.z, err = z.Open(); err != nil {
			return err
		}
	}
	if c != nil {
		if r.c, err = c.Open(); err != nil {
			r.close()
		}
	}
	return err
}

func (r *renderer) close() {
	for _, of := range []*table.Reader{r.z, r.c} {
		if of != nil {
			of.Close()
		}
	}
}

// scaled brings the pictures of ẑ to the size of the diffusion.
func (r *renderer) scaled(decoded []*image.RGBA) []*image.RGBA {
	for i, m := range decoded {
		if m.Rect.Size() != (image.Point{X: r.Width, Y: r.Height}) {
			decoded[i] = picture.Resize(m, r.Width, r.Height, picture.Bicubic)
		}
	}
	return decoded
}

// render makes the pictures of rows lo to hi−1.
func (r *renderer) render(ctx context.Context, lo, hi int) ([]*image.RGBA, error) {
	p := r.pipe
	r.Sampling.First = lo
	var start percept.Latents
	if r.z != nil {
		x, err := values(r.z, percept.LatentChannels*r.h*r.w, lo, hi)
		if err != nil {
			return nil, err
		}
		start = percept.Latents{Data: x, N: hi - lo, H: r.h, W: r.w}
	}
	if r.method == ZOnly {
		decoded, err := p.Decode(ctx, start)
		return r.scaled(decoded), err
	}
	c, err := values(r.c, p.Tokens*p.Width, lo, hi)
	if err != nil {
		return nil, err
	}
	f := p.VAE.Config.Downscale()
	noise := percept.NoiseFor(r.Seed, lo, hi, r.Height/f, r.Width/f)
	if r.method == COnly {
		x, err := p.Denoise(ctx, noise, c, r.Sampling, nil)
		if err != nil {
			return nil, err
		}
		return p.Decode(ctx, x)
	}
	if !r.KeepZ {
		decoded, err := p.Decode(ctx, start)
		if err != nil {
			return nil, err
		}
		pictures := make([]image.Image, len(decoded))
		for i, m := range r.scaled(decoded) {
			pictures[i] = m
		}
		if start, err = p.Encode(ctx, pictures); err != nil {
			return nil, err
		}
	}
	x, err := p.DenoiseFrom(ctx, start, noise, r.strength(), c, r.Sampling, nil)
	if err != nil {
		return nil, err
	}
	return p.Decode(ctx, x)
}

// values reads rows lo to hi−1.
func values(of *table.Reader, width, lo, hi int) ([]float32, error) {
	x := make([]float32, (hi-lo)*width)
	for i := lo; i < hi; i++ {
		if err := of.Row(x[(i-lo)*width:][:width], i); err != nil {
			return nil, err
		}
	}
	return x, nil
}
