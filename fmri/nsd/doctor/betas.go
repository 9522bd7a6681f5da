package doctor

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"percept/fmri/nsd"
	"percept/internal/cause"
)

// allBetas looks at every version of the betas in every space.
func (e *examiner) allBetas(s *Subject, m *masks) {
	spaces, err := e.data.Spaces(s.Name)
	if err != nil {
		return // the analyses say that there are none
	}
	for _, space := range slices.Sorted(maps.Keys(spaces)) {
		for _, version := range spaces[space] {
			if b := e.betas(s, m, space, version); b != nil && e.ctx.Err() == nil {
				s.Betas = append(s.Betas, b)
			}
		}
	}
}

// betas looks at the files of one version.
func (e *examiner) betas(s *Subject, m *masks, space, version string) *Betas {
	dir := e.data.Paths.BetaFolder(s.Name, space, version)
	files, err := sessionFiles(dir)
	if err != nil {
		e.add(Damaged, dir, "make the folder readable", "%v", err)
		return nil
	}
	if len(files) == 0 {
		e.add(Note, dir, "nothing: other formats and spaces are not read",
			"no betas_sessionNN.hdf5, betas_sessionNN.nii.gz or lh.betas_sessionNN.mgh in it")
		return nil
	}
	b := &Betas{Space: space, Version: version, Formats: make(map[string]int), Usable: []int{}}
	volume := m.shape
	if space != nsd.DefaultSpace {
		volume = [3]int{} // masks are of 1.8 mm
	}
	deep := newSampler(e, s, m, space)
	for _, n := range slices.Sorted(maps.Keys(files)) {
		if e.ctx.Err() != nil {
			return nil
		}
		b.Sessions = append(b.Sessions, n)
		usable := false
		for _, path := range files[n] {
			e.step(fmt.Sprintf("%s %s session %d", s.Name, version, n))
			b.Bytes += size(path)
			b.Formats[format(path)]++
			if e.sessionFile(s, b, path, n, &volume, deep) {
				usable = true
			}
		}
		if usable && (len(s.PerSession) == 0 || s.PerSession[n] > 0) {
			b.Usable = append(b.Usable, n)
		}
	}
	e.gaps(s, b, dir)
	b.NCSNR = e.ncsnr(s, b, m)
	b.Sample = deep.result()
	return b
}

// sessionFiles lists the files of a folder of betas by session, of every format; of a surface the left hemisphere's, or the
// left one's name where only the right one is there.
func sessionFiles(dir string) (map[int][]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, cause.Of(err)
	}
	files := make(map[int][]string)
	for _, entry := range entries {
		for _, pattern := range []string{"betas_session%02d.hdf5", "betas_session%02d.nii.gz", "lh.betas_session%02d.mgh",
			"rh.betas_session%02d.mgh"} {
			var n int
			if _, err := fmt.Sscanf(entry.Name(), strings.Replace(pattern, "%02d", "%d", 1), &n); err != nil || n < 1 ||
				fmt.Sprintf(pattern, n) != entry.Name() {
				continue
			}
			path := filepath.Join(dir, fmt.Sprintf(strings.Replace(pattern, "rh.", "lh.", 1), n))
			if !slices.Contains(files[n], path) {
				files[n] = append(files[n], path)
			}
		}
	}
	return files, nil
}

func format(path string) string {
	switch {
	case strings.HasSuffix(path, ".hdf5"):
		return "hdf5"
	case strings.HasSuffix(path, ".mgh"):
		return "mgh"
	}
	return "nii.gz"
}

func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	n := info.Size()
	if format(path) == "mgh" {
		if right, err := os.Stat(nsd.RightOf(path)); err == nil {
			n += right.Size()
		}
	}
	return n
}

