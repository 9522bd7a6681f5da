package study

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"percept"
	"percept/fmri/fit"
	"percept/fmri/study/stage"
	"percept/fmri/table"
)

// tiny is the smallest experiment that goes through every stage: 12 training and 4 test images of one simulated subject.
const tiny = `
data = "nsd"
subjects = ["subj01"]
seed = 3
[simulate]
own_images = 12
shared_images = 4
[decode]
atlas = "streams"
early = ["early"]
higher = ["ventral", "lateral"]
folds = 2
alphas = [100, 1000, 10000]
[render]
steps = 2
strength = 0.5
guidance = 3
[score]
bootstrap = 100
permutations = 100
scenes = true
`

// everything is the stages of tiny, in order.
var everything = []string{"data", "responses-subj01", "features", "fit-subj01", "decode-subj01", "control-subj01", "diagnose-subj01",
	"render-true", "render-subj01", "score", "sheet", "report"}

// scratch is the folder of what tests share; TestMain removes it.
var scratch string

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "study"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(scratch)
	os.Exit(code)
}

var embedded = sync.OnceValues(func() (*percept.Pipeline, error) { return percept.Embedded(context.Background()) })

func model(t *testing.T) *percept.Pipeline {
	t.Helper()
	p, err := embedded()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var finishedRun = sync.OnceValues(func() (*Result, error) {
	p, err := embedded()
	if err != nil {
		return nil, err
	}
	c, err := Parse([]byte(tiny))
	if err != nil {
		return nil, err
	}
	r, err := New(filepath.Join(scratch, "finished"), c, p, "test", nil)
	if err != nil {
		return nil, err
	}
	return r.Do(context.Background())
})

// finished is the folder of a finished run of tiny, which tests read and do not change.
func finished(t *testing.T) string {
	t.Helper()
	if _, err := finishedRun(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(scratch, "finished")
}

// parsed is tiny, changed.
func parsed(t *testing.T, text string, change func(*Config)) Config {
	t.Helper()
	c, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&c)
	}
	return c
}

// listed is tiny with a list of fits in place of the published pair.
func listed(fits string) string {
	text := strings.NewReplacer("atlas = \"streams\"\n", "", "early = [\"early\"]\n", "", "higher = [\"ventral\", \"lateral\"]\n", "").Replace(tiny)
	return text + fits
}

// do runs an experiment in a folder and returns the names of the stages that were made.
func do(t *testing.T, dir string, c Config) (*Result, []string) {
	t.Helper()
	r, err := New(dir, c, model(t), "test", nil)
	if err != nil {
		t.Fatal(err)
	}
	result, err := r.Do(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return result, r.runner.Ran
}

// planned is the names of the stages that Do would make.
func planned(t *testing.T, dir string, c Config) (names []string) {
	t.Helper()
	plans, err := Plan(dir, c, model(t), "test")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range plans {
		if p.Make {
			names = append(names, p.Name)
		}
	}
	return names
}

// copied is a copy of a run's folder.
func copied(t *testing.T, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "run")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

// withData is a new folder in which the data tree of the finished run is up to date.
func withData(t *testing.T) string {
	t.Helper()
	from, to := finished(t), filepath.Join(t.TempDir(), "run")
	if err := os.CopyFS(filepath.Join(to, "nsd"), os.DirFS(filepath.Join(from, "nsd"))); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(to, "manifests"), 0o777); err != nil {
		t.Fatal(err)
	}
	put(t, string(read(t, from, "manifests", "data.json")), to, "manifests", "data.json")
	return to
}

func read(t *testing.T, path ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func put(t *testing.T, text string, path ...string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(path...), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// files are the bytes of all files in a folder, by their slash-separated names.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all[name] = read(t, dir, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// sameFiles compares two run directories; manifests say how long stages took, and need only be there.
func sameFiles(t *testing.T, got, want string) {
	t.Helper()
	g, w := files(t, got), files(t, want)
	for name, b := range w {
		if have, ok := g[name]; !ok || !bytes.Equal(have, b) && !strings.HasPrefix(name, "manifests/") {
			t.Errorf("%s: there %v, but not with the bytes of a run that was not disturbed", name, ok)
		}
	}
	for name := range g {
		if _, ok := w[name]; !ok {
			t.Errorf("%s is left over", name)
		}
	}
}

// values reads all of a table.
func values(t *testing.T, of *table.Table, err error) []float32 {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	m, err := of.Matrix(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return m.Data
}

// rejects checks that an error names all of some things, in one line.
func rejects(t *testing.T, what string, err error, names ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error, expected one that names %q", what, names)
		return
	}
	for _, name := range names {
		if !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %q, expected one line that names %q", what, err, name)
		}
	}
}

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
		if v := x.Cols.Voxels; x.Len() != n || len(x.Rows.Images) != n || v.Subject != "subj01" || v.Scale != table.SessionScores || v.XYZ == nil ||
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
		if err != nil || m.Y.Name != name || m.X.Voxels.Subject != "subj01" || len(m.Images) != rows["train"] || m.Made["program"] != "percept test" {
			t.Errorf("decoder of %s: %+v, %v", name, m, err)
		}
		for folder, made := range map[string]string{"decoded_subj01": "decoder_sha256", "control_subj01": "shuffled"} {
			d, err := table.OpenFeatures(filepath.Join(dir, folder), name)
			if err != nil || d.Len() != rows["test"] || !slices.Equal(d.Cols.Shape, shape) || d.Meta[made] == "" || d.Meta["subject"] != "subj01" || d.Meta["part"] != "test" {
				t.Errorf("%s of %s: %v, %v", folder, name, d, err)
			}
		}
		var d Diagnosis
		from := json.NewDecoder(bytes.NewReader(read(t, dir, "diagnosis_subj01", name+".json")))
		from.DisallowUnknownFields()
		if err := from.Decode(&d); err != nil || d.Part != "test" || d.Fit.Feature != name || d.Diagnosis.Images != rows["test"] || d.Diagnosis.Nearest.Train != rows["train"] {
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
		if r.Subject != "subj01" || r.N != 4 || !(r.Low <= r.Value && r.Value <= r.High) || share != (r.ChanceHigh > 0) || r.ChanceHigh < r.ChanceLow {
			t.Errorf("score %+v", r)
		}
		if r.Method == "true z" && r.Metric == "pixcorr" && r.Value < 0.9 {
			t.Errorf("what the VAE shows of the image's own z correlates with it by %g, expected 0.9", r.Value)
		}
	}
	if result.Report != filepath.Join(dir, "report.html") || result.Sheet != filepath.Join(dir, "sheet.png") || len(result.Diagnoses) != 2 || len(result.Metrics) != len(tableMetrics) {
		t.Errorf("result %+v", result)
	}
	for i, d := range result.Diagnoses {
		if name, from := []string{"z", "c"}[i], []string{"early", "ventral, lateral"}[i]; d.Feature != name || d.From != from || len(d.Values) != len(diagnosisColumns) {
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
