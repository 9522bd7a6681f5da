package stage

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"percept/internal/atomicfile"
)

const notThere = "not there"

// A Plan says what Do would do with a stage.
type Plan struct {
	Name, Title, Output string
	Make                bool
	Why                 string  // it would be made; empty if it would not
	Seconds             float64 // that making it took the last time; 0 where that is not known
}

// Look opens a run directory only for Plan: nothing is made, removed or locked. The directory need not be there.
func Look(dir, version string) *Runner {
	r := &Runner{Dir: dir, Version: version, sums: map[string]string{}}
	r.program = programSum()
	return r
}

// Plan says which of the stages Do would make, in turn, and why. A stage after one that is made is said to be made as
// well; it is not if that one's artefact comes out with the bytes that it has.
func (r *Runner) Plan(stages []Stage) ([]Plan, error) {
	plans := make([]Plan, len(stages))
	made := map[string]bool{} // artefacts that will be made
	for i, s := range stages {
		plans[i] = Plan{Name: s.Name, Title: s.Title, Output: s.Output}
		before := slices.IndexFunc(s.Inputs, func(in string) bool { return made[in] })
		if before >= 0 {
			plans[i].Make, plans[i].Why = true, s.Inputs[before]+" is made anew"
			plans[i].Seconds = r.manifest(s.Name).Seconds
			if _, err := os.Stat(r.Path(s.Output)); errors.Is(err, fs.ErrNotExist) {
				plans[i].Why = notThere
			}
		} else {
			want, err := r.wanted(s)
			if err != nil {
				return nil, err
			}
			sum, why, seconds := r.differs(want)
			plans[i].Make, plans[i].Why, plans[i].Seconds = why != "", why, seconds
			r.sums[s.Output] = sum
		}
		if plans[i].Make {
			made[s.Output] = true
			if _, err := os.Stat(r.workPath(s)); err == nil && s.Resumes {
				plans[i].Why += "; goes on where it was interrupted if nothing has changed"
			}
		}
	}
	return plans, nil
}

// Unused lists the artefacts of a run directory that were made by stages other than those planned, in order: left over from
// another experiment file, they stay until somebody removes them.
func Unused(dir string, plans []Plan) (outputs []string) {
	entries, err := os.ReadDir(filepath.Join(dir, "manifests"))
	if err != nil {
		return nil // not a run directory yet
	}
	for _, e := range entries {
		var m Manifest
		b, err := os.ReadFile(filepath.Join(dir, "manifests", e.Name()))
		if err != nil || json.Unmarshal(b, &m) != nil || !filepath.IsLocal(m.Output) ||
			slices.ContainsFunc(plans, func(p Plan) bool { return p.Output == m.Output }) {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, m.Output)); err == nil {
			outputs = append(outputs, m.Output)
		}
	}
	slices.Sort(outputs)
	return slices.Compact(outputs)
}

// manifest is the manifest of a stage as it is on disk; empty where there is none.
func (r *Runner) manifest(name string) (m Manifest) {
	if b, err := os.ReadFile(r.manifestPath(name)); err == nil {
		_ = json.Unmarshal(b, &m) // who depends on it says what is wrong with it
	}
	return m
}

// differs says why the artefact on disk is not the one that want would make, and how long making that took, or returns its
// sum and "".
func (r *Runner) differs(want Manifest) (sum, why string, seconds float64) {
	sum, why = r.difference(want)
	return sum, why, r.manifest(want.Stage).Seconds
}

func (r *Runner) difference(want Manifest) (sum, why string) {
	if _, err := os.Stat(r.Path(want.Output)); err != nil {
		return "", notThere
	}
	b, err := os.ReadFile(r.manifestPath(want.Stage))
	if err != nil {
		return "", "its manifest is not there"
	}
	var have Manifest
	if json.Unmarshal(b, &have) != nil {
		return "", "its manifest cannot be read"
	}
	if have.Code != want.Code {
		return "", fmt.Sprintf("what computes it is of version %d, was %d", want.Code, have.Code)
	}
	if have.Output != want.Output {
		return "", fmt.Sprintf("named %s, was %s", want.Output, have.Output)
	}
	if path, now, was := firstChange("", have.Params, want.Params); now != was {
		return "", fmt.Sprintf("%s is %s, was %s", path, now, was)
	}
	var changed []string
	for k, v := range want.Inputs {
		if have.Inputs[k] != v {
			changed = append(changed, k)
		}
	}
	for k := range have.Inputs {
		if _, ok := want.Inputs[k]; !ok {
			changed = append(changed, k)
		}
	}
	if len(changed) > 0 {
		slices.Sort(changed)
		return "", strings.Join(changed, ", ") + " changed"
	}
	if sum, err = Sum(r.Path(want.Output)); err != nil {
		return "", "it cannot be read"
	}
	if sum != have.SHA256 {
		return "", "it was edited"
	}
	return sum, ""
}

// firstChange finds where two JSON values differ first, in the order of their keys, and returns the values there; equal
// ones if they do not.
func firstChange(path string, have, want json.RawMessage) (at, now, was string) {
	if bytes.Equal(compact(have), compact(want)) {
		return path, "", ""
	}
	var h, w map[string]json.RawMessage
	if json.Unmarshal(have, &h) == nil && json.Unmarshal(want, &w) == nil && h != nil && w != nil {
		both := maps.Clone(h)
		maps.Copy(both, w)
		for _, k := range slices.Sorted(maps.Keys(both)) {
			name := strings.TrimPrefix(path+"."+strings.ToLower(k), ".")
			if at, now, was := firstChange(name, h[k], w[k]); now != was {
				return at, now, was
			}
		}
	}
	show := func(m json.RawMessage) string {
		if len(m) == 0 {
			return "not said"
		}
		s := string(compact(m))
		if len(s) > 60 {
			s = s[:57] + "..."
		}
		return s
	}
	if path == "" {
		path = "what was asked"
	}
	now, was = show(want), show(have)
	if now == was {
		was += " (in part)"
	}
	return path, now, was
}

// workplace is the folder in which a stage that can be resumed works. It is emptied unless it was begun for the same
// manifest.
func (r *Runner) workplace(s Stage, want Manifest) (string, error) {
	out := r.Path(s.Output)
	tmp := r.workPath(s)
	key, err := json.Marshal(want)
	if err != nil {
		return "", err
	}
	have, err := os.ReadFile(r.keyPath(s.Name))
	if err == nil && bytes.Equal(have, key) {
		_, gone := os.Stat(tmp)
		_, unsaid := os.Stat(r.manifestPath(s.Name))
		if gone != nil && unsaid != nil {
			os.Rename(out, tmp) // killed between the rename and the manifest: it is whole under its name
		}
		return tmp, os.MkdirAll(tmp, 0o777)
	}
	os.Remove(r.keyPath(s.Name))
	if err := os.RemoveAll(tmp); err != nil {
		return "", err
	}
	if err := os.MkdirAll(tmp, 0o777); err != nil {
		return "", err
	}
	return tmp, atomicfile.Write(r.keyPath(s.Name), key) // last: with a key, a folder that is not there was renamed
}

func (r *Runner) workPath(s Stage) string {
	out := r.Path(s.Output)
	return filepath.Join(filepath.Dir(out), ".work-"+filepath.Base(out))
}

// keyPath is the file that says for which manifest a workplace was begun.
func (r *Runner) keyPath(name string) string {
	return filepath.Join(r.Dir, "manifests", ".work-"+name)
}
