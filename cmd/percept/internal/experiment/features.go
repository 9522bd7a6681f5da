package experiment

import (
	"context"
	"fmt"
	"image"
	"slices"

	"percept/cmd/percept/internal/stage"
	"percept/fmri"
	"percept/fmri/nsd"
	"percept/fmri/ridge"
	"percept/weights"
)

// Artefacts of the first stages.
const featuresFile = "features.safetensors"

func responsesFile(subject string) string { return "responses_" + subject + ".safetensors" }

// responses reads a subject's betas, averages repeats and splits by the shared images.
func (r *Run) responses(ctx context.Context, subject string) error {
	d := r.Config.Decode
	s := stage.Stage{
		Name: "responses-" + subject, Title: "responses of " + subject, Output: responsesFile(subject),
		Params: []any{d.Atlas, d.Early, d.Higher, d.MinNCSNR},
		Run: func(ctx context.Context, tmp string, p stage.Progress) error {
			folder := r.stages.Path("betas_" + subject)
			data, err := readResponses(ctx, r.dataRoot(), folder, r.stages.Version, fmri.Subject(subject), d, p)
			if err != nil {
				return err
			}
			return data.write(tmp)
		},
	}
	if err := r.dependOnData(&s); err != nil {
		return err
	}
	return r.stages.Do(ctx, s)
}

// features makes z and c of every image that any subject saw.
func (r *Run) features(ctx context.Context) error {
	var files []string
	for _, s := range r.Config.Subjects {
		files = append(files, responsesFile(s))
	}
	s := stage.Stage{
		Name: "features", Title: "z and c of the images", Output: featuresFile, Inputs: files, Extra: r.provenance(),
		Run: func(ctx context.Context, tmp string, p stage.Progress) error {
			ids, err := r.allImages(files)
			if err != nil {
				return err
			}
			data, err := nsd.Open(r.dataRoot())
			if err != nil {
				return err
			}
			captions, err := data.Captions(ctx)
			if err != nil {
				return err
			}
			z := ridge.Matrix{Rows: len(ids)}
			c := ridge.NewMatrix(len(ids), r.Model.Tokens*r.Model.Width)
			const chunk = 32
			for lo := 0; lo < len(ids); lo += chunk {
				hi := min(lo+chunk, len(ids))
				pictures, err := r.stimuli(data, ids[lo:hi])
				if err != nil {
					return err
				}
				latents, err := r.Model.Encode(ctx, pictures)
				if err != nil {
					return err
				}
				z.Cols = latents.Len()
				z.Data = append(z.Data, latents.Data...)
				for i, id := range ids[lo:hi] {
					mean, err := r.Model.MeanTextEmbed(ctx, captions[id])
					if err != nil {
						return fmt.Errorf("captions of image %d: %w", id, err)
					}
					copy(c.Row(lo+i), mean)
				}
				p(hi, len(ids))
			}
			return weights.WriteSafetensors(tmp, []weights.Named{namedIDs("images", ids), namedMatrix("z", z), namedMatrix("c", c)}, nil)
		},
	}
	if err := r.dependOnData(&s); err != nil {
		return err
	}
	return r.stages.Do(ctx, s)
}

// allImages is the sorted union of the images in several response files.
func (r *Run) allImages(files []string) ([]fmri.ImageID, error) {
	var ids []fmri.ImageID
	for _, name := range files {
		f := openFile(r.stages.Path(name))
		ids = append(ids, f.ids("images")...)
		if err := f.close(); err != nil {
			return nil, err
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// stimuli reads pictures and brings them to the model's size.
func (r *Run) stimuli(data *nsd.Dataset, ids []fmri.ImageID) ([]image.Image, error) {
	out := make([]image.Image, len(ids))
	for i, id := range ids {
		m, err := data.Stimulus(id)
		if err != nil {
			return nil, err
		}
		out[i] = resize(m, r.Model.Size)
	}
	return out, nil
}
