package study

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"percept/fmri"
	"percept/fmri/fit"
	"percept/fmri/study/report"
	"percept/fmri/study/stage"
	"percept/fmri/table"
	"percept/weights/safetensors"
)

// A run leaves what the package's comment says, and nothing else.
func TestArtefactsAreThoseOfThePackageComment(t *testing.T) {
	dir := finished(t)
	want := map[string]int{"experiment.toml": 1, "responses_subj01/train.safetensors": 1, "responses_subj01/test.safetensors": 1,
		"features/*.safetensors": 2, "decoders_subj01/*.safetensors": 2, "decoded_subj01/*.safetensors": 2, "control_subj01/*.safetensors": 2,
		"diagnosis_subj01/*.json": 2, "diagnosis_subj01/*.png": 2, "pictures_subj01/*/*.png": 4 * 4, "pictures_true/*/*.png": 4 * 4,
		"scores.json": 1, "sheet.png": 1, "report.html": 1, "manifests/*.json": len(everything)}
	found := map[string]int{}
	for name := range files(t, dir) {
		known := strings.HasPrefix(name, "nsd/")
		for pattern := range want {
			if ok, _ := filepath.Match(pattern, filepath.FromSlash(name)); ok {
				found[pattern]++
				known = true
			}
		}
		if !known {
			t.Errorf("%s is none of what the package's comment lists", name)
		}
	}
	if !maps.Equal(found, want) {
		t.Errorf("files %v, expected %v", found, want)
	}
	for _, name := range everything {
		var m stage.Manifest
		if err := json.Unmarshal(read(t, dir, "manifests", name+".json"), &m); err != nil || m.Stage != name || m.Version != "test" {
			t.Errorf("manifest of %s: %+v, %v", name, m, err)
		}
		if sum, err := stage.Sum(filepath.Join(dir, m.Output)); err != nil || sum != m.SHA256 {
			t.Errorf("%s does not have the sum of its manifest, %v", m.Output, err)
		}
	}
	c, err := Read(filepath.Join(dir, ConfigFile))
	if want := parsed(t, tiny, nil); err != nil || !reflect.DeepEqual(c, want) {
		t.Errorf("experiment.toml is %+v, %v, expected %+v", c, err, want)
	}
}

