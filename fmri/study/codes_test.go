package study

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"percept/fmri/study/stage"
	"percept/tensor"
)

var updateCodes = flag.Bool("codes", false, "write testdata/codes.json anew; raise the code of each stage whose sum changes")

// pinned is the code and the sum of a stage's artefact.
type pinned struct {
	Code   int    `json:"code"`
	SHA256 string `json:"sha256"`
}

// TestCodes: a stage that gives other bytes has another code, or artefacts made before would be taken for up to date. Sums are
// pinned for each kernel set that they were seen with; those of stages without a network are the same for all.
func TestCodes(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		if os.Getenv("CI") == "true" {
			t.Fatal("pinned sums are of amd64, expected CI on it")
		}
		t.Skip("sums are of amd64: fused multiply-adds round the simulated data otherwise elsewhere")
	}
	const path = "testdata/codes.json"
	all := map[string]map[string]pinned{}
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, &all)
	}
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(finished(t), "manifests", "*.json"))
	if err != nil || len(files) < 10 {
		t.Fatalf("%d manifests, %v", len(files), err)
	}
	seen := map[string]map[string]pinned{}
	for _, file := range files {
		var m stage.Manifest
		if err := readJSON(file, &m); err != nil {
			t.Fatal(err)
		}
		set := "kernels " + tensor.KernelSet()
		if kind, _, _ := strings.Cut(m.Stage, "-"); kind == "data" || kind == "responses" {
			set = "any"
		}
		if seen[set] == nil {
			seen[set] = map[string]pinned{}
		}
		seen[set][m.Stage] = pinned{m.Code, m.SHA256}
		if kind, _, _ := strings.Cut(m.Stage, "-"); m.Code == 0 || m.Code != codes[kind] {
			t.Errorf("stage %s has code %d, expected that of its kind", m.Stage, m.Code)
		}
		if was, ok := all[set][m.Stage]; ok && was.Code == m.Code && was.SHA256 != m.SHA256 && !*updateCodes {
			t.Errorf("stage %s gives other bytes than before with the code %d, expected a higher code: raise it in codes and run this test with -codes",
				m.Stage, m.Code)
		}
	}
	if *updateCodes {
		maps.Copy(all, seen)
		if err := writeJSON(path, all, " "); err != nil {
			t.Fatal(err)
		}
	}
}
