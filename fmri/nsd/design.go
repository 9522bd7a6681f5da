package nsd

import (
	"fmt"

	"percept/fmri"
	"percept/fmri/internal/matfile"
)

// Design is nsd_expdesign.mat: which image every trial of every subject shows, were all sessions to take place.
type Design struct {
	path     string
	order    []int       // masterordering: for each trial the 0-based position in the subject's list of images
	images   [][]ImageID // subjectim, [subject][position]
	Shared   []ImageID   // images that all subjects see, in file order
	sessions []int       // trials in each session; nil if the file does not say
}

// Design reads the experiment's design; it is kept after the first call.
func (d *Dataset) Design() (*Design, error) { return d.design() }

func readDesign(path string) (*Design, error) {
	d := &Design{path: path}
	if err := need(d.path, "the experiment's design: trial order and shared images"); err != nil {
		return nil, err
	}
	f, err := matfile.Open(d.path, "masterordering", "subjectim", "sharedix", "stimpattern")
	if err != nil {
		return nil, err
	}
	ordering, _, err := d.ids(f, "masterordering")
	if err != nil {
		return nil, err
	}
	list, dims, err := d.ids(f, "subjectim")
	if err != nil {
		return nil, err
	}
	shared, _, err := d.ids(f, "sharedix")
	if err != nil {
		return nil, err
	}
	if len(dims) != 2 {
		return nil, fmt.Errorf("%s: subjectim has dimensions %v, expected subjects x images", d.path, dims)
	}
	for i, o := range ordering {
		if o > dims[1] {
			return nil, fmt.Errorf("%s: masterordering[%d] is %d, subjectim has %d images for each subject", d.path, i, o, dims[1])
		}
		d.order = append(d.order, o-1)
	}
	d.images = make([][]ImageID, dims[0])
	for k := range dims[1] { // column-major
		for s := range dims[0] {
			d.images[s] = append(d.images[s], ImageIDFrom73k(list[k*dims[0]+s]))
		}
	}
	for _, id := range shared {
		d.Shared = append(d.Shared, ImageIDFrom73k(id))
	}
	return d, d.readPattern(f)
}

// ids reads a variable of 1-based numbers.
func (d *Design) ids(f *matfile.File, name string) (ids, dims []int, err error) {
	a, err := f.Var(name)
	if err != nil {
		return nil, nil, err
	}
	if ids, err = a.Ints(); err != nil {
		return nil, nil, err
	}
	for i, id := range ids {
		if id < 1 {
			return nil, nil, fmt.Errorf("%s: %s has %d at %d, expected numbers from 1", d.path, name, id, i)
		}
	}
	return ids, a.Dims, nil
}

// readPattern counts the trials of each session in stimpattern [sessions, runs, trials], 1 where an image is shown.
func (d *Design) readPattern(f *matfile.File) error {
	a, err := f.Var("stimpattern")
	if err != nil {
		return nil // only needed to check trees with gaps between sessions
	}
	on, err := a.Ints()
	if err != nil {
		return err
	}
	d.sessions = make([]int, a.Dims[0])
	for i, v := range on {
		if v != 0 {
			d.sessions[i%a.Dims[0]]++
		}
	}
	return nil
}

// SharedSet is the shared images, the test set, as a set.
func (d *Design) SharedSet() map[ImageID]bool {
	set := make(map[ImageID]bool, len(d.Shared))
	for _, id := range d.Shared {
		set[id] = true
	}
	return set
}

// check compares a subject's trials, as they took place, with the design.
func (d *Design) check(s fmri.Subject, trials []Trial, tenK []int, tsv string) error {
	n, err := subjectNumber(s)
	if err != nil {
		return err
	}
	if n > len(d.images) {
		return fmt.Errorf("%s: subjectim has %d subjects, expected images of %s", d.path, len(d.images), s)
	}
	images := d.images[n-1]
	if d.sessions == nil && !contiguous(trials) {
		return d.checkListed(s, trials, images, tsv)
	}
	first := make(map[int]int) // the design's trial with which a session begins
	for i, t := range trials {
		if t.Index == 0 {
			first[t.Session] = i
			if d.sessions != nil && t.Session <= len(d.sessions) {
				first[t.Session] = 0
				for _, k := range d.sessions[:t.Session-1] {
					first[t.Session] += k
				}
			}
		}
		at := first[t.Session] + t.Index
		if at >= len(d.order) {
			return fmt.Errorf("%s: session %d has more trials than masterordering in %s", tsv, t.Session, d.path)
		}
		if want := images[d.order[at]]; t.Image != want {
			return fmt.Errorf("%s: trial %d of session %d shows image %d (73k id), %s says %d", tsv, t.Index+1, t.Session,
				To73k(t.Image), d.path, To73k(want))
		}
		if tenK != nil && tenK[i] != d.order[at]+1 {
			return fmt.Errorf("%s: trial %d of session %d has 10k id %d, masterordering in %s says %d", tsv, t.Index+1, t.Session,
				tenK[i], d.path, d.order[at]+1)
		}
	}
	return nil
}

// contiguous says whether the sessions are 1, 2, 3, ... without a gap.
func contiguous(trials []Trial) bool {
	last := 0
	for _, t := range trials {
		if t.Session > last+1 {
			return false
		}
		last = t.Session
	}
	return true
}

// checkListed checks what can be checked where the place of a session in the design is not known: that every image is one
// of the subject's.
func (d *Design) checkListed(s fmri.Subject, trials []Trial, images []ImageID, tsv string) error {
	listed := make(map[ImageID]bool, len(images))
	for _, id := range images {
		listed[id] = true
	}
	for _, t := range trials {
		if !listed[t.Image] {
			return fmt.Errorf("%s: trial %d of session %d shows image %d (73k id), which is not one of %s's in %s", tsv, t.Index+1,
				t.Session, To73k(t.Image), s, d.path)
		}
	}
	return nil
}
