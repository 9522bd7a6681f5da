package stage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// parts is how many files the folder of the stage of these tests holds.
const parts = 4

// folder is a stage that writes its folder file by file and calls at before each write, and once more after the last. Before
// file k it leaves the beginning of a temporary one, as a writer that is killed does. A stage that resumes leaves out the files
// that are there.
func folder(text string, resumes bool, at func(write int) error) Stage {
	return Stage{Name: "tree", Output: "tree", Params: text, Resumes: resumes,
		Run: func(_ context.Context, tmp string, _ Progress) error {
			if err := os.MkdirAll(tmp, 0o777); err != nil {
				return err
			}
			for k := range parts {
				path := filepath.Join(tmp, fmt.Sprintf("%d.txt", k))
				if _, err := os.Stat(path); err == nil && resumes {
					continue
				}
				if err := os.WriteFile(path+".half", []byte("ha"), 0o666); err != nil {
					return err
				}
				if err := at(k); err != nil {
					return err
				}
				if err := os.WriteFile(path+".half", []byte(text+strconv.Itoa(k)), 0o666); err != nil {
					return err
				}
				if err := os.Rename(path+".half", path); err != nil {
					return err
				}
			}
			return at(parts)
		}}
}

// do opens the directory, does a stage and lets go.
func do(dir string, s Stage) (ran bool, err error) {
	r, err := New(dir, "v1")
	if err != nil {
		return false, err
	}
	defer r.Close()
	err = r.Do(context.Background(), s)
	return len(r.Ran) > 0, err
}

