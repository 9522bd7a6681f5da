// Package extract computes z and c of pictures and their captions and puts them into files of package features.
//
//	pictures ──► Lanczos to Size ──► vae.Encode ──► mean or sample, scaled ──► z [4, h, w]
//	captions ──► tokens ──► clip.Encode ──► mean over captions, the first, or aligned ──► c [tokens, width]
package extract

import (
	"context"
	"errors"
	"fmt"
	"image"
	"maps"
	"strconv"

	"percept"
	"percept/fmri"
	"percept/fmri/table"
	"percept/internal/picture"
	"percept/scheduler"
	"percept/tensor"
	"percept/vae"
	"percept/weights/safetensors"
)

// What Options.Posterior and Options.Captions may be.
const (
	Mean    = "mean"    // of the posterior; over an image's captions, position by position, as Takagi and Nishimoto do
	Sample  = "sample"  // of the posterior, as they do
	First   = "first"   // caption alone
	Aligned = "aligned" // mean over captions, positions counted back from each caption's end token
)

// Options says how features are made. The zero value is the mean of the posterior and over captions, at the model's own size,
// in float32.
type Options struct {
	Size      int    // pixels that a picture is scaled to, width and height; 0: the model's own
	Posterior string // Mean, which is what empty means, or Sample
	Seed      uint64 // of samples: image i has torch's noise of seed Seed + i
	Captions  string // Mean, which is what empty means, First or Aligned
	DType     safetensors.DType
}

// Check tells the first option that there is not, by its name in lower case.
func (o Options) Check() error {
	switch {
	case o.Size < 0:
		return fmt.Errorf("size is %d, expected pixels, or 0 for the model's own", o.Size)
	case o.Posterior != "" && o.Posterior != Mean && o.Posterior != Sample:
		return fmt.Errorf("posterior is %q, expected %s or %s", o.Posterior, Mean, Sample)
	case o.Captions != "" && o.Captions != Mean && o.Captions != First && o.Captions != Aligned:
		return fmt.Errorf("captions is %q, expected %s, %s or %s", o.Captions, Mean, First, Aligned)
	case o.DType != "" && o.DType != safetensors.F32 && o.DType != safetensors.F16:
		return fmt.Errorf("dtype is %q, expected F32 or F16", o.DType)
	}
	return nil
}

func (o Options) withDefaults(p *percept.Pipeline) Options {
	if o.Size == 0 {
		o.Size = p.Size
	}
	if o.Posterior == "" {
		o.Posterior = Mean
	}
	if o.Captions == "" {
		o.Captions = Mean
	}
	if o.DType == "" {
		o.DType = safetensors.F32
	}
	return o
}

// Source is where pictures and captions come from.
type Source struct {
	Images   []fmri.ImageID
	Names    []string // file names; nil where the images are of a data set
	What     string   // one line, for the file's metadata
	Picture  func(fmri.ImageID) (image.Image, error)
	Captions func(context.Context) (map[fmri.ImageID][]string, error) // asked for once

	// PictureSum is a sum that changes with the pictures: features of others must not pass for those of these.
	PictureSum func(context.Context) (string, error)
}

// Request is what is asked of Z and C.
type Request struct {
	Model    *percept.Pipeline
	Source   Source
	Options  Options
	Shard    table.Shard
	Version  string                // of the program
	Progress func(done, total int) // counts images; may be nil
}

// meta is what every file of features says of its making.
func (r Request) meta(o Options, own map[string]string) map[string]string {
	m := map[string]string{"model": r.Model.Name, "model_sha256": r.Model.Hash, "weights": r.Model.Storage, "kernels": tensor.KernelSet(),
		"forms": tensor.Forms().Hash(), "program": "percept " + r.Version, "source": r.Source.What}
	maps.Copy(m, own)
	return m
}

