package fmri

import (
	"fmt"
	"slices"
)

// Subject is a subject's name, "subj01".
type Subject string

// ImageID is the 0-based position of an image in the stimulus set.
type ImageID int

// Mask is a set of voxels of a volume, in a chosen order: column v of a response matrix is voxel Index[v].
type Mask struct {
	Shape [3]int // x, y, z
	Index []int  // (x*Y+y)*Z+z of each voxel: C order, x slowest
}

// NewMask collects the voxels of a volume for which in is true, x slowest. in gets 0-based coordinates.
func NewMask(shape [3]int, in func(x, y, z int) bool) Mask {
	m := Mask{Shape: shape}
	for x := range shape[0] {
		for y := range shape[1] {
			for z := range shape[2] {
				if in(x, y, z) {
					m.Index = append(m.Index, (x*shape[1]+y)*shape[2]+z)
				}
			}
		}
	}
	return m
}

// Len is the number of voxels.
func (m Mask) Len() int { return len(m.Index) }

// XYZ is the position of voxel v, 0-based.
func (m Mask) XYZ(v int) [3]int {
	i := m.Index[v]
	return [3]int{i / (m.Shape[1] * m.Shape[2]), i / m.Shape[2] % m.Shape[1], i % m.Shape[2]}
}

// FileIndex is the position of each voxel in a file whose x runs fastest, as NIfTI images and NSD's HDF5 betas have it:
// (z*Y+y)*X+x.
func (m Mask) FileIndex() []int {
	f := make([]int, len(m.Index))
	for v := range m.Index {
		p := m.XYZ(v)
		f[v] = (p[2]*m.Shape[1]+p[1])*m.Shape[0] + p[0]
	}
	return f
}

// FileOrder is the voxels of m, as positions in it, in the order in which a file has them (see FileIndex): z slowest. It is
// the order in which boolean indexing of NSD's HDF5 betas [trials, z, y, x] by a mask gives them.
func (m Mask) FileOrder() []int {
	at, order := m.FileIndex(), make([]int, len(m.Index))
	for v := range order {
		order[v] = v
	}
	slices.SortStableFunc(order, func(a, b int) int { return at[a] - at[b] })
	return order
}

// Pick is the given voxels of m, as positions in it, in the order given.
func (m Mask) Pick(voxels []int) Mask {
	r := Mask{Shape: m.Shape, Index: make([]int, len(voxels))}
	for i, v := range voxels {
		r.Index[i] = m.Index[v]
	}
	return r
}

// And keeps the voxels of m, in their order, that are also in o. The shapes must agree.
func (m Mask) And(o Mask) (Mask, error) {
	if m.Shape != o.Shape {
		return Mask{}, fmt.Errorf("fmri: masks of volumes %v and %v cannot be combined", m.Shape, o.Shape)
	}
	in := make(map[int]bool, len(o.Index))
	for _, i := range o.Index {
		in[i] = true
	}
	r := Mask{Shape: m.Shape}
	for _, i := range m.Index {
		if in[i] {
			r.Index = append(r.Index, i)
		}
	}
	return r, nil
}

// Or is the voxels of all masks without repeats, x slowest. The shapes must agree.
func Or(masks ...Mask) (Mask, error) {
	if len(masks) == 0 {
		return Mask{}, nil
	}
	in := make(map[int]bool)
	for _, m := range masks {
		if m.Shape != masks[0].Shape {
			return Mask{}, fmt.Errorf("fmri: masks of volumes %v and %v cannot be combined", masks[0].Shape, m.Shape)
		}
		for _, i := range m.Index {
			in[i] = true
		}
	}
	shape := masks[0].Shape
	return NewMask(shape, func(x, y, z int) bool { return in[(x*shape[1]+y)*shape[2]+z] }), nil
}

// ROI is a named region of interest.
type ROI struct {
	Name  string // "early", "ventral", "V1v", "nsdgeneral"
	Value int    // its number in the label volume
	Mask  Mask
	Empty []string // of a union, the regions that have a name and no voxel in this subject
}
