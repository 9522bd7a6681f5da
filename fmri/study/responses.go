package study

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"percept/fmri"
	"percept/fmri/nsd"
	"percept/fmri/nsd/prepare"
	"percept/fmri/study/stage"
	"percept/fmri/table"
)

// responsesFolder has a subject's responses: train.safetensors and test.safetensors.
func responsesFolder(subject string) string { return "responses_" + subject }

// responses reads a subject's betas, averages repeats and splits by the shared images.
func (r *Run) responses(subject string) stage.Stage {
	regions, _ := r.Config.sides()
	s := stage.Stage{
		Name: "responses-" + subject, Title: "responses of " + subject, Output: responsesFolder(subject), Extra: map[string]string{},
		Params: map[string]any{"responses": r.Config.Responses, "regions": regions, "min_ncsnr": r.Config.Decode.MinNCSNR},
		Run: func(ctx context.Context, tmp string, p stage.Progress) error {
			o, err := r.Config.Responses.options()
			if err != nil {
				return err
			}
			o.Subject, o.Progress, o.ROIs, o.MinNCSNR = fmri.Subject(subject), p, regions, r.Config.Decode.MinNCSNR
			return readResponses(ctx, tmp, r.dataRoot(), r.runner.Path("betas_"+subject), r.runner.Version, o)
		},
	}
	p, who := r.paths(), fmri.Subject(subject)
	space, betas := cmp.Or(r.Config.Responses.Space, nsd.DefaultSpace), cmp.Or(r.Config.Responses.Betas, nsd.DefaultBetas)
	files := []string{p.ExpDesign(), p.Responses(who), p.BetaFolder(who, space, betas), p.BrainMask(who, space)}
	for _, region := range regions {
		atlas, _, _ := strings.Cut(region, "/")
		files = append(files, p.ROI(who, space, atlas), p.LabelTable(who, atlas), p.LabelTable("fsaverage", atlas))
	}
	r.dependOnData(&s, files...)
	return s
}

// readResponses leaves the voxels of all regions as two tables in out: means over an image's repeats, of training images and of
// those that all subjects share. What was read of the betas lies in folder until it is complete, so that an interrupted run does
// not read them again.
func readResponses(ctx context.Context, out, root, folder, version string, o prepare.Options) error {
	if _, err := table.OpenFolder(folder); err == nil { // of a run that was killed before it could take it in
		if err := os.RemoveAll(folder); err != nil {
			return err
		}
	}
	prepared, err := prepare.Run(ctx, root, folder, version, o)
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	for _, roi := range prepared.Manifest.Regions {
		if roi.Voxels == 0 {
			if o.MinNCSNR == 0 {
				return fmt.Errorf("%s: region %s has no voxel in this subject, expected some", o.Subject, roi.Name)
			}
			return fmt.Errorf("%s: region %s has no voxel left with an ncsnr of %g or more", o.Subject, roi.Name, o.MinNCSNR)
		}
	}
	for _, part := range parts {
		t, err := prepared.Table(part)
		if err != nil {
			return err
		}
		if _, err := table.Write(ctx, filepath.Join(out, part+".safetensors"), t, nil); err != nil {
			return err
		}
	}
	return nil
}

// parts of a subject's responses: the images that decoders are fitted on, and those that all subjects see.
var parts = []string{train, test}

const train, test = "train", "test"

// openResponses opens a part of a subject's responses, all voxels.
func (r *Run) openResponses(subject, part string) (*table.Table, error) {
	t, err := table.OpenResponses(filepath.Join(r.runner.Path(responsesFolder(subject)), part+".safetensors"), "", nil, "")
	if err != nil {
		return nil, err
	}
	if least := map[string]int{train: r.Config.folds(), test: 2}[part]; t.Len() < least {
		return nil, fmt.Errorf("%s: %d %sing images, expected at least %d", subject, t.Len(), part, least)
	}
	return t, nil
}

// open opens one side of a fit for the images of a part of a subject's responses.
func (r *Run) open(o operand, subject, part string) (*table.Table, error) {
	t, err := r.openResponses(subject, part)
	if err != nil {
		return nil, err
	}
	if o.region != "" {
		return t.Region(o.region)
	}
	f, err := r.openFeature(o.feature)
	if err != nil {
		return nil, err
	}
	return f.ByImage(t.Rows.Images)
}
