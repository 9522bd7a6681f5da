package nsd

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"percept/fmri"
	"percept/fmri/internal/freesurfer"
)

// Fsaverage is the space of betas on FreeSurfer's average surface: 163,842 vertices a hemisphere. As a volume it is 2
// hemispheres (0 left, 1 right) by vertices by 1, so that masks, regions and responses are what they are elsewhere.
const Fsaverage = "fsaverage"

// RightOf is the right hemisphere's file beside a left one's, "rh.x" for "lh.x".
func RightOf(path string) string {
	return filepath.Join(filepath.Dir(path), "rh."+strings.TrimPrefix(filepath.Base(path), "lh."))
}

// surfaceSessions finds a subject's maps of betas by session number; the left one stands for both, and is named where only
// the right one is there, so that reading it tells.
func (d *Dataset) surfaceSessions(s fmri.Subject, version string) (map[int]string, error) {
	dir := d.Paths.BetaFolder(s, Fsaverage, version)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, missing(dir, fmt.Sprintf("the folder of %s's betas on fsaverage", s), err)
	}
	files := make(map[int]string)
	for _, e := range entries {
		var n int
		for _, side := range []string{"lh", "rh"} {
			name := side + ".betas_session%02d.mgh"
			if _, err := fmt.Sscanf(e.Name(), side+".betas_session%d.mgh", &n); err == nil && n > 0 && e.Name() == fmt.Sprintf(name, n) {
				files[n] = filepath.Join(dir, fmt.Sprintf("lh.betas_session%02d.mgh", n))
			}
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no lh.betas_sessionNN.mgh in it", dir)
	}
	return files, nil
}

func openSurfaceSession(path string) (*SessionFile, error) {
	s := &SessionFile{Path: path, Format: "mgh", Scale: 1}
	for i, file := range []string{path, RightOf(path)} {
		if err := need(file, "the betas of one hemisphere"); err != nil {
			return nil, err
		}
		m, err := freesurfer.OpenMGH(file)
		if err != nil {
			return nil, err
		}
		if m.Type != freesurfer.Float32 || m.Dims[1] != 1 || m.Dims[2] != 1 {
			return nil, fmt.Errorf("%s: betas of dimensions %v, %s, expected vertices, 1, 1, trials of float32 (percent signal change)",
				file, m.Dims, m.Type)
		}
		if i == 1 && m.Dims != s.sides[0].Dims {
			return nil, fmt.Errorf("%s: dimensions %v, the left hemisphere has %v", file, m.Dims, s.sides[0].Dims)
		}
		s.sides = append(s.sides, m)
	}
	m := s.sides[0]
	s.Stored, s.Dims = m.Type.String(), m.Dims[:]
	s.Trials, s.Shape = m.Frames(), [3]int{2, m.Voxels(), 1}
	return s, nil
}

// readVertices reads both hemispheres.
func (s *SessionFile) readVertices(dst []byte, mask fmri.Mask) error {
	size := s.ElementSize()
	if len(dst) != s.Trials*mask.Len()*size {
		return fmt.Errorf("%s: %d vertices of %d trials into %d values", s.Path, mask.Len(), s.Trials, len(dst)/size)
	}
	for side, m := range s.sides {
		var vertices, columns []int
		for v := range mask.Len() {
			if p := mask.XYZ(v); p[0] == side {
				vertices, columns = append(vertices, p[1]), append(columns, v)
			}
		}
		if len(vertices) == 0 {
			continue
		}
		part := make([]byte, s.Trials*len(vertices)*size)
		if err := m.ReadVoxels(part, vertices); err != nil {
			return err
		}
		for t := range s.Trials {
			for i, v := range columns {
				copy(dst[(t*mask.Len()+v)*size:], part[(t*len(columns)+i)*size:][:size])
			}
		}
	}
	return nil
}

// readSurfaces reads the maps of both hemispheres as one volume in the order of readVolume: hemisphere fastest. A file that
// is "" gives zeros.
func readSurfaces(left, right, what string, whole bool) (shape [3]int, values []float32, err error) {
	for side, path := range []string{left, right} {
		if path == "" {
			continue
		}
		if err := need(path, what); err != nil {
			return shape, nil, err
		}
		m, err := freesurfer.OpenMGH(path)
		if err != nil {
			return shape, nil, err
		}
		if m.Frames() != 1 {
			return shape, nil, fmt.Errorf("%s: dimensions %v, expected one value for each vertex", path, m.Dims)
		}
		x, err := m.ReadAll()
		if err != nil {
			return shape, nil, err
		}
		if values == nil {
			shape, values = [3]int{2, len(x), 1}, make([]float32, 2*len(x))
		}
		if len(x) != shape[1] {
			return shape, nil, fmt.Errorf("%s: %d vertices, the left hemisphere has %d", path, len(x), shape[1])
		}
		for v, x := range x {
			if whole && float64(x) != math.Trunc(float64(x)) {
				return shape, nil, fmt.Errorf("%s: vertex %d is %v, expected whole numbers", path, v, x)
			}
			values[2*v+side] = x
		}
	}
	return shape, values, nil
}

// readROI reads the labels of an atlas, of a volume or of fsaverage.
func (d *Dataset) readROI(s fmri.Subject, space, atlas string) (shape [3]int, values []float32, err error) {
	path := d.Paths.ROI(s, space, atlas)
	if space != Fsaverage {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			if there, err := d.Atlases(s, space); err == nil && len(there) > 0 {
				return shape, nil, fmt.Errorf("%s: not there: it is the %s ROIs of %s, which has the atlases %s", path, atlas, s,
					strings.Join(there, ", "))
			}
		}
		return readVolume(path, fmt.Sprintf("the %s ROIs of %s", atlas, s), true)
	}
	what := fmt.Sprintf("the %s ROIs of fsaverage", atlas)
	switch {
	case strings.HasPrefix(atlas, "lh."):
		return readSurfaces(path, "", what, true)
	case strings.HasPrefix(atlas, "rh."):
		return readSurfaces("", path, what, true)
	}
	return readSurfaces(path, RightOf(path), what, true)
}

// NCSNRVolume reads the shape and the values, x fastest, of the noise-ceiling signal-to-noise ratios of a version of the betas.
func (d *Dataset) NCSNRVolume(s fmri.Subject, space, version string) (shape [3]int, values []float32, err error) {
	path, what := d.Paths.NCSNR(s, space, version), fmt.Sprintf("the noise ceiling SNR of %s", s)
	if space == Fsaverage {
		return readSurfaces(path, RightOf(path), what, false)
	}
	return readVolume(path, what, false)
}

// Spaces lists the spaces and versions of the betas that a subject has, "func1pt8mm" to its versions, as folders are there.
func (d *Dataset) Spaces(s fmri.Subject) (map[string][]string, error) {
	dir := d.Paths.join("nsddata_betas", "ppdata", string(s))
	spaces, err := os.ReadDir(dir)
	if err != nil {
		return nil, missing(dir, fmt.Sprintf("the folder of %s's betas", s), err)
	}
	found := make(map[string][]string)
	for _, space := range spaces {
		versions, err := os.ReadDir(filepath.Join(dir, space.Name()))
		if err != nil {
			continue // a file
		}
		for _, v := range versions {
			if strings.HasPrefix(v.Name(), "betas_") && isFolder(filepath.Join(dir, space.Name(), v.Name())) {
				found[space.Name()] = append(found[space.Name()], v.Name())
			}
		}
		slices.Sort(found[space.Name()])
	}
	return found, nil
}
