package prepare

import (
	"math"
	"slices"
	"testing"

	"percept/fmri"
	"percept/fmri/nsd"
)

// oracle is what prepare makes of a mask's voxels, computed the plain way from whole sessions in memory: one row for each
// trial, or for each image after mean.
type oracle struct {
	x        [][]float64
	images   []fmri.ImageID
	sessions []int // of trials
	counts   []int // of means
}

// trialsOf reads the trials of sessions in percent signal change.
func trialsOf(t *testing.T, d *nsd.Dataset, s fmri.Subject, space string, mask fmri.Mask, sessions ...int) (o oracle) {
	t.Helper()
	files, err := d.SessionFiles(s, space, nsd.DefaultBetas)
	if err != nil {
		t.Fatal(err)
	}
	all, err := d.Trials(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range sessions {
		f, err := nsd.OpenSession(files[n])
		if err != nil {
			t.Fatal(err)
		}
		stored := make([]float32, f.Trials*mask.Len())
		if err := f.Read(stored, mask); err != nil {
			t.Fatal(err)
		}
		f.Close()
		for row := range slices.Chunk(stored, mask.Len()) {
			var x []float64
			for _, v := range row {
				x = append(x, float64(v)/float64(f.Scale))
			}
			o.x = append(o.x, x)
		}
		for _, trial := range all {
			if trial.Session == n {
				o.images, o.sessions = append(o.images, trial.Image), append(o.sessions, n)
			}
		}
	}
	return o
}

// zscored is (x - mean) / standard deviation of each voxel within each session; 0 where a voxel does not vary.
func (o oracle) zscored() oracle {
	z := o
	z.x = nil
	for i, row := range o.x {
		z.x = append(z.x, slices.Clone(row))
		for v, x := range row {
			var n, mean, square float64
			varies := false
			for k, other := range o.x {
				if o.sessions[k] == o.sessions[i] {
					mean += other[v]
					n++
					varies = varies || other[v] != x
				}
			}
			mean /= n
			for k, other := range o.x {
				if o.sessions[k] == o.sessions[i] {
					square += (other[v] - mean) * (other[v] - mean)
				}
			}
			z.x[i][v] = 0
			if varies {
				z.x[i][v] = (x - mean) / math.Sqrt(square/n)
			}
		}
	}
	return z
}

// mean is the mean over the trials of each image, in the order in which the images were first seen.
func (o oracle) mean() (m oracle) {
	for i, id := range o.images {
		k := slices.Index(m.images, id)
		if k < 0 {
			k = len(m.images)
			m.images, m.counts, m.x = append(m.images, id), append(m.counts, 0), append(m.x, make([]float64, len(o.x[i])))
		}
		m.counts[k]++
		for v, x := range o.x[i] {
			m.x[k][v] += x
		}
	}
	for k, n := range m.counts {
		for v := range m.x[k] {
			m.x[k][v] /= float64(n)
		}
	}
	return m
}

// of is the rows whose image is in the set, or those whose image is not.
func (o oracle) of(set map[fmri.ImageID]bool, in bool) (part oracle) {
	for i, id := range o.images {
		if set[id] != in {
			continue
		}
		part.x, part.images = append(part.x, o.x[i]), append(part.images, id)
		if o.sessions != nil {
			part.sessions = append(part.sessions, o.sessions[i])
		}
		if o.counts != nil {
			part.counts = append(part.counts, o.counts[i])
		}
	}
	return part
}

// float32s is all values as the files have them.
func (o oracle) float32s() (x []float32) {
	for _, row := range o.x {
		for _, v := range row {
			x = append(x, float32(v))
		}
	}
	return x
}

// TestOracle holds it against sums that are done by hand.
func TestOracle(t *testing.T) {
	o := oracle{images: []fmri.ImageID{7, 3, 7, 5, 7, 3}, sessions: []int{1, 1, 1, 2, 2, 2},
		x: [][]float64{{1, 10}, {2, 10}, {6, 10}, {4, 1}, {5, 2}, {9, 6}}}
	m := o.mean()
	if !slices.Equal(m.images, []fmri.ImageID{7, 3, 5}) || !slices.Equal(m.counts, []int{3, 2, 1}) ||
		!slices.Equal(m.float32s(), []float32{4, 22. / 3, 5.5, 8, 4, 1}) {
		t.Errorf("means %+v", m)
	}
	if test := m.of(map[fmri.ImageID]bool{3: true, 99: true}, true); !slices.Equal(test.images, []fmri.ImageID{3}) || test.counts[0] != 2 {
		t.Errorf("test rows %+v", test)
	}
	z := o.zscored()
	for v := range 2 {
		for session := range 2 {
			var sum, sq float64
			for _, row := range z.x[3*session : 3*session+3] {
				sum += row[v]
				sq += row[v] * row[v]
			}
			want := 3.0
			if v == 1 && session == 0 { // constant
				want = 0
			}
			if math.Abs(sum) > 1e-6 || math.Abs(sq-want) > 1e-5 {
				t.Errorf("voxel %d, session %d: sum %v, squares %v, want 0 and %v", v, session, sum, sq, want)
			}
		}
	}
}
