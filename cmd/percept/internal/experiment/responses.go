package experiment

import (
	"context"
	"fmt"
	"strings"

	"percept/cmd/percept/internal/stage"
	"percept/fmri"
	"percept/fmri/nsd"
	"percept/fmri/ridge"
)

// readResponses reads the voxels of both regions: percent signal change, z-scored within each
// session, averaged over an image's repeats. Test images are those that all subjects share.
func readResponses(ctx context.Context, root string, s fmri.Subject, o Decode, p stage.Progress) (*subjectData, error) {
	data, err := nsd.Open(root)
	if err != nil {
		return nil, err
	}
	defer data.Close()
	design, err := data.Design()
	if err != nil {
		return nil, err
	}
	var d subjectData
	for k, region := range []struct {
		names []string
		into  *ridge.Matrix
	}{{o.Early, &d.early}, {o.Higher, &d.higher}} {
		roi, err := data.Region(s, "", o.Atlas+"/"+strings.Join(region.names, "+"))
		if err != nil {
			return nil, err
		}
		mask, err := reliable(data, s, roi, o.MinNCSNR)
		if err != nil {
			return nil, err
		}
		betas, err := data.Betas(ctx, s, mask, nsd.BetaOptions{ZScore: true, Average: true,
			Progress: func(done, total int) { p(k*total+done, 2*total) }})
		if err != nil {
			return nil, err
		}
		*region.into = ridge.Matrix{Rows: betas.Rows(), Cols: betas.Voxels, Data: betas.X}
		if k == 0 {
			d.images, d.counts = betas.Images, betas.Counts
			d.test = betas.SplitBy(design.SharedSet()).Test
		}
	}
	return &d, nil
}

// reliable keeps the voxels whose noise-ceiling signal-to-noise ratio reaches the cut.
func reliable(data *nsd.Dataset, s fmri.Subject, roi fmri.ROI, cut float64) (fmri.Mask, error) {
	mask := roi.Mask
	if cut > 0 {
		snr, err := data.NoiseCeilingSNR(s, mask, nsd.BetaOptions{})
		if err != nil {
			return mask, err
		}
		kept := fmri.Mask{Shape: mask.Shape}
		for v, x := range snr {
			if float64(x) >= cut { // false for NaN
				kept.Index = append(kept.Index, mask.Index[v])
			}
		}
		mask = kept
	}
	if mask.Len() == 0 {
		return mask, fmt.Errorf("%s: region %s has no voxel left with an ncsnr of %g or more", s, roi.Name, cut)
	}
	return mask, nil
}
