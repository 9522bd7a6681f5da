package nsd

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"

	"percept/fmri"
	"percept/fmri/stats"
	"percept/internal/golden"
)

// The tree and the expected values were made by numpy, h5py, nibabel and scipy; see the golden set's README, section 10.
const root = "testdata/nsd_root"

var subjects = []fmri.Subject{"subj01", "subj02"}

func openTree(t *testing.T) (*Dataset, *golden.Tensors) {
	t.Helper()
	d, err := Open(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d, golden.Open(t, "testdata/expected.safetensors")
}

// near checks values against reference ones; tol is relative to each reference value, and absolute below 1.
func near(t *testing.T, what string, got, want []float32, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", what, len(got), len(want))
		return
	}
	worst := 0.0
	for i := range got {
		if math.IsNaN(float64(got[i])) && math.IsNaN(float64(want[i])) {
			continue
		}
		d := math.Abs(float64(got[i])-float64(want[i])) / max(1, math.Abs(float64(want[i])))
		if !(d <= tol) {
			t.Errorf("%s[%d] = %v, want %v (tolerance %g)", what, i, got[i], want[i], tol)
			return
		}
		worst = max(worst, d)
	}
	t.Logf("%s: largest error %.2g, tolerance %.0g", what, worst, tol)
}

func same[A, B ~int | ~int32](t *testing.T, what string, got []A, want []B) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", what, len(got), len(want))
		return
	}
	for i := range got {
		if int(got[i]) != int(want[i]) {
			t.Errorf("%s[%d] = %d, want %d", what, i, got[i], want[i])
			return
		}
	}
}

func TestTrials(t *testing.T) {
	d, want := openTree(t)
	got, err := d.Subjects()
	if err != nil || !slices.Equal(got, subjects) {
		t.Errorf("Subjects() = %v, %v", got, err)
	}
	design, err := d.Design()
	if err != nil {
		t.Fatal(err)
	}
	shared := golden.Values[int32](want, "design.sharedix_1based")
	for i := range shared {
		shared[i]--
	}
	same(t, "shared", design.Shared, shared)
	for _, s := range subjects {
		trials, err := d.Trials(s)
		if err != nil {
			t.Fatal(err)
		}
		var images, sessions, repeats, isShared []int
		for _, tr := range trials {
			images, sessions, repeats = append(images, int(tr.Image)), append(sessions, tr.Session), append(repeats, tr.Repeat)
			k := 0
			if tr.Shared {
				k = 1
			}
			isShared = append(isShared, k)
		}
		p := string(s) + "."
		same(t, p+"image", images, golden.Values[int32](want, p+"trial.nsd_id_0based"))
		same(t, p+"session", sessions, golden.Values[int32](want, p+"trial.session_1based"))
		same(t, p+"repeat", repeats, golden.Values[int32](want, p+"trial.repeat_0based"))
		var flags []int32
		for _, v := range golden.Values[uint8](want, p+"trial.is_shared") {
			flags = append(flags, int32(v))
		}
		same(t, p+"shared", isShared, flags)
		same(t, p+"first seen", FirstSeen(trials), golden.Values[int32](want, p+"stims_unique_first_seen_order"))
		n, err := d.Sessions(s, DefaultSpace, DefaultBetas)
		if err != nil || !slices.Equal(n, []int{1, 2, 3}) {
			t.Errorf("Sessions(%s) = %v, %v", s, n, err)
		}
	}
}

func checkVoxels(t *testing.T, what string, m fmri.Mask, want []int32) {
	t.Helper()
	var xyz []int
	for v := range m.Len() {
		p := m.XYZ(v)
		xyz = append(xyz, p[:]...)
	}
	same(t, what, xyz, want)
}

func TestROIs(t *testing.T) {
	d, want := openTree(t)
	for _, s := range subjects {
		for atlas, names := range map[string][]string{
			"streams":        {"early", "midventral", "midlateral", "midparietal", "ventral", "lateral", "parietal"},
			"prf-visualrois": {"V1v", "V1d", "V2v", "V2d", "V3v", "V3d", "hV4"},
		} {
			rois, err := d.ROIs(s, "", atlas)
			if err != nil {
				t.Fatal(err)
			}
			if len(rois) != len(names) {
				t.Fatalf("%s %s: %d regions, want %v", s, atlas, len(rois), names)
			}
			for i, r := range rois {
				if r.Name != names[i] || r.Value != i+1 {
					t.Errorf("%s %s: region %d is %s = %d, want %s", s, atlas, i, r.Name, r.Value, names[i])
				}
				checkVoxels(t, fmt.Sprintf("%s %s %s", s, atlas, r.Name), r.Mask,
					golden.Values[int32](want, fmt.Sprintf("%s.roi.%s.%s.voxels_xyz", s, atlas, r.Name)))
			}
		}
		general, err := d.Region(s, "", "nsdgeneral")
		if err != nil {
			t.Fatal(err)
		}
		checkVoxels(t, string(s)+" nsdgeneral", general.Mask, golden.Values[int32](want, string(s)+".nsdgeneral.voxels_xyz"))
		both, err := d.Region(s, "", "streams/ventral+lateral")
		if err != nil {
			t.Fatal(err)
		}
		n := len(golden.Values[int32](want, string(s)+".roi.streams.ventral.voxels_xyz")) +
			len(golden.Values[int32](want, string(s)+".roi.streams.lateral.voxels_xyz"))
		if 3*both.Mask.Len() != n {
			t.Errorf("%s ventral+lateral has %d voxels, want %d", s, both.Mask.Len(), n/3)
		}
	}
	brain, err := d.Brain("subj01", "")
	if err != nil || brain.Len() != 417 || brain.Shape != [3]int{9, 11, 7} { // golden info.json
		t.Errorf("Brain: %d voxels of %v, %v", brain.Len(), brain.Shape, err)
	}
}

