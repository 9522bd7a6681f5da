package verify

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"percept/fmri"
	"percept/fmri/nsd"
	"percept/fmri/nsd/prepare"
	"percept/fmri/stats"
	"percept/fmri/table"
)

// Tolerances of the golden README, section 10, in units of 1 % signal change or of the value where that is larger.
const (
	betaTolerance = 1e-6
	meanTolerance = 2e-6
)

// prepare makes the folder of a subject's responses in nsdgeneral that "percept nsd prepare" would from the tree at root.
func (c *check) prepare(root string, s fmri.Subject, o prepare.Options) *table.Folder {
	o.Subject, o.ROIs = s, []string{"nsdgeneral"}
	return must(prepare.Run(c.ctx, root, filepath.Join(c.tempDir(), "prepared"), "percept verify", o)).Folder
}

// part reads a table of a folder.
func (c *check) part(f *table.Folder, name string) (t *table.Table, x []float32) {
	t = must(f.Table(name))
	return t, must(t.Matrix(c.ctx)).Data
}

// tempDir is a folder that is removed when the case has ended.
func (c *check) tempDir() string {
	dir := must(os.MkdirTemp("", "percept-verify"))
	c.atEnd(func() error { return os.RemoveAll(dir) })
	return dir
}

// allTrials are a subject's single trials.
var allTrials = prepare.Options{Trials: true, Split: prepare.SplitNone}

// nsdBetas compares the single trials, and the published code's stored integers, whose voxels are in the order of the
// HDF5 file.
func nsdBetas(c *check, s fmri.Subject) {
	p, root, published := string(s)+".nsdgeneral.", c.set.path(nsdRoot), allTrials
	t, x := c.part(c.prepare(root, s, allTrials), "train_trials")
	whole(c, "voxels", t.Cols.Voxels.XYZ, c.ints(nsdFile, p+"voxels_xyz"))
	c.relative("x slowest", x, c.float32s(nsdFile, p+"betas_psc.order_x_slowest"), betaTolerance)

	published.Takagi, published.Sessions.All = true, true
	stored, z := c.part(c.prepare(root, s, published), "train_trials")
	for i := range z {
		z[i] /= 300
	}
	c.relative("z slowest", z, c.float32s(nsdFile, p+"betas_psc.order_z_slowest"), betaTolerance)
	at := map[[3]int32]int{} // the column of a voxel in z
	for xyz := range slices.Chunk(stored.Cols.Voxels.XYZ, 3) {
		at[[3]int32(xyz)] = len(at)
	}
	var reordered []float32
	for row := range slices.Chunk(z, stored.Width()) {
		for xyz := range slices.Chunk(t.Cols.Voxels.XYZ, 3) {
			reordered = append(reordered, row[at[[3]int32(xyz)]])
		}
	}
	c.bits("stored integers over 300", reordered, x)
}

// nsdBetasNIfTI prepares the betas from .nii.gz, in a copy of the tree without the HDF5 ones.
func nsdBetasNIfTI(c *check, s fmri.Subject) {
	dir := c.tempDir()
	c.must(os.CopyFS(dir, os.DirFS(c.set.path(nsdRoot))))
	folder := nsd.Paths(dir).BetaFolder(s, nsd.DefaultSpace, nsd.DefaultBetas)
	for _, file := range must(filepath.Glob(filepath.Join(folder, "betas_session*.hdf5"))) {
		c.must(os.Remove(file))
	}
	_, x := c.part(c.prepare(dir, s, allTrials), "train_trials")
	c.relative("betas", x, c.float32s(nsdFile, string(s)+".nsdgeneral.betas_psc.order_x_slowest"), betaTolerance)
}

// nsdAverages compares the means over repeats, of all images and split by the shared ones.
func nsdAverages(c *check, s fmri.Subject) {
	p, root := string(s)+".", c.set.path(nsdRoot)
	t, x := c.part(c.prepare(root, s, prepare.Options{Split: prepare.SplitNone}), "train")
	whole(c, "images", t.Rows.Images, c.ints(nsdFile, p+"stims_unique_first_seen_order"))
	c.relative("all images", x, c.float32s(nsdFile, p+"nsdgeneral.average_all"), meanTolerance)
	split := c.prepare(root, s, prepare.Options{Average: true, Trials: true})
	for _, part := range []string{"train", "test"} {
		numbers, _, err := split.Array("trials_" + part + "_trials.npy")
		c.must(err)
		whole(c, part+" trials", toInts(c, part+" trials", numbers), c.ints(nsdFile, p+part+".trials"))
		t, x := c.part(split, part)
		whole(c, part+" images", t.Rows.Images, c.ints(nsdFile, p+part+".images"))
		c.relative(part+" averages", x, c.float32s(nsdFile, p+part+".average"), meanTolerance)
	}
}

// nsdZScores compares z-scores. A voxel that is constant in a session has none there (0/0): the reference keeps how its
// mean was rounded, the program gives 0, and the comparison leaves these out.
func nsdZScores(c *check, s fmri.Subject) {
	root, scored := c.set.path(nsdRoot), allTrials
	scored.ZScore = true
	t, x := c.part(c.prepare(root, s, allTrials), "train_trials")
	_, z := c.part(c.prepare(root, s, scored), "train_trials")
	session, voxels := t.Rows.Sessions, t.Width()
	want := c.float32s(nsdFile, string(s)+".nsdgeneral.zscored_per_session")
	if len(want) != len(x) {
		c.must(fmt.Errorf("%s: %d z-scores, expected %d", nsdFile, len(want), len(x)))
	}
	for v := range voxels {
		lo, hi := map[int]float32{}, map[int]float32{}
		for i, n := range session {
			x := x[i*voxels+v]
			if _, seen := lo[n]; !seen {
				lo[n], hi[n] = x, x
			}
			lo[n], hi[n] = min(lo[n], x), max(hi[n], x)
		}
		for i, n := range session {
			if lo[n] == hi[n] {
				want[i*voxels+v] = 0
			}
		}
	}
	c.relative("z-scores", z, want, meanTolerance)
}

// nsdCeilings compares the noise ceilings of single trials and of means over three.
func nsdCeilings(c *check, s fmri.Subject) {
	snr, _, err := c.prepare(c.set.path(nsdRoot), s, allTrials).Array("ncsnr.npy")
	c.must(err)
	for name, n := range map[string]float64{"noise_ceiling_1trial_percent": 1, "noise_ceiling_3trials_percent": 3} {
		percent := make([]float32, len(snr))
		for v := range snr {
			percent[v] = float32(100 * stats.NoiseCeiling(snr[v], n))
		}
		c.relative(name, percent, c.float32s(nsdFile, string(s)+".nsdgeneral."+name), meanTolerance)
	}
}
