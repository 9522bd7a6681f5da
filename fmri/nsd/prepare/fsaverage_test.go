package prepare

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"percept/fmri/internal/freesurfer"
	"percept/fmri/nsd"
)

// TestFsaverage puts the voxels of a simulated volume on the vertices of a surface and takes the same responses from both:
// stored as percent signal change, they are not divided by 300 again.
func TestFsaverage(t *testing.T) {
	root := filepath.Join(t.TempDir(), "tree")
	if err := os.CopyFS(root, os.DirFS(tree(t))); err != nil {
		t.Fatal(err)
	}
	d, err := nsd.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	early, err := d.Region("subj01", "", "streams/early")
	if err != nil {
		t.Fatal(err)
	}
	n := early.Mask.Len() / 2 // vertices of a hemisphere
	for h, side := range []string{"lh", "rh"} {
		for session := 1; session <= 3; session++ {
			f, err := nsd.OpenSession(d.Paths.SessionBetas("subj01", nsd.DefaultSpace, nsd.DefaultBetas, session, "hdf5"))
			if err != nil {
				t.Fatal(err)
			}
			m := early.Mask
			m.Index = m.Index[h*n : (h+1)*n]
			x := make([]float32, f.Trials*n)
			if err := f.Read(x, m); err != nil {
				t.Fatal(err)
			}
			f.Close()
			for i := range x {
				x[i] /= 300
			}
			if session == 2 && h == 1 { // NSD has such vertices
				x[n+3] = float32(math.NaN())
			}
			path := filepath.Join(d.Paths.BetaFolder("subj01", nsd.Fsaverage, nsd.DefaultBetas),
				fmt.Sprintf("%s.betas_session%02d.mgh", side, session))
			if err := freesurfer.WriteMGH(path, freesurfer.Header{Dims: [4]int{n, 1, 1, f.Trials}}, x); err != nil {
				t.Fatal(err)
			}
		}
		labels := slices.Repeat([]int16{1}, n)
		path := d.Paths.ROI("subj01", nsd.Fsaverage, side+".streams")
		plain := filepath.Join(t.TempDir(), "labels.mgh")
		if err := freesurfer.WriteMGH(plain, freesurfer.Header{Dims: [4]int{n, 1, 1, 1}}, labels); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(plain)
		if err != nil {
			t.Fatal(err)
		}
		if h == 1 {
			b[23] = 10 // unsigned, as FreeSurfer 7.4 writes atlases
		}
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	o := Options{ROIs: []string{"streams/early"}, ZScore: true}
	volume := run(t, root, o)
	want, _, err := volume.Array("X_train.npy")
	if err != nil {
		t.Fatal(err)
	}
	o.Space = nsd.Fsaverage
	f := run(t, root, o)
	got, _, err := f.Array("X_train.npy")
	if err != nil {
		t.Fatal(err)
	}
	if f.Manifest.NaN != 1 {
		t.Errorf("%d vertices with NaN, want 1", f.Manifest.NaN)
	}
	surface, err := d.Region("subj01", nsd.Fsaverage, "streams/early")
	if err != nil {
		t.Fatal(err)
	}
	design, err := d.Design()
	if err != nil {
		t.Fatal(err)
	}
	same := trialsOf(t, d, "subj01", nsd.Fsaverage, surface.Mask, 1, 2, 3).zscored().mean().of(design.SharedSet(), false).float32s()
	if len(got) != len(want) || len(got) != len(same) {
		t.Fatalf("%d values, the volume has %d", len(got), len(want))
	}
	for i, x := range got {
		v := i % early.Mask.Len()
		if v == n+3 { // the vertex without responses
			continue
		}
		// The surface's betas were rounded to float32 when they were stored, which the volume's were not.
		if math.Abs(x-want[i]) > 1e-6*max(1, math.Abs(want[i])) {
			t.Fatalf("row %d, vertex %d: %v, the same voxel has %v", i/early.Mask.Len(), v, x, want[i])
		}
		if x != float64(same[i]) {
			t.Fatalf("row %d, vertex %d: %v, in memory it is %v", i/early.Mask.Len(), v, x, same[i])
		}
	}
	_, err = tableOf(t, f, "train").Matrix(t.Context())
	wantError(t, err, "is NaN, expected a finite number in X_train.npy")
	if !slices.Equal(tableOf(t, f, "train").Rows.Images, tableOf(t, volume, "train").Rows.Images) {
		t.Error("other images than in the volume")
	}
	if want := []int{1, 3, 0}; !slices.Equal(f.Manifest.FirstNaN, want) {
		t.Errorf("the first voxel with NaN is %v, expected %v", f.Manifest.FirstNaN, want)
	}
	o.Usable = true
	if usable := run(t, root, o); usable.Manifest.NaN != 0 || usable.Manifest.Voxels != f.Manifest.Voxels-1-f.Manifest.Constant {
		t.Errorf("%d usable vertices of %d, of which %d have NaN", usable.Manifest.Voxels, f.Manifest.Voxels, usable.Manifest.NaN)
	}
	o.MinExplainable = 1e-9
	if cut := run(t, root, o); cut.Manifest.NaN != 0 || cut.Manifest.Voxels == 0 {
		t.Errorf("after a cut %d of %d vertices have NaN", cut.Manifest.NaN, cut.Manifest.Voxels)
	}
	o.MinExplainable = 0
	xyz, _, err := f.Array("voxels.npy")
	if err != nil || !slices.Equal(xyz[3*n:3*n+3], []float64{1, 0, 0}) || f.Has("ncsnr.npy") {
		t.Errorf("the first right vertex is at %v, ncsnr there %v; %v", xyz[3*n:], f.Has("ncsnr.npy"), err)
	}
	var files []string
	for _, in := range f.Manifest.Inputs {
		files = append(files, filepath.Base(in.Path))
	}
	for _, name := range []string{"lh.streams.mgz", "rh.streams.mgz", "lh.betas_session03.mgh", "rh.betas_session03.mgh"} {
		if !slices.Contains(files, name) {
			t.Errorf("%s is not among the inputs %v", name, files)
		}
	}
}