// sessionFile looks at one file and says whether its betas can be used. volume is what it should be of, or zero, and is
// set by the first file then.
func (e *examiner) sessionFile(s *Subject, b *Betas, path string, session int, volume *[3]int, deep *sampler) bool {
	if format(path) == "hdf5" {
		if err := truncatedHDF5(path); err != nil {
			e.add(Damaged, path, again, "%v", err)
			return false
		}
	}
	f, err := nsd.OpenSession(path)
	if err != nil {
		e.add(Damaged, path, again, "%v", err)
		return false
	}
	defer f.Close()
	want := s.PerSession[session]
	if *volume == [3]int{} && (want == 0 || f.Trials == want) {
		*volume = f.Shape
	}
	if !e.dimensions(f, path, session, want, *volume) {
		return false
	}
	if b.Stored == "" {
		b.Shape, b.Stored, b.Scale = f.Shape, f.Stored, f.Scale
	}
	if f.Format == "hdf5" && b.Chunks == nil {
		b.Chunks = f.Chunks
		if !slices.Equal(f.Chunks, []int{f.Trials, 1, 1, 1}) {
			e.add(Note, path, "nothing: only slower, and more is read",
				"chunks of %v, NSD's are of one voxel (%d, 1, 1, 1): a region takes more than its own bytes to read",
				f.Chunks, f.Trials)
		}
	}
	if f.Format == "nii.gz" {
		if err := truncatedGzip(path, f); err != nil {
			e.add(Damaged, path, again, "%v", err)
			return false
		}
	}
	if deep != nil {
		return deep.take(path, session, f)
	}
	return true
}

// dimensions holds a file's dimensions against the volume and the number of trials.
func (e *examiner) dimensions(f *nsd.SessionFile, path string, session, trials int, volume [3]int) bool {
	if f.Shape == volume && (trials == 0 || f.Trials == trials) {
		return true
	}
	expected := []int{volume[0], volume[1], volume[2], f.Trials}
	if trials != 0 {
		expected[3] = trials
	}
	have, want := slices.Sorted(slices.Values(f.Dims)), slices.Sorted(slices.Values(expected))
	order := "trials, z, y, x as h5py shows it"
	if f.Format != "hdf5" {
		order = "x, y, z, trials"
	}
	switch {
	case f.Format != "mgh" && slices.Equal(have, want):
		if f.Format == "hdf5" {
			expected = []int{expected[3], expected[2], expected[1], expected[0]}
		}
		e.add(Damaged, path, "transpose the axes to "+order+", or get the file again",
			"axes in another order: dimensions %s, expected %s (%s)",
			dims(f.Dims), dims(expected), order)
	case f.Shape != volume:
		e.add(Damaged, path, again, "betas of a volume of %s voxels, this subject's is of %s", dims(f.Shape[:]), dims(volume[:]))
	case e.planned(session) == f.Trials: // said of responses.tsv
	default:
		e.add(Damaged, path, "get both files again: responses.tsv and the betas have to have the same trials",
			"betas of %d trials, responses.tsv has %d in that session",
			f.Trials, trials)
	}
	return false
}

// planned is the number of trials that the design gives a session, 0 if it does not say.
func (e *examiner) planned(session int) int {
	if e.design == nil {
		return 0
	}
	n := e.design.SessionTrials()
	if session > len(n) {
		return 0
	}
	return n[session-1]
}

// gaps names sessions that others let expect.
func (e *examiner) gaps(s *Subject, b *Betas, dir string) {
	between := missingBetween(b.Sessions)
	if len(s.Sessions) > 0 { // of those that took place
		between = slices.DeleteFunc(between, func(n int) bool { return !slices.Contains(s.Sessions, n) })
	}
	leave := nsd.Listed(b.Sessions)
	if len(between) > 0 {
		e.add(Missing, dir, "get the files, or leave these sessions out: prepare --sessions "+leave, "no betas of %s; there are %s",
			nsd.Named(between), nsd.Ranges(b.Sessions))
	}
	var after, unknown []int
	last := b.Sessions[len(b.Sessions)-1]
	for _, n := range s.Sessions {
		if n > last {
			after = append(after, n)
		}
	}
	for _, n := range b.Sessions {
		if len(s.Sessions) > 0 && !slices.Contains(s.Sessions, n) {
			unknown = append(unknown, n)
		}
	}
	if len(after) > 0 {
		e.add(Missing, dir, "get the files, or leave these sessions out: prepare --sessions "+leave,
			"no betas of %s, the last ones of responses.tsv",
			nsd.Named(after))
	}
	if len(unknown) > 0 {
		e.add(Note, dir, "nothing: they are left out", "betas of %s, of which responses.tsv has no trials", nsd.Named(unknown))
	}
}
