package study

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"percept"
	"percept/fmri/table"
)

// tiny is the smallest experiment that goes through every stage: 12 training and 4 test images of one simulated subject.
const tiny = `
data = "nsd"
subjects = ["subj01"]
seed = 3
[simulate]
own_images = 12
shared_images = 4
[decode]
atlas = "streams"
early = ["early"]
higher = ["ventral", "lateral"]
folds = 2
alphas = [100, 1000, 10000]
[render]
steps = 2
strength = 0.5
guidance = 3
[score]
bootstrap = 100
permutations = 100
scenes = true
`

// everything is the stages of tiny, in order.
var everything = []string{"data", "responses-subj01", "features", "fit-subj01", "decode-subj01", "control-subj01", "diagnose-subj01",
	"render-true", "render-subj01", "score", "sheet", "report"}

// scratch is the folder of what tests share; TestMain removes it.
var scratch string

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "study"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(scratch)
	os.Exit(code)
}

var embedded = sync.OnceValues(func() (*percept.Pipeline, error) { return percept.Embedded(context.Background()) })

func model(t *testing.T) *percept.Pipeline {
	t.Helper()
	p, err := embedded()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var finishedRun = sync.OnceValues(func() (*Result, error) {
	p, err := embedded()
	if err != nil {
		return nil, err
	}
	c, err := Parse([]byte(tiny))
	if err != nil {
		return nil, err
	}
	r, err := New(filepath.Join(scratch, "finished"), c, p, "test", nil)
	if err != nil {
		return nil, err
	}
	return r.Do(context.Background())
})

// finished is the folder of a finished run of tiny, which tests read and do not change.
func finished(t *testing.T) string {
	t.Helper()
	if _, err := finishedRun(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(scratch, "finished")
}

// parsed is tiny, changed.
func parsed(t *testing.T, text string, change func(*Config)) Config {
	t.Helper()
	c, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&c)
	}
	return c
}

// listed is tiny with a list of fits in place of the published pair.
func listed(fits string) string {
	text := strings.NewReplacer("atlas = \"streams\"\n", "", "early = [\"early\"]\n", "", "higher = [\"ventral\", \"lateral\"]\n",
		"").Replace(tiny)
	return text + fits
}

// do runs an experiment in a folder and returns the names of the stages that were made.
func do(t *testing.T, dir string, c Config) (*Result, []string) {
	t.Helper()
	r, err := New(dir, c, model(t), "test", nil)
	if err != nil {
		t.Fatal(err)
	}
	result, err := r.Do(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return result, r.runner.Ran
}

// planned is the names of the stages that Do would make.
func planned(t *testing.T, dir string, c Config) (names []string) {
	t.Helper()
	plans, err := Plan(dir, c, model(t), "test")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range plans {
		if p.Make {
			names = append(names, p.Name)
		}
	}
	return names
}

// copied is a copy of a run's folder.
func copied(t *testing.T, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "run")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

// withData is a new folder in which the data tree of the finished run is up to date.
func withData(t *testing.T) string {
	t.Helper()
	from, to := finished(t), filepath.Join(t.TempDir(), "run")
	if err := os.CopyFS(filepath.Join(to, "nsd"), os.DirFS(filepath.Join(from, "nsd"))); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(to, "manifests"), 0o777); err != nil {
		t.Fatal(err)
	}
	put(t, string(read(t, from, "manifests", "data.json")), to, "manifests", "data.json")
	return to
}

func read(t *testing.T, path ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func put(t *testing.T, text string, path ...string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(path...), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// files are the bytes of all files in a folder, by their slash-separated names.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all[name] = read(t, dir, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// sameFiles compares two run directories; manifests say how long stages took, and need only be there.
func sameFiles(t *testing.T, got, want string) {
	t.Helper()
	g, w := files(t, got), files(t, want)
	for name, b := range w {
		if have, ok := g[name]; !ok || !bytes.Equal(have, b) && !strings.HasPrefix(name, "manifests/") {
			t.Errorf("%s: there %v, but not with the bytes of a run that was not disturbed", name, ok)
		}
	}
	for name := range g {
		if _, ok := w[name]; !ok {
			t.Errorf("%s is left over", name)
		}
	}
}

// values reads all of a table.
func values(t *testing.T, of *table.Table, err error) []float32 {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	m, err := of.Matrix(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return m.Data
}

// rejects checks that an error names all of some things, in one line.
func rejects(t *testing.T, what string, err error, names ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error, expected one that names %q", what, names)
		return
	}
	for _, name := range names {
		if !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %q, expected one line that names %q", what, err, name)
		}
	}
}