// listing is every file under a folder with its bytes, but for the seconds in manifests.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		for line := range strings.Lines(string(text)) {
			if !strings.Contains(line, `"seconds"`) {
				fmt.Fprintf(&b, "%s: %s\n", filepath.ToSlash(rel), strings.TrimSpace(line))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// undisturbed is the listing of a directory in which the stage was done once.
func undisturbed(t *testing.T, s Stage) string {
	t.Helper()
	dir := t.TempDir()
	if _, err := do(dir, s); err != nil {
		t.Fatal(err)
	}
	return listing(t, dir)
}

func never(int) error { return nil }

// An error at any write leaves what was there before; the next run comes to what an undisturbed one leaves. A stage that resumes
// writes only what was not written.
func TestErrorAtEveryWrite(t *testing.T) {
	boom := errors.New("boom")
	for _, resumes := range []bool{false, true} {
		want := undisturbed(t, folder("new", resumes, never))
		for fail := range parts + 1 {
			dir := t.TempDir()
			if _, err := do(dir, folder("old", resumes, never)); err != nil {
				t.Fatal(err)
			}
			before, _ := Sum(filepath.Join(dir, "tree"))
			manifest, _ := os.ReadFile(filepath.Join(dir, "manifests", "tree.json"))
			_, err := do(dir, folder("new", resumes, func(k int) error {
				if k == fail {
					return boom
				}
				return nil
			}))
			if !errors.Is(err, boom) {
				t.Fatalf("error %v, want %v", err, boom)
			}
			after, _ := Sum(filepath.Join(dir, "tree"))
			if m, _ := os.ReadFile(filepath.Join(dir, "manifests", "tree.json")); after != before || string(m) != string(manifest) {
				t.Errorf("resumes %v: an error at write %d changed the old artefact or its manifest", resumes, fail)
			}
			if ran, err := do(dir, folder("old", resumes, never)); ran || err != nil {
				t.Errorf("resumes %v: after an error at write %d the old artefact was made again, %v", resumes, fail, err)
			}
			if !resumes {
				if got := undisturbed(t, folder("old", resumes, never)); listing(t, dir) != got {
					t.Errorf("left after an error at write %d:\n%s", fail, listing(t, dir))
				}
			}
			writes := 0
			if ran, err := do(dir, folder("new", resumes, func(int) error { writes++; return nil })); !ran || err != nil {
				t.Fatalf("ran %v, %v", ran, err)
			}
			left := parts + 1
			if resumes {
				left -= fail
			}
			if got := listing(t, dir); got != want || writes != left {
				t.Errorf("resumes %v, error at write %d: %d calls, want %d, of\n%s", resumes, fail, writes, left, got)
			}
		}
	}
}

// killed, in the environment of this test's own program, has it run the stage in the folder named and end at a write.
const killed = "STAGE_TEST_KILLED"

func TestMain(m *testing.M) {
	if text := os.Getenv(killed); text != "" {
		var resumes bool
		var fail int
		var dir string
		if _, err := fmt.Sscanf(text, "%t %d %s", &resumes, &fail, &dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		_, err := do(dir, folder("new", resumes, func(k int) error {
			if k == fail {
				os.Exit(9) // as a kill does, nothing deferred is done
			}
			return nil
		}))
		fmt.Fprintln(os.Stderr, "was not killed:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// A process that ends at any write, with its temporary files half written, leaves a directory that the next one finishes.
func TestKilledAtEveryWrite(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, resumes := range []bool{false, true} {
		want := undisturbed(t, folder("new", resumes, never))
		for fail := range parts + 1 {
			dir := t.TempDir()
			if strings.ContainsAny(dir, " \t") {
				t.Fatalf("temporary folder %q, expected one without blanks", dir)
			}
			if _, err := do(dir, folder("old", resumes, never)); err != nil {
				t.Fatal(err)
			}
			child := exec.CommandContext(t.Context(), program)
			child.Env = append(os.Environ(), fmt.Sprintf("%s=%t %d %s", killed, resumes, fail, dir))
			out, err := child.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 9 {
				t.Fatalf("%v: %s", err, out)
			}
			// It left its work behind, and no lock.
			if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) != 1 {
				t.Fatalf("resumes %v, killed at write %d: left %v, expected the work of one stage", resumes, fail, left)
			}
			writes := 0
			if ran, err := do(dir, folder("new", resumes, func(int) error { writes++; return nil })); !ran || err != nil {
				t.Fatalf("ran %v, %v", ran, err)
			}
			left := parts + 1
			if resumes {
				left -= fail
			}
			if got := listing(t, dir); got != want || writes != left {
				t.Errorf("resumes %v, killed at write %d: %d calls, want %d, of\n%s", resumes, fail, writes, left, got)
			}
		}
	}
}

// Do itself removes and renames. Each state of the disk between two of its steps is made here by hand, and the next run has to
// come to what an undisturbed one leaves.
func TestKilledBetweenTheStepsOfDo(t *testing.T) {
	for _, resumes := range []bool{false, true} {
		stage := folder("new", resumes, never)
		want := undisturbed(t, stage)
		r := &Runner{}
		work := ".part-tree"
		if resumes {
			work = filepath.Base(r.workPath(stage))
		}
		move := func(dir, from, to string) { os.Rename(filepath.Join(dir, from), filepath.Join(dir, to)) }
		states := []struct {
			name  string
			make  func(dir string) // out of a directory with the old artefact, whose work folder holds the new one
			again bool             // of a stage that resumes only, whose writes are all made again
		}{
			{"worked, not yet renamed", func(string) {}, false},
			{"old manifest removed", func(dir string) { os.Remove(filepath.Join(dir, "manifests", "tree.json")) }, false},
			{"old artefact half removed", func(dir string) {
				os.Remove(filepath.Join(dir, "manifests", "tree.json"))
				os.Remove(filepath.Join(dir, "tree", "0.txt"))
			}, false},
			{"old artefact removed", func(dir string) {
				os.Remove(filepath.Join(dir, "manifests", "tree.json"))
				os.RemoveAll(filepath.Join(dir, "tree"))
			}, false},
			{"renamed", func(dir string) {
				os.Remove(filepath.Join(dir, "manifests", "tree.json"))
				os.RemoveAll(filepath.Join(dir, "tree"))
				move(dir, work, "tree")
			}, false},
			{"manifest half written", func(dir string) {
				os.Remove(filepath.Join(dir, "manifests", "tree.json"))
				os.RemoveAll(filepath.Join(dir, "tree"))
				move(dir, work, "tree")
				os.WriteFile(filepath.Join(dir, "manifests", ".part-123"), []byte(`{"stage": "tr`), 0o666)
			}, false},
			{"work of other parameters", func(dir string) {
				os.WriteFile(filepath.Join(dir, "manifests", ".work-tree"), []byte("{}"), 0o666)
				os.WriteFile(filepath.Join(dir, work, "0.txt"), []byte("other"), 0o666)
			}, true},
			{"work without a key", func(dir string) {
				os.Remove(filepath.Join(dir, "manifests", ".work-tree"))
				os.WriteFile(filepath.Join(dir, work, "0.txt"), []byte("other"), 0o666)
			}, true},
		}
		for _, s := range states {
			if s.again && !resumes {
				continue
			}
			dir := t.TempDir()
			if _, err := do(dir, folder("old", resumes, never)); err != nil {
				t.Fatal(err)
			}
			// The work folder of a run that is killed after the last write, with its key.
			stop := errors.New("stop")
			var kept string
			_, err := do(dir, Stage{Name: stage.Name, Output: stage.Output, Params: stage.Params, Resumes: resumes,
				Run: func(ctx context.Context, tmp string, p Progress) error {
					if err := stage.Run(ctx, tmp, p); err != nil {
						return err
					}
					kept = filepath.Join(t.TempDir(), "kept")
					return errors.Join(os.CopyFS(kept, os.DirFS(tmp)), stop)
				}})
			if !errors.Is(err, stop) {
				t.Fatal(err)
			}
			if !resumes { // Do has swept it
				if err := os.Rename(kept, filepath.Join(dir, work)); err != nil {
					t.Fatal(err)
				}
			}
			s.make(dir)
			plans, err := Look(dir, "v1").Plan([]Stage{stage})
			if err != nil || !plans[0].Make {
				t.Errorf("%s: planned %v, %v", s.name, plans, err)
			}
			writes := 0
			if ran, err := do(dir, folder("new", resumes, func(int) error { writes++; return nil })); !ran || err != nil {
				t.Errorf("%s: ran %v, %v", s.name, ran, err)
			}
			left := parts + 1
			if resumes && !s.again {
				left = 1
			}
			if got := listing(t, dir); got != want || writes != left {
				t.Errorf("resumes %v, %s: %d calls, want %d, of\n%s", resumes, s.name, writes, left, got)
			}
		}
		// Killed between the manifest and the end: the artefact is up to date, and its key is of no use any more.
		dir := t.TempDir()
		if _, err := do(dir, stage); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "manifests", ".work-tree"), []byte("{}"), 0o666); err != nil {
			t.Fatal(err)
		}
		if ran, err := do(dir, stage); ran || err != nil {
			t.Errorf("resumes %v, killed after the manifest: ran %v, %v", resumes, ran, err)
		}
	}
}
