package doctor

import (
	"path/filepath"

	"percept/fmri/internal/freesurfer"
)

// surfaceFiles are what cortical maps of a subject are drawn with, relative to the root and but for the hemisphere.
func surfaceFiles(subject string) []string {
	surf, transforms := "nsddata/freesurfer/"+subject+"/surf/", "nsddata/ppdata/"+subject+"/transforms/"
	return []string{surf + "%.white", surf + "%.pial", surf + "%.inflated", surf + "%.full.flat.patch.3d",
		transforms + "%.func1pt8-to-layerB1.mgz", transforms + "%.func1pt8-to-layerB2.mgz", transforms + "%.func1pt8-to-layerB3.mgz"}
}

// sides puts both hemispheres into a name.
func sides(name string) []string {
	dir, base := filepath.Split(filepath.FromSlash(name))
	return []string{dir + "lh" + base[1:], dir + "rh" + base[1:]}
}

// surfaces lists what there is to draw maps with, and reads the vertices of the white surface.
func (e *examiner) surfaces(s *Subject) {
	for _, name := range surfaceFiles(string(s.Name)) {
		for _, path := range sides(name) {
			if exists(filepath.Join(e.root, path)) {
				s.Surfaces = append(s.Surfaces, filepath.ToSlash(path))
			}
		}
	}
	for _, path := range sides(surfaceFiles(string(s.Name))[0]) {
		path = filepath.Join(e.root, path)
		if !exists(path) {
			continue
		}
		if _, err := freesurfer.ReadSurface(path); err != nil {
			e.add(Damaged, path, again, "%v", err)
		}
	}
}

// lacksSurfaces lists what is missing to draw maps: a surface, and the way from voxels to it.
func (e *examiner) lacksSurfaces(s *Subject) (lacks []string) {
	for _, name := range surfaceFiles(string(s.Name)) {
		for _, path := range sides(name) {
			if filepath.Ext(name) == ".inflated" || filepath.Ext(name) == ".pial" || filepath.Ext(name) == ".3d" {
				continue // other ways to show the same
			}
			if !exists(filepath.Join(e.root, path)) {
				lacks = append(lacks, filepath.ToSlash(path))
			}
		}
	}
	return lacks
}
