package table

import (
	"fmt"
	"slices"
	"strings"

	"percept/fmri"
	"percept/weights/safetensors"
)

// Voxels says which voxels the columns of a matrix of responses are, and what its numbers are. What is not known is empty.
type Voxels struct {
	N       int          `json:"-"`
	Subject fmri.Subject `json:"subject,omitempty"`
	Space   string       `json:"space,omitempty"`
	Betas   string       `json:"beta_version,omitempty"`
	Scale   string       `json:"scale,omitempty"`
	Volume  [3]int       `json:"volume"`            // x, y, z
	Chosen  []string     `json:"chosen,omitempty"`  // regions that were asked for; none: all voxels of a folder
	Regions []string     `json:"regions,omitempty"` // that are known of the voxels

	Affine *[4][4]float64 `json:"affine,omitempty"` // of an image that they were taken from: voxel to millimetres

	XYZ    []int32 `json:"-"` // [N, 3]: x, y, z from 0; on fsaverage hemisphere, vertex, 0
	Member []uint8 `json:"-"` // [N, Regions]: 1 where a voxel is in a region
}

// What Voxels.Scale may be.
const (
	PercentSignal = "percent signal change"
	SessionScores = "z-scored within sessions"
	StoredNumbers = "integers as stored"
)

// At lists the columns of v where the voxels of want lie, in want's order, or says what a decoder fitted on want cannot use v
// for: another subject, space or scale, or a voxel that is not there. Where either's coordinates are not known, the number of
// voxels has to agree and they are taken to be in the same order.
func (v Voxels) At(want Voxels) ([]int, error) {
	for _, c := range []struct{ what, have, want string }{
		{"of", string(v.Subject), string(want.Subject)},
		{"in space", v.Space, want.Space},
		{"of betas", v.Betas, want.Betas},
		{"that are", v.Scale, want.Scale},
	} {
		if c.have != c.want && c.have != "" && c.want != "" {
			return nil, fmt.Errorf("responses %s %s, expected %s, as the decoder was fitted on", c.what, c.have, c.want)
		}
	}
	if far := apart(v.Affine, want.Affine); far > sameAffine {
		return nil, fmt.Errorf("responses of an image whose affine differs by up to %.3g mm, expected that of the decoder's: its voxels are "+
			"other places there", far)
	}
	columns := make([]int, want.N)
	if v.XYZ == nil && want.Volume == [3]int{v.N, 1, 1} { // a model of some of the columns of an array
		v.Volume, v.XYZ = want.Volume, coordinates(want.Volume)
	}
	if v.XYZ == nil || want.XYZ == nil {
		if v.N != want.N {
			return nil, fmt.Errorf("responses of %d voxels, expected %d, as the decoder was fitted on", v.N, want.N)
		}
		for i := range columns {
			columns[i] = i
		}
		return columns, nil
	}
	if v.Volume != want.Volume {
		return nil, fmt.Errorf("responses of a volume of %v voxels, expected %v, as the decoder was fitted on", v.Volume, want.Volume)
	}
	at := make(map[[3]int32]int, v.N)
	for i := range v.N {
		at[[3]int32(v.XYZ[3*i:])] = i
	}
	lacking := 0
	var first [3]int32
	for i := range columns {
		p := [3]int32(want.XYZ[3*i:])
		c, ok := at[p]
		if !ok {
			if lacking == 0 {
				first = p
			}
			lacking++
		}
		columns[i] = c
	}
	if lacking > 0 {
		return nil, fmt.Errorf("responses lack %d of the decoder's %d voxels, the first at %v; expected the same regions and cuts",
			lacking, want.N, first)
	}
	return columns, nil
}

// Named lists the regions that were asked for, or else those that have voxels among these.
func (v Voxels) Named() []string {
	if len(v.Chosen) > 0 || len(v.Regions) == 0 {
		return slices.Clone(v.Chosen)
	}
	n := make([]int, len(v.Regions))
	for i, m := range v.Member {
		n[i%len(n)] += int(m)
	}
	var names []string
	for i, name := range v.Regions {
		if n[i] > 0 {
			names = append(names, name)
		}
	}
	return names
}

// Empty lists the regions that were asked for and have no voxel among these.
func (v Voxels) Empty() []string {
	var names []string
	for _, name := range v.Chosen {
		i := slices.Index(v.Regions, name)
		if i < 0 {
			continue
		}
		n := 0
		for c := i; c < len(v.Member); c += len(v.Regions) {
			n += int(v.Member[c])
		}
		if n == 0 {
			names = append(names, name)
		}
	}
	return names
}

// In lists the columns of the voxels that are in any of the given regions, ascending; no regions mean all.
func (v Voxels) In(regions ...string) ([]int, error) {
	wanted := make([]bool, len(v.Regions))
	for _, name := range regions {
		i := slices.Index(v.Regions, name)
		if i < 0 {
			return nil, fmt.Errorf("no region %s in it, expected one of %s", name, strings.Join(v.Regions, ", "))
		}
		wanted[i] = true
	}
	var columns []int
	for c := range v.N {
		in := len(regions) == 0
		for r, member := range v.Member[c*len(v.Regions) : (c+1)*len(v.Regions)] {
			in = in || member == 1 && wanted[r]
		}
		if in {
			columns = append(columns, c)
		}
	}
	if len(columns) == 0 {
		return nil, fmt.Errorf("no voxel in %s, expected some", strings.Join(regions, ", "))
	}
	return columns, nil
}

// Read reads out of a file, from its tensors "voxels" and "rois" behind a prefix, where the n voxels lie and in which of
// v.Regions they are.
func (v *Voxels) Read(s *safetensors.File, prefix string, n int) (err error) {
	v.N = n
	if v.XYZ, err = ints[int32](s, prefix+"voxels", n, 3); err != nil {
		return err
	}
	if err := v.distinct(); err != nil || len(v.Regions) == 0 {
		return err
	}
	if dtype, shape, _ := s.Info(prefix + "rois"); dtype != safetensors.U8 || !slices.Equal(shape, []int{n, len(v.Regions)}) {
		return fmt.Errorf("%srois are %s %v, expected U8 [%d %d]", prefix, dtype, shape, n, len(v.Regions))
	}
	b, err := s.Bytes(prefix + "rois")
	v.Member = slices.Clip(slices.Clone(b))
	return err
}

// distinct says which two voxels of a file lie in one place: the first of them would be taken for both.
func (v Voxels) distinct() error {
	at := make(map[[3]int32]int, v.N)
	for p := range slices.Chunk(v.XYZ, 3) {
		if first, twice := at[[3]int32(p)]; twice {
			return fmt.Errorf("voxels %d and %d are both at %v, expected each place once: the file is damaged", first, len(at), p)
		}
		at[[3]int32(p)] = len(at)
	}
	return nil
}

// pick is the given voxels.
func (v Voxels) pick(columns []int) Voxels {
	v.N, v.XYZ, v.Member = len(columns), pick(v.XYZ, 3, columns), pick(v.Member, len(v.Regions), columns)
	return v
}
