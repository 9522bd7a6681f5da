package features

import (
	"context"
	"fmt"
	"image"

	"percept/fmri"
	"percept/fmri/nsd"
)

// NSD is images of a tree of the Natural Scenes Dataset, with COCO's captions, which are read through once.
func NSD(data *nsd.Dataset, ids []fmri.ImageID) Source {
	what := "images of the Natural Scenes Dataset"
	if s, err := data.Stimuli(); err == nil {
		what += fmt.Sprintf(", %d of %d×%d pixels", s.Len(), s.Width, s.Height)
	}
	return Source{
		Images:  ids,
		What:    what,
		Picture: func(id fmri.ImageID) (image.Image, error) { return data.Stimulus(id) },
		Captions: func(ctx context.Context) (map[fmri.ImageID][]string, error) {
			return data.Captions(ctx, ids...)
		},
		PictureSum: func(ctx context.Context) (string, error) { return sampleSum(ctx, data, ids) },
	}
}
