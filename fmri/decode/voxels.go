package decode

import (
	"percept/fmri/nsd/prepare"
	"percept/fmri/table"
)

// VoxelsOf describes the voxels of a folder that are in any of the given regions, or all.
func VoxelsOf(f *prepare.Folder, rois ...string) (table.Voxels, error) {
	m := f.Manifest
	v := table.Voxels{Subject: m.Options.Subject, Space: m.Options.Space, Betas: m.Options.Version, Scale: table.PercentSignal, Volume: m.Shape, Chosen: rois}
	if m.Options.Takagi {
		v.Scale = table.StoredNumbers
	} else if m.Options.ZScore {
		v.Scale = table.SessionScores
	}
	columns, err := f.Columns(rois...)
	if err != nil {
		return v, err
	}
	v.N = len(columns)
	xyz, _, err := f.Array("voxels.npy")
	if err != nil {
		return v, err
	}
	var member []float64
	if len(m.Regions) > 0 {
		if member, _, err = f.Array("rois.npy"); err != nil {
			return v, err
		}
	}
	for _, r := range m.Regions {
		v.Regions = append(v.Regions, r.Name)
	}
	for _, c := range columns {
		for _, x := range xyz[3*c : 3*c+3] {
			v.XYZ = append(v.XYZ, int32(x))
		}
		for _, x := range member[c*len(m.Regions) : (c+1)*len(m.Regions)] {
			v.Member = append(v.Member, uint8(x))
		}
	}
	return v, nil
}
