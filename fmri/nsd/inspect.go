package nsd

import (
	"errors"
	"os"
	"slices"
	"strings"

	"percept/fmri"
)

// Subjects is the number of subjects that the design lists images of.
func (d *Design) Subjects() int { return len(d.images) }

// Trials is the number of trials, were all sessions to take place.
func (d *Design) Trials() int { return len(d.order) }

// SessionTrials is the number of trials of each session; nil if the file does not say.
func (d *Design) SessionTrials() []int { return slices.Clone(d.sessions) }

// Images is what a subject sees by the design, trial by trial; nil for a subject that is not in it.
func (d *Design) Images(s fmri.Subject) []ImageID {
	n, err := subjectNumber(s)
	if err != nil || n > len(d.images) {
		return nil
	}
	seen := make([]ImageID, len(d.order))
	for t, o := range d.order {
		seen[t] = d.images[n-1][o]
	}
	return seen
}

// Labels is an atlas's volume as it is, without regard to names: the number of voxels of each value, and its shape.
func (d *Dataset) Labels(s fmri.Subject, space, atlas string) (counts map[int]int, shape [3]int, err error) {
	shape, values, err := d.readROI(s, space, atlas)
	if err != nil {
		return nil, shape, err
	}
	counts = make(map[int]int)
	for _, v := range values {
		counts[int(v)]++
	}
	return counts, shape, nil
}

// LabelNames reads the names of an atlas's values from the first of its tables that is there, and says which that is; both
// are empty where there is none.
func (d *Dataset) LabelNames(s fmri.Subject, atlas string) (names map[int]string, path string, err error) {
	for _, path := range d.Paths.LabelTables(s, atlas) {
		f, err := os.Open(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, path, missing(path, "the label table of "+atlas, err)
		}
		defer f.Close()
		names, err := parseLabels(path, f)
		return names, path, err
	}
	return nil, "", nil
}

// Atlases lists the label volumes of a subject, hemispheres' own included, in order.
func (d *Dataset) Atlases(s fmri.Subject, space string) ([]string, error) {
	dir := d.Paths.join("nsddata", "ppdata", string(s), space, "roi")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, missing(dir, "the folder of the regions of "+string(s), err)
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".nii.gz"); ok && !strings.HasPrefix(name, ".") {
			names = append(names, name)
		}
	}
	return names, nil
}