// Z writes the scaled latents of the pictures. It reports whether the file was there already.
func Z(ctx context.Context, path string, r Request) (upToDate bool, err error) {
	o := r.Options.withDefaults(r.Model)
	f := r.Model.VAE.Config.Downscale()
	if o.Size%f != 0 {
		return false, fmt.Errorf("size of %d pixels, expected a multiple of %d", o.Size, f)
	}
	sum, err := r.Source.PictureSum(ctx)
	if err != nil {
		return false, err
	}
	own := map[string]string{"pictures_sha256": sum, "size": strconv.Itoa(o.Size), "scaled_with": "Pillow's Lanczos", "posterior": o.Posterior, "scale": fmt.Sprint(r.Model.Scale)}
	if o.Posterior == Sample {
		own["seed"] = fmt.Sprintf("%d plus the image's number, torch's generator", o.Seed)
	}
	side := o.Size / f
	return r.write(ctx, path, table.Spec{Name: "z", Shape: []int{percept.LatentChannels, side, side}, DType: o.DType, Meta: r.meta(o, own)},
		func(ids []fmri.ImageID) ([]float32, error) {
			pictures := make([]image.Image, len(ids))
			for i, id := range ids {
				m, err := r.Source.Picture(id)
				if err != nil {
					return nil, err
				}
				pictures[i] = Resize(m, o.Size)
			}
			if o.Posterior == Sample {
				return samples(ctx, r.Model, pictures, ids, o.Seed)
			}
			z, err := r.Model.Encode(ctx, pictures)
			return z.Data, err
		})
}

// samples draws one latent of each picture's posterior.
func samples(ctx context.Context, p *percept.Pipeline, pictures []image.Image, ids []fmri.ImageID, seed uint64) ([]float32, error) {
	var all []float32
	for i, id := range ids {
		x, h, w, err := percept.FromImages(pictures[i : i+1])
		if err != nil {
			return nil, err
		}
		f := p.VAE.Config.Downscale()
		n := percept.LatentChannels * (h / f) * (w / f)
		moments := make([]float32, 2*n)
		if err := p.VAE.Encode(ctx, moments, x, 1, h, w); err != nil {
			return nil, err
		}
		mean, logVar, err := vae.Moments(moments, 1)
		if err != nil {
			return nil, err
		}
		noise, z := make([]float32, n), make([]float32, n)
		scheduler.NewTorch(seed + uint64(id)).Randn(noise)
		if err := vae.Sample(z, mean, logVar, noise, p.Scale); err != nil {
			return nil, err
		}
		all = append(all, z...)
	}
	return all, nil
}

// C writes the text conditioning of the images' captions. It reports whether the file was there already.
func C(ctx context.Context, path string, r Request) (upToDate bool, err error) {
	o := r.Options.withDefaults(r.Model)
	if r.Source.Captions == nil {
		return false, errors.New("c needs captions, and none were given")
	}
	captions, err := r.Source.Captions(ctx)
	if err != nil {
		return false, err
	}
	own := map[string]string{"captions": o.Captions, "captions_sha256": captionSum(r.Source.Images, captions), "text": r.Model.Tokenizer.Cleaning().String()}
	return r.write(ctx, path, table.Spec{Name: "c", Shape: []int{r.Model.Tokens, r.Model.Width}, DType: o.DType, Meta: r.meta(o, own)},
		func(ids []fmri.ImageID) ([]float32, error) {
			var all []float32
			for _, id := range ids {
				c, err := embed(ctx, r.Model, captions[id], o.Captions)
				if err != nil {
					return nil, fmt.Errorf("captions of image %d: %w", id, err)
				}
				all = append(all, c...)
			}
			return all, nil
		})
}

// write computes chunk after chunk of what is not there yet.
func (r Request) write(ctx context.Context, path string, s table.Spec, values func(ids []fmri.ImageID) ([]float32, error)) (upToDate bool, err error) {
	s.Images, s.Names, s.Shard = r.Source.Images, r.Source.Names, r.Shard
	w, err := table.Create(path, s)
	if err != nil {
		return false, err
	}
	defer w.Close()
	upToDate = true
	first, _ := w.Rows(0)
	_, last := w.Rows(w.Chunks() - 1)
	for c := range w.Chunks() {
		lo, hi := w.Rows(c)
		if !w.Done(c) {
			upToDate = false
			if err := ctx.Err(); err != nil {
				return false, err
			}
			x, err := values(s.Images[lo:hi])
			if err != nil {
				return false, err
			}
			if err := w.Put(c, x); err != nil {
				return false, err
			}
		}
		if r.Progress != nil {
			r.Progress(hi-first, last-first)
		}
	}
	return upToDate, w.Finish()
}

// Resize brings a picture to size×size by Pillow's Lanczos, as the published pipeline scales stimuli. A picture of that size is
// returned as it is.
func Resize(m image.Image, size int) image.Image {
	if m.Bounds().Dx() == size && m.Bounds().Dy() == size {
		return m
	}
	return picture.Resize(picture.ToRGB(m), size, size, picture.Lanczos)
}
