package percept

import (
	"context"
	"errors"

	"percept/weights"
	"percept/weights/packed"
)

// A PackedPart says what PackWeights has done for one network of a model.
type PackedPart struct {
	Name  string // "unet", "vae" or "text_encoder"
	Path  string // of the pack file
	Bytes int64  // of packed weights
	Found bool   // the file was there already
}

// PackWeights packs the weights of a model into the cache folder, where Load with the same options finds them. It
// does at once and for a model of any size what the first Load does in the background; what cannot be written is an
// error. progress, unless nil, is called for one network after the other.
func PackWeights(ctx context.Context, dir string, o Options, progress func(part string, done, total int64)) ([]PackedPart, error) {
	o.NoCache = false
	packing, err := o.Packing("")
	if err != nil {
		return nil, err
	}
	folder, err := o.open(dir)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	if packing.Dir == "" && packed.Dir() == "" {
		return nil, errors.New("no folder for packed weights: the system names no cache folder, and PERCEPT_CACHE is not set")
	}
	packing.Min = 1
	var parts []PackedPart
	p := &Pipeline{}
	for _, c := range []struct {
		name  weights.Component
		build func(*weights.Folder, *packed.Pack) error
	}{{weights.UNet, p.buildUNet}, {weights.VAE, p.buildVAE}, {weights.TextEncoder, p.buildText}} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if progress != nil {
			packing.Progress = func(done, total int64) { progress(string(c.name), done, total) }
		}
		pack, err := packPart(folder, c.name, packing, c.build)
		if err != nil {
			return nil, err
		}
		if err := pack.Wait(); err != nil {
			return nil, err
		}
		parts = append(parts, PackedPart{string(c.name), pack.Path(), pack.Size(), pack.Cached()})
		p.UNet, p.VAE, p.Text = nil, nil, nil // their memory is wanted for the next
	}
	_, err = hashFiles(ctx, folder, packing, o.EMA, "")
	return parts, err
}
