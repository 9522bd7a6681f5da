package prepare

import (
	"cmp"
	"context"
	"flag"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"percept/fmri/nsd"
	"percept/fmri/sim"
	"percept/fmri/table"
	"percept/internal/golden"
	"percept/tensor/linalg"
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

func run(t *testing.T, root string, o Options) *table.Folder {
	t.Helper()
	o.Subject = cmp.Or(o.Subject, "subj01")
	r, err := Run(t.Context(), root, filepath.Join(t.TempDir(), "out"), "test", o)
	if err != nil {
		t.Fatal(err)
	}
	return r.Folder
}

// values is a part of a folder, [rows, voxels].
func values(t *testing.T, f *table.Folder, part string, rois ...string) linalg.Matrix[float32] {
	t.Helper()
	x, err := tableOf(t, f, part, rois...).Matrix(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func tableOf(t *testing.T, f *table.Folder, part string, rois ...string) *table.Table {
	t.Helper()
	p, err := f.Table(part, rois...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// near compares an array with reference values; tol is in units of max(1, |reference|).
func near[T float32 | float64 | int16 | int32](t *testing.T, f *table.Folder, file string, want []T, tol float64) {
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
		{"two", Options{ROIs: []string{"streams/early+ventral+lateral"}, ZScore: true, MinNCSNR: 0.3,
			Sessions: nsd.Sessions{List: []int{1, 3}}}},
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
	f := run(t, tree(t), Options{Takagi: true, Sessions: nsd.Sessions{First: 3}})
	if all := run(t, tree(t), Options{Takagi: true, Sessions: nsd.Sessions{All: true}}); !slices.Equal(all.Manifest.Sessions,
		f.Manifest.Sessions) {
		t.Errorf("all sessions are %v, want %v", all.Manifest.Sessions, f.Manifest.Sessions)
	}
	if f.Manifest.Regions[4].Name != "streams/ventral" || len(f.Manifest.Regions) != 7 {
		t.Errorf("regions %v", f.Manifest.Regions)
	}
	for _, a := range f.Manifest.Arrays {
		if want := map[string]string{"X_train.npy": "<f8", "X_test.npy": "<f8", "X_train_trials.npy": "<i2",
			"X_test_trials.npy": "<i2"}[a.File]; want != "" && a.DType != want {
			t.Errorf("%s is %s, want %s", a.File, a.DType, want)
		}
	}
	for _, roi := range []string{"early", "ventral"} {
		p := "takagi." + roi + "."
		for part, name := range map[string]string{"train_trials": "betas_tr", "test_trials": "betas_te", "train": "betas_ave_tr",
			"test": "betas_ave_te"} {
			x := values(t, f, part, "streams/"+roi)
			var same bool
			if strings.HasSuffix(part, "trials") {
				same = equal(x.Data, golden.Values[int16](want, p+name))
			} else {
				same = equal(x.Data, golden.Values[float64](want, p+name))
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
	cols, err := tableOf(t, f, "train").Cols.Voxels.In("streams/early")
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

// TestSameBitsAsInMemory: rows that were streamed through parts are those that are computed in memory, from HDF5 and from
// NIfTI.
func TestSameBitsAsInMemory(t *testing.T) {
	nii := t.TempDir()
	if err := os.CopyFS(nii, os.DirFS(goldenTree)); err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 3; n++ {
		if err := os.Remove(nsd.Paths(nii).SessionBetas("subj01", nsd.DefaultSpace, nsd.DefaultBetas, n, "hdf5")); err != nil {
			t.Fatal(err)
		}
	}
	d, err := nsd.Open(goldenTree)
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
	trials := trialsOf(t, d, "subj01", nsd.DefaultSpace, roi.Mask, 1, 2, 3)
	for _, z := range []bool{false, true} {
		if z {
			trials = trials.zscored()
		}
		for _, dir := range []string{goldenTree, nii} {
			f := run(t, dir, Options{ROIs: []string{"nsdgeneral"}, ZScore: z, Average: true, Trials: true})
			for part, all := range map[string]oracle{"": trials.mean(), "_trials": trials} {
				for side, test := range map[string]bool{"train": false, "test": true} {
					got, x := tableOf(t, f, side+part).Rows, values(t, f, side+part)
					if w := all.of(design.SharedSet(), test); !slices.Equal(x.Data, w.float32s()) || !slices.Equal(got.Images, w.images) ||
						!slices.Equal(got.Counts, w.counts) || !slices.Equal(got.Sessions, w.sessions) {
						t.Errorf("z-scored %v, %s: %s%s differs from what is computed in memory", z, dir, side, part)
					}
				}
			}
		}
	}
}
