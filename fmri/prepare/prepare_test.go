package prepare

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"percept/fmri"
	"percept/fmri/internal/golden"
	"percept/fmri/nsd"
	"percept/fmri/sim"
)

var treeFlag = flag.String("tree", "", "write the simulated tree that testdata/make.py reads to this `folder`")

// simulated is the tree that testdata/make.py computed its values from.
var simulated = sim.Options{Seed: 5, Subjects: 1, SharedImages: 6, OwnImages: 17, Sessions: 3, Runs: 2, ImageSize: 24,
	Shape: [3]int{10, 12, 9}, EarlyVoxels: 40, MidVoxels: 9, HigherVoxels: 20}

var once = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "prepare-tree-")
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "tree")
	return dir, sim.Write(context.Background(), dir, simulated, nil)
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := once(); err == nil {
		os.RemoveAll(filepath.Dir(dir))
	}
	os.Exit(code)
}

func tree(t *testing.T) string {
	t.Helper()
	dir, err := once()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func run(t *testing.T, root string, o Options) *Folder {
	t.Helper()
	o.Subject = "subj01"
	r, err := Run(t.Context(), root, filepath.Join(t.TempDir(), "out"), "test", o)
	if err != nil {
		t.Fatal(err)
	}
	return r.Folder
}

// near compares an array with reference values; tol is in units of max(1, |reference|).
func near[T float32 | float64 | int16 | int32](t *testing.T, f *Folder, file string, want []T, tol float64) {
	t.Helper()
	got, shape, err := f.Array(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Errorf("%s: shape %v, want %d values", file, shape, len(want))
		return
	}
	worst := 0.0
	for i, w := range want {
		w := float64(w)
		if math.IsNaN(got[i]) && math.IsNaN(w) {
			continue
		}
		d := math.Abs(got[i]-w) / max(1, math.Abs(w))
		if !(d <= tol) {
			t.Errorf("%s[%d] = %v, want %v", file, i, got[i], w)
			return
		}
		worst = max(worst, d)
	}
	t.Logf("%s: largest error %.2g of %g", file, worst, tol)
}

func TestAgainstPython(t *testing.T) {
	if *treeFlag != "" {
		if err := sim.Write(t.Context(), *treeFlag, simulated, nil); err != nil {
			t.Fatal(err)
		}
		return
	}
	want := golden.Open(t, "testdata/expected.safetensors")
	root := tree(t)
	for _, c := range []struct {
		label string
		o     Options
	}{
		{"all", Options{ROIs: []string{"streams/early", "streams/ventral+lateral"}, ZScore: true, MinExplainable: 1e-9}},
		{"two", Options{ROIs: []string{"streams/early+ventral+lateral"}, ZScore: true, MinNCSNR: 0.3, Sessions: Sessions{List: []int{1, 3}}}},
	} {
		f := run(t, root, c.o)
		p := c.label + "."
		keep := make([]bool, len(golden.Values[float32](want, p+"ncsnr")))
		for v, ev := range golden.Values[float64](want, p+"explainable") {
			keep[v] = c.o.MinExplainable == 0 || ev >= c.o.MinExplainable
		}
		near(t, f, "voxels.npy", columns(golden.Values[int32](want, p+"voxels"), len(keep), keep, true), 0)
		near(t, f, "ncsnr.npy", columns(golden.Values[float32](want, p+"ncsnr"), len(keep), keep, false), 0)
		for _, side := range []string{"train", "test"} {
			q := p + side + "."
			near(t, f, "X_"+side+".npy", columns(golden.Values[float64](want, q+"X"), len(keep), keep, false), 2e-6)
			near(t, f, "images_"+side+".npy", golden.Values[int32](want, q+"images"), 0)
			near(t, f, "counts_"+side+".npy", golden.Values[int32](want, q+"counts"), 0)
			near(t, f, "sessions_"+side+".npy", golden.Values[int32](want, q+"sessions"), 0)
			near(t, f, "noise_ceiling_"+side+".npy", columns(golden.Values[float64](want, q+"ceiling"), len(keep), keep, false), 1e-6)
		}
		if c.o.MinExplainable > 0 {
			near(t, f, "explainable_variance.npy", columns(golden.Values[float64](want, p+"explainable"), len(keep), keep, false), 1e-6)
		}
	}
}

// columns keeps some of the columns of a matrix of the given width, or rows of three where triples is set.
func columns[T any](x []T, width int, keep []bool, triples bool) []T {
	var out []T
	for i, v := range x {
		if triples && keep[i/3] || !triples && keep[i%width] {
			out = append(out, v)
		}
	}
	return out
}

// TestTakagi compares with what the published preparation computes, region by region.
func TestTakagi(t *testing.T) {
	want := golden.Open(t, "testdata/expected.safetensors")
	f := run(t, tree(t), Options{Takagi: true, Sessions: Sessions{First: 3}})
	if f.Manifest.Regions[4].Name != "streams/ventral" || len(f.Manifest.Regions) != 7 {
		t.Errorf("regions %v", f.Manifest.Regions)
	}
	for _, a := range f.Manifest.Arrays {
		if want := map[string]string{"X_train.npy": "<f8", "X_test.npy": "<f8", "X_train_trials.npy": "<i2", "X_test_trials.npy": "<i2"}[a.File]; want != "" && a.DType != want {
			t.Errorf("%s is %s, want %s", a.File, a.DType, want)
		}
	}
	for _, roi := range []string{"early", "ventral"} {
		p := "takagi." + roi + "."
		for part, name := range map[string]string{"train_trials": "betas_tr", "test_trials": "betas_te", "train": "betas_ave_tr", "test": "betas_ave_te"} {
			r, err := f.Load(part, "streams/"+roi)
			if err != nil {
				t.Fatal(err)
			}
			var same bool
			if strings.HasSuffix(part, "trials") {
				same = equal(r.X, golden.Values[int16](want, p+name))
			} else {
				same = equal(r.X, golden.Values[float64](want, p+name))
			}
			if !same {
				t.Errorf("%s of %s is not %s of the published code", part, roi, name)
			}
		}
	}
	// Means keep their 64 bits in the file.
	x, shape, err := f.Array("X_train.npy")
	if err != nil {
		t.Fatal(err)
	}
	cols, err := f.Columns("streams/early")
	if err != nil {
		t.Fatal(err)
	}
	mean := golden.Values[float64](want, "takagi.early.betas_ave_tr")
	for i := range shape[0] {
		for k, v := range cols {
			if x[i*shape[1]+v] != mean[i*len(cols)+k] {
				t.Fatalf("X_train[%d, %d] is %v, want %v", i, v, x[i*shape[1]+v], mean[i*len(cols)+k])
			}
		}
	}
	stims := golden.Values[int32](want, "takagi.stims")
	for _, side := range []string{"train", "test"} {
		ids, _, err := f.Array("images_" + side + "_trials.npy")
		if err != nil {
			t.Fatal(err)
		}
		numbers, _, err := f.Array("trials_" + side + "_trials.npy")
		if err != nil {
			t.Fatal(err)
		}
		for i, n := range numbers {
			if int(ids[i]) != int(stims[int(n)]) {
				t.Errorf("trial %v of %s shows image %v, want %d", n, side, ids[i], stims[int(n)])
			}
		}
	}
}

// TestTakagiGolden: single trials as the golden tree has them, undivided, voxels in the order of the file.
func TestTakagiGolden(t *testing.T) {
	want := golden.Open(t, "../nsd/testdata/expected.safetensors")
	for _, s := range []fmri.Subject{"subj01", "subj02"} {
		p := string(s) + "."
		r, err := Run(t.Context(), "../nsd/testdata/nsd_root", filepath.Join(t.TempDir(), "out"), "test",
			Options{Subject: s, Takagi: true, Sessions: Sessions{First: 3}, ROIs: []string{"nsdgeneral"}})
		if err != nil {
			t.Fatal(err)
		}
		psc := golden.Values[float32](want, p+"nsdgeneral.betas_psc.order_z_slowest")
		for _, side := range []string{"train", "test"} {
			got, err := r.Load(side + "_trials")
			if err != nil {
				t.Fatal(err)
			}
			for i, trial := range golden.Values[int32](want, p+side+".trials") {
				for v, x := range got.Row(i) {
					if w := psc[int(trial)*got.Voxels+v]; x/300 != w || x != float32(int16(x)) {
						t.Fatalf("%s %s trial %d, voxel %d: %v over 300, want %v", s, side, trial, v, x, w)
					}
				}
			}
			mean, err := r.Load(side)
			if err != nil {
				t.Fatal(err)
			}
			near(t, r.Folder, "images_"+side+".npy", golden.Values[int32](want, p+side+".images"), 0)
			// The golden means have their voxels in C order of (x, y, z).
			d, err := nsd.Open("../nsd/testdata/nsd_root")
			if err != nil {
				t.Fatal(err)
			}
			roi, err := d.Region(s, "", "nsdgeneral")
			if err != nil {
				t.Fatal(err)
			}
			d.Close()
			average := golden.Values[float32](want, p+side+".average")
			for i := range mean.Rows() {
				for c, v := range roi.Mask.FileOrder() {
					if w := float64(average[i*mean.Voxels+v]); math.Abs(float64(mean.Row(i)[c])/300-w) > 2e-6*max(1, math.Abs(w)) {
						t.Fatalf("%s %s image %d: mean %v over 300, want %v", s, side, mean.Images[i], mean.Row(i)[c], w)
					}
				}
			}
		}
	}
}

// TestLocked: two runs never write to the same folder.
func TestLocked(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	if err := os.MkdirAll(out+".partial", 0o777); err != nil {
		t.Fatal(err)
	}
	lock, err := lockFile(filepath.Join(out+".partial", "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if runtime.GOOS == "windows" || runtime.GOOS == "plan9" {
		return // no locks there
	}
	_, err = Run(t.Context(), tree(t), out, "test", Options{Subject: "subj01", ROIs: []string{"streams"}})
	wantError(t, err, out+".partial", "another run is at work there")
}

// equal compares values that float32 may have rounded.
func equal[T int16 | float64](got []float32, want []T) bool {
	return slices.EqualFunc(got, want, func(g float32, w T) bool { return g == float32(w) })
}

// TestSameBitsAsInMemory: rows that were streamed through parts are those that nsd.Betas computes in memory, and those of
// the golden tree, from HDF5 and from NIfTI.
func TestSameBitsAsInMemory(t *testing.T) {
	const root = "../nsd/testdata/nsd_root"
	nii := t.TempDir()
	if err := os.CopyFS(nii, os.DirFS(root)); err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 3; n++ {
		if err := os.Remove(nsd.Paths(nii).SessionBetas("subj01", nsd.DefaultSpace, nsd.DefaultBetas, n, "hdf5")); err != nil {
			t.Fatal(err)
		}
	}
	d, err := nsd.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	roi, err := d.Region("subj01", "", "nsdgeneral")
	if err != nil {
		t.Fatal(err)
	}
	design, err := d.Design()
	if err != nil {
		t.Fatal(err)
	}
	for _, z := range []bool{false, true} {
		want, err := d.Betas(t.Context(), "subj01", roi.Mask, nsd.BetaOptions{ZScore: z})
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range []string{root, nii} {
			f := run(t, dir, Options{ROIs: []string{"nsdgeneral"}, ZScore: z, Average: true, Trials: true})
			for part, r := range map[string]*fmri.Responses{"": want.Average(), "_trials": want} {
				split := r.SplitBy(design.SharedSet())
				for side, rows := range map[string][]int{"train": split.Train, "test": split.Test} {
					got, err := f.Load(side + part)
					if err != nil {
						t.Fatal(err)
					}
					if w := r.Select(rows); !slices.Equal(got.X, w.X) || !slices.Equal(got.Images, w.Images) ||
						!slices.Equal(got.Counts, w.Counts) || !slices.Equal(got.Sessions, w.Sessions) {
						t.Errorf("z-scored %v, %s: %s%s differs from nsd.Betas", z, dir, side, part)
					}
				}
			}
		}
	}
}

// sums is the hash of every file of a folder.
func sums(t *testing.T, dir string) map[string][32]byte {
	t.Helper()
	found := make(map[string][32]byte)
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		found[filepath.Base(path)] = sha256.Sum256(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestResume interrupts a run after each step, damages what a kill could leave half-written, and goes on.
func TestResume(t *testing.T) {
	root, dir := tree(t), t.TempDir()
	o := Options{Subject: "subj01", ROIs: []string{"streams"}, ZScore: true, Average: true, Trials: true, MinExplainable: 0.01}
	if _, err := Run(t.Context(), root, filepath.Join(dir, "whole"), "test", o); err != nil {
		t.Fatal(err)
	}
	want := sums(t, filepath.Join(dir, "whole"))
	out := filepath.Join(dir, "deep", "out")
	for stop := 0; ; stop += 60 {
		ctx, cancel := context.WithCancel(t.Context())
		o.Progress = func(done, total int) {
			if done >= stop {
				cancel()
			}
		}
		r, err := Run(ctx, root, out, "test", o)
		cancel()
		if err == nil {
			if r.Reused != 3 || len(r.Read) != 0 {
				t.Errorf("the last run read sessions %v and found %d, want none and 3", r.Read, r.Reused)
			}
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if _, err := os.Stat(out); err == nil {
			t.Fatal("the folder appeared before it was complete")
		}
		for _, leftover := range []string{"session01.betas.tmp", "result/X_train.npy"} {
			os.MkdirAll(filepath.Join(out+".partial", "result"), 0o777)
			if err := os.WriteFile(filepath.Join(out+".partial", leftover), []byte("half"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := sums(t, out)
	if len(got) != len(want) {
		t.Errorf("%d files, want %d", len(got), len(want))
	}
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s differs after interruptions", name)
		}
	}
	if _, err := os.Stat(out + ".partial"); err == nil {
		t.Error("the parts are still there")
	}
	o.Progress = nil
	r, err := Run(t.Context(), root, out, "test", o)
	if err != nil || !r.UpToDate {
		t.Errorf("run again: up to date %v, %v", r, err)
	}
}

// TestPartsOfAnotherRun: what an interrupted run with other options has left is not believed.
func TestPartsOfAnotherRun(t *testing.T) {
	root, out := tree(t), filepath.Join(t.TempDir(), "out")
	o := Options{Subject: "subj01", ROIs: []string{"streams/early"}}
	ctx, cancel := context.WithCancel(t.Context())
	o.Progress = func(done, _ int) {
		if done >= 200 {
			cancel()
		}
	}
	if _, err := Run(ctx, root, out, "test", o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	o.Progress = nil
	o.ROIs = []string{"streams/ventral"}
	r, err := Run(t.Context(), root, out, "test", o)
	if err != nil || r.Reused != 0 || len(r.Read) != 3 {
		t.Errorf("%+v, %v", r, err)
	}
	o.ROIs = []string{"streams/early"}
	_, err = Run(t.Context(), root, out, "test", o)
	wantError(t, err, out, `rois was ["streams/ventral"], is ["streams/early"]`, "expected a new folder")
}

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
	wantError(t, err, "no betas of session 2 in it; --sessions 1,3 leaves that out")
	o.Sessions = Sessions{List: []int{1, 3}}
	r, err := Run(t.Context(), root, filepath.Join(t.TempDir(), "out"), "test", o)
	if err != nil || !slices.Equal(r.Manifest.Sessions, []int{1, 3}) {
		t.Errorf("%v, %v", r, err)
	}
}

func TestParseSessions(t *testing.T) {
	for text, want := range map[string]string{"all": "all", "": "all", "37": "37", "1-3": "1-3", "2,1": "1-2", "1-2,5, 7-8": "1-2, 5, 7-8", "5-5": "5"} {
		s, err := ParseSessions(text)
		if err != nil || s.String() != want {
			t.Errorf("%q: %v, %v, want %s", text, s, err, want)
		}
	}
	for _, text := range []string{"0", "-1", "x", "3-1", "1,1", "1-3,2", "1,", "1000", "1-1000", "1.5"} {
		if s, err := ParseSessions(text); err == nil {
			t.Errorf("%q was read as %v", text, s)
		}
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

func FuzzParseSessions(f *testing.F) {
	for _, s := range []string{"all", "37", "1-10,12", "3-", "-", ",", "1-999,1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSessions(text)
		if err != nil || s.List == nil {
			return
		}
		again, err := ParseSessions(listed(s.List))
		if err != nil || !slices.Equal(again.List, s.List) {
			t.Errorf("%q is %v, which is read as %v (%v)", text, s, again, err)
		}
	})
}
