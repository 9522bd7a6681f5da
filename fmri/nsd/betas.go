package nsd

import (
	"context"
	"fmt"
	"slices"

	"percept/fmri"
)

// betaScale is what NSD multiplied percent signal change with to store it in 16 bits (NSD data manual, "Functional data").
const betaScale = 300

// BetaOptions says which betas to read and in which form. The zero value is single trials of the default version, all
// sessions that are there, in percent signal change.
type BetaOptions struct {
	Space    string // "" means DefaultSpace; Fsaverage for betas on that surface
	Version  string // "" means DefaultBetas
	Sessions []int  // nil means all that are on disk and in responses.tsv, without a gap
	Raw      bool   // leave the stored integers as they are, without dividing by 300 (what Takagi and Nishimoto's code does)
	ZScore   bool   // z-score each voxel within each session, before any averaging
	Average  bool   // average over the trials of each image; rows are in the order of first appearance
	// Progress, if not nil, is called after each session with the number of sessions done and in all.
	Progress func(done, total int)
}

func (o BetaOptions) space() string {
	if o.Space == "" {
		return DefaultSpace
	}
	return o.Space
}

func (o BetaOptions) version() string {
	if o.Version == "" {
		return DefaultBetas
	}
	return o.Version
}

// Betas reads the responses of the mask's voxels, column v being voxel v of the mask. Of HDF5 files only those voxels'
// chunks are read; a .nii.gz is read through once. A session whose file holds another number of trials, or another
// volume, than responses.tsv and the mask say is an error.
func (d *Dataset) Betas(ctx context.Context, s fmri.Subject, mask fmri.Mask, o BetaOptions) (*fmri.Responses, error) {
	trials, err := d.Trials(s)
	if err != nil {
		return nil, err
	}
	files, err := d.SessionFiles(s, o.space(), o.version())
	if err != nil {
		return nil, err
	}
	bySession := make(map[int][]Trial)
	for _, tr := range trials {
		bySession[tr.Session] = append(bySession[tr.Session], tr)
	}
	sessions, err := d.chooseSessions(s, o, files, bySession)
	if err != nil {
		return nil, err
	}
	all := &fmri.Responses{Voxels: mask.Len()}
	if !o.Average {
		n := 0
		for _, session := range sessions {
			n += len(bySession[session])
		}
		all.X = make([]float32, 0, n*mask.Len())
	}
	var mean fmri.Averager
	for i, session := range sessions {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r, err := readSession(files[session], bySession[session], mask, o.Raw)
		if err != nil {
			return nil, err
		}
		if o.ZScore {
			if err := r.ZScoreSessions(); err != nil {
				return nil, err
			}
		}
		if o.Average {
			mean.Add(r)
		} else {
			all.X = append(all.X, r.X...)
			all.Images = append(all.Images, r.Images...)
			all.Sessions = append(all.Sessions, r.Sessions...)
		}
		if o.Progress != nil {
			o.Progress(i+1, len(sessions))
		}
	}
	if o.Average {
		return mean.Responses(), nil
	}
	return all, nil
}

// chooseSessions lists the sessions to read in order. Betas of sessions that responses.tsv does not know (NSD held some
// back) cannot be used, and sessions after the last one with betas are left out, unless they were asked for by number.
func (d *Dataset) chooseSessions(s fmri.Subject, o BetaOptions, files map[int]string, trials map[int][]Trial) ([]int, error) {
	var chosen []int
	if o.Sessions == nil {
		for n := range files {
			if trials[n] != nil {
				chosen = append(chosen, n)
			}
		}
		if err := d.noGap(s, o, files, trials); err != nil {
			return nil, err
		}
		if len(chosen) == 0 {
			return nil, fmt.Errorf("%s: none of the sessions in it is in %s", d.Paths.BetaFolder(s, o.space(), o.version()), d.Paths.Responses(s))
		}
	}
	for _, n := range o.Sessions {
		if files[n] == "" {
			return nil, missingSession(d.Paths.SessionBetas(s, o.space(), o.version(), n, "hdf5"), s, n)
		}
		if trials[n] == nil {
			return nil, fmt.Errorf("%s: no trials of session %d, whose betas were asked for", d.Paths.Responses(s), n)
		}
		if slices.Contains(chosen, n) {
			return nil, fmt.Errorf("%s: session %d was asked for twice", s, n)
		}
		chosen = append(chosen, n)
	}
	slices.Sort(chosen)
	return chosen, nil
}

// noGap checks that every session up to the last one with betas has betas: a file that was lost in between would change
// every average without a word, while the first sessions alone are what a part of a download holds.
func (d *Dataset) noGap(s fmri.Subject, o BetaOptions, files map[int]string, trials map[int][]Trial) error {
	last := 0
	for n := range files {
		if trials[n] != nil {
			last = max(last, n)
		}
	}
	for n := 1; n < last; n++ {
		if trials[n] != nil && files[n] == "" {
			return fmt.Errorf("%w, and session %d is there; ask for sessions by number to leave it out",
				missingSession(d.Paths.SessionBetas(s, o.space(), o.version(), n, "hdf5"), s, n), last)
		}
	}
	return nil
}

func missingSession(path string, s fmri.Subject, n int) error {
	return fmt.Errorf("%s: not there, nor as .nii.gz: it is the betas of session %d of %s", path, n, s)
}

// readSession reads one session's betas of the mask's voxels.
func readSession(path string, trials []Trial, mask fmri.Mask, raw bool) (*fmri.Responses, error) {
	r := &fmri.Responses{Voxels: mask.Len(), X: make([]float32, len(trials)*mask.Len())}
	for _, tr := range trials {
		r.Images = append(r.Images, tr.Image)
		r.Sessions = append(r.Sessions, tr.Session)
	}
	f, err := OpenSession(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := f.Check(len(trials), mask.Shape); err != nil {
		return nil, err
	}
	if err := f.Read(r.X, mask); err != nil {
		return nil, err
	}
	if !raw && f.Scale != 1 {
		for i, v := range r.X {
			r.X[i] = v / f.Scale
		}
	}
	return r, nil
}
