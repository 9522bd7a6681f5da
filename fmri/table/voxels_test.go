package table

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// At finds voxels by where they lie, in any order and among others.
func TestAtFindsVoxelsByCoordinates(t *testing.T) {
	all := *grid(40)
	r := rand.New(rand.NewPCG(1, 9))
	for range 50 {
		order := r.Perm(40)[:1+r.IntN(40)]
		want := all.pick(order)
		columns, err := all.At(want)
		if err != nil || !slices.Equal(columns, order) {
			t.Fatalf("columns %v, want %v (%v)", columns, order, err)
		}
		shuffled := all.pick(r.Perm(40))
		columns, err = shuffled.At(want)
		if err != nil {
			t.Fatal(err)
		}
		if got := shuffled.pick(columns); !slices.Equal(got.XYZ, want.XYZ) || !slices.Equal(got.Member, want.Member) ||
			got.N != len(order) {
			t.Fatalf("voxels at %v, want %v", got.XYZ, want.XYZ)
		}
	}
}

func TestAtSaysWhatDoesNotFit(t *testing.T) {
	changed := func(change func(*Voxels)) Voxels { v := *grid(4); change(&v); return v }
	unknown := func(v *Voxels) { v.XYZ = nil }
	fitted := *grid(4)
	for _, c := range []struct {
		have, want Voxels
		err        string
	}{
		{changed(func(v *Voxels) { v.Subject = "subj01" }), fitted, "responses of subj01, expected subj02, as the decoder was fitted on"},
		{changed(func(v *Voxels) { v.Space = "fsaverage" }), fitted, "responses in space fsaverage, expected func1pt8mm"},
		{changed(func(v *Voxels) { v.Betas = "b1" }), fitted, "responses of betas b1, expected b3"},
		{changed(func(v *Voxels) { v.Scale = PercentSignal }), fitted,
			"responses that are percent signal change, expected z-scored within sessions"},
		{changed(func(v *Voxels) { v.Volume[2]++ }), fitted, "responses of a volume of [4 50 3] voxels, expected [4 50 2]"},
		{grid(40).pick([]int{0, 3, 20}), fitted,
			"responses lack 2 of the decoder's 4 voxels, the first at [1 0 1]; expected the same regions and cuts"},
		{changed(func(v *Voxels) { v.XYZ[11] = 0 }), fitted, "responses lack 1 of the decoder's 4 voxels, the first at [3 0 1]"},
		{Voxels{N: 3}, fitted, "responses of 3 voxels, expected 4"},
		{fitted, Voxels{N: 5}, "responses of 4 voxels, expected 5"},
		// What is not known cannot contradict; voxels without coordinates are taken in their order.
		{changed(func(v *Voxels) { v.Subject, v.Space, v.Betas, v.Scale = "", "", "", "" }), fitted, ""},
		{fitted, changed(func(v *Voxels) { v.Subject, v.Space, v.Betas, v.Scale = "", "", "", "" }), ""},
		{changed(unknown), fitted, ""},
		{fitted, changed(unknown), ""},
		{Voxels{N: 4}, Voxels{N: 4, Volume: [3]int{9, 9, 9}}, ""},
	} {
		columns, err := c.have.At(c.want)
		if c.err != "" {
			wantError(t, err, c.err)
		} else if err != nil || !slices.Equal(columns, []int{0, 1, 2, 3}) {
			t.Errorf("columns %v, %v", columns, err)
		}
	}
}

func TestRegions(t *testing.T) {
	v := *grid(6)
	for _, c := range []struct {
		regions []string
		want    []int
	}{
		{nil, []int{0, 1, 2, 3, 4, 5}},
		{[]string{"early"}, []int{0, 1, 2, 3, 4}},
		{[]string{"late"}, []int{1, 3, 5}},
		{[]string{"late", "early"}, []int{0, 1, 2, 3, 4, 5}},
		{[]string{"late", "none"}, []int{1, 3, 5}},
	} {
		if got, err := v.In(c.regions...); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%v: columns %v, want %v (%v)", c.regions, got, c.want, err)
		}
	}
	_, err := v.In("V4")
	wantError(t, err, "no region V4 in it, expected one of early, late, none")
	_, err = v.In("none", "none")
	wantError(t, err, "no voxel in none, none, expected some")
	if got, err := (Voxels{N: 3}).In(); err != nil || len(got) != 3 {
		t.Errorf("all of voxels without regions: %v, %v", got, err)
	}

	// Named are those that were asked for, or else those with voxels.
	last := v.pick([]int{5})
	for _, c := range []struct {
		v    Voxels
		want []string
	}{
		{v, []string{"early", "late"}}, {last, []string{"late"}}, {v.pick([]int{0}), []string{"early"}}, {Voxels{N: 3}, nil},
		{Voxels{N: 3, Chosen: []string{"V1"}}, []string{"V1"}},
	} {
		if got := c.v.Named(); !slices.Equal(got, c.want) {
			t.Errorf("named %v, want %v", got, c.want)
		}
	}
	if v.N != 6 || len(v.XYZ) != 18 || len(v.Member) != 18 {
		t.Errorf("picking changed what was picked from: %+v", v)
	}
}
