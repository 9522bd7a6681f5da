package prepare

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"percept/fmri"
	"percept/fmri/nsd"
	"percept/fmri/table"
)

// selection is the voxels to take, in the order of the columns to write.
type selection struct {
	mask   fmri.Mask
	rois   []table.ROI
	member []uint8   // [voxels, rois]
	ncsnr  []float32 // [voxels]; nil where the tree has none
}

// chooseVoxels finds the voxels that the options ask for. shape is that of the betas.
func chooseVoxels(data *nsd.Dataset, o Options, shape [3]int) (*selection, error) {
	var masks []fmri.Mask
	var empty []string
	s := &selection{}
	for _, name := range o.ROIs {
		roi, err := data.Region(o.Subject, o.Space, name)
		if err != nil {
			return nil, err
		}
		if len(roi.Empty) > 0 {
			empty = append(empty, fmt.Sprintf("%s of %s", strings.Join(roi.Empty, ", "), name))
		}
		if roi.Mask.Len() == 0 {
			roi.Mask.Shape = shape
		}
		masks = append(masks, roi.Mask)
		s.rois = append(s.rois, table.ROI{Name: name})
	}
	regions := masks
	switch o.Voxels {
	case BrainVoxels:
		brain, err := data.Brain(o.Subject, o.Space)
		if err != nil {
			return nil, err
		}
		masks = append(slices.Clip(masks), brain)
	case AllVoxels:
		masks = append(slices.Clip(masks), fmri.NewMask(shape, func(x, y, z int) bool { return true }))
	}
	var err error
	if s.mask, err = fmri.Or(masks...); err != nil {
		return nil, fmt.Errorf("%s: its regions and masks are of volumes of different sizes: %w", o.Subject, err)
	}
	switch {
	case s.mask.Len() == 0 && empty != nil:
		return nil, fmt.Errorf("%s: %s has a name but no voxel in this subject, expected a region with voxels", o.Subject,
			strings.Join(empty, "; "))
	case empty != nil && o.Note != nil:
		o.Note(fmt.Sprintf("%s: %s has a name but no voxel in this subject; the others are taken", o.Subject, strings.Join(empty, "; ")))
	}
	if o.Takagi {
		s.mask = s.mask.Pick(s.mask.FileOrder())
	}
	s.member = make([]uint8, s.mask.Len()*len(s.rois))
	at := make([]int, s.mask.Shape[0]*s.mask.Shape[1]*s.mask.Shape[2])
	for v, i := range s.mask.Index {
		at[i] = v
	}
	for r, m := range regions {
		for _, i := range m.Index {
			s.member[at[i]*len(s.rois)+r] = 1
		}
	}
	if err := s.readNCSNR(data, o); err != nil {
		return nil, err
	}
	if o.MinNCSNR > 0 {
		var keep []int
		for v, x := range s.ncsnr {
			if float64(x) >= o.MinNCSNR { // false for NaN
				keep = append(keep, v)
			}
		}
		s.keep(keep)
	}
	if s.mask.Len() == 0 {
		return nil, fmt.Errorf("%s: no voxel of %s has an ncsnr of %g or more", o.Subject, what(o), o.MinNCSNR)
	}
	return s, nil
}

// what names the voxels that were asked for.
func what(o Options) string {
	names := o.ROIs
	if o.Voxels != "" {
		names = append(slices.Clip(names), o.Voxels)
	}
	return strings.Join(names, ", ")
}

// readNCSNR reads the voxels' ncsnr. A tree without it will do unless a cut needs it.
func (s *selection) readNCSNR(data *nsd.Dataset, o Options) error {
	path := data.Paths.NCSNR(o.Subject, o.Space, o.Version)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && o.MinNCSNR == 0 {
		return nil
	}
	var err error
	s.ncsnr, err = data.NoiseCeilingSNR(o.Subject, s.mask, o.Space, o.Version)
	return err
}

// keep leaves only the given voxels.
func (s *selection) keep(voxels []int) {
	s.mask = s.mask.Pick(voxels)
	var member []uint8
	var ncsnr []float32
	for _, v := range voxels {
		member = append(member, s.member[v*len(s.rois):][:len(s.rois)]...)
		if s.ncsnr != nil {
			ncsnr = append(ncsnr, s.ncsnr[v])
		}
	}
	s.member = member
	if s.ncsnr != nil {
		s.ncsnr = ncsnr
	}
}

// regions counts the voxels of each region.
func (s *selection) regions() []table.ROI {
	rois := slices.Clone(s.rois)
	for i, m := range s.member {
		rois[i%len(rois)].Voxels += int(m)
	}
	return rois
}
