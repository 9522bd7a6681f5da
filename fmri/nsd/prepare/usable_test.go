package prepare

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/fmri/nsd"
)

// TestRegionWithoutVoxels: a region that the label table names and the subject lacks is not one that nobody knows; a union
// goes on with the others, and says so.
func TestRegionWithoutVoxels(t *testing.T) {
	root := filepath.Join(t.TempDir(), "tree")
	if err := os.CopyFS(root, os.DirFS(tree(t))); err != nil {
		t.Fatal(err)
	}
	path := nsd.Paths(root).LabelTable("subj01", "streams")
	table, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(table, "8 absent\n9 lacking\n"...), 0o666); err != nil {
		t.Fatal(err)
	}
	want := run(t, root, Options{ROIs: []string{"streams/early"}})
	for _, rois := range [][]string{{"streams/early+absent"}, {"streams/early", "streams/absent"}, {"streams/absent", "streams/early"}} {
		var notes []string
		f := run(t, root, Options{ROIs: rois, Note: func(line string) { notes = append(notes, line) }})
		if !slices.Equal(values(t, f, "train").Data, values(t, want, "train").Data) {
			t.Errorf("%v: not the voxels of streams/early", rois)
		}
		if len(notes) != 1 || !strings.Contains(notes[0], "subj01: absent of ") || !strings.Contains(notes[0], "no voxel") {
			t.Errorf("%v: notes %q, expected one of absent", rois, notes)
		}
		for i, r := range f.Manifest.Regions {
			if r.Name != rois[i] || (r.Voxels == 0) != (rois[i] == "streams/absent") {
				t.Errorf("%v: region %+v", rois, r)
			}
		}
	}
	for _, c := range []struct{ roi, want string }{
		{"streams/absent", "subj01: absent of streams/absent has a name but no voxel in this subject"},
		{"streams/absent+lacking", "absent, lacking of streams/absent+lacking has a name but no voxel"},
		{"streams/unheard", "no region unheard in streams; there is early, midventral"},
		{"unheard/early", "which has the atlases "},
	} {
		_, err := Run(t.Context(), root, filepath.Join(t.TempDir(), "out"), "test", Options{Subject: "subj01", ROIs: []string{c.roi}})
		wantError(t, err, c.want)
	}
}

// TestConstantVoxels: voxels that are alike in all of training are counted, and left out where that is asked for.
func TestConstantVoxels(t *testing.T) {
	one := nsd.Sessions{List: []int{1}}
	o := Options{ROIs: []string{"nsdgeneral"}, Sessions: one, Split: SplitNone, Trials: true, Average: true}
	f := run(t, goldenTree, o)
	if m := f.Manifest; m.Constant != 2 || m.NaN != 0 || len(m.FirstConstant) != 3 { // golden README: two voxels of session 1 are saturated
		t.Fatalf("%d constant voxels, the first %v, %d NaN; expected 2 and none", m.Constant, m.FirstConstant, m.NaN)
	}
	x := values(t, f, "train")
	varies := func(v int) bool {
		for i := range x.Rows {
			if x.Row(i)[v] != x.Row(0)[v] {
				return true
			}
		}
		return false
	}
	var want []float32
	for i := range x.Rows {
		for v, value := range x.Row(i) {
			if varies(v) {
				want = append(want, value)
			}
		}
	}
	o.Usable = true
	f = run(t, goldenTree, o)
	if got := values(t, f, "train"); got.Cols != x.Cols-2 || !slices.Equal(got.Data, want) || f.Manifest.Constant != 0 {
		t.Errorf("%d voxels, %d of them constant, expected the %d that vary", got.Cols, f.Manifest.Constant, x.Cols-2)
	}
}

// TestNoiseCeilingSaysOfWhat: NSD's estimate is that of z-scored betas.
func TestNoiseCeilingSaysOfWhat(t *testing.T) {
	for zscore, want := range map[bool]string{true: "noise_ceiling_", false: "noise_ceiling_of_zscored_"} {
		f := run(t, tree(t), Options{ROIs: []string{"streams/early"}, ZScore: zscore, Trials: true, Average: true})
		for _, a := range f.Manifest.Arrays {
			if strings.HasPrefix(a.File, "noise_ceiling") && !slices.Contains([]string{want + "train.npy", want + "test.npy",
				want + "train_trials.npy", want + "test_trials.npy"}, a.File) {
				t.Errorf("z-scored %v: %s, expected %s…", zscore, a.File, want)
			}
		}
		if !f.Has(want + "train.npy") {
			t.Errorf("z-scored %v: no %strain.npy", zscore, want)
		}
	}
}
