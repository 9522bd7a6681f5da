package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"percept/fmri/nsd"
	"percept/fmri/nsd/doctor"
	"percept/fmri/nsd/prepare"
	"percept/fmri/table"
)

// nsdTree is the small tree that package nsd is tested with.
const nsdTree = "../../fmri/nsd/testdata/nsd_root"

func TestNSDRejects(t *testing.T) {
	dir := t.TempDir()
	from := func(args ...string) []string {
		return append([]string{"nsd", "prepare", "--data", nsdTree, "--subject", "subj01", "--out", filepath.Join(dir, "out")}, args...)
	}
	for _, c := range []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"no folder", []string{"nsd", "check"}, 2, []string{"expected one", "nsddata_betas"}},
		{"no tree", []string{"nsd", "check", dir}, 1, []string{dir, "no folder nsddata"}},
		{"no such subject", []string{"nsd", "check", nsdTree, "--subject", "subj07"}, 1, []string{"subj07", "subj01 subj02"}},
		{"unknown command", []string{"nsd", "repair"}, 2, []string{"repair"}},
		{"name of no subject", []string{"nsd", "check", nsdTree, "--subject", "1"}, 2, []string{`--subject "1"`, "expected one as subj01"}},
		{"no data", []string{"nsd", "prepare", "--subject", "subj01", "--out", dir}, 2, []string{"--data is missing"}},
		{"no subject", []string{"nsd", "prepare", "--data", nsdTree, "--out", dir}, 2, []string{"--subject is missing"}},
		{"no output", []string{"nsd", "prepare", "--data", nsdTree, "--subject", "subj01"}, 2, []string{"--out is missing"}},
		{"no voxels", from(), 2, []string{"no voxels were asked for"}},
		{"sessions", from("--roi", "nsdgeneral", "--sessions", "some"), 2, []string{"--sessions", `"some"`, "1-10,12"}},
		{"z-score", from("--roi", "nsdgeneral", "--zscore", "run"), 2, []string{"--zscore", `"run"`, "session or none"}},
		{"compat", from("--compat", "mindeye"), 2, []string{"--compat", `"mindeye"`, "takagi"}},
		{"split", from("--roi", "nsdgeneral", "--split", "half"), 2, []string{`split "half"`, "shared1000"}},
		{"region", from("--roi", "streams:dorsal"), 1, []string{"no region dorsal in streams", "midventral"}},
		{"too many sessions", from("--roi", "nsdgeneral", "--sessions", "37"), 1,
			[]string{"responses.tsv", "no trials of sessions 4-37", "1-3"}},
		{"beta version", from("--roi", "nsdgeneral", "--beta-version", "betas_fithrf"), 1, []string{"betas_fithrf: not there"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, _, stderr := command(t, c.args...)
			if code != c.code {
				t.Errorf("exit status %d, want %d; stderr: %s", code, c.code, stderr)
			}
			line, _, _ := strings.Cut(stderr, "\n")
			for _, want := range c.want {
				if !strings.Contains(line, want) {
					t.Errorf("stderr %q does not have %q", line, want)
				}
			}
		})
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestNSDCheck(t *testing.T) {
	code, stdout, stderr := command(t, "nsd", "check", nsdTree)
	if code != 0 {
		t.Errorf("exit status %d: %s", code, stderr)
	}
	for _, want := range []string{"72 trials in 3 sessions of 24", "betas_fithrf_GLMdenoise_RR", "int16 ×300", "9×11×7", "24×1×1×1",
		"early 22", "no problems"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the report does not have %q:\n%s", want, stdout)
		}
	}
	root := filepath.Join(t.TempDir(), "tree")
	if err := os.CopyFS(root, os.DirFS(nsdTree)); err != nil {
		t.Fatal(err)
	}
	for _, ext := range []string{"hdf5", "nii.gz"} {
		if err := os.Truncate(nsd.Paths(root).SessionBetas("subj01", nsd.DefaultSpace, nsd.DefaultBetas, 2, ext), 3000); err != nil {
			t.Fatal(err)
		}
	}
	code, stdout, stderr = command(t, "nsd", "check", root, "--json", "--subject", "subj01")
	if code != 1 || !strings.Contains(stderr, "2 things are damaged") {
		t.Errorf("exit status %d, want 1; stderr: %s", code, stderr)
	}
	var r doctor.Report
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Problems) != 2 || r.Problems[0].Kind != doctor.Damaged || len(r.Subjects) != 1 {
		t.Errorf("problems %+v, subjects %d", r.Problems, len(r.Subjects))
	}
	_, stdout, _ = command(t, "nsd", "check", root)
	if !strings.Contains(stdout, "damaged  nsddata_betas/ppdata/subj01/func1pt8mm/betas_fithrf_GLMdenoise_RR/betas_session02.hdf5: ") {
		t.Errorf("no line of the damaged file:\n%s", stdout)
	}
}

func TestNSDPrepare(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	args := []string{"nsd", "prepare", "--data", nsdTree, "--subject", "subj02", "--roi", "streams:early", "--roi",
		"streams:ventral+lateral",
		"--ncsnr", "0.2", "--sessions", "1-2", "--zscore", "session", "--average", "--trials", "--out", out}
	code, stdout, stderr := command(t, args...)
	if code != 0 || !strings.Contains(stdout, "subj02, sessions 1-2") || !strings.Contains(stdout, "X_train_trials.npy") {
		t.Fatalf("exit status %d: %s%s", code, stdout, stderr)
	}
	f, err := table.OpenFolder(out)
	if err != nil {
		t.Fatal(err)
	}
	var o prepare.Options
	if err := json.Unmarshal(f.Manifest.Options, &o); err != nil {
		t.Fatal(err)
	}
	if o.ROIs[1] != "streams/ventral+lateral" || o.MinNCSNR != 0.2 || !o.ZScore || !o.Average || !o.Trials || f.Manifest.Sessions[1] != 2 {
		t.Errorf("options %+v", o)
	}
	train, err := f.Table("train_trials", "streams/early")
	if err != nil {
		t.Fatal(err)
	}
	test, err := f.Table("test_trials", "streams/early")
	if err != nil || train.Len()+test.Len() != 48 {
		t.Errorf("%d and %d trials, want 48 in all; %v", train.Len(), test.Len(), err)
	}
	if code, _, stderr := command(t, args...); code != 0 || !strings.Contains(stderr, "up to date") {
		t.Errorf("again: exit status %d: %s", code, stderr)
	}
}
