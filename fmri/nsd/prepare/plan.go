package prepare

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"percept/fmri/nsd"
	"percept/fmri/table"
	"percept/internal/cause"
	"percept/internal/filesum"
)

// job is a Run on its way.
type job struct {
	o        Options
	out      string
	data     *nsd.Dataset
	trials   []nsd.Trial
	files    map[int]string
	sessions []int
	took     map[int]int // trials of each session
	sel      *selection
	request  []byte // what the manifest begins with
	manifest table.Manifest
	total    int
}

func newJob(root, out, program string, o Options) (*job, error) {
	if absolute, err := filepath.Abs(root); err == nil {
		root = absolute // the same data from wherever it is called
	}
	data, err := nsd.Open(root)
	if err != nil {
		return nil, err
	}
	j := &job{o: o, out: filepath.Clean(out), data: data, took: make(map[int]int)}
	if err := j.plan(root, program); err != nil {
		data.Close()
		return nil, err
	}
	return j, nil
}

// plan finds out what is to be read.
func (j *job) plan(root, program string) error {
	d, s := j.data, j.o.Subject
	var err error
	if j.trials, err = d.Trials(s); err != nil {
		return err
	}
	for _, t := range j.trials {
		j.took[t.Session]++
	}
	if j.files, err = d.SessionFiles(s, j.o.Space, j.o.Version); err != nil {
		return err
	}
	folder := d.Paths.BetaFolder(s, j.o.Space, j.o.Version)
	if j.sessions, err = choose(j.o.Sessions, s, d.Paths.Responses(s), folder, j.took, j.files); err != nil {
		return err
	}
	first, err := nsd.OpenSession(j.files[j.sessions[0]])
	if err != nil {
		return err
	}
	first.Close()
	if j.sel, err = chooseVoxels(d, j.o, first.Shape); err != nil {
		return err
	}
	// All headers are looked at before anything is read, so that a wrong file of session 37 is told at once.
	for _, n := range j.sessions {
		f, err := j.session(n)
		if err != nil {
			return err
		}
		f.Close()
	}
	options, err := json.Marshal(j.o)
	if err != nil {
		return err
	}
	j.manifest.Request = table.Request{Format: table.FolderFormat, Version: program, Data: root, Options: options}
	if err := j.listInputs(root); err != nil {
		return err
	}
	j.request, err = json.Marshal(j.manifest.Request)
	j.total = stepsOfSession * (len(j.sessions) + 1)
	return err
}

// stepsOfSession is the progress that reading a session counts for; writing the arrays counts for as much as a session.
const stepsOfSession = 100

// session opens a session and checks its header.
func (j *job) session(n int) (*nsd.SessionFile, error) {
	f, err := nsd.OpenSession(j.files[n])
	if err != nil {
		return nil, err
	}
	if err := f.Check(j.took[n], j.sel.mask.Shape); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// listInputs notes every file that is read.
func (j *job) listInputs(root string) error {
	p, o := j.data.Paths, j.o
	files := []string{p.ExpDesign(), p.Responses(o.Subject)}
	for _, roi := range o.ROIs {
		atlas, _, _ := strings.Cut(roi, "/")
		path := p.ROI(o.Subject, o.Space, atlas)
		files = append(files, path)
		if o.Space == nsd.Fsaverage && !strings.HasPrefix(atlas, "lh.") && !strings.HasPrefix(atlas, "rh.") {
			files = append(files, nsd.RightOf(path))
		}
		for _, table := range p.LabelTables(o.Subject, atlas) {
			if _, err := os.Stat(table); err == nil {
				files = append(files, table)
				break
			}
		}
	}
	if o.Voxels == BrainVoxels {
		files = append(files, p.BrainMask(o.Subject, o.Space))
	}
	if path := p.NCSNR(o.Subject, o.Space, o.Version); j.sel.ncsnr != nil {
		files = append(files, path)
		if o.Space == nsd.Fsaverage {
			files = append(files, nsd.RightOf(path))
		}
	}
	small := len(files)
	for _, n := range j.sessions {
		f, err := nsd.OpenSession(j.files[n])
		if err != nil {
			return err
		}
		files = append(files, f.Files()...)
		f.Close()
	}
	for i, path := range files {
		if slices.Contains(files[:i], path) {
			continue
		}
		in, err := input(root, path, i < small)
		if err != nil {
			return err
		}
		j.manifest.Inputs = append(j.manifest.Inputs, in)
	}
	return nil
}

// input describes a file, with its sum if it is small.
func input(root, path string, sum bool) (table.Input, error) {
	info, err := os.Stat(path)
	if err != nil {
		return table.Input{}, fmt.Errorf("%s: %w", path, cause.Of(err))
	}
	rel, err := filepath.Rel(root, path)
	if err != nil {
		rel = path
	}
	in := table.Input{Path: filepath.ToSlash(rel), Bytes: info.Size()}
	if !sum {
		in.Time = info.ModTime().UTC().Format(time.RFC3339Nano)
		return in, nil
	}
	in.SHA256, err = filesum.Hex(path)
	return in, err
}
