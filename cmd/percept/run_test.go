package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// asProgram makes the test binary behave as the program: only a process of its own can be killed at any moment.
const asProgram = "PERCEPT_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

const tinyExperiment = `
data = "nsd"
subjects = ["subj01"]
[simulate]
own_images = 40
shared_images = 10
[decode]
atlas = "streams"
early = ["early"]
higher = ["ventral", "lateral"]
folds = 2
alphas = [100, 1000, 10000]
[render]
steps = 4
strength = 0.5
guidance = 3
[score]
bootstrap = 100
permutations = 100
scenes = true
`

func writeFile(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// sameRun compares two run directories, but for what their manifests say of wall time.
func sameRun(t *testing.T, got, want string) {
	t.Helper()
	g, w := readAll(t, got), readAll(t, want)
	for name, b := range w {
		if strings.HasPrefix(name, "manifests") {
			if _, ok := g[name]; !ok {
				t.Errorf("%s is missing", name)
			}
			continue
		}
		if !bytes.Equal(g[name], b) {
			t.Errorf("%s has other bytes", name)
		}
	}
	for name := range g {
		if _, ok := w[name]; !ok {
			t.Errorf("%s is left over", name)
		}
	}
}

// A run that is killed again and again, at moments in every stage, ends with the bytes of one that is not.
func TestRunKilledAtAnyMomentFinishesWithTheSameBytes(t *testing.T) {
	dir := t.TempDir()
	file := writeFile(t, filepath.Join(dir, "tiny.toml"), tinyExperiment)
	whole, cut := filepath.Join(dir, "whole"), filepath.Join(dir, "cut")
	if code, _, stderr := command(t, "run", file, "--out", whole); code != 0 {
		t.Fatalf("exit status %d: %s", code, stderr)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	killed := 0
	random := rand.New(rand.NewPCG(7, 0))
	for _, sign := range []string{ // what a run leaves in turn: the process is killed soon after it sees it
		"manifests", "manifests/data.json", "manifests/responses-subj01.json", ".work-features/*", "manifests/features.json", ".work-decoders_subj01/*", "manifests/fit-subj01.json", "manifests/decode-subj01.json", ".work-control_subj01/*", "manifests/control-subj01.json", "manifests/diagnose-subj01.json",
		".work-pictures_true/seen/*", ".work-pictures_true/true_c/*", "manifests/render-true.json", ".work-pictures_subj01/zc/*", "manifests/render-subj01.json",
		"manifests/score.json", "manifests/report.json",
	} {
		p := exec.CommandContext(t.Context(), program, "run", file, "--out", cut)
		p.Env = append(os.Environ(), asProgram+"=1")
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- p.Wait() }()
		for over := false; !over; {
			select {
			case <-ended:
				over = true
			case <-time.After(time.Millisecond):
				next := strings.Replace(sign, ".work-pictures", "pictures", 1) // that stage may be over before it is seen
				at, _ := filepath.Glob(filepath.Join(cut, filepath.FromSlash(sign)))
				past, _ := filepath.Glob(filepath.Join(cut, filepath.FromSlash(next)))
				if len(at)+len(past) == 0 {
					continue
				}
				time.Sleep(time.Duration(random.IntN(200)) * time.Millisecond)
				if p.Process.Kill() == nil {
					killed++
				}
				<-ended
				over = true
			}
		}
	}
	if killed == 0 {
		t.Error("no process was killed")
	}
	if code, _, stderr := command(t, "run", file, "--out", cut); code != 0 {
		t.Fatalf("after %d kills: exit status %d: %s", killed, code, stderr)
	}
	sameRun(t, cut, whole)
}

func TestRunOfADemosFileAndDryRun(t *testing.T) {
	dir := t.TempDir()
	demo, again := filepath.Join(dir, "demo"), filepath.Join(dir, "again")
	if code, _, stderr := command(t, "demo", "--out", demo, "--train-images", "10", "--test-images", "4", "--steps", "2"); code != 0 {
		t.Fatalf("demo: exit status %d: %s", code, stderr)
	}
	file := filepath.Join(demo, "experiment.toml")
	dry := func(out string, flags ...string) string {
		t.Helper()
		code, stdout, stderr := command(t, append([]string{"run", file, "--dry-run", "--out", out}, flags...)...)
		if code != 0 {
			t.Fatalf("dry run: exit status %d: %s", code, stderr)
		}
		return stdout
	}
	if got := dry(again); !strings.Contains(got, "18 of 18 stages") || !strings.Contains(got, "not there") {
		t.Errorf("dry run of a new folder:\n%s", got)
	}
	if _, err := os.Stat(again); err == nil {
		t.Error("a dry run made the run directory")
	}
	if code, _, stderr := command(t, "run", file, "--out", again); code != 0 {
		t.Fatalf("run: exit status %d: %s", code, stderr)
	}
	sameRun(t, again, demo)
	if got := dry(demo); !strings.Contains(got, "0 of 18 stages") {
		t.Errorf("dry run of a finished folder:\n%s", got)
	}
	if got := dry(demo, "--weights-dtype", "float16"); !strings.Contains(got, "weights changed") ||
		!strings.Contains(got, "15 of 18 stages") {
		t.Errorf("dry run with other weights:\n%s", got)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, file, strings.Replace(string(text), "guidance = 3.0", "guidance = 4.0", 1))
	if got := dry(demo); !strings.Contains(got, "render.guidance is 4, was 3") || !strings.Contains(got, "6 of 18 stages") {
		t.Errorf("dry run with another guidance:\n%s", got)
	}
}

func TestRunErrorsAreOneLine(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string { return writeFile(t, filepath.Join(dir, name), text) }
	real := strings.Replace(tinyExperiment, "[simulate]\nown_images = 40\nshared_images = 10\n", "", 1)
	for _, c := range []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"no file", nil, 2, []string{"--example"}},
		{"missing file", []string{filepath.Join(dir, "no.toml")}, 1, []string{"no.toml"}},
		{"unknown key", []string{put("a.toml", strings.Replace(tinyExperiment, "folds", "flods", 1))}, 1,
			[]string{"a.toml", "line 11", "[decode] flods", "folds?"}},
		{"value", []string{put("b.toml", strings.Replace(tinyExperiment, "steps = 4", "steps = 3", 1))}, 1,
			[]string{"b.toml", "[render] steps", "3"}},
		{"memory", []string{put("c.toml", tinyExperiment), "--memory", "some"}, 2, []string{"--memory", "some"}},
		{"memory of the file", []string{put("d.toml", tinyExperiment+"[load]\nmemory = \"some\"\n")}, 1,
			[]string{"d.toml", "memory", "some"}},
		{"no tree", []string{put("e.toml", real)}, 1, []string{filepath.Join(dir, "nsd"), "NSD"}},
		{"no model", []string{put("f.toml", "model = \"none\"\n"+tinyExperiment)}, 1, []string{filepath.Join(dir, "none"), "expected"}},
		{"no features", []string{put("g.toml", tinyExperiment+"[features]\nfrom = \"none\"\n")}, 1,
			[]string{filepath.Join(dir, "none"), "[features] from", "expected"}},
		{"folder of other things", []string{put("h.toml", tinyExperiment), "--out", dir}, 1, []string{dir, "manifests"}},
	} {
		code, _, stderr := command(t, append([]string{"run"}, c.args...)...)
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
	if code, stdout, _ := command(t, "run", "--example"); code != 0 || !strings.Contains(stdout, "sd-v1-4.ckpt") {
		t.Errorf("--example: %d, %s", code, stdout)
	}
}
