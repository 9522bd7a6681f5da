package fmri

import (
	"fmt"
	"math"
	"slices"
)

// Responses is a matrix of responses: one row for each trial, or for each image after averaging.
type Responses struct {
	X        []float32 // [rows, voxels]
	Voxels   int
	Images   []ImageID // image of each row
	Sessions []int     // recording session of each row, 1-based as in the files; nil once sessions were averaged over
	Counts   []int     // trials averaged into each row; nil where every row is one trial
}

// Rows is the number of rows.
func (r *Responses) Rows() int { return len(r.Images) }

// Row is row i, [voxels], not a copy.
func (r *Responses) Row(i int) []float32 { return r.X[i*r.Voxels : (i+1)*r.Voxels] }

// Count is the number of trials in row i.
func (r *Responses) Count(i int) int {
	if r.Counts == nil {
		return 1
	}
	return r.Counts[i]
}

// Select copies the given rows, in the order given.
func (r *Responses) Select(rows []int) *Responses {
	s := &Responses{X: make([]float32, 0, len(rows)*r.Voxels), Voxels: r.Voxels}
	for _, i := range rows {
		s.X = append(s.X, r.Row(i)...)
		s.Images = append(s.Images, r.Images[i])
		if r.Sessions != nil {
			s.Sessions = append(s.Sessions, r.Sessions[i])
		}
		if r.Counts != nil {
			s.Counts = append(s.Counts, r.Counts[i])
		}
	}
	return s
}

// Average gives one row for each image, in the order in which the images first appear, each the mean over its trials
// taken in float64, with the number of trials in Counts. Rows that are means already count with their trials.
func (r *Responses) Average() *Responses {
	var a Averager
	a.Add(r)
	return a.Responses()
}

// Averager averages over repeats without holding all trials: add one session after the other. The zero value is ready.
type Averager struct {
	voxels int
	row    map[ImageID]int
	images []ImageID
	counts []int
	sum    []float64 // [images, voxels]
}

// Add adds rows. All that is added must have the same voxels.
func (a *Averager) Add(r *Responses) {
	if a.row == nil {
		a.row, a.voxels = make(map[ImageID]int), r.Voxels
	}
	if a.voxels != r.Voxels {
		panic(fmt.Sprintf("fmri: averaging rows of %d and %d voxels", a.voxels, r.Voxels))
	}
	for i, id := range r.Images {
		k, seen := a.row[id]
		if !seen {
			k = len(a.images)
			a.row[id] = k
			a.images = append(a.images, id)
			a.counts = append(a.counts, 0)
			a.sum = append(a.sum, make([]float64, a.voxels)...)
		}
		n := r.Count(i)
		a.counts[k] += n
		s := a.sum[k*a.voxels:][:a.voxels]
		for v, x := range r.Row(i) {
			s[v] += float64(n) * float64(x)
		}
	}
}

// Responses is the mean of each image seen so far, in the order of first appearance.
func (a *Averager) Responses() *Responses {
	r := &Responses{Voxels: a.voxels, Images: slices.Clone(a.images), Counts: slices.Clone(a.counts),
		X: make([]float32, len(a.sum))}
	for k, n := range a.counts {
		for v := range a.voxels {
			i := k*a.voxels + v
			r.X[i] = float32(a.sum[i] / float64(n))
		}
	}
	return r
}

// ZScoreSessions standardises every voxel within each session in place: mean 0, population standard deviation 1. A
// voxel without variance in a session becomes 0 there. It needs Sessions.
func (r *Responses) ZScoreSessions() error {
	if len(r.Sessions) != r.Rows() {
		return fmt.Errorf("fmri: z-scoring by session needs the session of each of %d rows, have %d", r.Rows(), len(r.Sessions))
	}
	bySession := make(map[int][]int)
	for i, s := range r.Sessions {
		bySession[s] = append(bySession[s], i)
	}
	for _, rows := range bySession {
		m, err := NewMoments(r.Voxels, len(rows), func(i int) ([]float32, error) { return r.Row(rows[i]), nil })
		if err != nil {
			return err
		}
		for _, i := range rows {
			m.Standardise(r.Row(i))
		}
	}
	return nil
}

// Moments is the mean and the population standard deviation of each voxel over some rows, both [voxels]. SD is 0 for a
// voxel without variance.
type Moments struct{ Mean, SD []float64 }

// NewMoments goes over rows 0 to n-1 twice, in order, in float64. row returns row i, [voxels], which is not kept.
func NewMoments(voxels, n int, row func(i int) ([]float32, error)) (Moments, error) {
	m := Moments{make([]float64, voxels), make([]float64, voxels)}
	for i := range n {
		x, err := row(i)
		if err != nil {
			return m, err
		}
		for v, x := range x {
			m.Mean[v] += float64(x)
		}
	}
	for v := range m.Mean {
		m.Mean[v] /= float64(n)
	}
	for i := range n {
		x, err := row(i)
		if err != nil {
			return m, err
		}
		for v, x := range x {
			d := float64(x) - m.Mean[v]
			m.SD[v] += d * d
		}
	}
	for v, sq := range m.SD {
		sd := math.Sqrt(sq / float64(n))
		// A constant column leaves rounding noise of the mean behind, not variance.
		if sd <= 1e-12*math.Abs(m.Mean[v]) {
			sd = 0
		}
		m.SD[v] = sd
	}
	return m, nil
}

// Standardise takes a row to mean 0 and standard deviation 1 in place; voxels without variance become 0.
func (m Moments) Standardise(row []float32) {
	for v, x := range row {
		if m.SD[v] == 0 {
			row[v] = 0
			continue
		}
		row[v] = float32((float64(x) - m.Mean[v]) / m.SD[v])
	}
}

// Split says which rows train and which test.
type Split struct{ Train, Test []int }

// SplitBy puts the rows whose image is in test into Test and all others into Train, in order, so that an image's
// repeats are never on both sides.
func (r *Responses) SplitBy(test map[ImageID]bool) Split {
	var s Split
	for i, id := range r.Images {
		if test[id] {
			s.Test = append(s.Test, i)
		} else {
			s.Train = append(s.Train, i)
		}
	}
	return s
}

// Columns copies the given voxels, in the order given.
func (r *Responses) Columns(voxels []int) (*Responses, error) {
	for _, v := range voxels {
		if v < 0 || v >= r.Voxels {
			return nil, fmt.Errorf("fmri: voxel %d of %d", v, r.Voxels)
		}
	}
	c := &Responses{X: make([]float32, 0, r.Rows()*len(voxels)), Voxels: len(voxels), Images: slices.Clone(r.Images),
		Sessions: slices.Clone(r.Sessions), Counts: slices.Clone(r.Counts)}
	for i := range r.Rows() {
		row := r.Row(i)
		for _, v := range voxels {
			c.X = append(c.X, row[v])
		}
	}
	return c, nil
}
