package stage

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// write returns a stage that writes text to its artefact and counts its runs.
func write(name, text string, runs *int, inputs ...string) Stage {
	return Stage{Name: name, Output: name + ".txt", Inputs: inputs, Params: text,
		Run: func(_ context.Context, tmp string, p Progress) error {
			*runs++
			p(1, 1)
			return os.WriteFile(tmp, []byte(text), 0o666)
		}}
}

func TestDoSkipsOnlyWhatStillMatches(t *testing.T) {
	dir := t.TempDir()
	var first, second int
	pass := func(text string) {
		t.Helper()
		r, err := New(dir, "v1")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if err := r.Do(t.Context(), write("a", text, &first)); err != nil {
			t.Fatal(err)
		}
		if err := r.Do(t.Context(), write("b", "rest", &second, "a.txt")); err != nil {
			t.Fatal(err)
		}
	}
	steps := []struct {
		name       string
		before     func()
		text       string
		wantA, wtB int
	}{
		{"fresh", func() {}, "one", 1, 1},
		{"again", func() {}, "one", 1, 1},
		{"parameter changed", func() {}, "two", 2, 2},
		{"artefact removed", func() { os.Remove(filepath.Join(dir, "b.txt")) }, "two", 2, 3},
		{"artefact edited", func() { os.WriteFile(filepath.Join(dir, "a.txt"), []byte("x"), 0o666) }, "two", 3, 3},
		{"manifest lost", func() { os.Remove(filepath.Join(dir, "manifests", "b.json")) }, "two", 3, 4},
		{"manifest damaged", func() { os.WriteFile(filepath.Join(dir, "manifests", "b.json"), []byte("{"), 0o666) }, "two", 3, 5},
	}
	for _, s := range steps {
		s.before()
		pass(s.text)
		if first != s.wantA || second != s.wtB {
			t.Fatalf("%s: ran a %d and b %d times, want %d and %d", s.name, first, second, s.wantA, s.wtB)
		}
	}
}

func TestDoLeavesNothingHalfWritten(t *testing.T) {
	dir := t.TempDir()
	r, err := New(dir, "v1")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	boom := errors.New("boom")
	err = r.Do(t.Context(), Stage{Name: "a", Output: "a", Run: func(_ context.Context, tmp string, _ Progress) error {
		if err := os.MkdirAll(filepath.Join(tmp, "deep"), 0o777); err != nil {
			return err
		}
		return boom
	}})
	if !errors.Is(err, boom) {
		t.Fatalf("error %v, want %v", err, boom)
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*"))
	hidden, _ := filepath.Glob(filepath.Join(dir, ".*"))
	if got := append(left, hidden...); len(got) != 1 || filepath.Base(got[0]) != "manifests" {
		t.Fatalf("left behind: %v", got)
	}
}

func TestNewRejectsAFileInTheWay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "taken")
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := New(path, "v1")
	if err == nil || !strings.Contains(err.Error(), path) {
		t.Fatalf("error %v, want one that names %s", err, path)
	}
}

func TestNewRejectsAFolderOfOtherThings(t *testing.T) {
	dir := t.TempDir()
	kept := filepath.Join(dir, "a.txt")
	if err := os.WriteFile(kept, []byte("mine"), 0o666); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the refusal must not make a run directory of it
		if _, err := New(dir, "v1"); err == nil || !strings.Contains(err.Error(), "a.txt") || !strings.Contains(err.Error(), dir) {
			t.Fatalf("error %v, want one that names %s and a.txt", err, dir)
		}
	}
}

func TestNewRejectsAFolderInUse(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "plan9" {
		return // no locks there
	}
	dir := t.TempDir()
	r, err := New(dir, "v1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(dir, "v1"); err == nil || !strings.Contains(err.Error(), "another run") {
		t.Fatalf("error %v, want one about another run", err)
	}
	r.Close()
	if r, err = New(dir, "v1"); err != nil {
		t.Fatal(err)
	}
	r.Close()
}

// A killed run can leave temporary files in every place where one is made. The next removes them, and
// believes none of them.
func TestNewRemovesLeftovers(t *testing.T) {
	dir := t.TempDir()
	var a, b int
	both := func(text string) {
		t.Helper()
		r, err := New(dir, "v1")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for _, s := range []Stage{write("a", text, &a), write("b", "rest", &b, "a.txt")} {
			if err := r.Do(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
	}
	both("one")
	manifest, err := os.ReadFile(filepath.Join(dir, "manifests", "a.json"))
	if err != nil {
		t.Fatal(err)
	}
	leftovers := []string{".part-123", ".part-a.txt", "..part-a.txt.456", "manifests/.part-789"}
	for _, name := range leftovers {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), manifest, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, ".part-tree.partial", "deep"), 0o777); err != nil {
		t.Fatal(err)
	}
	both("two")
	if a != 2 || b != 2 {
		t.Errorf("ran a %d and b %d times, want both twice", a, b)
	}
	for _, pattern := range []string{".*", "manifests/.*"} {
		if left, _ := filepath.Glob(filepath.Join(dir, filepath.FromSlash(pattern))); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}

// Which build or version of the program made an artefact does not matter; what computes it does, and resumed work as well.
func TestDoDependsOnTheCode(t *testing.T) {
	dir := t.TempDir()
	runs := 0
	for i, c := range []struct {
		version, program string
		code, want       int
		note             string
	}{
		{"v1", "p1", 1, 1, ""}, {"v1", "p2", 1, 1, ""}, {"v2", "", 1, 1, ""},
		{"v2", "", 2, 2, "a.txt: made anew: what computes it is of version 2, was 1; took "}, {"v1", "p1", 2, 2, ""},
	} {
		r, err := New(dir, c.version)
		if err != nil {
			t.Fatal(err)
		}
		r.program = c.program
		var notes []string
		r.Note = func(line string) { notes = append(notes, line) }
		s := write("a", "one", &runs)
		s.Code = c.code
		if err := r.Do(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		r.Close()
		if runs != c.want {
			t.Fatalf("%d: ran %d times, expected %d", i, runs, c.want)
		}
		if c.note == "" && len(notes) > 0 || c.note != "" && (len(notes) != 1 || !strings.HasPrefix(notes[0], c.note)) {
			t.Errorf("%d: notes %q, expected %q", i, notes, c.note)
		}
	}
	if m := (&Runner{Dir: dir}).manifest("a"); m.Version != "v2" || m.Code != 2 || m.Seconds <= 0 {
		t.Errorf("manifest %+v", m)
	}
}
