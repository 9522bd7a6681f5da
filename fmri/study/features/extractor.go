package features

import (
	"cmp"
	"context"
	"fmt"
	"image"

	"percept"
	"percept/fmri"
	"percept/internal/picture"
)

// An Image is one image as an Extractor gets it.
type Image struct {
	ID       fmri.ImageID
	Picture  func() (image.Image, error) // reads it, of any size; nil unless the extractor asks for pictures
	Captions []string                    // nil unless it asks for captions
}

// An Extractor computes one feature of images.
type Extractor struct {
	Name  string            // of the feature, such as "z"
	Shape []int             // of one image's values
	Meta  map[string]string // what the values depend on besides the images: the model and how it is used

	Pictures, Captions bool // what it is given of each image

	// Of returns the values of some images [images, Shape...]. An image's values may depend on which others it is asked for with
	// by rounding only.
	Of func(ctx context.Context, images []Image) ([]float32, error)
}

// What Options.Posterior and Options.Captions may be.
const (
	Mean    = "mean"    // of the posterior; over an image's captions, position by position, as Takagi and Nishimoto do
	Sample  = "sample"  // of the posterior, as they do
	First   = "first"   // caption alone
	Aligned = "aligned" // mean over captions, positions counted back from each caption's end token
)

// Options says how z and c are made. The zero value is the mean of the posterior and over captions, at the model's own size.
type Options struct {
	Size      int    // pixels that a picture is scaled to, width and height; 0: the model's own
	Posterior string // Mean, which is what empty means, or Sample
	Seed      uint64 // of samples: image i has torch's noise of seed Seed + i
	Captions  string // Mean, which is what empty means, First or Aligned
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
	}
	return nil
}

// New makes the extractor of a name, "z" or "c".
func New(name string, p *percept.Pipeline, o Options) (Extractor, error) {
	switch name {
	case "z":
		return Z(p, o)
	case "c":
		return C(p, o)
	}
	return Extractor{}, fmt.Errorf("feature %q, expected z or c", name)
}

// modelMeta is what a feature of a model says of it.
func modelMeta(p *percept.Pipeline, own map[string]string) map[string]string {
	own["model"], own["model_sha256"], own["weights"] = p.Name, p.Hash, p.Storage
	return own
}

// Z is the latent of a picture [4, Size/8, Size/8]: scaled to Size by Pillow's Lanczos, encoded by the VAE, the posterior's mean or
// a sample of it, times the model's scale.
//
// Source: Takagi & Nishimoto (CVPR 2023), whose code takes samples, of pictures of 320 pixels.
func Z(p *percept.Pipeline, o Options) (Extractor, error) {
	if err := o.Check(); err != nil {
		return Extractor{}, err
	}
	size, f := cmp.Or(o.Size, p.Size), p.VAE.Config.Downscale()
	if size%f != 0 {
		return Extractor{}, fmt.Errorf("size of %d pixels, expected a multiple of %d", size, f)
	}
	if err := p.FitsToEncode(size, size); err != nil {
		return Extractor{}, fmt.Errorf("size of %d pixels: %w", size, err)
	}
	side := size / f
	meta := modelMeta(p, map[string]string{"size": fmt.Sprint(size), "scaled_with": "Pillow's Lanczos", "posterior": Mean,
		"scale": fmt.Sprint(p.Scale)})
	if o.Posterior == Sample {
		meta["posterior"], meta["seed"] = Sample, fmt.Sprintf("%d plus the image's number, torch's generator", o.Seed)
	}
	return Extractor{Name: "z", Shape: []int{percept.LatentChannels, side, side}, Meta: meta, Pictures: true,
		Of: func(ctx context.Context, images []Image) ([]float32, error) {
			pictures := make([]image.Image, len(images))
			for i, m := range images {
				picture, err := m.Picture()
				if err != nil {
					return nil, err
				}
				pictures[i] = Resize(picture, size, size)
			}
			if o.Posterior != Sample {
				z, err := p.Encode(ctx, pictures)
				return z.Data, err
			}
			var all []float32
			for i, m := range images { // one by one: a sample has the same bits whatever it is made with
				z, err := p.EncodeSample(ctx, pictures[i:i+1], percept.NoiseFor(o.Seed, int(m.ID), int(m.ID)+1, side, side))
				if err != nil {
					return nil, err
				}
				all = append(all, z.Data...)
			}
			return all, nil
		}}, nil
}

// C is the text conditioning of an image's captions [tokens, width], 77×768 in Stable Diffusion v1: the text encoder's last hidden
// state after its final norm, the mean over the captions, of the first, or aligned.
func C(p *percept.Pipeline, o Options) (Extractor, error) {
	if err := o.Check(); err != nil {
		return Extractor{}, err
	}
	how := cmp.Or(o.Captions, Mean)
	meta := modelMeta(p, map[string]string{"captions": how, "text": p.Tokenizer.Cleaning().String()})
	return Extractor{Name: "c", Shape: []int{p.Tokens, p.Width}, Meta: meta, Captions: true,
		Of: func(ctx context.Context, images []Image) ([]float32, error) {
			var all []float32
			for _, m := range images {
				c, err := embed(ctx, p, m.Captions, how)
				if err != nil {
					return nil, fmt.Errorf("captions of image %d: %w", m.ID, err)
				}
				all = append(all, c...)
			}
			return all, nil
		}}, nil
}

// Resize brings a picture to w×h pixels by Pillow's Lanczos, as the published pipeline scales stimuli. A picture of that size is
// returned as it is.
func Resize(m image.Image, w, h int) image.Image {
	if m.Bounds().Size() == (image.Point{X: w, Y: h}) {
		return m
	}
	return picture.Resize(picture.ToRGB(m), w, h, picture.Lanczos)
}
