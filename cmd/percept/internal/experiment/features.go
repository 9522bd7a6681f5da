package experiment

import (
	"context"
	"fmt"
	"image"
	"path/filepath"
	"slices"

	"percept/fmri"
	"percept/fmri/nsd"
	"percept/fmri/study/features"
	"percept/fmri/study/stage"
	"percept/fmri/table"
)

// featuresFolder holds z and c of every image that any subject saw.
const featuresFolder = "features"

func (c Config) featureOptions() features.Options {
	return features.Options{Size: c.Features.Size, Posterior: c.Features.Posterior, Captions: c.Features.Captions, Seed: c.Seed}
}

// features makes z and c. Interrupted, it goes on where it was.
func (r *Run) features() stage.Stage {
	var files []string
	for _, s := range r.Config.Subjects {
		files = append(files, responsesFile(s))
	}
	o := r.Config.featureOptions()
	params := map[string]any{"features": r.Config.Features}
	if o.Posterior == features.Sample {
		params["seed"] = o.Seed
	}
	s := stage.Stage{
		Name: "features", Title: "z and c of the images", Output: featuresFolder, Inputs: files, Params: params, Extra: r.provenance(), Resumes: true,
		Run: func(ctx context.Context, tmp string, p stage.Progress) error {
			ids, err := r.allImages(files)
			if err != nil {
				return err
			}
			data, err := nsd.Open(r.dataRoot())
			if err != nil {
				return err
			}
			defer data.Close()
			source := features.NSD(data, ids)
			for k, name := range []string{"z", "c"} {
				e, err := features.New(name, r.Model, o)
				if err != nil {
					return err
				}
				w := features.WriteOptions{Program: "percept " + r.runner.Version, Progress: func(done, total int) { p(k*total+done, 2*total) }}
				if _, err := features.Write(ctx, filepath.Join(tmp, table.FileName(name, table.Shard{})), e, source, w); err != nil {
					return err
				}
			}
			return nil
		},
	}
	p := r.paths()
	r.dependOnData(&s, p.Stimuli(), p.StimInfo(), p.Captions("train2017"), p.Captions("val2017"))
	return s
}

// openFeature opens the file of a feature and checks that it is of this model.
func (r *Run) openFeature(name string) (*table.File, error) {
	dir := r.runner.Path(featuresFolder)
	if r.Config.Features.From != "" {
		dir = r.Config.Features.From
	}
	f, err := table.OpenFile(filepath.Join(dir, table.FileName(name, table.Shard{})))
	if err != nil {
		return nil, err
	}
	width := r.Model.Tokens * r.Model.Width
	if name == "z" && len(f.Shape) == 3 {
		width = 4 * f.Shape[1] * f.Shape[2]
	}
	switch {
	case f.Name != name || f.Width() != width:
		err = fmt.Errorf("%s: holds %s %v, expected %s of %d values", f.Path(), f.Name, f.Shape, name, width)
	case f.Meta()["model_sha256"] != r.Model.Hash:
		err = fmt.Errorf("%s: made with the model %s (sha256 %.12s), expected %s (%.12s)", f.Path(), f.Meta()["model"], f.Meta()["model_sha256"], r.Model.Name, r.Model.Hash)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// dependOnFeatures makes a stage depend on z and c.
func (r *Run) dependOnFeatures(s *stage.Stage) error {
	if r.Config.Features.From == "" {
		s.Inputs = append(s.Inputs, featuresFolder)
		return nil
	}
	for _, name := range []string{"z", "c"} {
		f, err := r.openFeature(name)
		if err != nil {
			return err
		}
		s.Extra[name] = f.Identity()
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

// allImages is the sorted union of the images in several response files.
func (r *Run) allImages(files []string) ([]fmri.ImageID, error) {
	var ids []fmri.ImageID
	for _, name := range files {
		f := openFile(r.runner.Path(name))
		ids = append(ids, f.ids("images")...)
		if err := f.close(); err != nil {
			return nil, err
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// stimulus reads a picture and brings it to the size that pictures are made at.
func (r *Run) stimulus(data *nsd.Dataset, id fmri.ImageID) (image.Image, error) {
	m, err := data.Stimulus(id)
	if err != nil {
		return nil, err
	}
	return features.Resize(m, r.size()), nil
}

// size is the width and height of the pictures, in pixels.
func (r *Run) size() int {
	if r.Config.Render.Size > 0 {
		return r.Config.Render.Size
	}
	return r.Model.Size
}
