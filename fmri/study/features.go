package study

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"percept"
	"percept/fmri"
	"percept/fmri/nsd"
	"percept/fmri/study/features"
	"percept/fmri/study/stage"
	"percept/fmri/table"
)

// featuresFolder holds the features that are made in a run, of every image that any subject saw.
const featuresFolder = "features"

func (c Config) featureOptions() features.Options {
	return features.Options{Size: c.Features.Size, Posterior: c.Features.Posterior, Captions: c.Features.Captions, Seed: c.Seed}
}

// features makes z and c. Interrupted, it goes on where it was.
func (r *Run) features() stage.Stage {
	_, names := r.Config.sides()
	o := r.Config.featureOptions()
	params := map[string]any{"features": r.Config.Features, "names": names}
	if o.Posterior == features.Sample {
		params["seed"] = o.Seed
	}
	s := stage.Stage{
		Name: "features", Title: "features of the images", Output: featuresFolder, Inputs: r.folders(responsesFolder), Params: params,
		Extra: r.provenance(), Resumes: true,
		Run: func(ctx context.Context, tmp string, p stage.Progress) error {
			ids, err := r.allImages()
			if err != nil {
				return err
			}
			data, err := nsd.Open(r.dataRoot())
			if err != nil {
				return err
			}
			defer data.Close()
			for k, name := range names {
				e, err := features.New(name, r.Model, o)
				if err != nil {
					return err
				}
				w := features.WriteOptions{Program: r.program(), Progress: func(done, total int) { p(k*total+done, len(names)*total) }}
				path := filepath.Join(tmp, table.FileName(name, table.Shard{}))
				if _, err := features.Write(ctx, path, e, features.NSD(data, ids), w); err != nil {
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

// openFeature opens a feature of all images. z and c have to be of this model.
func (r *Run) openFeature(name string) (*table.Table, error) {
	dir := r.runner.Path(featuresFolder)
	if r.Config.Features.From != "" {
		dir = r.Config.Features.From
	}
	t, err := table.OpenFeatures(dir, name)
	if err != nil || name != "z" && name != "c" {
		return t, err
	}
	expected := table.Columns{Shape: []int{r.Model.Tokens, r.Model.Width}}.String()
	fits := t.Cols.String() == expected
	if s := t.Cols.Shape; name == "z" {
		expected, fits = fmt.Sprintf("%d×height×width", percept.LatentChannels), len(s) == 3 && s[0] == percept.LatentChannels
	}
	switch {
	case !fits:
		return nil, fmt.Errorf("%s: holds %s of %s, expected %s", t, name, t.Cols, expected)
	case t.Meta["model_sha256"] != r.Model.Hash:
		return nil, fmt.Errorf("%s: made with the model %s (sha256 %.12s), expected %s (%.12s)", t, t.Meta["model"],
			t.Meta["model_sha256"], r.Model.Name, r.Model.Hash)
	}
	return t, nil
}

// dependOnFeatures makes a stage depend on the features that are fitted.
func (r *Run) dependOnFeatures(s *stage.Stage) error {
	if r.Config.Features.From == "" {
		s.Inputs = append(s.Inputs, featuresFolder)
		return nil
	}
	_, names := r.Config.sides()
	for _, name := range names {
		t, err := r.openFeature(name)
		if err == nil && name == "z" && r.Config.pictures() {
			_, _, err = r.pictureSize(t) // said before anything is fitted
		}
		if err != nil {
			return err
		}
		s.Extra[name] = t.Sum
	}
	return nil
}

// allImages is the sorted union of the images in all responses.
func (r *Run) allImages() ([]fmri.ImageID, error) {
	var ids []fmri.ImageID
	for _, subject := range r.Config.Subjects {
		for _, part := range parts {
			t, err := r.openResponses(subject, part)
			if err != nil {
				return nil, err
			}
			ids = append(ids, t.Rows.Images...)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}
