package doctor

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"path/filepath"
	"slices"

	"percept/fmri"
	"percept/fmri/nsd"
)

// sampled is how many voxels of each file a deep check reads.
const sampled = 64

// sampler reads the same voxels of all sessions of a version.
type sampler struct {
	e    *examiner
	mask fmri.Mask // empty: chosen by the first file
	sum  Sample
	sds  []float64
	seen map[[sha256.Size]byte]sessionOf // what was sampled of each file
}

// sessionOf is a file and the session that its name says.
type sessionOf struct {
	session int
	path    string
}

// newSampler spreads the voxels over the brain. It is nil where no deep check was asked for.
func newSampler(e *examiner, s *Subject, m *masks, space string) *sampler {
	if !e.o.Deep {
		return nil
	}
	d := &sampler{e: e, seen: make(map[[sha256.Size]byte]sessionOf)}
	if m.brain && space == nsd.DefaultSpace {
		d.mask = spread(m.mask)
	}
	return d
}

func spread(m fmri.Mask) fmri.Mask {
	n := min(sampled, m.Len())
	voxels := make([]int, n)
	for i := range voxels {
		voxels[i] = i * m.Len() / n
	}
	return m.Pick(voxels)
}

// take reads a file's sample and says whether its values can be used. Two sessions cannot have the same ones.
func (d *sampler) take(path string, session int, f *nsd.SessionFile) bool {
	if d.mask.Len() == 0 || d.mask.Shape != f.Shape {
		d.mask = spread(fmri.NewMask(f.Shape, func(x, y, z int) bool { return true }))
	}
	n := d.mask.Len()
	x := make([]float32, f.Trials*n)
	if err := f.Read(x, d.mask); err != nil {
		d.e.add(Damaged, path, again, "%v", err)
		return false
	}
	varies, nan := 0, 0
	for v := range n {
		var mean, sq float64
		finite := 0
		for t := range f.Trials {
			y := float64(x[t*n+v]) / float64(f.Scale)
			d.sum.Values++
			if math.IsNaN(y) || math.IsInf(y, 0) {
				nan++
				continue
			}
			if f.Stored == "int16" && (x[t*n+v] == math.MaxInt16 || x[t*n+v] == math.MinInt16) {
				d.sum.Saturated++
			}
			d.sum.Min, d.sum.Max = min(d.sum.Min, y), max(d.sum.Max, y)
			finite++
			delta := y - mean
			mean += delta / float64(finite)
			sq += delta * (y - mean)
		}
		if sq > 0 {
			varies++
			d.sds = append(d.sds, math.Sqrt(sq/float64(finite)))
		}
	}
	d.sum.NaN += nan
	switch {
	case varies == 0:
		d.e.add(Damaged, path, again, "%d voxels were sampled, none of them changes over the session's trials", n)
		return false
	case nan > 0:
		d.e.add(Note, path, "leave these voxels out: a fit cannot use them", "%d of %d sampled values are NaN or infinite", nan, len(x))
	}
	h := sha256.New()
	_ = binary.Write(h, binary.LittleEndian, x) // into memory
	key := [sha256.Size]byte(h.Sum(nil))
	if other, twice := d.seen[key]; twice && other.session != session {
		d.e.add(Damaged, path, "download the one again whose trials these are not",
			"has the values of session %d, %s, in all %d sampled voxels: one of them is the other's copy", other.session, filepath.Base(other.path), n)
		return false
	}
	d.seen[key] = sessionOf{session, path}
	return true
}

// result is the sample of all files.
func (d *sampler) result() *Sample {
	if d == nil || d.sum.Values == 0 {
		return nil
	}
	if len(d.sds) > 0 {
		slices.Sort(d.sds)
		d.sum.SD = d.sds[len(d.sds)/2]
	}
	return &d.sum
}
