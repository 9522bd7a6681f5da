package experiment

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"

	"percept/fmri"
	"percept/fmri/nsd"
	"percept/fmri/nsd/prepare"
	"percept/fmri/study/stage"
	"percept/fmri/table"
	"percept/tensor/linalg"
)

func responsesFile(subject string) string { return "responses_" + subject + ".safetensors" }

// responses reads a subject's betas, averages repeats and splits by the shared images.
func (r *Run) responses(subject string) stage.Stage {
	d := r.Config.Decode
	s := stage.Stage{
		Name: "responses-" + subject, Title: "responses of " + subject, Output: responsesFile(subject),
		Params: map[string]any{"responses": r.Config.Responses, "atlas": d.Atlas, "early": d.Early, "higher": d.Higher, "min_ncsnr": d.MinNCSNR},
		Run: func(ctx context.Context, tmp string, p stage.Progress) error {
			o, err := r.Config.Responses.options()
			if err != nil {
				return err
			}
			o.Subject, o.Progress = fmri.Subject(subject), p
			data, err := readResponses(ctx, r.dataRoot(), r.runner.Path("betas_"+subject), r.runner.Version, d, o)
			if err != nil {
				return err
			}
			return data.write(tmp)
		},
	}
	p, who := r.paths(), fmri.Subject(subject)
	space, betas := cmp.Or(r.Config.Responses.Space, nsd.DefaultSpace), cmp.Or(r.Config.Responses.Betas, nsd.DefaultBetas)
	r.dependOnData(&s, p.ExpDesign(), p.Responses(who), p.BetaFolder(who, space, betas), p.BrainMask(who, space),
		p.ROI(who, space, d.Atlas), p.LabelTable(who, d.Atlas), p.LabelTable("fsaverage", d.Atlas))
	return s
}

// readResponses takes the voxels of both regions: percent signal change, averaged over an image's repeats; test images are those that all subjects share. What was read of the betas lies in folder until it is
// complete, so that an interrupted run does not read them again.
func readResponses(ctx context.Context, root, folder, version string, of Decode, o prepare.Options) (*subjectData, error) {
	early, higher := of.Atlas+"/"+strings.Join(of.Early, "+"), of.Atlas+"/"+strings.Join(of.Higher, "+")
	o.ROIs, o.MinNCSNR = []string{early}, of.MinNCSNR
	if higher != early {
		o.ROIs = append(o.ROIs, higher)
	}
	if _, err := table.OpenFolder(folder); err == nil { // of a run that was killed before it could take it in
		if err := os.RemoveAll(folder); err != nil {
			return nil, err
		}
	}
	prepared, err := prepare.Run(ctx, root, folder, version, o)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	for _, roi := range prepared.Manifest.Regions {
		if roi.Voxels == 0 {
			return nil, fmt.Errorf("%s: region %s has no voxel left with an ncsnr of %g or more", o.Subject, roi.Name, o.MinNCSNR)
		}
	}
	var d subjectData
	for k, region := range []struct {
		name string
		into *linalg.Matrix[float32]
	}{{early, &d.early}, {higher, &d.higher}} {
		for _, part := range []string{"train", "test"} {
			t, err := prepared.Table(part, region.name)
			if err != nil {
				return nil, err
			}
			x, err := t.Matrix(ctx)
			if err != nil {
				return nil, err
			}
			*region.into = linalg.Of(append(region.into.Data, x.Data...), region.into.Rows+x.Rows, x.Cols)
			if k > 0 {
				continue // the same images
			}
			if part == "test" {
				for i := range t.Len() {
					d.test = append(d.test, len(d.images)+i)
				}
			}
			d.images, d.counts = append(d.images, t.Rows.Images...), append(d.counts, t.Rows.Counts...)
		}
	}
	return &d, nil
}
