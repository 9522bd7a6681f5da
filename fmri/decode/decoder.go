package decode

import (
	"context"
	"fmt"
	"math/rand/v2"

	"percept/fmri/ridge"
)

// Decoder predicts the two features of a latent diffusion model from brain responses.
type Decoder struct {
	Z *ridge.Model // early visual cortex → image latent z
	C *ridge.Model // higher visual cortex → text conditioning c
}

// Data is what a decoder is fitted on. Rows are images, in the same order everywhere.
type Data struct {
	Early  ridge.Matrix // [images, voxels] of early visual cortex
	Higher ridge.Matrix // [images, voxels] of higher visual cortex
	Z      ridge.Matrix // [images, 4·h·w], scaled latents
	C      ridge.Matrix // [images, tokens·width], mean over an image's captions
}

// Check says whether the rows agree.
func (d Data) Check() error {
	n := d.Early.Rows
	for _, m := range []struct {
		name string
		rows int
	}{{"higher visual cortex", d.Higher.Rows}, {"z", d.Z.Rows}, {"c", d.C.Rows}} {
		if m.rows != n {
			return fmt.Errorf("decode: %d rows of %s, expected %d as of early visual cortex", m.rows, m.name, n)
		}
	}
	if n == 0 {
		return fmt.Errorf("decode: no image to fit on")
	}
	return nil
}

// ShufflePairs returns the data with brain responses and features paired at random: what a decoder
// learns from it is what it can know without a brain. Both regions move together. The result
// shares the features with d.
func (d Data) ShufflePairs(seed uint64) Data {
	order := Shuffled(d.Early.Rows, seed)
	d.Early, d.Higher = d.Early.Take(order), d.Higher.Take(order)
	return d
}

// Shuffled is the order in which ShufflePairs puts n rows of responses.
func Shuffled(n int, seed uint64) []int { return rand.New(rand.NewPCG(seed, 0x5348_5546)).Perm(n) }

// Fit fits both halves, each target with its own cross-validated penalty.
func Fit(ctx context.Context, d Data, o ridge.Options) (*Decoder, error) {
	if err := d.Check(); err != nil {
		return nil, err
	}
	z, err := ridge.FitCV(ctx, d.Early, d.Z, o)
	if err != nil {
		return nil, fmt.Errorf("early visual cortex to z: %w", err)
	}
	c, err := ridge.FitCV(ctx, d.Higher, d.C, o)
	if err != nil {
		return nil, fmt.Errorf("higher visual cortex to c: %w", err)
	}
	return &Decoder{Z: z, C: c}, nil
}

// Predict returns ẑ [images, 4·h·w] and ĉ [images, tokens·width].
func (d *Decoder) Predict(early, higher ridge.Matrix) (z, c ridge.Matrix, err error) {
	if z, err = d.Z.Predict(early); err != nil {
		return z, c, fmt.Errorf("z from early visual cortex: %w", err)
	}
	if c, err = d.C.Predict(higher); err != nil {
		return z, c, fmt.Errorf("c from higher visual cortex: %w", err)
	}
	return z, c, nil
}
