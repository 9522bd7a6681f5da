package prepare

import (
	"math"
	"path/filepath"
	"testing"

	"percept/fmri"
	"percept/fmri/nsd"
	"percept/internal/golden"
)

// goldenTree and the expected values were made by numpy, h5py, nibabel and scipy; see the golden set's README, section 10.
const goldenTree = "../testdata/nsd_root"

// TestGolden: trials, means, splits and z-scores as numpy computed them.
func TestGolden(t *testing.T) {
	want := golden.Open(t, "../testdata/expected.safetensors")
	for _, s := range []fmri.Subject{"subj01", "subj02"} {
		p := string(s) + "."
		o := Options{Subject: s, ROIs: []string{"nsdgeneral"}, Average: true, Trials: true}
		f := run(t, goldenTree, o)
		for _, side := range []string{"train", "test"} {
			near(t, f, "trials_"+side+"_trials.npy", golden.Values[int32](want, p+side+".trials"), 0)
			near(t, f, "images_"+side+".npy", golden.Values[int32](want, p+side+".images"), 0)
			near(t, f, "X_"+side+".npy", golden.Values[float32](want, p+side+".average"), 2e-6)
			for i, n := range tableOf(t, f, side).Rows.Counts {
				if n != 3 {
					t.Errorf("%s: row %d of %s is of %d trials, want 3", s, i, side, n)
				}
			}
		}
		o.Split = SplitNone
		f = run(t, goldenTree, o)
		near(t, f, "X_train.npy", golden.Values[float32](want, p+"nsdgeneral.average_all"), 2e-6)
		near(t, f, "images_train.npy", golden.Values[int32](want, p+"stims_unique_first_seen_order"), 0)
		psc := golden.Values[float32](want, p+"nsdgeneral.betas_psc.order_x_slowest")
		sessions := golden.Values[int32](want, p+"trial.session_1based")
		near(t, f, "X_train_trials.npy", psc, 1e-6)
		near(t, f, "images_train_trials.npy", golden.Values[int32](want, p+"trial.nsd_id_0based"), 0)
		near(t, f, "sessions_train_trials.npy", sessions, 0)

		o.ZScore = true
		f = run(t, goldenTree, o)
		ref := golden.Values[float32](want, p+"nsdgeneral.zscored_per_session")
		undefined := constantVoxels(psc, sessions)
		if len(undefined) != 2 { // golden README: two voxels of session 1 are saturated
			t.Errorf("%s: %d voxels are constant in a session, want 2", s, len(undefined))
		}
		for _, at := range undefined {
			for i, n := range sessions {
				if n == at.session { // the reference has 0/0 here: 1 for one voxel, 0 for the other, by how its mean was rounded
					ref[i*f.Manifest.Voxels+at.voxel] = 0
				}
			}
		}
		near(t, f, "X_train_trials.npy", ref, 2e-6)
	}
}

type sessionVoxel struct {
	session int32
	voxel   int
}

// constantVoxels finds the voxels without variance in a session, whose z-scores are not defined.
func constantVoxels(x []float32, sessions []int32) (out []sessionVoxel) {
	width := len(x) / len(sessions)
	first, varies := make(map[sessionVoxel]float32), make(map[sessionVoxel]bool)
	for i, session := range sessions {
		for v, x := range x[i*width : (i+1)*width] {
			at := sessionVoxel{session, v}
			if y, seen := first[at]; !seen {
				first[at] = x
			} else if x != y {
				varies[at] = true
			}
		}
	}
	for at := range first {
		if !varies[at] {
			out = append(out, at)
		}
	}
	return out
}

// TestTakagiGolden: single trials as the golden tree has them, undivided, voxels in the order of the file.
func TestTakagiGolden(t *testing.T) {
	want := golden.Open(t, "../testdata/expected.safetensors")
	for _, s := range []fmri.Subject{"subj01", "subj02"} {
		p := string(s) + "."
		r, err := Run(t.Context(), goldenTree, filepath.Join(t.TempDir(), "out"), "test",
			Options{Subject: s, Takagi: true, Sessions: nsd.Sessions{First: 3}, ROIs: []string{"nsdgeneral"}})
		if err != nil {
			t.Fatal(err)
		}
		psc := golden.Values[float32](want, p+"nsdgeneral.betas_psc.order_z_slowest")
		for _, side := range []string{"train", "test"} {
			got := values(t, r.Folder, side+"_trials")
			for i, trial := range golden.Values[int32](want, p+side+".trials") {
				for v, x := range got.Data[i*got.Cols:][:got.Cols] {
					if w := psc[int(trial)*got.Cols+v]; x/300 != w || x != float32(int16(x)) {
						t.Fatalf("%s %s trial %d, voxel %d: %v over 300, want %v", s, side, trial, v, x, w)
					}
				}
			}
			mean := values(t, r.Folder, side)
			near(t, r.Folder, "images_"+side+".npy", golden.Values[int32](want, p+side+".images"), 0)
			// The golden means have their voxels in C order of (x, y, z).
			d, err := nsd.Open(goldenTree)
			if err != nil {
				t.Fatal(err)
			}
			roi, err := d.Region(s, "", "nsdgeneral")
			if err != nil {
				t.Fatal(err)
			}
			d.Close()
			average := golden.Values[float32](want, p+side+".average")
			for i := range mean.Rows {
				for c, v := range roi.Mask.FileOrder() {
					m, w := mean.Data[i*mean.Cols+c], float64(average[i*mean.Cols+v])
					if math.Abs(float64(m)/300-w) > 2e-6*max(1, math.Abs(w)) {
						t.Fatalf("%s %s row %d: mean %v over 300, want %v", s, side, i, m, w)
					}
				}
			}
		}
	}
}
