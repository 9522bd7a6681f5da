package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"percept/fmri/study"
)

// document runs a command with --json and reads the one document that it has to print.
func document(t *testing.T, code int, args ...string) map[string]any {
	t.Helper()
	got, stdout, stderr := command(t, append(args, "--json")...)
	if got != code {
		t.Fatalf("%v: exit status %d, want %d: %s", args, got, code, stderr)
	}
	d := json.NewDecoder(strings.NewReader(stdout))
	var doc map[string]any
	if err := d.Decode(&doc); err != nil {
		t.Fatalf("%v: %v in %q", args, err, stdout)
	}
	if _, err := d.Token(); err != io.EOF {
		t.Errorf("%v: more than one document: %q", args, stdout)
	}
	checkNames(t, strings.Join(args[:2], " "), doc)
	return doc
}

var snakeCase = regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)*$`)

func checkNames(t *testing.T, where string, v any) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		for name, of := range v {
			if !snakeCase.MatchString(name) {
				t.Errorf("%s: field %q", where, name)
			}
			checkNames(t, where+"."+name, of)
		}
	case []any:
		for _, of := range v {
			checkNames(t, where, of)
		}
	}
}

// at follows a path as "uses.0.state" through a document.
func at(t *testing.T, doc any, path string) any {
	t.Helper()
	for step := range strings.SplitSeq(path, ".") {
		switch v := doc.(type) {
		case map[string]any:
			doc = v[step]
		case []any:
			var i int
			if _, err := fmt.Sscan(step, &i); err != nil || i >= len(v) {
				t.Fatalf("%s: %d values, no %s", path, len(v), step)
			}
			doc = v[i]
		default:
			t.Fatalf("%s: %v has no %s", path, doc, step)
		}
	}
	return doc
}

// has compares values of a document with what they print as.
func has(t *testing.T, doc map[string]any, want map[string]string) {
	t.Helper()
	for path, w := range want {
		if got := fmt.Sprint(at(t, doc, path)); got != w {
			t.Errorf("%s is %s, want %s", path, got, w)
		}
	}
}

func TestJSONOfVersionAndModels(t *testing.T) {
	has(t, document(t, 0, "version", "--threads=3"), map[string]string{"version": version, "threads": "3"})
	dir := t.TempDir()
	has(t, document(t, 0, "weights", "list", "--dir", dir), map[string]string{"folder": dir, "files": "[]", "bytes": "0"})
	synth := filepath.Join(dir, "nano")
	doc := document(t, 0, "weights", "synth", synth, "--size", "nano")
	has(t, doc, map[string]string{"folder": synth, "files.0.part": "unet"})
	doc = document(t, 1, "model", "check", synth)
	has(t, doc, map[string]string{"path": synth, "uses.0.use": "text to image", "uses.0.possible": "false",
		"uses.2.state": "from Go; commands load whole models alone"})
	doc = document(t, 0, "model", "check", embeddedFolder(t))
	has(t, doc, map[string]string{"uses.4.possible": "true", "uses.4.state": "yes", "samplers.0.name": "auto"})
	doc = document(t, 0, "weights", "convert", embeddedFolder(t), filepath.Join(dir, "half"), "--dtype", "float16")
	if files := at(t, doc, "files").([]any); len(files) == 0 {
		t.Error("no files")
	}
}

func TestJSONOfVerify(t *testing.T) {
	dir := t.TempDir()
	files, err := filepath.Glob("../../weights/testdata/generator_checks.json")
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	writeFile(t, filepath.Join(dir, "generator_checks.json"), string(read(t, files[0])))
	doc := document(t, 0, "verify", dir, "--only", "generator")
	has(t, doc, map[string]string{"passed": "2", "failed": "0", "cases.0.result": "pass"})
	if text, _ := must(t, "verify", dir, "--only", "generator"); !strings.Contains(text, fmt.Sprint(at(t, doc, "cases.1.name"))) ||
		!strings.Contains(text, fmt.Sprintf("; %v comparisons", at(t, doc, "comparisons"))) {
		t.Errorf("the table is of something else:\n%s", text)
	}
	writeFile(t, filepath.Join(dir, "generator_checks.json"), strings.Replace(string(read(t, files[0])), "1", "2", 30))
	doc = document(t, 1, "verify", dir, "--only", "generator")
	if at(t, doc, "failed").(float64) == 0 {
		t.Error("no failure")
	}
}

func TestJSONOfGenerate(t *testing.T) {
	dir := t.TempDir()
	args := []string{"generate", "--prompt", "a house", "--count", "2", "--steps", "2", "--size", "32x32", "--folder", dir}
	doc := document(t, 0, args...)
	has(t, doc, map[string]string{"out": dir, "pictures.0.new": "true", "pictures.1.recipe.seed": "1", "pictures.1.recipe.prompt": "a house",
		"pictures.0.file": filepath.Join(dir, "0001-seed0.png")})
	args[4] = "3"
	has(t, document(t, 0, args...), map[string]string{"pictures.0.new": "false", "pictures.1.new": "false", "pictures.2.new": "true"})
	out := filepath.Join(dir, "x.png")
	doc = document(t, 0, "generate", "--prompt", "a house", "--steps", "2", "--size", "32x32", "--out", out, "--save-latents",
		filepath.Join(dir, "l.safetensors"), "--preview-every", "1")
	has(t, doc, map[string]string{"out": out, "pictures.0.file": out, "pictures.0.new": "true", "latents": filepath.Join(dir, "l.safetensors"),
		"previews": filepath.Join(dir, "x.steps")})
}

func TestJSONOfAnalyses(t *testing.T) {
	data, dir := tree(t), t.TempDir()
	responses, feats := filepath.Join(dir, "subj01"), filepath.Join(dir, "features")
	prepare := []string{"nsd", "prepare", "--data", data, "--subject", "subj01", "--roi", "streams:early", "--out", responses}
	has(t, document(t, 0, prepare...), map[string]string{"folder": responses, "subject": "subj01", "voxels": "900", "up_to_date": "false",
		"regions.0.name": "streams/early", "regions.0.voxels": "900", "nan_voxels": "0"})
	has(t, document(t, 0, prepare...), map[string]string{"up_to_date": "true"})
	doc := document(t, 0, "features", "--data", data, "--subject", "subj01", "--size", "64", "--feature", "z", "--out", feats)
	has(t, doc, map[string]string{"features.0.file": filepath.Join(feats, "z.safetensors"), "features.0.images": "72",
		"features.0.shape": "[4 8 8]"})

	model := filepath.Join(dir, "z.safetensors")
	fit := []string{"fit", "--responses", responses, "--features", feats, "--feature", "z", "--alphas", "10:1e4:4", "--out", model}
	doc = document(t, 0, fit...)
	has(t, doc, map[string]string{"file": model, "feature": "z", "voxels": "900", "targets": "256", "training_rows": "60", "score": "l2"})
	text, _ := must(t, fit...)
	for i := range 4 {
		p := at(t, doc, fmt.Sprintf("penalties.%d", i)).(map[string]any)
		row := regexp.MustCompile(fmt.Sprintf(`(?m)^  %s +%v +%s$`, regexp.QuoteMeta(fmt.Sprintf("%.3g", p["alpha"])), p["targets"],
			regexp.QuoteMeta(fmt.Sprintf("%.4g", p["score"]))))
		if !row.MatchString(text) {
			t.Errorf("no row %s in\n%s", row, text)
		}
	}

	decode := []string{"decode", "--model", model, "--responses", responses, "--features", feats, "--out", filepath.Join(dir, "d.safetensors")}
	doc = document(t, 0, decode...)
	has(t, doc, map[string]string{"rows": "12", "shape": "[4 8 8]", "rows_trained_on": "0", "diagnosis.diagnosis.images": "12"})
	text, _ = must(t, decode...)
	if !strings.Contains(text, "R² of a target  ") ||
		!strings.Contains(text, fmt.Sprintf("  %.3f [", at(t, doc, "diagnosis.diagnosis.target_r2.mean"))) {
		t.Errorf("the table is of something else:\n%s", text)
	}
	var file study.Diagnosis
	if err := json.Unmarshal(read(t, fmt.Sprint(at(t, doc, "diagnosis_json"))), &file); err != nil || file.Diagnosis.Images != 12 {
		t.Errorf("%v, %+v", err, file)
	}
	has(t, document(t, 0, "decode", "--model", model, "--responses", responses, "--out", filepath.Join(dir, "d.safetensors")),
		map[string]string{"up_to_date": "true", "rows": "12"})
}

func TestJSONOfARun(t *testing.T) {
	dir := t.TempDir()
	file, out := writeFile(t, filepath.Join(dir, "x.toml"), tinyExperiment), filepath.Join(dir, "x")
	doc := document(t, 0, "run", file, "--dry-run")
	if n := len(at(t, doc, "stages").([]any)); n < 5 || at(t, doc, "stages_to_make").(float64) != float64(n) {
		t.Errorf("%d stages, to make %v", n, doc["stages_to_make"])
	}
	doc = document(t, 0, "run", file)
	has(t, doc, map[string]string{"folder": out, "subjects": "[subj01]"})
	var scores []any
	if err := json.Unmarshal(read(t, filepath.Join(out, "scores.json")), &scores); err != nil || len(scores) == 0 ||
		fmt.Sprint(scores) != fmt.Sprint(at(t, doc, "scores")) {
		t.Errorf("scores are not those of scores.json (%v): %v", err, doc["scores"])
	}
	has(t, document(t, 0, "run", file, "--dry-run"), map[string]string{"stages_to_make": "0", "stages.0.up_to_date": "true"})
}

// With --json standard output has the document and nothing else, however much is said.
func TestJSONAndLogAreApart(t *testing.T) {
	var out, errs bytes.Buffer
	dir := t.TempDir()
	code := run(t.Context(), []string{"generate", "--prompt", strings.Repeat("a red house ", 40), "--steps", "30", "--size", "32x32", "--out",
		filepath.Join(dir, "x.png"), "--json", "--log-format", "json"}, &out, &errs)
	if code != 0 || !json.Valid(out.Bytes()) {
		t.Fatalf("%d: %s", code, out.String())
	}
	levels := map[string]int{}
	for line := range strings.Lines(errs.String()) {
		var of struct{ Level, Message string }
		if err := json.Unmarshal([]byte(line), &of); err != nil || strings.HasPrefix(of.Message, "percept: ") {
			t.Errorf("%v: %s", err, line)
		}
		levels[of.Level]++
	}
	if levels["info"] < 2 {
		t.Errorf("said %v: %s", levels, errs.String())
	}
}
