// Package stage runs the steps of a run directory: each step leaves one artefact and, beside it,
// a manifest of what it was made from. A step whose manifest still matches is skipped, and an
// artefact appears by rename, so an interrupted run never leaves a half-written one.
//
//	New ──► Do(stage), in the order in which stages read one another ──► Close
//	Look ──► Plan(stages): what Do would make, and why; nothing on the disk changes
//
// A run directory holds
//
//	ARTEFACT              of each stage, a file or a folder
//	manifests/NAME.json   a Manifest of each stage: sums (sha256) of what it read and of what it left
//	.part-…, .work-…      work of a stage that has not ended
//
// An artefact is up to date if its manifest says the code, parameters and sums of inputs that are asked for now, and the artefact
// still has the sum that it was left with. Which build or version of the program made it does not matter: Stage.Code says when
// what computes it has changed. A program killed at any moment leaves a directory that the next run
// brings to the state that it would have had.
package stage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"percept/internal/atomicfile"
	"percept/internal/cause"
	"percept/internal/filelock"
	"percept/internal/filesum"
)

// Progress is told how many of the total units of work are done.
type Progress func(done, total int)

// Stage is one step of a run. Names and outputs are those of no other stage of the directory.
type Stage struct {
	Name   string            // short; also the file name of the manifest
	Title  string            // what the progress bar says
	Output string            // artefact, a file or folder, relative to the run directory
	Inputs []string          // artefacts of earlier stages, relative to the run directory
	Params any               // everything else the result depends on; JSON-encodable
	Extra  map[string]string // sums of inputs that are not artefacts (model weights, kernel set)
	Code   int               // version of what computes the artefact: raised when the same inputs and parameters give other bytes

	// Run makes the artefact at path tmp (a file or a folder of that name).
	Run func(ctx context.Context, tmp string, p Progress) error
	// Resumes says that the artefact is a folder and that Run goes on with what it finds in tmp, which is there. The folder of
	// an interrupted stage is kept for as long as the same manifest is wanted. What lies in it may be of a process that was
	// killed at any moment.
	Resumes bool
}

// Manifest is what stands beside an artefact.
type Manifest struct {
	Stage   string            `json:"stage"`
	Code    int               `json:"code"`              // see Stage.Code
	Version string            `json:"version,omitempty"` // of the program that made it, and its sum; both tell, neither counts
	Program string            `json:"program,omitempty"`
	Params  json.RawMessage   `json:"params"`
	Inputs  map[string]string `json:"inputs"` // artefact or name → sha256
	Output  string            `json:"output"`
	SHA256  string            `json:"sha256"`
	Seconds float64           `json:"seconds"` // wall time
}

// Runner runs stages in one directory.
type Runner struct {
	Dir     string // the run directory
	Version string // of the program
	// Bar, unless nil, returns the progress function of a stage and a function that ends its display.
	Bar func(title string) (Progress, func(skipped bool))
	// Note, unless nil, is told before an artefact that was there is made anew: why, and how long that took the last time.
	Note func(line string)
	// Ran lists the stages that were not skipped, for tests and messages.
	Ran []string

	program string            // sum of the running program
	sums    map[string]string // artefact → sum, of the stages done so far
	lock    *os.File
}

// New opens a run directory, makes it where it is not there, and removes what a killed run has left
// half-written. It refuses a folder of other things, whose files a stage might replace, and one in
// which another run is at work. Close lets the next run in.
func New(dir, version string) (*Runner, error) {
	manifests := filepath.Join(dir, "manifests")
	if _, err := os.Stat(manifests); errors.Is(err, fs.ErrNotExist) {
		entries, err := os.ReadDir(dir)
		if err == nil && len(entries) > 0 {
			return nil, fmt.Errorf("%s: holds %s but no manifests of a run, expected a new or empty folder or one of an earlier run",
				dir, entries[0].Name())
		}
	}
	if err := os.MkdirAll(manifests, 0o777); err != nil {
		return nil, fmt.Errorf("%s: cannot create the run directory: %w", dir, cause.Of(err))
	}
	probe, err := os.CreateTemp(dir, atomicfile.Prefix+"*")
	if err != nil {
		return nil, fmt.Errorf("%s: the run directory is not writable: %w", dir, cause.Of(err))
	}
	probe.Close()
	os.Remove(probe.Name())
	r := &Runner{Dir: dir, Version: version, sums: map[string]string{}}
	if r.lock, err = lockFolder(manifests); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	if err := r.sweep(); err != nil {
		r.Close()
		return nil, err
	}
	r.program = programSum()
	return r, nil
}

// programSum is the sum of the running program, or empty: some systems let a program be run but not be read.
func programSum() string {
	exe, err := os.Executable()
	if err != nil {
		return ""
	}
	sum, _ := filesum.Hex(exe)
	return sum
}

// Close lets another run into the directory. The Runner does no stage after it.
func (r *Runner) Close() {
	if r.lock != nil {
		r.lock.Close()
		r.lock = nil
	}
}

