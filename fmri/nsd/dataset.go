package nsd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"percept/fmri"
)

// Dataset is an NSD tree on disk. Its methods read what they need when they are called; the design and the open file of
// images are kept. It may be used by several goroutines.
type Dataset struct {
	Paths  Paths
	design func() (*Design, error)

	mu      sync.Mutex
	stimuli *Stimuli // nil until asked for
}

// Open checks that root is an NSD tree.
func Open(root string) (*Dataset, error) {
	if _, err := os.Stat(root); err != nil {
		return nil, missing(root, "the root folder of the NSD tree", err)
	}
	d := &Dataset{Paths: Paths(root)}
	if st, err := os.Stat(d.Paths.join("nsddata")); err != nil || !st.IsDir() {
		return nil, fmt.Errorf("%s: no folder nsddata in it; expected the folder that holds nsddata, nsddata_betas and nsddata_stimuli",
			root)
	}
	d.design = sync.OnceValues(func() (*Design, error) { return readDesign(d.Paths.ExpDesign()) })
	return d, nil
}

// Close closes the file of images if it was opened.
func (d *Dataset) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stimuli == nil {
		return nil
	}
	s := d.stimuli
	d.stimuli = nil
	return s.file.Close()
}

// missing is the error for a file that cannot be opened: its path, and what it is for.
func missing(path, what string, err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s: not there: it is %s", path, what)
	}
	var pe *os.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return fmt.Errorf("%s: %w (%s)", path, err, what)
}

// need returns a missing error unless the file is there.
func need(path, what string) error {
	if _, err := os.Stat(path); err != nil {
		return missing(path, what, err)
	}
	return nil
}

// Subjects lists the subjects that have a folder in nsddata/ppdata, in order.
func (d *Dataset) Subjects() ([]fmri.Subject, error) {
	dir := d.Paths.join("nsddata", "ppdata")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, missing(dir, "the folder with a folder for each subject", err)
	}
	var subjects []fmri.Subject
	for _, e := range entries {
		if _, err := subjectNumber(fmri.Subject(e.Name())); err == nil && isFolder(filepath.Join(dir, e.Name())) {
			subjects = append(subjects, fmri.Subject(e.Name()))
		}
	}
	if len(subjects) == 0 {
		return nil, fmt.Errorf("%s: no folder named as subj01 in it", dir)
	}
	return subjects, nil
}

// isFolder says whether a path is a folder or a link to one.
func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// subjectNumber is 1 for subj01.
func subjectNumber(s fmri.Subject) (int, error) {
	var n int
	digits, ok := strings.CutPrefix(string(s), "subj")
	if _, err := fmt.Sscanf(digits, "%d", &n); !ok || err != nil || fmt.Sprintf("%02d", n) != digits || n < 1 {
		return 0, fmt.Errorf("subject %q: expected subj and two digits, as subj01", s)
	}
	return n, nil
}

// SessionFiles finds a subject's files of betas by session number. Where a session is there as .hdf5 and as .nii.gz, the
// .hdf5 counts, because it can be read in part. On fsaverage, the left hemisphere's file stands for both.
func (d *Dataset) SessionFiles(s fmri.Subject, space, version string) (map[int]string, error) {
	if space == Fsaverage {
		return d.surfaceSessions(s, version)
	}
	dir := d.Paths.BetaFolder(s, space, version)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, missing(dir, fmt.Sprintf("the folder of %s's betas", s), err)
	}
	files := make(map[int]string)
	for _, ext := range []string{"nii.gz", "hdf5"} { // the later one wins
		for _, e := range entries {
			var n int
			if _, err := fmt.Sscanf(e.Name(), "betas_session%d.", &n); err != nil || n < 1 {
				continue
			}
			if path := d.Paths.SessionBetas(s, space, version, n, ext); filepath.Base(path) == e.Name() {
				files[n] = path
			}
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no betas_sessionNN.hdf5 or .nii.gz in it", dir)
	}
	return files, nil
}

// Sessions lists the numbers of the sessions whose betas are there, in order.
func (d *Dataset) Sessions(s fmri.Subject, space, version string) ([]int, error) {
	files, err := d.SessionFiles(s, space, version)
	if err != nil {
		return nil, err
	}
	var n []int
	for k := range files {
		n = append(n, k)
	}
	slices.Sort(n)
	return n, nil
}
