package sim

import (
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// tiny is an experiment for tests of files.
var tiny = Options{
	Seed: 3, SharedImages: 4, OwnImages: 11, Sessions: 3, Runs: 2, Shape: [3]int{10, 12, 9},
	EarlyVoxels: 40, MidVoxels: 9, HigherVoxels: 20,
}

func writeTiny(t *testing.T, o Options) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tree")
	if err := Write(context.Background(), dir, o, nil); err != nil {
		t.Fatal(err)
	}
	return dir
}

// sums hashes every file of a folder.
func sums(t *testing.T, dir string) map[string][32]byte {
	t.Helper()
	found := map[string][32]byte{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		found[filepath.ToSlash(name)] = sha256.Sum256(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestWriteIsDeterministic(t *testing.T) {
	a, b := sums(t, writeTiny(t, tiny)), sums(t, writeTiny(t, tiny))
	for name := range a {
		if a[name] != b[name] {
			t.Errorf("%s differs between two runs", name)
		}
	}
	if len(a) != len(b) {
		t.Errorf("%d files, then %d", len(a), len(b))
	}
	o := tiny
	o.Seed++
	for name, sum := range sums(t, writeTiny(t, o)) {
		// Names and masks do not depend on chance.
		if a[name] == sum && !strings.Contains(name, "label") && !strings.Contains(name, "roi/") &&
			!strings.Contains(name, "brainmask") && !strings.Contains(name, "voxels.npy") {
			t.Errorf("%s is the same with another seed", name)
		}
	}
}

func TestWriteMakesTheFilesOfNSD(t *testing.T) {
	got := sums(t, writeTiny(t, tiny))
	want := []string{
		"nsddata/experiments/nsd/nsd_expdesign.mat",
		"nsddata/experiments/nsd/nsd_stim_info_merged.csv",
		"nsddata/freesurfer/fsaverage/label/streams.mgz.ctab",
		"nsddata/freesurfer/fsaverage/label/prf-visualrois.mgz.ctab",
		"nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5",
		"nsddata_stimuli/stimuli/nsd/annotations/captions_train2017.json",
		"nsddata_stimuli/stimuli/nsd/annotations/captions_val2017.json",
		"truth/simulation.json", "truth/scenes.json", "truth/labels.npy", "truth/label_names.json",
	}
	for _, s := range []string{"subj01", "subj02"} {
		want = append(want,
			"nsddata/freesurfer/"+s+"/label/streams.mgz.ctab",
			"nsddata/freesurfer/"+s+"/label/prf-visualrois.mgz.ctab",
			"nsddata/ppdata/"+s+"/behav/responses.tsv",
			"nsddata/ppdata/"+s+"/func1pt8mm/brainmask.nii.gz",
			"nsddata/ppdata/"+s+"/func1pt8mm/mean.nii.gz",
			"nsddata/ppdata/"+s+"/func1pt8mm/roi/streams.nii.gz",
			"nsddata/ppdata/"+s+"/func1pt8mm/roi/nsdgeneral.nii.gz",
			"nsddata/ppdata/"+s+"/func1pt8mm/roi/prf-visualrois.nii.gz",
			"truth/"+s+"/voxels.json", "truth/"+s+"/voxels.npy", "truth/"+s+"/pictures.npy", "truth/"+s+"/responses.npy",
		)
		for _, f := range []string{"betas_session01.hdf5", "betas_session02.hdf5", "betas_session03.hdf5", "ncsnr.nii.gz"} {
			want = append(want, "nsddata_betas/ppdata/"+s+"/func1pt8mm/betas_fithrf_GLMdenoise_RR/"+f)
		}
	}
	for _, name := range want {
		if _, ok := got[name]; !ok {
			t.Errorf("%s is missing", name)
		}
		delete(got, name)
	}
	for name := range got {
		t.Errorf("%s was not expected", name)
	}
}

// The behaviour file and the table of pictures tell the same story.
func TestTablesAgree(t *testing.T) {
	dir := writeTiny(t, tiny)
	info := readTable(t, filepath.Join(dir, "nsddata/experiments/nsd/nsd_stim_info_merged.csv"), ',')
	for _, subject := range []string{"1", "2"} {
		trials := readTable(t, filepath.Join(dir, "nsddata/ppdata/subj0"+subject+"/behav/responses.tsv"), '\t')
		times := map[string]int{}
		for i, row := range trials {
			id, err := strconv.Atoi(row["73KID"])
			if err != nil {
				t.Fatal(err)
			}
			picture := info[id-1]
			rep := "subject" + subject + "_rep" + strconv.Itoa(times[row["73KID"]])
			if picture[rep] != strconv.Itoa(i+1) || picture["subject"+subject] != "1" {
				t.Fatalf("subject %s sees picture %d in trial %d; the table says %s %s", subject, id, i+1, rep, picture[rep])
			}
			if old := times[row["73KID"]] > 0; old != (row["ISOLD"] == "1") || old == (row["MEMORYRECENT"] == "NaN") {
				t.Errorf("trial %d: ISOLD %s, MEMORYRECENT %s", i+1, row["ISOLD"], row["MEMORYRECENT"])
			}
			times[row["73KID"]]++
			k, _ := strconv.Atoi(row["10KID"])
			if shared := picture["shared1000"] == "True"; shared != (k <= tiny.SharedImages) {
				t.Errorf("picture %d has 10KID %d and shared1000 %s", id, k, picture["shared1000"])
			}
		}
	}
}

func readTable(t *testing.T, path string, comma rune) []map[string]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma = comma
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, row := range rows[1:] {
		m := map[string]string{}
		for i, v := range row {
			m[rows[0][i]] = v
		}
		out = append(out, m)
	}
	return out
}

// Every picture has its captions in the file of its split, and not all of COCO is in the experiment.
func TestCaptions(t *testing.T) {
	dir := writeTiny(t, tiny)
	captions := map[string]map[int]int{}
	all := 0
	for _, split := range []string{"train2017", "val2017"} {
		b, err := os.ReadFile(filepath.Join(dir, "nsddata_stimuli/stimuli/nsd/annotations/captions_"+split+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var f cocoFile
		if err := json.Unmarshal(b, &f); err != nil {
			t.Fatal(err)
		}
		captions[split] = map[int]int{}
		for _, a := range f.Annotations {
			if strings.TrimSpace(a.Caption) == "" {
				t.Errorf("caption %d is empty", a.ID)
			}
			captions[split][a.ImageID]++
		}
		all += len(f.Images)
	}
	info := readTable(t, filepath.Join(dir, "nsddata/experiments/nsd/nsd_stim_info_merged.csv"), ',')
	for _, row := range info {
		id, _ := strconv.Atoi(row["cocoId"])
		if n := captions[row["cocoSplit"]][id]; n != captionsPerImage {
			t.Errorf("picture %s has %d captions, want %d", row["nsdId"], n, captionsPerImage)
		}
	}
	if all <= len(info) {
		t.Errorf("%d pictures in COCO, %d in the experiment", all, len(info))
	}
}

func TestWriteAgainDoesNothing(t *testing.T) {
	dir := writeTiny(t, tiny)
	before := sums(t, dir)
	calls := 0
	if err := Write(context.Background(), dir, tiny, func(int, int, string) { calls++ }); err != nil || calls > 0 {
		t.Errorf("second call: error %v, %d steps", err, calls)
	}
	o := tiny
	o.NCSNR = 2
	if err := Write(context.Background(), dir, o, nil); err == nil || !strings.Contains(err.Error(), "other options") {
		t.Errorf("other options over a finished tree: error %v", err)
	}
	after := sums(t, dir)
	for name, sum := range before {
		if after[name] != sum {
			t.Errorf("%s has changed", name)
		}
	}
}

func TestWriteRejects(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "thesis.txt"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(full, "thesis.txt")
	with := func(f func(*Options)) Options { o := tiny; f(&o); return o }
	for _, c := range []struct {
		name, dir string
		o         Options
		want      string
	}{
		{"a folder of something else", full, tiny, "holds no simulation"},
		{"a file", file, tiny, "thesis.txt"},
		{"a folder below a file", filepath.Join(file, "tree"), tiny, "thesis.txt"},
		{"too many subjects", "", with(func(o *Options) { o.Subjects = 9 }), "Subjects is 9, expected 1 to 8"},
		{"negative repeats", "", with(func(o *Options) { o.OwnRepeats = -1 }), "OwnRepeats is -1"},
		{"no signal left", "", with(func(o *Options) { o.NCSNR = -1 }), "NCSNR"},
		{"a brain too small", "", with(func(o *Options) { o.EarlyVoxels = 4000 }), "do not fit"},
		{"a picture too small", "", with(func(o *Options) { o.ImageSize = 20 }), "ImageSize"},
	} {
		dir := c.dir
		if dir == "" {
			dir = filepath.Join(t.TempDir(), "tree")
		}
		err := Write(context.Background(), dir, c.o, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line with %q", c.name, err, c.want)
		}
		if c.dir == "" {
			if left, _ := os.ReadDir(filepath.Dir(dir)); len(left) > 0 {
				t.Errorf("%s: left %v behind", c.name, left)
			}
		}
	}
}

// Stopped at any stage, nothing is left and a later call succeeds with the same bytes.
func TestWriteStops(t *testing.T) {
	want := sums(t, writeTiny(t, tiny))
	parent := t.TempDir()
	dir := filepath.Join(parent, "tree")
	for _, at := range []float64{0, 0.1, 0.5, 0.9} {
		ctx, cancel := context.WithCancel(context.Background())
		err := Write(ctx, dir, tiny, func(done, total int, _ string) {
			if float64(done) >= at*float64(total) {
				cancel()
			}
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("stopped at %g: error %v", at, err)
		}
		if left, _ := os.ReadDir(parent); len(left) > 0 {
			t.Errorf("stopped at %g: left %v behind", at, left)
		}
	}
	// A killed process leaves its work under the other name.
	if err := writeFile(dir+".partial/nsddata/rubbish", []byte("x")); err != nil {
		t.Fatal(err)
	}
	var done, total []int
	err := Write(context.Background(), dir, tiny, func(d, n int, _ string) { done, total = append(done, d), append(total, n) })
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSorted(done) || done[len(done)-1] != total[0] || slices.Min(total) != slices.Max(total) {
		t.Errorf("progress ran %v of %d", done, total[0])
	}
	got := sums(t, dir)
	for name, sum := range want {
		if got[name] != sum {
			t.Errorf("%s differs after stops", name)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d files after stops, want %d", len(got), len(want))
	}
}
