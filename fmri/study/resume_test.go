package study

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/fmri/study/stage"
)

// watch is the bar of a run: it checks that progress only goes on, and ends the run at a call of progress of a stage, or at the
// end of that stage if it has fewer.
type watch struct {
	t      *testing.T
	at     int // number of the stage, from 0; −1: none
	calls  int // of its progress
	cancel context.CancelFunc
	titles []string
}

func (w *watch) bar(title string) (stage.Progress, func(bool)) {
	k, was, of := len(w.titles), 0, 0
	w.titles = append(w.titles, title)
	left := w.calls
	stop := func() {
		if left--; k == w.at && left < 0 {
			w.cancel()
		}
	}
	stop()
	return func(done, total int) {
			if done < was || done > total || of != 0 && total != of {
				w.t.Errorf("%s: progress %d of %d after %d of %d", title, done, total, was, of)
			}
			was, of = done, total
			stop()
		}, func(skipped bool) {
			if k == w.at {
				w.cancel()
			}
			if !skipped && w.at < 0 && was != of {
				w.t.Errorf("%s ended at %d of %d", title, was, of)
			}
		}
}

// interrupted runs an experiment until a stage, and reports the error of Do.
func interrupted(t *testing.T, dir string, c Config, at, calls int) (*watch, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := &watch{t: t, at: at, calls: calls, cancel: cancel}
	r, err := New(dir, c, model(t), "test", w.bar)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Do(ctx)
	return w, err
}

// A run that is interrupted in every stage in turn, before it has begun or in its middle, ends with the bytes of one that is not.
func TestInterruptedInEveryStage(t *testing.T) {
	dir, c := filepath.Join(t.TempDir(), "run"), parsed(t, tiny, nil)
	for k := range everything {
		if _, err := interrupted(t, dir, c, k, []int{0, 1, 3}[k%3]); !errors.Is(err, context.Canceled) && k < len(everything)-1 {
			t.Fatalf("interrupted in %s: %v", everything[k], err)
		}
	}
	w, err := interrupted(t, dir, c, -1, 0)
	if err != nil || len(w.titles) != len(everything) {
		t.Fatalf("%v after %v", err, w.titles)
	}
	sameFiles(t, dir, finished(t))
}

// Where a process was killed in the middle of a stage that goes on, what is complete is kept, and what is not is swept away.
func TestKilledWithinAFit(t *testing.T) {
	dir, c := filepath.Join(t.TempDir(), "run"), parsed(t, tiny, nil)
	if err := os.CopyFS(dir, os.DirFS(finished(t))); err != nil {
		t.Fatal(err)
	}
	for _, name := range everything[3:] { // from the fits on
		if err := os.Remove(filepath.Join(dir, "manifests", name+".json")); err != nil {
			t.Fatal(err)
		}
	}
	for _, folder := range []string{"decoders_subj01", "decoded_subj01", "control_subj01", "diagnosis_subj01"} {
		if err := os.RemoveAll(filepath.Join(dir, folder)); err != nil {
			t.Fatal(err)
		}
	}
	const fitStage, decodeStage, diagnoseStage = 3, 4, 6
	work := func(folder string, name ...string) string {
		return filepath.Join(append([]string{dir, ".work-" + folder}, name...)...)
	}
	garbage := func(folder string, names ...string) {
		for _, name := range names {
			put(t, strings.Repeat("x", 1<<12), work(folder, name))
		}
	}
	// The second of two fits has begun after as many calls of progress as the first has, and one of eachFit's.
	for calls := 1; ; calls++ {
		if _, err := interrupted(t, dir, c, fitStage, calls); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if there, _ := os.ReadDir(work("decoders_subj01")); len(there) == 1 {
			break
		} else if len(there) != 0 || calls > 100 {
			t.Fatalf("%d files after %d calls, expected none or one", len(there), calls)
		}
	}
	first, err := os.Stat(work("decoders_subj01", "z"+tables))
	if err != nil {
		t.Fatal(err)
	}
	garbage("decoders_subj01", ".part-c.safetensors.1.1", ".part-z.safetensors.2.1")
	if _, err := interrupted(t, dir, c, decodeStage, 0); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	kept, err := os.Stat(filepath.Join(dir, "decoders_subj01", "z"+tables))
	if err != nil || !os.SameFile(first, kept) {
		t.Errorf("the fit that was complete was made again, %v", err)
	}
	garbage("decoded_subj01", "z.safetensors.part", ".part-x")
	if _, err := interrupted(t, dir, c, diagnoseStage, 0); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	garbage("diagnosis_subj01", "z.json", ".part-z.png.3.1") // killed between the two files of a fit
	do(t, dir, c)
	sameFiles(t, dir, finished(t))
}

// A list of fits that is changed while it is being fitted leaves nothing of what is no longer in it.
func TestFitsChangedWhileInterrupted(t *testing.T) {
	dir := copied(t, finished(t))
	c := parsed(t, tiny, func(c *Config) { c.Decode.Folds = 3 })
	for calls := 1; ; calls++ {
		if _, err := interrupted(t, dir, c, 3, calls); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if there, _ := os.ReadDir(filepath.Join(dir, ".work-decoders_subj01")); len(there) > 0 {
			break
		} else if calls > 100 {
			t.Fatal("the first fit was never complete")
		}
	}
	plans, err := Plan(dir, c, model(t), "test")
	if err != nil || !strings.Contains(plans[3].Why, "goes on where it was interrupted") {
		t.Errorf("plan %+v, %v", plans[3], err)
	}
	c.Decode.Atlas, c.Decode.Early, c.Decode.Higher = "", nil, nil
	c.Fits = []Fit{{Name: "z", X: "responses/streams:early", Y: "z", Folds: 2}, {Name: "other", X: "responses/streams:ventral+lateral",
		Y: "c"}}
	result, _ := do(t, dir, c)
	for _, folder := range []string{"decoders_subj01", "decoded_subj01", "control_subj01"} {
		entries, err := os.ReadDir(filepath.Join(dir, folder))
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		if want := []string{"other.safetensors", "z.safetensors"}; err != nil || !slices.Equal(names, want) {
			t.Errorf("%s holds %v, %v, expected %v", folder, names, err, want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".work-*")); left != nil || len(result.Diagnoses) != 2 {
		t.Errorf("left over: %v; %d diagnoses", left, len(result.Diagnoses))
	}
	if !bytes.Equal(read(t, dir, "decoders_subj01", "z"+tables), read(t, finished(t), "decoders_subj01", "z"+tables)) {
		t.Error("z, of two folds again, is not that of the run that was not disturbed")
	}
}
