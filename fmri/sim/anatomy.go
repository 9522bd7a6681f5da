package sim

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Labels of the streams volume, as in NSD.
const (
	early       = 1
	midventral  = 2
	midlateral  = 3
	midparietal = 4
	ventral     = 5
	lateral     = 6
	parietal    = 7
)

// Names of the labels, in order from 0.
var (
	streamsNames = []string{"Unknown", "early", "midventral", "midlateral", "midparietal", "ventral", "lateral", "parietal"}
	prfNames     = []string{"Unknown", "V1v", "V1d", "V2v", "V2d", "V3v", "V3d", "hV4"}
)

// anatomy is a functional volume: an ellipsoid of brain whose outer shell is cortex. Voxels are
// numbered x fastest, then y, then z, which is the order of NIfTI and of the betas in HDF5.
// x grows to the right, y to the front, z upwards.
type anatomy struct {
	shape   [3]int
	brain   []bool  // inside the brain
	streams []int16 // -1 where there is no cortex, 0 unlabelled cortex, else a streams label
	prf     []int16 // the same for prf-visualrois
	visual  []int   // voxels with a streams label, ascending
	pos     [][3]float64
}

// newAnatomy places the regions: early cortex at the back, the middle stages before it, the
// higher ones further on, ventral below, parietal above.
func newAnatomy(shape [3]int, nEarly, nMid, nHigher int) (*anatomy, error) {
	n := shape[0] * shape[1] * shape[2]
	a := &anatomy{shape: shape, brain: make([]bool, n), streams: make([]int16, n), prf: make([]int16, n)}
	a.pos = make([][3]float64, n)
	var cortex []int
	for i := range n {
		p := a.normalised(i)
		a.pos[i] = p
		r := math.Sqrt(p[0]*p[0] + p[1]*p[1] + p[2]*p[2])
		a.brain[i] = r <= 1
		a.streams[i], a.prf[i] = -1, -1
		if r > 0.70 && r <= 1 {
			a.streams[i], a.prf[i] = 0, 0
			cortex = append(cortex, i)
		}
	}
	if want := nEarly + nMid + nHigher; want > len(cortex) {
		return nil, fmt.Errorf("sim: %d early, %d mid and %d higher voxels do not fit into the %d voxels of cortex of a %d×%d×%d volume",
			nEarly, nMid, nHigher, len(cortex), shape[0], shape[1], shape[2])
	}
	a.sortBy(cortex, func(p [3]float64) float64 { return p[1] }) // from the back to the front
	a.placeEarly(cortex[:nEarly])
	byHeight := func(v []int, labels [3]int16, share [2]float64) {
		a.sortBy(v, func(p [3]float64) float64 { return p[2] })
		for i, x := range v {
			switch f := (float64(i) + 0.5) / float64(len(v)); {
			case f < share[0]:
				a.streams[x] = labels[0]
			case f < share[1]:
				a.streams[x] = labels[1]
			default:
				a.streams[x] = labels[2]
			}
		}
	}
	byHeight(cortex[nEarly:nEarly+nMid], [3]int16{midventral, midlateral, midparietal}, [2]float64{1. / 3, 2. / 3})
	byHeight(cortex[nEarly+nMid:nEarly+nMid+nHigher], [3]int16{ventral, lateral, parietal}, [2]float64{0.6, 0.8})
	for i, s := range a.streams {
		if s > 0 {
			a.visual = append(a.visual, i)
		}
	}
	return a, nil
}

// normalised maps a voxel to coordinates in which the brain is the unit ball.
func (a *anatomy) normalised(i int) (p [3]float64) {
	at := [3]int{i % a.shape[0], i / a.shape[0] % a.shape[1], i / (a.shape[0] * a.shape[1])}
	for d, n := range a.shape {
		p[d] = (float64(at[d]) - float64(n-1)/2) / (0.47 * float64(n))
	}
	return p
}

// sortBy orders voxels by a coordinate, equal ones by number.
func (a *anatomy) sortBy(v []int, key func([3]float64) float64) {
	slices.SortFunc(v, func(i, j int) int {
		return cmp.Or(cmp.Compare(key(a.pos[i]), key(a.pos[j])), cmp.Compare(i, j))
	})
}

// placeEarly labels early cortex: V1 along the middle plane (the calcarine sulcus), V2 and V3
// above and below it, hV4 at the bottom.
func (a *anatomy) placeEarly(v []int) {
	for _, quarter := range a.quarters(v) {
		dorsal := a.pos[quarter[0]][2] >= 0
		a.sortBy(quarter, func(p [3]float64) float64 { return math.Abs(p[2]) })
		for i, x := range quarter {
			a.streams[x] = early
			f := (float64(i) + 0.5) / float64(len(quarter))
			switch {
			case dorsal && f < 0.40:
				a.prf[x] = 2 // V1d
			case dorsal && f < 0.72:
				a.prf[x] = 4 // V2d
			case dorsal:
				a.prf[x] = 6 // V3d
			case f < 0.35:
				a.prf[x] = 1 // V1v
			case f < 0.63:
				a.prf[x] = 3 // V2v
			case f < 0.85:
				a.prf[x] = 5 // V3v
			default:
				a.prf[x] = 7 // hV4
			}
		}
	}
}

// quarters splits voxels into left ventral, left dorsal, right ventral and right dorsal; empty
// ones are left out.
func (a *anatomy) quarters(v []int) [][]int {
	var q [4][]int
	for _, x := range v {
		i := 0
		if a.pos[x][0] >= 0 {
			i = 2
		}
		if a.pos[x][2] >= 0 {
			i++
		}
		q[i] = append(q[i], x)
	}
	return slices.DeleteFunc(q[:], func(v []int) bool { return len(v) == 0 })
}