// readBetas is the mask's voxels of sessions 1 to 3 in percent signal change, [trials, voxels].
func readBetas(t *testing.T, d *Dataset, s fmri.Subject, space string, mask fmri.Mask) (x []float32) {
	t.Helper()
	files, err := d.SessionFiles(s, space, DefaultBetas)
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 3; n++ {
		f, err := OpenSession(files[n])
		if err != nil {
			t.Fatal(err)
		}
		part := make([]float32, f.Trials*mask.Len())
		if err := f.Read(part, mask); err != nil {
			t.Fatal(err)
		}
		for _, v := range part {
			x = append(x, v/f.Scale)
		}
		f.Close()
	}
	return x
}

func TestBetas(t *testing.T) {
	d, want := openTree(t)
	for _, s := range subjects {
		p := string(s) + "."
		general, err := d.Region(s, "", "nsdgeneral")
		if err != nil {
			t.Fatal(err)
		}
		near(t, p+"betas", readBetas(t, d, s, DefaultSpace, general.Mask),
			golden.Values[float32](want, p+"nsdgeneral.betas_psc.order_x_slowest"), 1e-6)
		// The same voxels in the order of the file.
		z := general.Mask.Pick(general.Mask.FileOrder())
		near(t, p+"betas, z slowest", readBetas(t, d, s, DefaultSpace, z),
			golden.Values[float32](want, p+"nsdgeneral.betas_psc.order_z_slowest"), 1e-6)

		snr, err := d.NoiseCeilingSNR(s, general.Mask, "", "")
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{1, 3} {
			var percent []float32
			for _, v := range snr {
				percent = append(percent, float32(100*stats.NoiseCeiling(float64(v), float64(n))))
			}
			name := fmt.Sprintf("%snsdgeneral.noise_ceiling_%dtrial%s_percent", p, n, map[int]string{3: "s"}[n])
			near(t, name, percent, golden.Values[float32](want, name), 2e-6)
		}
	}
}

// TestBetasNIfTI reads the same betas from .nii.gz, in a copy of the tree without the HDF5 files.
func TestBetasNIfTI(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(root)); err != nil {
		t.Fatal(err)
	}
	_, want := openTree(t)
	d, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range subjects {
		for session := 1; session <= 3; session++ {
			if err := os.Remove(d.Paths.SessionBetas(s, DefaultSpace, DefaultBetas, session, "hdf5")); err != nil {
				t.Fatal(err)
			}
		}
		general, err := d.Region(s, "", "nsdgeneral")
		if err != nil {
			t.Fatal(err)
		}
		near(t, string(s), readBetas(t, d, s, DefaultSpace, general.Mask),
			golden.Values[float32](want, string(s)+".nsdgeneral.betas_psc.order_x_slowest"), 1e-6)
	}
}

func TestStimuli(t *testing.T) {
	d, want := openTree(t)
	s, err := d.Stimuli()
	if err != nil {
		t.Fatal(err)
	}
	if s.Len() != 157 || s.Height != 64 || s.Width != 64 {
		t.Errorf("%d images of %dx%d", s.Len(), s.Height, s.Width)
	}
	first := golden.Values[uint8](want, "images.first3")
	n := 64 * 64 * 3
	for id := range 3 {
		got := make([]uint8, n)
		if err := s.Pixels(got, ImageID(id)); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, first[id*n:][:n]) {
			t.Errorf("image %d differs", id)
		}
		img, err := d.Stimulus(ImageID(id))
		if err != nil {
			t.Fatal(err)
		}
		c := img.RGBAAt(5, 7)
		if at := first[id*n+(7*64+5)*3:]; c.R != at[0] || c.G != at[1] || c.B != at[2] || c.A != 255 {
			t.Errorf("image %d at (5, 7) is %v, want %v", id, c, at[:3])
		}
	}
	for _, id := range []ImageID{-1, 157} {
		if _, err := d.Stimulus(id); err == nil {
			t.Errorf("image %d was read", id)
		}
	}
}

func TestCaptions(t *testing.T) {
	d, want := openTree(t)
	b, err := os.ReadFile("testdata/expected_captions_by_nsd_id_0based.json")
	if err != nil {
		t.Fatal(err)
	}
	var expected map[string][]string
	if err := json.Unmarshal(b, &expected); err != nil {
		t.Fatal(err)
	}
	got, err := d.Captions(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var ids []ImageID
	for k, w := range expected {
		id, err := strconv.Atoi(k)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, ImageID(id))
		if !slices.Equal(got[ImageID(id)], w) {
			t.Errorf("captions of %d = %q, want %q", id, got[ImageID(id)], w)
		}
	}
	some, err := d.Captions(context.Background(), ids[:2]...)
	if err != nil || len(some) != 2 || !slices.Equal(some[ids[0]], got[ids[0]]) {
		t.Errorf("captions of two images: %v, %v", some, err)
	}
	infos, err := d.StimulusInfos()
	if err != nil {
		t.Fatal(err)
	}
	var coco []int
	for i, in := range infos {
		coco = append(coco, in.COCO)
		if int(in.Image) != i {
			t.Errorf("line %d is image %d", i, in.Image)
		}
	}
	same(t, "coco id", coco, golden.Values[int32](want, "stim.coco_id"))
}
