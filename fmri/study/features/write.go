package features

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"maps"

	"percept/fmri"
	"percept/fmri/table"
	"percept/tensor"
	"percept/weights/safetensors"
)

// Source is where pictures and captions come from.
type Source struct {
	Images   []fmri.ImageID // each once
	Names    []string       // file names; nil where the images are of a data set
	What     string         // one line, for the file's metadata
	Picture  func(fmri.ImageID) (image.Image, error)
	Captions func(context.Context) (map[fmri.ImageID][]string, error) // asked for once; nil where there are none

	// PictureSum is a sum that changes with the pictures: features of others must not pass for those of these.
	PictureSum func(context.Context) (string, error)
}

// WriteOptions says what of a feature is written and how. The zero value is all of it in float32.
type WriteOptions struct {
	DType    safetensors.DType     // F32, which is what empty means, or F16
	Shard    table.Shard           // make only this part
	Program  string                // that writes it, with its version, for the file's metadata
	Progress func(done, total int) // counts images; may be nil
}

// Write computes a feature of a source's images and leaves it in a file of package table, chunk by chunk, so that the
// values of table.ChunkRows images are in memory at once. It goes on where an earlier call was interrupted, in whatever way, and reports
// whether the file was there already. A file that was made of other pictures or captions, with other options or by another model
// is an error.
func Write(ctx context.Context, path string, e Extractor, s Source, o WriteOptions) (upToDate bool, err error) {
	meta := map[string]string{"kernels": tensor.KernelSet(), "forms": tensor.Forms().Hash(), "program": o.Program, "source": s.What}
	maps.Copy(meta, e.Meta)
	var captions map[fmri.ImageID][]string
	if e.Pictures {
		if s.Picture == nil || s.PictureSum == nil {
			return false, fmt.Errorf("%s needs pictures, and none were given", e.Name)
		}
		if meta["pictures_sha256"], err = s.PictureSum(ctx); err != nil {
			return false, err
		}
	}
	if e.Captions {
		if s.Captions == nil {
			return false, fmt.Errorf("%s needs captions, and none were given", e.Name)
		}
		if captions, err = s.Captions(ctx); err != nil {
			return false, err
		}
		meta["captions_sha256"] = captionSum(s.Images, captions)
	}
	spec := table.Spec{Name: e.Name, Shape: e.Shape, DType: cmp.Or(o.DType, safetensors.F32), Meta: meta, Images: s.Images, Names: s.Names,
		Shard: o.Shard}
	w, err := table.Create(path, spec)
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
			images := make([]Image, hi-lo)
			for i, id := range s.Images[lo:hi] {
				images[i] = Image{ID: id, Captions: captions[id]}
				if e.Pictures {
					images[i].Picture = func() (image.Image, error) { return s.Picture(id) }
				}
			}
			values, err := e.Of(ctx, images)
			if err != nil {
				return false, err
			}
			if err := w.Put(c, values); err != nil {
				return false, err
			}
		}
		if o.Progress != nil {
			o.Progress(hi-first, last-first)
		}
	}
	return upToDate, w.Finish()
}
