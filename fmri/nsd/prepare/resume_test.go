package prepare

import (
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// sums is the hash of every file of a folder.
func sums(t *testing.T, dir string) map[string][32]byte {
	t.Helper()
	found := make(map[string][32]byte)
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		found[filepath.Base(path)] = sha256.Sum256(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestResume interrupts a run after each step, damages what a kill could leave half-written, and goes on.
func TestResume(t *testing.T) {
	root, dir := tree(t), t.TempDir()
	o := Options{Subject: "subj01", ROIs: []string{"streams"}, ZScore: true, Average: true, Trials: true, MinExplainable: 0.01}
	if _, err := Run(t.Context(), root, filepath.Join(dir, "whole"), "test", o); err != nil {
		t.Fatal(err)
	}
	want := sums(t, filepath.Join(dir, "whole"))
	out := filepath.Join(dir, "deep", "out")
	for stop := 0; ; stop += 60 {
		ctx, cancel := context.WithCancel(t.Context())
		o.Progress = func(done, total int) {
			if done >= stop {
				cancel()
			}
		}
		r, err := Run(ctx, root, out, "test", o)
		cancel()
		if err == nil {
			if r.Reused != 3 || len(r.Read) != 0 {
				t.Errorf("the last run read sessions %v and found %d, want none and 3", r.Read, r.Reused)
			}
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if _, err := os.Stat(out); err == nil {
			t.Fatal("the folder appeared before it was complete")
		}
		for _, leftover := range []string{"session01.betas.tmp", "result/X_train.npy"} {
			os.MkdirAll(filepath.Join(out+".partial", "result"), 0o777)
			if err := os.WriteFile(filepath.Join(out+".partial", leftover), []byte("half"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := sums(t, out)
	if len(got) != len(want) {
		t.Errorf("%d files, want %d", len(got), len(want))
	}
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s differs after interruptions", name)
		}
	}
	if _, err := os.Stat(out + ".partial"); err == nil {
		t.Error("the parts are still there")
	}
	o.Progress = nil
	r, err := Run(t.Context(), root, out, "test", o)
	if err != nil || !r.UpToDate {
		t.Errorf("run again: up to date %v, %v", r, err)
	}
}

// TestPartsOfAnotherRun: what an interrupted run with other options has left is not believed.
func TestPartsOfAnotherRun(t *testing.T) {
	root, out := tree(t), filepath.Join(t.TempDir(), "out")
	o := Options{Subject: "subj01", ROIs: []string{"streams/early"}}
	ctx, cancel := context.WithCancel(t.Context())
	o.Progress = func(done, _ int) {
		if done >= 200 {
			cancel()
		}
	}
	if _, err := Run(ctx, root, out, "test", o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	o.Progress = nil
	o.ROIs = []string{"streams/ventral"}
	r, err := Run(t.Context(), root, out, "test", o)
	if err != nil || r.Reused != 0 || len(r.Read) != 3 {
		t.Errorf("%+v, %v", r, err)
	}
	o.ROIs = []string{"streams/early"}
	_, err = Run(t.Context(), root, out, "test", o)
	wantError(t, err, out, `rois was ["streams/ventral"], is ["streams/early"]`, "expected a new folder")
}

// TestAnotherFormat: a folder of an older format is neither believed nor replaced; the error says what to do.
func TestAnotherFormat(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	if err := os.CopyFS(out, os.DirFS("../../table/testdata/zscored")); err != nil {
		t.Fatal(err)
	}
	before := sums(t, out)
	o := Options{Subject: "subj01", ROIs: []string{"streams/early", "streams/ventral+lateral"}, MinNCSNR: 0.45, MinExplainable: 0.3,
		ZScore: true, Average: true, Trials: true}
	_, err := Run(t.Context(), tree(t), out, "0.1.0", o)
	wantError(t, err, out+": holds responses in format 1", "format 3, whose values or names differ; remove it to make it anew, or name a new folder")
	if after := sums(t, out); !maps.Equal(before, after) {
		t.Error("the folder was changed")
	}
}
