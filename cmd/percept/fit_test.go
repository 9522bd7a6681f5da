package main

import (
	"bytes"
	"encoding/json"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/fmri/fit"
	"percept/fmri/ridge"
	"percept/fmri/study"
	"percept/fmri/table"
	"percept/tensor/linalg"
)

// prepared is a folder with the responses of one simulated subject, and one with z of its images.
func prepared(t *testing.T) (responses, feats string) {
	t.Helper()
	dir, data := t.TempDir(), tree(t)
	responses, feats = filepath.Join(dir, "subj01"), filepath.Join(dir, "features")
	must(t, "nsd", "prepare", "--data", data, "--subject", "subj01", "--roi", "streams:early", "--roi", "streams:ventral", "--trials",
		"--average", "--out", responses)
	must(t, "features", "--data", data, "--subject", "subj01", "--size", "64", "--feature", "z", "--out", feats)
	return responses, feats
}

func TestFitAndDecode(t *testing.T) {
	responses, feats := prepared(t)
	dir := t.TempDir()
	at := func(parts ...string) string { return filepath.Join(append([]string{dir}, parts...)...) }
	asked := []string{"fit", "--responses", responses, "--roi", "streams:early", "--features", feats, "--feature", "z", "--alphas",
		"10:1e4:4"}
	stdout, _ := must(t, append(asked, "--out", at("models", "z.safetensors"))...)
	if !strings.Contains(stdout, "from 900 voxels of streams/early, 60 rows") {
		t.Errorf("printed:\n%s", stdout)
	}
	m, err := fit.Open(at("models", "z.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	// The numbers are those of the library on what the folders hold.
	folder, err := table.OpenFolder(responses)
	if err != nil {
		t.Fatal(err)
	}
	f, err := table.OpenFile(filepath.Join(feats, "z.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	train, err := folder.Table("train", "streams/early")
	if err != nil {
		t.Fatal(err)
	}
	x, err := train.Matrix(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	y := linalg.Of(row(t, f, train.Rows.Images...), x.Rows, f.Width())
	want, err := ridge.FitCV(t.Context(), x, y, ridge.Options{Alphas: []float64{10, 100, 1000, 10000}})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(m.Coef.Data, want.Coef.Data) || !slices.Equal(m.Alphas, want.Alphas) ||
		!slices.Equal(m.Images, train.Rows.Images) || m.Options.Groups != "image" || m.X.Voxels.Subject != "subj01" {
		t.Errorf("the decoder is not ridge's: %+v", m.Options)
	}
	// Again: nothing to do. Other options: not over it. In another place: the same bytes.
	if _, stderr := must(t, append(asked, "--out", at("models", "z.safetensors"))...); !strings.Contains(stderr, "up to date") {
		t.Errorf("again: %s", stderr)
	}
	if code, _, stderr := command(t, append(asked, "--score", "r2", "--out", at("models", "z.safetensors"))...); code != 1 ||
		!strings.Contains(stderr, "score was l2, is r2") {
		t.Errorf("other options: %d, %s", code, stderr)
	}
	must(t, append(asked, "--out", at("again.safetensors"))...)
	if !bytes.Equal(bytesOf(t, dir, "again.safetensors"), bytesOf(t, dir, "models", "z.safetensors")) {
		t.Error("fitted again, the decoder has other bytes")
	}

	out := at("decoded", "z.safetensors")
	stdout, _ = must(t, "decode", "--model", at("models", "z.safetensors"), "--responses", responses, "--features", feats, "--out", out)
	for _, part := range []string{"12 rows of 4×8×8", "variance kept", "effective dimension", "nearer to a training image",
		"z.diagnosis.png"} {
		if !strings.Contains(stdout, part) {
			t.Errorf("printed lacks %q:\n%s", part, stdout)
		}
	}
	d, err := table.OpenFile(out)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	test, err := folder.Table("test", "streams/early")
	if err != nil {
		t.Fatal(err)
	}
	xt, err := test.Matrix(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	predicted, err := want.Predict(xt)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(row(t, d, test.Rows.Images...), predicted.Data) || !slices.Equal(d.Images, test.Rows.Images) ||
		!slices.Equal(d.Shape, f.Shape) {
		t.Error("decoded features are not ridge's predictions")
	}
	if meta := d.Meta; meta["model_sha256"] != f.Meta["model_sha256"] || meta["subject"] != "subj01" ||
		meta["regions"] != "streams/early" || meta["decoder_sha256"] == "" {
		t.Errorf("metadata %v", meta)
	}
	var report study.Diagnosis
	if err := json.Unmarshal(bytesOf(t, dir, "decoded", "z.diagnosis.json"), &report); err != nil {
		t.Fatal(err)
	}
	n := report.Diagnosis.Nearest
	if report.Diagnosis.Images != 12 || n == nil || n.Train != 60 || report.Fit.Voxels != 900 || len(report.Fit.Penalties) != 4 {
		t.Errorf("diagnosis %+v", report)
	}
	if _, err := png.Decode(bytes.NewReader(bytesOf(t, dir, "decoded", "z.diagnosis.png"))); err != nil {
		t.Error(err)
	}
	if _, stderr := must(t, "decode", "--model", at("models", "z.safetensors"), "--responses", responses, "--out",
		out); !strings.Contains(stderr, "up to date") {
		t.Errorf("decoded again: %s", stderr)
	}
	must(t, "decode", "--model", at("models", "z.safetensors"), "--responses", responses, "--part", "train", "--features", feats,
		"--out", at("train.safetensors"))

	// Arrays of one's own with the same numbers give the same decoder; so do single trials what ridge makes of them.
	own := []string{"fit", "--responses", filepath.Join(responses, "X_train.npy"), "--images",
		filepath.Join(responses, "images_train.npy"), "--features", filepath.Join(feats, "z.safetensors"),
		"--alphas", "10,100,1000,10000", "--out", at("own.safetensors")}
	must(t, own...)
	both, err := fit.Open(at("own.safetensors"))
	if err != nil || both.Coef.Rows != folder.Manifest.Voxels || both.X.Voxels.XYZ != nil {
		t.Errorf("own arrays: %v, %v", both, err)
	}
	must(t, "decode", "--model", at("own.safetensors"), "--responses", filepath.Join(responses, "X_test.npy"), "--images",
		filepath.Join(responses, "images_test.npy"), "--features", feats, "--out", at("own_decoded.safetensors"))
	stdout, stderr := must(t, append(asked, "--compat", "takagi", "--alphas", "1e-6:1:7", "--out", at("takagi.safetensors"))...)
	if !strings.Contains(stderr, "warning: ") || !strings.Contains(stderr, "chose the largest penalty, 1") {
		t.Errorf("no warning of the grid's edge: %s%s", stdout, stderr)
	}
	published, err := fit.Open(at("takagi.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	if o := published.Options; o.Part != "train_trials" || o.Groups != "none" || o.Intercept || o.Standardise != "once" ||
		published.Intercept[0] != 0 || len(published.Images) <= 60 {
		t.Errorf("as published: %+v, %d rows", o, len(published.Images))
	}
	// Y as an array: rows as those of X, here with a group for each.
	must(t, "fit", "--responses", filepath.Join(responses, "X_train_trials.npy"), "--features",
		filepath.Join(responses, "X_train_trials.npy"), "--groups", filepath.Join(responses, "sessions_train_trials.npy"),
		"--folds", "3", "--alphas", "1000", "--max-memory", "60MiB", "--out", at("self.safetensors"))
	self, err := fit.Open(at("self.safetensors"))
	if err != nil || self.Y.Name != "y" || self.Options.Groups != "file" || math.IsNaN(self.CVScores[0]) {
		t.Errorf("arrays: %+v, %v", self.Options, err)
	}
}

func TestFitAndDecodeReject(t *testing.T) {
	responses, feats := prepared(t)
	dir := t.TempDir()
	model, out := filepath.Join(dir, "z.safetensors"), filepath.Join(dir, "out.safetensors")
	must(t, "fit", "--responses", responses, "--roi", "streams:early", "--features", feats, "--feature", "z", "--alphas", "100",
		"--out", model)
	x, images := filepath.Join(responses, "X_train.npy"), filepath.Join(responses, "images_train.npy")
	fit := func(args ...string) []string { return append([]string{"fit", "--out", out}, args...) }
	folder := func(args ...string) []string {
		return append(fit("--responses", responses, "--features", feats, "--feature", "z"), args...)
	}
	other := filepath.Join(dir, "subj02")
	if err := os.CopyFS(other, os.DirFS(responses)); err != nil {
		t.Fatal(err)
	}
	manifest := string(bytesOf(t, other, "manifest.json"))
	writeFile(t, filepath.Join(other, "manifest.json"), strings.Replace(manifest, `"subject": "subj01"`, `"subject": "subj02"`, 1))
	if _, err := table.OpenFolder(other); err == nil {
		t.Fatal("a manifest that was changed is taken")
	}
	var m table.Manifest
	if err := json.Unmarshal([]byte(strings.Replace(manifest, `"subject": "subj01"`, `"subject": "subj02"`, 1)), &m); err != nil {
		t.Fatal(err)
	}
	if err := m.Write(other); err != nil {
		t.Fatal(err)
	}
	whole := filepath.Join(dir, "whole")
	must(t, "nsd", "prepare", "--data", tree(t), "--subject", "subj01", "--roi", "streams:early", "--split", "none", "--out", whole)
	for _, c := range []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"no responses", fit("--features", feats), 2, []string{"--responses"}},
		{"no features", fit("--responses", responses), 2, []string{"--features"}},
		{"no output", []string{"fit", "--responses", responses, "--features", feats}, 2, []string{"--out"}},
		{"name of the output", folder("--out", filepath.Join(dir, "z.npy")), 2, []string{"z.npy", ".safetensors"}},
		{"alphas", folder("--alphas", "1:2"), 2, []string{"--alphas", `"1:2"`, "1:1e6:13"}},
		{"alpha of zero", folder("--alphas", "0,1"), 2, []string{"--alphas", `"0,1"`}},
		{"score", folder("--score", "mse"), 2, []string{"--score", "mse", "correlation"}},
		{"form", folder("--form", "svd"), 2, []string{"--form", "svd"}},
		{"memory", folder("--max-memory", "6"), 2, []string{"--max-memory", `"6"`, "6GiB"}},
		{"folds", folder("--folds", "1"), 2, []string{"--folds 1"}},
		{"compat", folder("--compat", "mindeye"), 2, []string{"--compat", "mindeye", "takagi"}},
		{"trials of an array", fit("--responses", x, "--features", x, "--trials"), 2, []string{"--trials", "folder"}},
		{"too little memory", folder("--max-memory", "1MiB"), 1, []string{"1 MiB of memory", "expected at least"}},
		{"region", folder("--roi", "streams:parietal"), 1, []string{"no region streams/parietal", "streams/early"}},
		{"feature that is not there", fit("--responses", responses, "--features", feats, "--feature", "c"), 1, []string{"c.safetensors"}},
		{"no name of a feature", fit("--responses", responses, "--features", feats), 1, []string{feats, "name of a feature"}},
		{"no folder", fit("--responses", filepath.Join(dir, "none"), "--features", feats, "--feature", "z"), 1,
			[]string{filepath.Join(dir, "none"), "expected"}},
		{"images not known", fit("--responses", x, "--features", feats, "--feature", "z"), 1, []string{"--images FILE"}},
		{"images of other rows", fit("--responses", x, "--images", filepath.Join(responses, "images_test.npy"), "--features", feats,
			"--feature", "z"), 1, []string{"images_test.npy", "12 numbers", "60 rows"}},
		{"images of a folder", folder("--images", images), 1, []string{responses, "knows the image"}},
		{"rows of Y", fit("--responses", x, "--features", filepath.Join(responses, "X_test.npy")), 1,
			[]string{"X_test.npy", "12 rows, expected 60"}},
		{"array that is no matrix", fit("--responses", images, "--features", x), 1, []string{images, "shape [60]"}},
		{"no such array", fit("--responses", "../../fmri/array/testdata/none", "--features", x), 1,
			[]string{"testdata/none", "expected a prepared folder, a table or an array"}},
		{"more folds than images", folder("--folds", "61"), 1, []string{"--folds 61, expected 2 to 60, the number of"}},
		{"more folds than rows", fit("--responses", x, "--features", x, "--groups", "none", "--folds", "61"), 1,
			[]string{"--folds 61, expected 2 to 60, the number of rows"}},
		{"hardly any memory", folder("--max-memory", "1KiB"), 1, []string{"1 KiB of memory", "expected at least"}},
		{"decoder with a name that cannot be", fit("--responses", x, "--features", x, "--out",
			filepath.Join(dir, strings.Repeat("x", 300)+".safetensors")), 1, []string{"name too long"}},

		{"no model", []string{"decode", "--responses", responses, "--out", out}, 2, []string{"--model"}},
		{"part", []string{"decode", "--model", model, "--responses", responses, "--out", out, "--part", "all"}, 2,
			[]string{"--part", "all", "test or train"}},
		{"rows that a split has not", []string{"decode", "--model", model, "--responses", whole, "--out", out}, 1,
			[]string{whole, "no test rows", "expected --part train"}},
		{"no decoder", []string{"decode", "--model", filepath.Join(feats, "z.safetensors"), "--responses", responses, "--out", out}, 1,
			[]string{"z.safetensors", "no decoder"}},
		{"another subject", []string{"decode", "--model", model, "--responses", other, "--out", out}, 1,
			[]string{other, "responses of subj02, expected subj01"}},
		{"number of voxels", []string{"decode", "--model", model, "--responses", x, "--out", out}, 1, []string{x, "voxels, expected 900"}},
		{"truth of other rows", []string{"decode", "--model", model, "--responses", responses, "--out", out, "--features", x}, 1,
			[]string{x, "expected 4×8×8"}},
		{"onto another", []string{"decode", "--model", model, "--responses", responses, "--out", model}, 1, []string{model, "remove it"}},
	} {
		code, _, stderr := command(t, c.args...)
		line, rest, _ := strings.Cut(stderr, "\n")
		if code != c.code || code == 1 && strings.TrimSpace(rest) != "" {
			t.Errorf("%s: exit status %d, want %d, of one line: %s", c.name, code, c.code, stderr)
		}
		for _, want := range c.want {
			if !strings.Contains(line, want) {
				t.Errorf("%s: %q does not name %q", c.name, line, want)
			}
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "out*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestParseAlphasAndBytes(t *testing.T) {
	a, err := parseAlphas("1:1e6:4")
	if err != nil || len(a) != 4 || a[0] != 1 || a[3] != 1e6 || math.Abs(a[1]-100) > 1e-9 {
		t.Errorf("%v, %v", a, err)
	}
	if a, err := parseAlphas("0.5, 20000"); err != nil || !slices.Equal(a, []float64{0.5, 20000}) {
		t.Errorf("%v, %v", a, err)
	}
	for _, text := range []string{"x", "1,,2", "-1", "1:inf:3", "10:1:3", "1:10:0", "nan", "1:10:5:2"} {
		if a, err := parseAlphas(text); err == nil {
			t.Errorf("%q was read as %v", text, a)
		}
	}
	for text, want := range map[string]int64{"6GiB": 6 << 30, "800MB": 800e6, "0": 0, "1.5 KiB": 1536} {
		if n, err := parseBytes(text); err != nil || n != want {
			t.Errorf("%q: %d, %v, want %d", text, n, err, want)
		}
	}
	for _, text := range []string{"", "6", "GiB", "-1GiB", "nanGiB", "1e30TiB"} {
		if n, err := parseBytes(text); err == nil {
			t.Errorf("%q was read as %d", text, n)
		}
	}
}

// The table says how many of the targets at the edge the warning does not count, since they do not vary.
func TestFlatTargetsAreToldApart(t *testing.T) {
	m := &fit.Model{Model: &ridge.Model{Edge: ridge.Edge{High: 1, Low: 2, Flat: 128, Targets: 200}},
		Penalties: []fit.Penalty{{Alpha: 1, Targets: 2}, {Alpha: 10, Targets: 69}, {Alpha: 100, Targets: 129}}}
	for i, want := range []string{"", "", " (128 of them do not vary)"} {
		if got := flatOf(m, m.Penalties[i]); got != want {
			t.Errorf("penalty %g: %q, want %q", m.Penalties[i].Alpha, got, want)
		}
	}
	want := "of 72 targets of  that vary, 2 chose the smallest penalty, 1, and 1 chose the largest"
	if got := m.EdgeWarning(); !strings.HasPrefix(got, want) {
		t.Errorf("warning %q, want %q", got, want)
	}
}