// sweep removes the temporary files of a run that was killed: their names begin with one or two dots
// and "part-".
func (r *Runner) sweep() error {
	for _, dir := range []string{r.Dir, filepath.Join(r.Dir, "manifests")} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return fmt.Errorf("%s: cannot be read: %w", dir, cause.Of(err))
		}
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), atomicfile.Prefix) && !strings.HasPrefix(e.Name(), "..part-") {
				continue
			}
			path := filepath.Join(dir, e.Name())
			if err := os.RemoveAll(path); err != nil {
				return fmt.Errorf("%s: leftover of an earlier run cannot be removed: %w", path, cause.Of(err))
			}
		}
	}
	return nil
}

// Path returns an artefact's full path.
func (r *Runner) Path(artefact string) string { return filepath.Join(r.Dir, artefact) }

// wanted is the manifest that the stage's artefact would have, but for what making it tells.
func (r *Runner) wanted(s Stage) (Manifest, error) {
	params, err := json.Marshal(s.Params)
	if err != nil {
		return Manifest{}, fmt.Errorf("stage %s: %w", s.Name, err)
	}
	want := Manifest{Stage: s.Name, Code: s.Code, Params: params, Output: s.Output, Inputs: map[string]string{}}
	maps.Copy(want.Inputs, s.Extra)
	for _, in := range s.Inputs {
		sum, err := r.inputSum(in)
		if err != nil {
			return Manifest{}, fmt.Errorf("stage %s: %w", s.Name, err)
		}
		want.Inputs[in] = sum
	}
	return want, nil
}

// Do runs the stage unless its manifest still matches. The artefacts that it reads have to be there: do their stages first. An
// error of Run is returned as it is; the artefact and manifest of an earlier run are left then.
func (r *Runner) Do(ctx context.Context, s Stage) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	want, err := r.wanted(s)
	if err != nil {
		return err
	}
	progress, end := Progress(func(int, int) {}), func(bool) {}
	if r.Bar != nil {
		progress, end = r.Bar(s.Title)
	}
	sum, why, seconds := r.differs(want)
	if why == "" {
		r.sums[s.Output] = sum
		end(true)
		return nil
	}
	if r.Note != nil && why != notThere {
		r.Note(fmt.Sprintf("%s: made anew: %s%s", s.Output, why, Took(seconds)))
	}
	start := time.Now()
	out := r.Path(s.Output)
	tmp := filepath.Join(filepath.Dir(out), atomicfile.Prefix+filepath.Base(out))
	if s.Resumes {
		if tmp, err = r.workplace(s, want); err != nil {
			return fmt.Errorf("stage %s: %w", s.Name, err)
		}
	} else {
		if err := os.RemoveAll(tmp); err != nil {
			return err
		}
		defer os.RemoveAll(tmp)
	}
	if err := s.Run(ctx, tmp, progress); err != nil {
		end(false)
		return err
	}
	if want.SHA256, err = Sum(tmp); err != nil {
		return fmt.Errorf("stage %s: %w", s.Name, err)
	}
	// The old manifest goes first: between here and the new one the artefact counts as unmade.
	os.Remove(r.manifestPath(s.Name))
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	if err := os.Rename(tmp, out); err != nil {
		return err
	}
	want.Seconds, want.Version, want.Program = time.Since(start).Seconds(), r.Version, r.program
	if err := r.writeManifest(want); err != nil {
		return err
	}
	if s.Resumes {
		os.Remove(r.keyPath(s.Name))
	}
	r.sums[s.Output] = want.SHA256
	r.Ran = append(r.Ran, s.Name)
	end(false)
	return nil
}

// Took says how long something took the last time, "; took 3m12s the last time"; nothing where that is not known.
func Took(seconds float64) string {
	if seconds <= 0 {
		return ""
	}
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d > time.Hour:
		d = d.Round(time.Minute)
	case d > time.Second:
		d = d.Round(time.Second)
	default:
		d = d.Round(time.Millisecond)
	}
	return "; took " + d.String() + " the last time"
}

func (r *Runner) manifestPath(name string) string {
	return filepath.Join(r.Dir, "manifests", name+".json")
}

func compact(m json.RawMessage) []byte {
	var v any
	if json.Unmarshal(m, &v) == nil {
		if b, err := json.Marshal(v); err == nil {
			return b
		}
	}
	return m
}

// inputSum is the sum of an artefact that a stage has made or found up to date, so that large ones are
// not read again, or of another file of the run directory.
func (r *Runner) inputSum(artefact string) (string, error) {
	if sum, ok := r.sums[artefact]; ok {
		return sum, nil
	}
	return Sum(r.Path(artefact))
}

func (r *Runner) writeManifest(m Manifest) error {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(r.manifestPath(m.Stage), append(b, '\n'))
}

// Sum is the sha256 of a file, or of a folder's relative names and file sums in order, in hexadecimal. Folders without a file
// in them do not count.
func Sum(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return filesum.Hex(path)
	}
	var names []string
	err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, p)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	slices.Sort(names)
	h := sha256.New()
	for _, p := range names {
		sum, err := filesum.Hex(p)
		if err != nil {
			return "", err
		}
		rel, err := filepath.Rel(path, p)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %s\n", sum, filepath.ToSlash(rel))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// lockFolder keeps a second run out until the folder that it returns is closed, or the process ends.
func lockFolder(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if errors.Is(filelock.Lock(f), filelock.ErrHeld) {
		f.Close()
		return nil, errors.New("another run is at work in this folder, expected to be alone")
	}
	return f, nil
}
