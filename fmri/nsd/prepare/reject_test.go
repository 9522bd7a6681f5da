package prepare

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/fmri/nsd"
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
		"published number": {Options{Takagi: true}, "", []string{"no trials of session 4-37", "subj01 has sessions 1-3"}},
		"no voxel left":    {Options{ROIs: early, MinNCSNR: 9}, "", []string{"no voxel of streams/early has an ncsnr of 9"}},
		"none explainable": {Options{ROIs: early, MinExplainable: 0.999}, "", []string{"no voxel of streams/early has an explainable variance of 0.999"}},
		"here":             {Options{ROIs: early}, ".", []string{"cannot be replaced"}},
		"folder in use":    {Options{ROIs: early}, taken, []string{"notes.txt", "expected a new or empty one"}},
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
	if _, err := Open(far); err != nil {
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

// TestOpenRejects: a folder whose files are not those of its manifest.
func TestOpenRejects(t *testing.T) {
	f := run(t, tree(t), Options{ROIs: []string{"streams/early"}})
	if _, err := f.Load("train", "streams/late"); err == nil || !strings.Contains(err.Error(), "there is streams/early") {
		t.Errorf("another region: %v", err)
	}
	if _, err := f.Load("train_trials"); err == nil || !strings.Contains(err.Error(), "no images_train_trials.npy") {
		t.Errorf("trials of averages: %v", err)
	}
	path := filepath.Join(f.Dir, "X_train.npy")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for want, b := range map[string][]byte{
		"bytes, expected":                  whole[:len(whole)-1],
		"not the array":                    append([]byte("\x93NUMPZ"), whole[6:]...),
		"not the array of <f4 ":            whole[:20],
		"X_train.npy: not the array of <f": {},
	} {
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := Open(f.Dir)
		wantError(t, err, path, want)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	_, err = Open(f.Dir)
	wantError(t, err, path)
	manifest := filepath.Join(f.Dir, manifestName)
	for want, text := range map[string]string{
		"expected the manifest":  `{"what": 1}`,
		"format 9, expected 1":   `{"format": 9}`,
		"3 voxels and 0 regions": `{"format": 1, "voxels": 3}`,
		`array "../x" of type`:   `{"format": 1, "arrays": [{"file": "../x", "dtype": "<f4", "shape": [1]}]}`,
		"of shape [-1]":          `{"format": 1, "arrays": [{"file": "x", "dtype": "<f4", "shape": [-1]}]}`,
	} {
		if err := os.WriteFile(manifest, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := Open(f.Dir)
		wantError(t, err, manifest, want)
	}
}

// TestListed: sessions as an error lists them are read as a list of exactly these.
func TestListed(t *testing.T) {
	for _, n := range [][]int{{5}, {1, 2, 3}, {1, 3, 4, 9}} {
		if s, err := nsd.ParseSessions(listed(n)); err != nil || !slices.Equal(s.List, n) {
			t.Errorf("%v is listed as %q, which is read as %+v (%v)", n, listed(n), s, err)
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
		got, err := f.Load("train", "streams/early")
		if err != nil {
			t.Fatal(err)
		}
		r, err := run(t, root, Options{ROIs: []string{"streams/early"}, Split: SplitNone}).Load("train")
		if err != nil || !slices.Equal(got.X, r.X) || got.Voxels != 40 {
			t.Errorf("%s: the region's columns differ from those of the region alone (%v)", voxels, err)
		}
	}
}

// FuzzManifest: no manifest makes Open or Load panic or take memory that no file backs.
func FuzzManifest(f *testing.F) {
	const voxels = `{"file": "voxels.npy", "dtype": "<i4", "shape": [2, 3]}`
	f.Add([]byte(`{"format": 1, "voxels": 2, "arrays": [` + voxels + `, {"file": "rois.npy", "dtype": "|u1", "shape": [2, 1]}], "regions": [{"name": "a"}]}`))
	f.Add([]byte(`{"format": 1, "voxels": 1000000000000, "arrays": [{"file": "X_train.npy", "dtype": "<f4", "shape": [1, 1000000000000]}]}`))
	f.Add([]byte(`{"format": 1, "voxels": 2, "arrays": [` + voxels + `, {"file": "images_train.npy", "dtype": "<i4", "shape": []}]}`))
	f.Add([]byte(`{"format": 1, "voxels": 2, "arrays": [` + voxels + `, {"file": "images_train.npy", "dtype": "<i4", "shape": [0, 1000000000000]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, manifestName), b, 0o666); err != nil {
			t.Fatal(err)
		}
		for _, a := range []Array{{File: "voxels.npy", DType: "<i4", Shape: []int{2, 3}}, {File: "rois.npy", DType: "|u1", Shape: []int{2, 1}}, {File: "images_train.npy", DType: "<i4", Shape: []int{}}} {
			data := npyHeader(a.DType, a.Shape)
			data = append(data, make([]byte, map[string]int{"voxels.npy": 24, "rois.npy": 2}[a.File])...)
			if err := os.WriteFile(filepath.Join(dir, a.File), data, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		folder, err := Open(dir)
		if err != nil {
			return
		}
		for _, part := range []string{"train", "test_trials"} {
			if _, err := folder.Load(part); err == nil && len(folder.Manifest.Arrays) == 0 {
				t.Error("something was loaded from nothing")
			}
			folder.Load(part, "a")
		}
	})
}
