package nsd

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"percept/fmri"
	"percept/fmri/internal/nifti"
)

// copyTree is a copy of the golden tree that a test may damage.
func copyTree(t *testing.T) *Dataset {
	t.Helper()
	dir := t.TempDir()
	for _, part := range []string{"nsddata", "nsddata_betas"} {
		if err := os.CopyFS(filepath.Join(dir, part), os.DirFS(filepath.Join(root, part))); err != nil {
			t.Fatal(err)
		}
	}
	d, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func edit(t *testing.T, path string, change func(string) string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(change(string(b))), 0o666); err != nil {
		t.Fatal(err)
	}
}

// line changes one line of a text; lines count from 0.
func line(n int, change func(fields []string)) func(string) string {
	return func(s string) string {
		lines := strings.Split(s, "\n")
		f := strings.Split(lines[n], "\t")
		change(f)
		lines[n] = strings.Join(f, "\t")
		return strings.Join(lines, "\n")
	}
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

// TestMissing: every file that can be missing is named, with what it is for.
func TestMissing(t *testing.T) {
	_, err := Open("testdata/nowhere")
	wantError(t, err, "testdata/nowhere: not there: it is the root folder of the NSD tree")
	_, err = Open("testdata")
	wantError(t, err, "testdata: no folder nsddata in it")

	d := copyTree(t)
	const s = fmri.Subject("subj01")
	mask := fmri.Mask{Shape: [3]int{9, 11, 7}, Index: []int{0}}
	p := d.Paths
	for _, c := range []struct {
		path, what string
		use        func() error
	}{
		{p.ROI(s, DefaultSpace, "streams"), "the streams ROIs of subj01", func() error { _, err := d.ROIs(s, "", "streams"); return err }},
		{p.BrainMask(s, DefaultSpace), "the brain mask", func() error { _, err := d.Brain(s, ""); return err }},
		{p.NCSNR(s, DefaultSpace, DefaultBetas), "the noise ceiling SNR",
			func() error { _, err := d.NoiseCeilingSNR(s, mask, "", ""); return err }},
		{p.StimInfo(), "the table that leads from images to COCO", func() error { _, err := d.Captions(context.Background()); return err }},
		{p.Stimuli(), "the images that were shown", func() error { _, err := d.Stimulus(0); return err }},
		{p.Responses(s), "the list of subj01's trials", func() error { _, err := d.Trials(s); return err }},
	} {
		os.Remove(c.path)
		wantError(t, c.use(), c.path+": not there: it is ", c.what)
	}
	fresh := copyTree(t)
	os.Remove(fresh.Paths.ExpDesign())
	_, err = fresh.Trials(s)
	wantError(t, err, "nsd_expdesign.mat: not there: it is the experiment's design")
	os.RemoveAll(fresh.Paths.BetaFolder(s, DefaultSpace, DefaultBetas))
	_, err = fresh.Sessions(s, DefaultSpace, DefaultBetas)
	wantError(t, err, "the folder of subj01's betas")
	_, err = fresh.Trials("subj9")
	wantError(t, err, "subj9")
}

// TestDisagreements: what contradicts itself is not read.
func TestDisagreements(t *testing.T) {
	const s = fmri.Subject("subj01")
	for name, c := range map[string]struct {
		change func(fields []string)
		want   []string
	}{
		"another image": {func(f []string) { f[4] = "7" }, []string{"trial 3 of session 1 shows image 7 (73k id)",
			"nsd_expdesign.mat says 135"}},
		"another 10k id": {func(f []string) { f[5] = "9" }, []string{"trial 3 of session 1 has 10k id 9"}},
		"id 0":           {func(f []string) { f[4] = "0" }, []string{"line 4: 73KID is \"0\", expected a whole number from 1"}},
		"no number":      {func(f []string) { f[4] = "x" }, []string{"line 4: 73KID is \"x\""}},
		"other subject":  {func(f []string) { f[0] = "2" }, []string{"line 4 is of subject 2, expected 1"}},
		"back in time":   {func(f []string) { f[1] = "3" }, []string{"session 1 after session 3"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := copyTree(t)
			edit(t, d.Paths.Responses(s), line(3, c.change))
			_, err := d.Trials(s)
			wantError(t, err, append(c.want, "responses.tsv")...)
		})
	}
	d := copyTree(t)
	f, err := OpenSession(d.Paths.SessionBetas(s, DefaultSpace, DefaultBetas, 3, "hdf5"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Check(24, [3]int{9, 11, 7}); err != nil {
		t.Error(err)
	}
	wantError(t, f.Check(23, f.Shape), "betas_session03.hdf5: betas of 24 trials, responses.tsv has 23")
	wantError(t, f.Read(make([]float32, 24), fmri.Mask{Shape: [3]int{7, 11, 9}, Index: []int{5}}),
		"betas of a volume of [9 11 7] voxels (x, y, z), the mask is of [7 11 9]")
	_, err = d.Region(s, "", "streams/dorsal")
	wantError(t, err, "no region dorsal in streams; there is early, midventral")
}

// TestLabelTables: tables as they are found, not only as they should be.
func TestLabelTables(t *testing.T) {
	got, err := parseLabels("x.ctab", strings.NewReader("\ufeff# No. Label\r\n0 Unknown 0 0 0 0\r\n\n "+
		"1\tV1v   120 18 134 0\n2   \"hV4 a\"\n3 area 51\n12 FFA-1"))
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]string{0: "Unknown", 1: "V1v", 2: "hV4 a", 3: "area 51", 12: "FFA-1"} {
		if got[n] != want {
			t.Errorf("label %d is %q, want %q", n, got[n], want)
		}
	}
	for text, want := range map[string]string{"1": "line 1", "x V1": "line 1", "1 a\n1 b": "line 2: label 1 is a and b",
		"# none\n": "no label in it"} {
		_, err := parseLabels("x.ctab", strings.NewReader(text))
		wantError(t, err, "x.ctab: ", want)
	}
	d := copyTree(t)
	for _, s := range []fmri.Subject{"subj01", "fsaverage"} {
		os.Remove(d.Paths.LabelTable(s, "prf-visualrois"))
		os.Remove(d.Paths.LabelTable(s, "streams"))
	}
	_, err = d.ROIs("subj01", "", "prf-visualrois")
	wantError(t, err, "prf-visualrois.mgz.ctab: not there, nor for fsaverage")
	if rois, err := d.ROIs("subj01", "", "streams"); err != nil || rois[4].Name != "ventral" {
		t.Errorf("streams without a table: %v, %v", rois, err)
	}
	if err := nifti.Write(d.Paths.ROI("subj01", DefaultSpace, "streams"), nifti.Header{Dims: []int{1, 1, 2}}, []int16{1, 9}); err != nil {
		t.Fatal(err)
	}
	_, err = d.ROIs("subj01", "", "streams")
	wantError(t, err, "label 9 has no name")
}

// TestCaptionsRejects: damaged caption files and tables.
func TestCaptionsRejects(t *testing.T) {
	path := filepath.Join(t.TempDir(), "captions.json")
	for text, want := range map[string]string{
		`{"annotations": [{"image_id": 1, "caption": "a"}, {"image_id": 2`: "the file ends too early",
		`[]`:                                 "found [, expected {",
		`{"images":[]}`:                      `no "annotations" in it`,
		`{"annotations": [{"image_id": 1}]}`: "annotation without image_id or caption",
		`{"annotations": {}}`:                "found {, expected [",
		``:                                   "the file ends too early",
	} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		err := scanCaptions(context.Background(), path, func(int, string) {})
		wantError(t, err, path+": ", want)
	}
}
