package prepare

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/fmri"
	"percept/fmri/nsd"
	"percept/fmri/table"
)

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want %q", parts)
		return
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q does not have %q", err, p)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("error %q is not one line", err)
	}
}

func TestRejects(t *testing.T) {
	root, dir := tree(t), t.TempDir()
	taken := filepath.Join(dir, "taken")
	if err := os.MkdirAll(taken, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(taken, "notes.txt"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	early := []string{"streams/early"}
	for name, c := range map[string]struct {
		o    Options
		out  string
		want []string
	}{
		"no voxels":        {Options{}, "", []string{"no voxels were asked for"}},
		"voxels":           {Options{Voxels: "some"}, "", []string{`voxels "some"`, "all or brain"}},
		"ncsnr":            {Options{ROIs: early, MinNCSNR: math.NaN()}, "", []string{"ncsnr of NaN"}},
		"explainable":      {Options{ROIs: early, MinExplainable: 1}, "", []string{"explainable variance of 1"}},
		"split":            {Options{ROIs: early, Split: "half"}, "", []string{`split "half"`}},
		"z-scored takagi":  {Options{Takagi: true, ZScore: true}, "", []string{"does not z-score"}},
		"region twice":     {Options{ROIs: []string{"nsdgeneral", "nsdgeneral"}}, "", []string{`"nsdgeneral" is there twice`}},
		"no such region":   {Options{ROIs: []string{"streams/dorsal"}}, "", []string{"no region dorsal in streams"}},
		"no such atlas":    {Options{ROIs: []string{"HCP_MMP1"}}, "", []string{"HCP_MMP1.nii.gz: not there"}},
		"no such subject":  {Options{Subject: "subj02", ROIs: early}, "", []string{"subj02", "not there"}},
		"no such version":  {Options{ROIs: early, Version: "betas_assumehrf"}, "", []string{"betas_assumehrf", "not there"}},
		"published number": {Options{Takagi: true}, "", []string{"no trials of sessions 4-37", "subj01 has sessions 1-3"}},
		"no voxel left":    {Options{ROIs: early, MinNCSNR: 9}, "", []string{"no voxel of streams/early has an ncsnr of 9"}},
		"none explainable": {Options{ROIs: early, MinExplainable: 0.999}, "",
			[]string{"no voxel of streams/early has an explainable variance of 0.999"}},
		"here":          {Options{ROIs: early}, ".", []string{"cannot be replaced"}},
		"folder in use": {Options{ROIs: early}, taken, []string{"notes.txt", "expected a new or empty one"}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.o.Subject == "" {
				c.o.Subject = "subj01"
			}
			out := c.out
			if out == "" {
				out = filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
			}
			_, err := Run(t.Context(), root, out, "test", c.o)
			wantError(t, err, c.want...)
		})
	}
}

// TestLink: a link to a folder on another disk stays, and the result is there.
func TestLink(t *testing.T) {
	root, dir := tree(t), t.TempDir()
	far, link := filepath.Join(dir, "far"), filepath.Join(dir, "link")
	if err := os.Mkdir(far, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(far, link); err != nil {
		t.Fatal(err)
	}
	o := Options{Subject: "subj01", ROIs: []string{"streams/early"}}
	for range 2 { // once made, once up to date
		if _, err := Run(t.Context(), root, link, "test", o); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v, %v", info, err)
	}
	if _, err := table.OpenFolder(far); err != nil {
		t.Error(err)
	}
	if err := os.RemoveAll(far); err != nil {
		t.Fatal(err)
	}
	_, err := Run(t.Context(), root, link, "test", o)
	wantError(t, err, link, "a link to nothing")
}

// TestMissingSession: no session is left out unsaid.
func TestMissingSession(t *testing.T) {
	root := filepath.Join(t.TempDir(), "tree")
	if err := os.CopyFS(root, os.DirFS(tree(t))); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(nsd.Paths(root).SessionBetas("subj01", nsd.DefaultSpace, nsd.DefaultBetas, 2, "hdf5")); err != nil {
		t.Fatal(err)
	}
	o := Options{Subject: "subj01", ROIs: []string{"streams/early"}}
	_, err := Run(t.Context(), root, filepath.Join(t.TempDir(), "out"), "test", o)
	wantError(t, err, "no betas of session 2 in it; sessions 1,3 leave that out")
	o.Sessions = nsd.Sessions{List: []int{1, 3}}
	r, err := Run(t.Context(), root, filepath.Join(t.TempDir(), "out"), "test", o)
	if err != nil || !slices.Equal(r.Manifest.Sessions, []int{1, 3}) {
		t.Errorf("%v, %v", r, err)
	}
}

// TestFirstErrorEnds: after an array that cannot be written no other is.
func TestFirstErrorEnds(t *testing.T) {
	for blocked, before := range map[string][]string{
		"X_train.npy":               nil,
		"images_train.npy":          {"X_train.npy"},
		"counts_train.npy":          {"X_train.npy", "images_train.npy"},
		"X_train_trials.npy":        nil,
		"sessions_train_trials.npy": {"X_train_trials.npy", "images_train_trials.npy"},
		"rois.npy":                  {"voxels.npy"},
	} {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, blocked), 0o777); err != nil { // no file can have this name
			t.Fatal(err)
		}
		mask := fmri.Mask{Shape: [3]int{1, 1, 2}, Index: []int{0, 1}}
		stored, err := os.Create(filepath.Join(t.TempDir(), "part"))
		if err != nil {
			t.Fatal(err)
		}
		defer stored.Close()
		if _, err := stored.Write([]byte{1, 0, 2, 0}); err != nil {
			t.Fatal(err)
		}
		one, err := openPart(stored.Name(), &nsd.SessionFile{Stored: "int16", Trials: 1}, mask, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer one.file.Close()
		a := &assembly{dir: dir, parts: []*part{one}, session: []int{1}, nan: make([]bool, 2), varied: make([]bool, 2), step: func() {},
			sel: &selection{mask: mask, rois: []table.ROI{{Name: "a"}}, member: []uint8{1, 0}, ncsnr: []float32{1, 2}}}
		shown := []group{{image: 3, refs: []ref{{}}}}
		switch {
		case strings.HasSuffix(blocked, "trials.npy"):
			err = a.writeTrials(t.Context(), "train_trials", shown)
		case blocked == "rois.npy":
			err = a.writeVoxels(nil)
		default:
			err = a.writeMeans(t.Context(), "train", shown)
		}
		wantError(t, err, filepath.Join(dir, blocked)+": cannot be written: ")
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		want := append(slices.Clone(before), blocked)
		var got []string
		for _, e := range entries {
			got = append(got, e.Name())
		}
		if slices.Sort(want); !slices.Equal(got, want) || len(a.arrays) != len(before) {
			t.Errorf("%s cannot be written: the folder holds %v, want %v", blocked, got, want)
		}
	}
}

// TestListed: sessions as an error lists them are read as a list of exactly these.
func TestListed(t *testing.T) {
	for _, n := range [][]int{{5}, {1}, {1, 2, 3}, {1, 3, 4, 9}} {
		if s, err := nsd.ParseSessions(nsd.Listed(n)); err != nil || !slices.Equal(s.Of([]int{1, 2, 3, 4, 5, 6, 7, 8, 9}), n) {
			t.Errorf("%v is listed as %q, which is read as %+v (%v)", n, nsd.Listed(n), s, err)
		}
	}
}

// TestVoxels: brain, all, and regions within them.
func TestVoxels(t *testing.T) {
	root := tree(t)
	d, err := nsd.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	brain, err := d.Brain("subj01", "")
	if err != nil {
		t.Fatal(err)
	}
	for voxels, want := range map[string]int{BrainVoxels: brain.Len(), AllVoxels: 10 * 12 * 9} {
		f := run(t, root, Options{Voxels: voxels, ROIs: []string{"streams/early"}, Split: SplitNone})
		if f.Manifest.Voxels != want || f.Has("X_test.npy") {
			t.Errorf("%s: %d voxels, want %d; test set %v", voxels, f.Manifest.Voxels, want, f.Has("X_test.npy"))
		}
		got := values(t, f, "train", "streams/early")
		alone := values(t, run(t, root, Options{ROIs: []string{"streams/early"}, Split: SplitNone}), "train")
		if !slices.Equal(got.Data, alone.Data) || got.Cols != 40 {
			t.Errorf("%s: the region's columns differ from those of the region alone", voxels)
		}
	}
}
