package study

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"percept/fmri/diagnose"
	"percept/fmri/fit"
	"percept/fmri/ridge"
	"percept/fmri/stats"
	"percept/fmri/study/report"
	"percept/fmri/study/stage"
	"percept/fmri/table"
)

// side opens one side of a fit as a reader of the package's comments would: responses of a region, or rows of a feature.
func side(t *testing.T, dir, part, region, feature string) *table.Table {
	t.Helper()
	x, err := table.OpenResponses(filepath.Join(dir, "responses_subj01", part+tables), "", nil, "")
	if err == nil && region != "" {
		x, err = x.Region(region)
	}
	if err != nil {
		t.Fatal(err)
	}
	if feature == "" {
		return x
	}
	f, err := table.OpenFeatures(filepath.Join(dir, "features"), feature)
	if err == nil {
		f, err = f.ByImage(x.Rows.Images)
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func refit(t *testing.T, x, y *table.Table, o fit.Options) *fit.Model {
	t.Helper()
	o.Program = "percept test"
	m, err := fit.Fit(t.Context(), x, y, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// sameModel checks that a model's file has the bytes that a model would leave.
func sameModel(t *testing.T, want *fit.Model, path ...string) {
	t.Helper()
	again := filepath.Join(t.TempDir(), "model.safetensors")
	if err := want.Write(again); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, path...), read(t, again)) {
		t.Errorf("%s is not what package fit makes of the tables", filepath.Join(path...))
	}
}

// samePredictions checks that a file holds what a model predicts of x, to the bit.
func samePredictions(t *testing.T, m *fit.Model, x *table.Table, path ...string) {
	t.Helper()
	want, err := m.Predict(t.Context(), x)
	expected := values(t, want, err)
	f, err := table.OpenFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := values(t, f.Table(), nil); !slices.Equal(got, expected) || !slices.Equal(f.Images, x.Rows.Images) {
		t.Errorf("%s does not hold the model's predictions", filepath.Join(path...))
	}
}

// Decoders, predictions and control of the published pair are those of package fit on the run's tables.
func TestFitsAreThoseOfTheTables(t *testing.T) {
	dir := finished(t)
	o := fit.Options{Ridge: ridge.Options{Alphas: []float64{100, 1000, 10000}, Folds: 2}}
	for name, region := range map[string]string{"z": "streams/early", "c": "streams/ventral+lateral"} {
		x, y, unseen := side(t, dir, "train", region, ""), side(t, dir, "train", "", name), side(t, dir, "test", region, "")
		m := refit(t, x, y, o)
		sameModel(t, m, dir, "decoders_subj01", name+tables)
		samePredictions(t, m, unseen, dir, "decoded_subj01", name+tables)
		shuffled := refit(t, x.Shuffled(3), y, o)
		samePredictions(t, shuffled, unseen, dir, "control_subj01", name+tables)
		if slices.Equal(m.Coef.Data, shuffled.Coef.Data) || slices.Equal(shuffled.Coef.Data, refit(t, x.Shuffled(4), y, o).Coef.Data) {
			t.Errorf("%s: shuffled pairs, or those of another seed, give the same coefficients", name)
		}
		predicted, err := m.Predict(t.Context(), unseen)
		if err != nil {
			t.Fatal(err)
		}
		want, err := diagnose.Compare(t.Context(), side(t, dir, "test", "", name), predicted, diagnose.Options{Train: y,
			Resampling: stats.Resampling{Samples: 100, Seed: 3}})
		var d Diagnosis
		if err := readJSON(filepath.Join(dir, "diagnosis_subj01", name+".json"), &d); err != nil {
			t.Fatal(err)
		}
		if err != nil || !reflect.DeepEqual(d.Diagnosis, want) || !reflect.DeepEqual(d.Fit, m.Summary()) {
			t.Errorf("%s: diagnosis %+v of %+v, %v, expected %+v of %+v", name, d.Diagnosis, d.Fit, err, want, m.Summary())
		}
	}
}

const list = `
[[fit]]
name = "takagi_c"
x = "responses/streams:early"
y = "c"
compat = "takagi"
[[fit]]
name = "ventral_z"
x = "responses/streams:ventral"
y = "z"
folds = 3
alphas = [10, 10000]
[[fit]]
name = "early_z"
x = "responses/streams:early"
y = "features/z"
[[fit]]
name = "higher_c"
x = "responses/streams/ventral+lateral"
y = "c"
[[fit]]
name = "encoding"
x = "z"
y = "responses/streams:early"
[[fit]]
name = "region"
x = "responses/streams:ventral"
y = "responses/streams:early"
alphas = [1e9]
`

// A list of fits has regions × features, options of its own for each, and encoding beside decoding; pictures are of the fits that
// render names. The published pair in it has the bytes that it has without a list.
func TestListOfFits(t *testing.T) {
	dir, whole := withData(t), finished(t)
	c := parsed(t, listed(list), func(c *Config) { c.Render.Z, c.Render.C = "early_z", "higher_c" })
	result, made := do(t, dir, c)
	if !slices.Equal(made, everything[1:]) {
		t.Errorf("made %v, expected %v", made, everything[1:])
	}
	grid, r := []float64{100, 1000, 10000}, &Run{Config: c, runner: stage.Look(dir, "test")}
	for _, f := range []struct {
		name, region, feature, to, from string
		o                               fit.Options
	}{
		{"takagi_c", "streams/early", "", "c", "c from early", fit.Options{Takagi: true, Ridge: ridge.Options{Folds: 2}}},
		{"ventral_z", "streams/ventral", "", "z", "z from ventral",
			fit.Options{Ridge: ridge.Options{Folds: 3, Alphas: []float64{10, 10000}}}},
		{"early_z", "streams/early", "", "z", "z from early", fit.Options{Ridge: ridge.Options{Folds: 2, Alphas: grid}}},
		{"higher_c", "streams/ventral+lateral", "", "c", "c from ventral, lateral",
			fit.Options{Ridge: ridge.Options{Folds: 2, Alphas: grid}}},
		{"encoding", "", "z", "", "early from z", fit.Options{Ridge: ridge.Options{Folds: 2, Alphas: grid}}},
		{"region", "streams/ventral", "", "", "early from ventral", fit.Options{Ridge: ridge.Options{Folds: 2, Alphas: []float64{1e9}}}},
	} {
		own := "streams/early" // of y, where that is responses
		if f.to != "" {
			own = ""
		}
		x, y, unseen := side(t, dir, "train", f.region, f.feature), side(t, dir, "train", own, f.to), side(t, dir, "test", f.region,
			f.feature)
		m := refit(t, x, y, f.o)
		sameModel(t, m, dir, "decoders_subj01", f.name+tables)
		samePredictions(t, m, unseen, dir, "decoded_subj01", f.name+tables)
		if d, err := r.decoded("decoded_subj01", Fit{Name: f.name}); err != nil || d.Meta["decoder_sha256"] == "" || f.feature == "" &&
			d.Meta["responses"] == "" ||
			f.feature != "" && (d.Meta["source"] != "encoded from z" || d.Meta["features"] == "" || d.Cols.Voxels.Subject != "subj01") {
			t.Errorf("%s was made of %v, %v", f.name, d.Meta, err)
		}
		i := slices.IndexFunc(result.Diagnoses, func(d report.Diagnosis) bool { return d.Feature == f.name })
		if i < 0 || result.Diagnoses[i].From != f.from {
			t.Errorf("diagnosis %d of %s, expected one %s", i, f.name, f.from)
		}
		page := string(read(t, dir, "report.html"))
		if row := "subj01, " + f.name + "<small>" + f.from + "</small>"; !strings.Contains(page, row) || !strings.Contains(page,
			"<dt>fit "+f.name+"</dt>") {
			t.Errorf("the page has no row %q, or does not say how it was fitted", row)
		}
	}
	if page := string(read(t,
		dir,
		"report.html")); !strings.Contains(page,
		"z decoded from responses/streams:early, text conditioning c from responses/streams/ventral&#43;lateral,") {
		t.Error("the page does not say what pictures are decoded from")
	}
	have, want := files(t, dir), files(t, whole)
	for name, b := range want {
		here := strings.NewReplacer("z.safe", "early_z.safe", "c.safe", "higher_c.safe").Replace(name)
		if strings.HasPrefix(name, "control") || strings.HasPrefix(name, "pictures") || name == "scores.json" || name == "sheet.png" {
			if !bytes.Equal(have[here], b) {
				t.Errorf("%s is not %s of a run without a list", here, name)
			}
		}
	}
	for _, name := range []string{"z", "c"} { // responses hold other regions, so that files differ in what they say of them
		listed := map[string]string{"z": "early_z", "c": "higher_c"}[name]
		a, err := fit.Open(filepath.Join(dir, "decoders_subj01", listed+tables))
		if err != nil {
			t.Fatal(err)
		}
		b, err := fit.Open(filepath.Join(whole, "decoders_subj01", name+tables))
		if err != nil || !reflect.DeepEqual(a.Model, b.Model) {
			t.Errorf("%s: other numbers than %s without a list, %v", listed, name, err)
		}
	}
}

// The published pair given as a list is the published pair: only the page, which knows the configuration, is written again, and
// a run from its beginning has the same bytes.
func TestPublishedPairIsAListOfTwo(t *testing.T) {
	pair := parsed(t, listed(`
[[fit]]
x = "responses/streams:early"
y = "z"
[[fit]]
x = "responses/streams:ventral+lateral"
y = "c"
`), nil)
	dir := copied(t, finished(t))
	if names := planned(t, dir, pair); !slices.Equal(names, []string{"report"}) {
		t.Errorf("would make %v, expected the report", names)
	}
	for _, name := range []string{"decoders_subj01", "decoded_subj01", "control_subj01"} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	_, made := do(t, dir, pair)
	if !slices.Equal(made, []string{"fit-subj01", "decode-subj01", "control-subj01", "report"}) {
		t.Errorf("made %v", made)
	}
	for _, name := range []string{ConfigFile, reportFile} { // they say what was asked for
		put(t, string(read(t, finished(t), name)), dir, name)
	}
	sameFiles(t, dir, finished(t))
}

// Without a fit from responses to both z and c there are no pictures, nothing that is made of them, and no empty part of the page.
func TestListWithoutPictures(t *testing.T) {
	dir := withData(t)
	text := listed("[[fit]]\nname = \"encoding\"\nx = \"z\"\ny = \"responses/streams:early\"\nfolds = 2\nalphas = [1000]\n[[fit]]\nx = \"responses/streams:early\"\ny = \"z\"\n[[fit]]\nname = \"c\"\nx = \"c\"\ny = \"responses/streams:early\"\n")
	for _, needless := range []string{"[render]\n", "steps = 2\n", "strength = 0.5\n", "guidance = 3\n"} {
		text = strings.Replace(text, needless, "", 1)
	}
	c := parsed(t, text, nil)
	result, made := do(t, dir, c)
	if want := []string{"responses-subj01", "features", "fit-subj01", "decode-subj01", "diagnose-subj01", "report"}; !slices.Equal(made,
		want) {
		t.Errorf("made %v, expected %v", made, want)
	}
	if result.Sheet != "" || result.Scores != nil || result.Metrics != nil || len(result.Diagnoses) != 3 {
		t.Errorf("result %+v, expected diagnoses alone", result)
	}
	for _, name := range []string{"control_subj01", "pictures_subj01", "pictures_true", "scores.json", "sheet.png"} {
		if left, _ := filepath.Glob(filepath.Join(dir, name)); left != nil {
			t.Errorf("%s is there, expected no pictures", name)
		}
	}
	page := string(read(t, dir, "report.html"))
	for _, part := range []string{">Predictions</h2>", ">How these numbers were made</h2>", "early from z", "Ridge regressions",
		"3 for each subject",
		"spectra of true and predicted encoding", "spectra of true and decoded z", "correlation of predicted and true pattern"} {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %q", part)
		}
	}
	for _, part := range []string{">Scores<", ">Pictures<", "<img", "diffusion", "scroll gallery", "class=\"charts\""} {
		if strings.Contains(page, part) {
			t.Errorf("the page has %q, and no pictures", part)
		}
	}
	for name, want := range map[string]report.Made{"encoding": report.Predicted, "z": report.Decoded} {
		var d Diagnosis
		if err := readJSON(filepath.Join(dir, "diagnosis_subj01", name+".json"), &d); err != nil || d.Made != want {
			t.Errorf("the diagnosis of %s is of what was %q, want %q, %v", name, d.Made, want, err)
		}
	}
	// One fit fewer: nothing of it is left, and the others are as they were.
	c.Fits = c.Fits[:2]
	before := read(t, dir, "decoders_subj01", "z"+tables)
	if _, made := do(t, dir, c); slices.Contains(made, "responses-subj01") || !slices.Contains(made, "report") {
		t.Errorf("with a fit fewer made %v", made)
	}
	for _, folder := range []string{"decoders_subj01", "decoded_subj01", "diagnosis_subj01"} {
		if left, _ := filepath.Glob(filepath.Join(dir, folder, "c.*")); left != nil {
			t.Errorf("left over: %v", left)
		}
	}
	if !bytes.Equal(read(t, dir, "decoders_subj01", "z"+tables), before) {
		t.Error("a fit that did not change has other bytes")
	}
	if _, err := table.OpenFeatures(filepath.Join(dir, "features"), "c"); err == nil {
		t.Error("c is there, which nothing is fitted to")
	}
}
