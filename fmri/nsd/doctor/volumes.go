package doctor

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"percept/fmri"
	"percept/fmri/nsd"
)

// masks is what the volumes of a subject say together.
type masks struct {
	shape [3]int // of most of them; zero if there is none
	brain bool   // the brain mask is there and of that shape
	mask  fmri.Mask
}

// masks reads the brain mask and the label volumes at 1.8 mm.
func (e *examiner) masks(s *Subject) *masks {
	m := &masks{}
	shapes := make(map[string][3]int) // by path
	brainPath := e.data.Paths.BrainMask(s.Name, nsd.DefaultSpace)
	brain, brainErr := e.data.Brain(s.Name, nsd.DefaultSpace)
	switch {
	case brainErr == nil:
		shapes[brainPath] = brain.Shape
	case exists(brainPath):
		e.add(Damaged, brainPath, again, "%v", brainErr)
	}
	atlases, err := e.data.Atlases(s.Name, nsd.DefaultSpace)
	if err == nil {
		for _, name := range atlases {
			a, shape, ok := e.atlas(s.Name, name)
			if ok {
				shapes[e.data.Paths.ROI(s.Name, nsd.DefaultSpace, name)] = shape
				s.Atlases = append(s.Atlases, a)
			}
		}
	}
	// A version's first readable file has a voice as well, so that one mask against the betas does not win.
	for _, path := range e.firstBetas(s.Name) {
		if f, err := nsd.OpenSession(path); err == nil {
			shapes[path] = f.Shape
			f.Close()
		}
	}
	m.shape = mostCommon(shapes)
	s.Volume = m.shape
	for _, path := range slices.Sorted(maps.Keys(shapes)) {
		// Betas are looked at one by one later.
		if shape := shapes[path]; shape != m.shape && !slices.Contains(e.firstBetas(s.Name), path) {
			e.add(Damaged, path, "get the file of this subject and of 1.8 mm again", "a volume of %s voxels, most of %s's are of %s",
				dims(shape[:]), s.Name, dims(m.shape[:]))
		}
	}
	if brainErr == nil && brain.Shape == m.shape {
		m.brain, m.mask, s.Brain = true, brain, brain.Len()
		if brain.Len() == 0 {
			m.brain = false
			e.add(Damaged, brainPath, again, "no voxel is in the brain")
		}
	}
	return m
}

// firstBetas is the first file of each version of the betas at 1.8 mm.
func (e *examiner) firstBetas(s fmri.Subject) []string {
	spaces, err := e.data.Spaces(s)
	if err != nil {
		return nil
	}
	var paths []string
	for _, version := range spaces[nsd.DefaultSpace] {
		files, err := e.data.SessionFiles(s, nsd.DefaultSpace, version)
		if err != nil {
			continue
		}
		paths = append(paths, files[slices.Min(slices.Collect(maps.Keys(files)))])
	}
	return paths
}

func mostCommon(shapes map[string][3]int) [3]int {
	count := make(map[[3]int]int)
	var best [3]int
	for _, path := range slices.Sorted(maps.Keys(shapes)) {
		count[shapes[path]]++
	}
	for _, path := range slices.Sorted(maps.Keys(shapes)) {
		if s := shapes[path]; count[s] > count[best] {
			best = s
		}
	}
	return best
}

// dims writes a shape as people do.
func dims(n []int) string {
	text := ""
	for i, v := range n {
		if i > 0 {
			text += "×"
		}
		text += fmt.Sprint(v)
	}
	return text
}

// atlas reads a label volume and holds it against its table.
func (e *examiner) atlas(s fmri.Subject, name string) (Atlas, [3]int, bool) {
	path := e.data.Paths.ROI(s, nsd.DefaultSpace, name)
	a := Atlas{Name: name, Space: nsd.DefaultSpace, Regions: []Region{}}
	counts, shape, err := e.data.Labels(s, nsd.DefaultSpace, name)
	if err != nil {
		e.add(Damaged, path, again, "%v", err)
		return a, shape, false
	}
	names, table, err := e.data.LabelNames(s, name)
	if err != nil {
		e.add(Damaged, table, again, "%v", err)
		return a, shape, true
	}
	if table != "" {
		a.Table = e.short(table)
	}
	values := slices.Sorted(maps.Keys(counts))
	values = slices.DeleteFunc(values, func(v int) bool { return v <= 0 }) // no region
	switch {
	case names != nil:
	case name == "streams":
		names = nsd.Streams
	case len(values) == 1:
		names = map[int]string{values[0]: name}
	case len(values) > 1:
		e.add(Missing, e.data.Paths.LabelTable(s, name), "get the label table, or write one line for each value: number, name",
			"not there, nor for fsaverage: %s has %d values without a name", e.short(path), len(values))
		a.Unnamed = values
	}
	for _, v := range values {
		n, ok := names[v]
		if !ok && names != nil {
			a.Unnamed = append(a.Unnamed, v)
			e.add(Missing, path, fmt.Sprintf("give value %d a name in %s, or get both files again: until then this atlas cannot be used", v,
				cmp.Or(a.Table, "a label table")),
				"value %d (%d voxels) has no name in the label table", v, counts[v])
			continue
		}
		if ok {
			a.Regions = append(a.Regions, Region{Value: v, Name: n, Voxels: counts[v]})
		}
	}
	for _, v := range slices.Sorted(maps.Keys(names)) {
		if v > 0 && counts[v] == 0 {
			a.Voxelless = append(a.Voxelless, names[v])
		}
	}
	return a, shape, true
}

// ncsnr reads a version's noise-ceiling ratios.
func (e *examiner) ncsnr(s *Subject, b *Betas, m *masks) *NCSNR {
	path := e.data.Paths.NCSNR(s.Name, b.Space, b.Version)
	if !exists(path) {
		return nil
	}
	shape, values, err := e.data.NCSNRVolume(s.Name, b.Space, b.Version)
	if err != nil {
		e.add(Damaged, path, again, "%v", err)
		return nil
	}
	if b.Shape != [3]int{} && shape != b.Shape {
		e.add(Damaged, path, again, "a volume of %s voxels, the betas beside it are of %s", dims(shape[:]), dims(b.Shape[:]))
		return nil
	}
	if m.brain && shape == m.shape {
		var in []float32
		for _, i := range m.mask.FileIndex() {
			in = append(in, values[i])
		}
		values = in
	}
	n := &NCSNR{Voxels: len(values)}
	var x []float64
	for _, v := range values {
		if math.IsNaN(float64(v)) {
			n.NaN++
		} else {
			x = append(x, float64(v))
		}
	}
	if len(x) == 0 {
		e.add(Damaged, path, again, "NaN in all %d voxels", n.Voxels)
		return nil
	}
	slices.Sort(x)
	n.Min, n.Median, n.Max = x[0], x[len(x)/2], x[len(x)-1]
	if n.Min < 0 || math.IsInf(n.Max, 0) {
		e.add(Damaged, path, "get ncsnr.nii.gz, not another map, again",
			"values from %.3g to %.3g, a ratio of standard deviations is 0 or more and finite", n.Min, n.Max)
		return nil
	}
	return n
}
