package fmri

import (
	"math"
	"slices"
	"testing"
)

func TestMask(t *testing.T) {
	m := NewMask([3]int{2, 3, 4}, func(x, y, z int) bool { return y == 1 && z >= 2 })
	if !slices.Equal(m.Index, []int{6, 7, 18, 19}) { // (x·3+1)·4+z
		t.Errorf("Index = %v", m.Index)
	}
	if p := m.XYZ(3); p != [3]int{1, 1, 3} {
		t.Errorf("XYZ(3) = %v", p)
	}
	if f := m.FileIndex(); !slices.Equal(f, []int{14, 20, 15, 21}) { // (z·3+1)·2+x
		t.Errorf("FileIndex() = %v", f)
	}
	o := Mask{Shape: m.Shape, Index: []int{19, 0, 6}}
	both, err := m.And(o)
	if err != nil || !slices.Equal(both.Index, []int{6, 19}) {
		t.Errorf("And = %v, %v", both.Index, err)
	}
	either, err := Or(o, m)
	if err != nil || !slices.Equal(either.Index, []int{0, 6, 7, 18, 19}) {
		t.Errorf("Or = %v, %v", either.Index, err)
	}
	if _, err := m.And(Mask{Shape: [3]int{2, 4, 3}}); err == nil {
		t.Error("masks of different volumes were combined")
	}
	if _, err := Or(m, Mask{Shape: [3]int{2, 4, 3}}); err == nil {
		t.Error("masks of different volumes were combined")
	}
}

func responses() *Responses {
	return &Responses{Voxels: 2, Images: []ImageID{7, 3, 7, 5, 7, 3}, Sessions: []int{1, 1, 1, 2, 2, 2},
		X: []float32{1, 10, 2, 10, 6, 10, 4, 1, 5, 2, 9, 6}}
}

func TestAverage(t *testing.T) {
	a := responses().Average()
	if !slices.Equal(a.Images, []ImageID{7, 3, 5}) || !slices.Equal(a.Counts, []int{3, 2, 1}) || a.Sessions != nil {
		t.Errorf("images %v, counts %v", a.Images, a.Counts)
	}
	if want := []float32{4, 22. / 3, 5.5, 8, 4, 1}; !slices.Equal(a.X, want) {
		t.Errorf("means %v, want %v", a.X, want)
	}
	// Means of means weigh by their trials.
	var av Averager
	r := responses()
	av.Add(r.Select([]int{0, 1, 2}).Average())
	av.Add(r.Select([]int{3, 4, 5}))
	b := av.Responses()
	if !slices.Equal(b.X, a.X) || !slices.Equal(b.Counts, a.Counts) {
		t.Errorf("by parts %v %v, want %v %v", b.X, b.Counts, a.X, a.Counts)
	}
}

func TestZScoreSessions(t *testing.T) {
	r := responses()
	if err := r.ZScoreSessions(); err != nil {
		t.Fatal(err)
	}
	for v := range 2 {
		for session := range 2 {
			var sum, sq float64
			for i := 3 * session; i < 3*session+3; i++ {
				x := float64(r.Row(i)[v])
				sum += x
				sq += x * x
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
	if err := responses().Average().ZScoreSessions(); err == nil {
		t.Error("averages were z-scored by session")
	}
}

func TestSelectAndSplit(t *testing.T) {
	r := responses()
	s := r.SplitBy(map[ImageID]bool{3: true, 99: true})
	if !slices.Equal(s.Test, []int{1, 5}) || !slices.Equal(s.Train, []int{0, 2, 3, 4}) {
		t.Errorf("split %v", s)
	}
	q := r.Select(s.Test)
	if !slices.Equal(q.X, []float32{2, 10, 9, 6}) || !slices.Equal(q.Sessions, []int{1, 2}) || q.Rows() != 2 {
		t.Errorf("selected %+v", q)
	}
	c, err := r.Columns([]int{1, 1})
	if err != nil || !slices.Equal(c.Row(5), []float32{6, 6}) {
		t.Errorf("columns %+v, %v", c, err)
	}
	if _, err := r.Columns([]int{2}); err == nil {
		t.Error("a voxel that is not there was selected")
	}
}
