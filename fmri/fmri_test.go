package fmri

import (
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
