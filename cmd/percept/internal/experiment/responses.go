package experiment

import (
	"context"
	"fmt"
	"os"
	"strings"

	"percept/cmd/percept/internal/stage"
	"percept/fmri"
	"percept/fmri/prepare"
	"percept/fmri/ridge"
)

// readResponses takes the voxels of both regions: percent signal change, z-scored within each session, averaged over an
// image's repeats; test images are those that all subjects share. What was read of the betas lies in folder until it is
// complete, so that an interrupted run does not read them again.
func readResponses(ctx context.Context, root, folder, version string, s fmri.Subject, o Decode, p stage.Progress) (*subjectData, error) {
	early, higher := o.Atlas+"/"+strings.Join(o.Early, "+"), o.Atlas+"/"+strings.Join(o.Higher, "+")
	rois := []string{early}
	if higher != early {
		rois = append(rois, higher)
	}
	if _, err := prepare.Open(folder); err == nil { // of a run that was killed before it could take it in
		if err := os.RemoveAll(folder); err != nil {
			return nil, err
		}
	}
	prepared, err := prepare.Run(ctx, root, folder, version, prepare.Options{Subject: s, ROIs: rois, MinNCSNR: o.MinNCSNR, ZScore: true, Progress: p})
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	for _, roi := range prepared.Manifest.Regions {
		if roi.Voxels == 0 {
			return nil, fmt.Errorf("%s: region %s has no voxel left with an ncsnr of %g or more", s, roi.Name, o.MinNCSNR)
		}
	}
	var d subjectData
	for k, region := range []struct {
		name string
		into *ridge.Matrix
	}{{early, &d.early}, {higher, &d.higher}} {
		for _, part := range []string{"train", "test"} {
			r, err := prepared.Load(part, region.name)
			if err != nil {
				return nil, err
			}
			region.into.Cols = r.Voxels
			region.into.Rows += r.Rows()
			region.into.Data = append(region.into.Data, r.X...)
			if k > 0 {
				continue // the same images
			}
			if part == "test" {
				for i := range r.Rows() {
					d.test = append(d.test, len(d.images)+i)
				}
			}
			d.images, d.counts = append(d.images, r.Images...), append(d.counts, r.Counts...)
		}
	}
	return &d, nil
}
