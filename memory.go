package percept

import (
	"errors"
	"fmt"

	"percept/internal/memlimit"
	"percept/unet"
)

// MemoryToEncode is about how many bytes it takes to encode pictures of h×w pixels, one batch at a time, beside the weights.
func (p *Pipeline) MemoryToEncode(h, w int) (int64, error) {
	f := p.VAE.Config.Downscale()
	n := batchFor(max(1, h/f), max(1, w/f))
	bytes, err := p.VAE.EncodeMemory(n, h, w)
	return bytes + pixelBytes(n, h, w), err
}

// MemoryToGenerate is about how many bytes it takes to generate pictures of h×w pixels, n at a time or, where n is 0, as many as are
// made together, beside the weights: with guidance the U-Net takes two of each, and with a picture to start from the VAE encodes.
func (p *Pipeline) MemoryToGenerate(n, h, w int, guided, from bool) (int64, error) {
	f := p.VAE.Config.Downscale()
	small := batchFor(max(1, h/f), max(1, w/f))
	if n < 1 {
		n = small
	}
	s := unet.Shape{N: n, H: h / f, W: w / f, Tokens: p.Tokens}
	if guided {
		s.N *= 2
	}
	bytes, err := p.UNet.Memory(s)
	if err != nil {
		return 0, err
	}
	few := min(n, small) // the VAE's batch
	decode, err := p.VAE.DecodeMemory(few, h/f, w/f)
	if err != nil {
		return 0, err
	}
	bytes += decode + pixelBytes(few, h, w)
	if from {
		encode, err := p.VAE.EncodeMemory(few, h, w)
		if err != nil {
			return 0, err
		}
		bytes += encode + pixelBytes(few, h, w)
	}
	return bytes, nil
}

// pixelBytes is what n pictures take as float32 [3,h,w] and as RGBA.
func pixelBytes(n, h, w int) int64 { return int64(n) * int64(h) * int64(w) * (3*4 + 4) }

// fits refuses what needs more memory than there is, before it is begun, and says what would fit.
func (p *Pipeline) fits(need int64, h, w int) error {
	err := memlimit.Need(need)
	var e *memlimit.Error
	if !errors.As(err, &e) {
		return err
	}
	step, smaller := p.Granularity(), 0
	for side := step; float64(need)*float64(side)*float64(side) < 0.9*float64(e.Limit.Left())*float64(h)*float64(w); side += step {
		smaller = side // memory is in proportion to the area
	}
	if smaller == 0 || smaller >= max(h, w) {
		return fmt.Errorf("pictures of %d×%d: %w: expected a higher limit, or memory low", w, h, err)
	}
	return fmt.Errorf("pictures of %d×%d: %w: expected %d×%d or less, or a higher limit", w, h, err, smaller, smaller)
}

// FitsToEncode returns an error if there is no memory for pictures of h×w pixels, or their sides cannot be.
func (p *Pipeline) FitsToEncode(h, w int) error {
	need, err := p.MemoryToEncode(h, w)
	if err != nil {
		return err
	}
	return p.fits(need, h, w)
}

// FitsToGenerate is the same for what MemoryToGenerate is asked.
func (p *Pipeline) FitsToGenerate(n, h, w int, guided, from bool) error {
	need, err := p.MemoryToGenerate(n, h, w, guided, from)
	if err != nil {
		return err
	}
	return p.fits(need, h, w)
}
