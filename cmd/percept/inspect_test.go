package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"percept/cmd/percept/internal/look"
	"percept/fmri/table"
)

// TestInspect: what a file is, its rows, what reads it and what does not.
func TestInspect(t *testing.T) {
	axes, tables := "../../fmri/table/testdata/axes/", "../../fmri/table/testdata/"
	for _, c := range []struct {
		path string
		want []string
	}{
		{axes + "x.nii.gz", []string{"NIfTI-1, gzip", "[4, 3, 2, 8] x, y, z, frame", "float32", "rows: axis 4 (frame): 8 rows", "read by: percept fit"}},
		{axes + "fifth.nii.gz", []string{"NIfTI-2", "rows: axis 5 (dim5): 8 rows"}},
		{axes + "one.nii.gz", []string{"rows: one"}},
		{axes + "both.nii.gz", []string{"not read by: percept fit", "more than one axis"}},
		{axes + "x.mgh", []string{"MGH", "rows: axis 4 (frame): 8 rows"}},
		{axes + "x.func.gii", []string{"GIFTI", "time_series.7", "rows: each array is one", "--responses FILE,"}},
		{axes + "mesh.surf.gii", []string{"pointset", "[3, 3] vertex, coordinate", "triangle"}},
		{axes + "x.dtseries.nii", []string{"CIFTI-2", "grayordinate", "8 rows", "not read by: --mask by volumes"}},
		{axes + "rows.npy", []string{"npy", "[8, 24]", "rows: axis 1: 8 rows"}},
		{axes + "mask.npy", []string{"[24]", "uint8", "--mask FILE"}},
		{tables + "zscored", []string{"folder of percept nsd prepare", "X_train.npy", "--responses " + tables + "zscored"}},
		{"../../docs/demo.png", []string{"picture", "y, x, channel", "percept generate --image"}},
	} {
		code, out, errText := command(t, "inspect", c.path)
		if code != 0 || errText != "" {
			t.Errorf("%s: status %d, %s", c.path, code, errText)
		}
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: no %q in\n%s", c.path, want, out)
			}
		}
		_, out, _ = command(t, "inspect", "--json", c.path)
		var r look.Report
		if err := json.Unmarshal([]byte(out), &r); err != nil || r.Path != c.path || r.Kind == "" || len(r.Arrays) == 0 {
			t.Errorf("%s: JSON %+v, error %v", c.path, r, err)
		}
	}
	dir := t.TempDir()
	empty, text := filepath.Join(dir, "empty.npy"), filepath.Join(dir, "notes.txt")
	for path, content := range map[string]string{empty: "", text: "just words\n"} {
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{
		empty: "is empty", text: "is none of HDF5", dir: "a folder of none of these", filepath.Join(dir, "none"): "no such file", os.DevNull: "no regular file",
	} {
		if code, _, errText := command(t, "inspect", path); code != 1 || !strings.Contains(errText, want) || strings.Count(errText, "\n") != 1 {
			t.Errorf("%s: status %d, %q, expected %q", path, code, errText, want)
		}
	}
}

// TestFitOfImages: a decoder of a mask's voxels takes whole volumes, the masked ones and the same rows of an .npy alike; which
// axis was taken for what is said.
func TestFitOfImages(t *testing.T) {
	axes, dir := "../../fmri/table/testdata/axes/", t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	fit := func(out string, args ...string) string {
		t.Helper()
		code, _, errText := command(t, append([]string{"fit", "--features", axes + "masked.npy", "--groups", "none", "--folds", "2", "--out", at(out)},
			args...)...)
		if code != 0 {
			t.Fatalf("%v: %s", args, errText)
		}
		return errText
	}
	decoded := func(model, out string, args ...string) string {
		t.Helper()
		code, _, errText := command(t, append([]string{"decode", "--model", at(model), "--out", at(out)}, args...)...)
		if code != 0 {
			t.Fatalf("%v: %s", args, errText)
		}
		x, err := table.OpenFeatures(at(out), "")
		if err != nil {
			t.Fatal(err)
		}
		m, err := x.Matrix(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(m.Data)
	}
	said := fit("volume.safetensors", "--responses", axes+"x.nii.gz", "--mask", axes+"mask.nii.gz")
	for _, want := range []string{"axis 4, the frames, are the 8 rows; 24 voxels are the columns, z fastest", "7 of 24 voxels"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in %q", want, said)
		}
	}
	fit("rows.safetensors", "--responses", axes+"rows.npy", "--mask", axes+"mask.npy")
	want := decoded("rows.safetensors", "a.safetensors", "--responses", axes+"rows.npy")
	for i, args := range [][]string{{axes + "x.nii.gz"}, {axes + "x.nii.gz", "--mask", axes + "mask.nii.gz"}, {axes + "fifth.nii.gz"}} {
		if decoded("volume.safetensors", string('b'+rune(i))+".safetensors", append([]string{"--responses"}, args...)...) != want {
			t.Errorf("%v: decoded otherwise than from the rows", args)
		}
	}
	if code, _, errText := command(t, "fit", "--responses", axes+"both.nii.gz", "--features", axes+"masked.npy", "--out", at("no.safetensors")); code != 1 ||
		!strings.Contains(errText, "(x, y, z, frame, dim5), expected one axis of frames") {
		t.Errorf("status %d, %s", code, errText)
	}
}