// Each artefact opens by its own package, and says of what it is.
func TestArtefactsOpen(t *testing.T) {
	dir, p := finished(t), model(t)
	rows := map[string]int{"train": 12, "test": 4}
	side := p.Size / p.VAE.Config.Downscale()
	var seen int
	for part, n := range rows {
		x, err := table.OpenResponses(filepath.Join(dir, "responses_subj01", part+tables), "", nil, "")
		if err != nil {
			t.Fatal(err)
		}
		seen += x.Len()
		if v := x.Cols.Voxels; x.Len() != n || len(x.Rows.Images) != n || v.Subject != "subj01" || v.Scale != table.SessionScores ||
			v.XYZ == nil ||
			!slices.Equal(v.Regions, []string{"streams/early", "streams/ventral+lateral"}) {
			t.Errorf("responses %s: %d rows of %+v", part, x.Len(), v)
		}
	}
	for name, shape := range map[string][]int{"z": {4, side, side}, "c": {p.Tokens, p.Width}} {
		f, err := table.OpenFeatures(filepath.Join(dir, "features"), name)
		if err != nil || f.Len() != seen || !slices.Equal(f.Cols.Shape, shape) || f.Meta["model_sha256"] != p.Hash {
			t.Fatalf("feature %s: %v, %v", name, f, err)
		}
		m, err := fit.Open(filepath.Join(dir, "decoders_subj01", name+tables))
		if err != nil || m.Y.Name != name || m.X.Voxels.Subject != "subj01" || len(m.Images) != rows["train"] ||
			m.Made["program"] != "percept test" {
			t.Errorf("decoder of %s: %+v, %v", name, m, err)
		}
		for folder, made := range map[string]string{"decoded_subj01": "decoder_sha256", "control_subj01": "shuffled"} {
			d, err := table.OpenFeatures(filepath.Join(dir, folder), name)
			if err != nil || d.Len() != rows["test"] || !slices.Equal(d.Cols.Shape, shape) || d.Meta[made] == "" ||
				d.Meta["subject"] != "subj01" ||
				d.Meta["part"] != "test" {
				t.Errorf("%s of %s: %v, %v", folder, name, d, err)
			}
		}
		var d Diagnosis
		from := json.NewDecoder(bytes.NewReader(read(t, dir, "diagnosis_subj01", name+".json")))
		from.DisallowUnknownFields()
		if err := from.Decode(&d); err != nil || d.Part != "test" || d.Fit.Feature != name || d.Diagnosis.Images != rows["test"] ||
			d.Diagnosis.Nearest.Train != rows["train"] {
			t.Errorf("diagnosis of %s: %+v, %v", name, d, err)
		}
	}
	for name := range files(t, dir) {
		if strings.HasPrefix(name, "pictures_") || strings.HasSuffix(name, ".png") && !strings.HasPrefix(name, "nsd/") {
			m, err := png.Decode(bytes.NewReader(read(t, dir, name)))
			if err != nil || strings.HasPrefix(name, "pictures_") && (m.Bounds().Dx() != p.Size || m.Bounds().Dy() != p.Size) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// What Do returns is what the files say: a row of scores for each kind of picture and metric, a diagnosis for each fit.
func TestResultIsWhatTheFilesSay(t *testing.T) {
	dir := finished(t)
	result, _ := finishedRun()
	var rows []Row
	if err := readJSON(filepath.Join(dir, "scores.json"), &rows); err != nil || !reflect.DeepEqual(rows, result.Scores) {
		t.Errorf("scores %v, %v", rows, err)
	}
	if want := len(Methods()) * len(tableMetrics); len(rows) != want {
		t.Errorf("%d scores, expected %d", len(rows), want)
	}
	for _, r := range rows {
		share := strings.HasSuffix(r.Metric, "_id") || strings.HasSuffix(r.Metric, "_peers")
		if r.Subject != "subj01" || r.N != 4 || !(r.Low <= r.Value && r.Value <= r.High) || share != (r.ChanceHigh > 0) ||
			r.ChanceHigh < r.ChanceLow {
			t.Errorf("score %+v", r)
		}
		if r.Method == "true z" && r.Metric == "pixcorr" && r.Value < 0.9 {
			t.Errorf("what the VAE shows of the image's own z correlates with it by %g, expected 0.9", r.Value)
		}
	}
	if result.Report != filepath.Join(dir, "report.html") || result.Sheet != filepath.Join(dir, "sheet.png") ||
		len(result.Diagnoses) != 2 ||
		len(result.Metrics) != len(tableMetrics) {
		t.Errorf("result %+v", result)
	}
	for i, d := range result.Diagnoses {
		if name, from := []string{"z", "c"}[i], []string{"early", "ventral, lateral"}[i]; d.Feature != name || d.From != from ||
			len(d.Values) != len(result.DiagnosisColumns) || d.Made != report.Decoded {
			t.Errorf("diagnosis %+v, expected that of %s from %s", d, name, from)
		}
	}
	if err := readJSON(filepath.Join(dir, "none.json"), &rows); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	broken := filepath.Join(t.TempDir(), "scores.json")
	put(t, `[{"value": "much"}]`, broken)
	rejects(t, "a damaged file", readJSON(broken, &rows), broken)
}

// A file that was cut short, as by a system that went down, is not taken for one that an interrupted stage has finished.
func TestWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "z"+tables)
	if whole(path) {
		t.Error("a file that is not there is whole")
	}
	if err := safetensors.Write(path, []safetensors.Named{safetensors.NamedF32("x", make([]float32, 100), 100)}, nil); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil || !whole(path) {
		t.Fatalf("a complete file is not whole (%v)", err)
	}
	if err := os.WriteFile(path, b[:len(b)/2], 0o666); err != nil {
		t.Fatal(err)
	}
	if whole(path) {
		t.Error("half a file is whole")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("half a file was left for the next run")
	}
}

// pageLinks are the links of a page that leave it, and the thumbnails' texts, in order.
var pageLinks = regexp.MustCompile(`<a href="([^"#][^"]*)"><img alt="([^"]*)"`)

// The page shows every picture of the run once, says which one it is and leads to its file, which is a part of an artefact that
// has its sum; it needs nothing else.
func TestPageLeadsToThePicturesOfTheRun(t *testing.T) {
	dir := finished(t)
	page := string(read(t, dir, "report.html"))
	shown := map[string]string{}
	for _, m := range pageLinks.FindAllStringSubmatch(page, -1) {
		shown[m[1]] = strings.ReplaceAll(m[2], "&#43;", "+")
	}
	have := 0
	for name := range files(t, dir) {
		if strings.HasPrefix(name, "pictures_") {
			have++
			if shown[name] == "" {
				t.Errorf("no thumbnail leads to %s", name)
			}
		}
	}
	if len(shown) != have || strings.Count(page, "<img") != have {
		t.Errorf("%d links to pictures and %d thumbnails, expected %d", len(shown), strings.Count(page, "<img"), have)
	}
	ids, err := table.OpenResponses(filepath.Join(dir, "responses_subj01", "test"+tables), "", nil, "")
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range ids.Rows.Images {
		for folder, want := range map[string]string{"pictures_true/seen": "seen image %d, subj01",
			"pictures_subj01/z": "reconstruction from z of image %d, subj01", "pictures_subj01/shuffled_zc": "reconstruction from " + Shuffled +
				" of image %d, subj01", "pictures_true/true_c": "reconstruction from true c of image %d, subj01"} {
			if got := shown[folder+"/"+pictureName(id)]; got != fmt.Sprintf(want, i+1) {
				t.Errorf("%s of image %d is %q", folder, id, got)
			}
		}
	}
}

// TestScoresSayWhatWasFittedOn: images that models were fitted on are counted, by image, in scores and on the page.
func TestScoresSayWhatWasFittedOn(t *testing.T) {
	dir := finished(t)
	r := &Run{Config: parsed(t, tiny, nil), Model: model(t), runner: stage.Look(dir, "test")}
	of := func(part string) []fmri.ImageID {
		t.Helper()
		x, err := r.openResponses("subj01", part)
		if err != nil {
			t.Fatal(err)
		}
		return x.Rows.Images
	}
	for _, c := range []struct {
		ids  []fmri.ImageID
		want int
	}{{of(test), 0}, {of(train), len(of(train))}, {append(slices.Clone(of(test)), of(train)[:2]...), 2}} {
		if n, err := r.trainedOn("subj01", c.ids); err != nil || n != c.want {
			t.Errorf("%d of %d images, %v; expected %d", n, len(c.ids), err, c.want)
		}
	}
	if line, err := r.overlap(); line != "" || err != nil {
		t.Errorf("a run without overlap says %q, %v", line, err)
	}
	// A folder whose test rows are those of training.
	leaked := copied(t, dir)
	b, err := os.ReadFile(filepath.Join(leaked, "responses_subj01", train+tables))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(leaked, "responses_subj01", test+tables), b, 0o666); err != nil {
		t.Fatal(err)
	}
	r.runner = stage.Look(leaked, "test")
	want := fmt.Sprintf("The models were fitted on %d of the %d test images of subj01", len(of(train)), len(of(train)))
	if line, err := r.overlap(); !strings.HasPrefix(line, want) || err != nil {
		t.Errorf("overlap %q, %v, expected %q", line, err, want)
	}
}
