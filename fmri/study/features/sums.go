package features

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"

	"percept/fmri"
	"percept/fmri/nsd"
	"percept/internal/cause"
	"percept/internal/filesum"
)

// captionSum is the sha256 of the images' captions, in order. Quotes keep two captions apart from one.
func captionSum(images []fmri.ImageID, captions map[fmri.ImageID][]string) string {
	h := sha256.New()
	for _, id := range images {
		fmt.Fprintf(h, "%d %q\n", id, captions[id])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// fileSum is the sha256 of the sha256 of each file.
func fileSum(ctx context.Context, dir string, names []string) (string, error) {
	all := sha256.New()
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		path := filepath.Join(dir, name)
		one, err := filesum.Of(path)
		if err != nil {
			return "", fmt.Errorf("%s: cannot be read: %w", path, cause.Of(err))
		}
		all.Write(one[:])
	}
	return hex.EncodeToString(all.Sum(nil)), nil
}

// sampledImages is how many images of a tree tell it from another: all would be 36 GB.
const sampledImages = 16

// sampleSum is the sha256 of the pixels of some of the images, evenly spread.
func sampleSum(ctx context.Context, data *nsd.Dataset, ids []fmri.ImageID) (string, error) {
	h := sha256.New()
	n := min(sampledImages, len(ids))
	for i := range n {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		m, err := data.Stimulus(ids[i*len(ids)/n])
		if err != nil {
			return "", err
		}
		h.Write(m.Pix)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
