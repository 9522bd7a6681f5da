package array

import (
	"fmt"
	"strings"

	"percept/fmri/internal/freesurfer"
	"percept/fmri/internal/gifti"
)

func noSuch(path, name string, have ...string) error {
	return fmt.Errorf("%s: no array %q; there is %s", path, name, strings.Join(have, ", "))
}

func readMGH(path, _ string) (*Array, error) {
	m, err := freesurfer.OpenMGH(path)
	if err != nil {
		return nil, err
	}
	x, err := m.ReadAll64()
	if err != nil {
		return nil, err
	}
	shape := mghShape(m)
	affine := m.Affine()
	return &Array{Shape: shape, Data: rowMajor(x, shape), Affine: &affine}, nil
}

// mghShape is an image's dimensions, three where it has one frame.
func mghShape(m *freesurfer.Image) []int {
	if m.Frames() == 1 {
		return m.Dims[:3]
	}
	return m.Dims[:]
}

func readCurv(path, _ string) (*Array, error) {
	c, err := freesurfer.ReadCurv(path)
	if err != nil {
		return nil, err
	}
	return vector(c.Values), nil
}

func vector[T int32 | float32 | float64](x []T) *Array {
	a := &Array{Shape: []int{len(x)}, Data: make([]float64, len(x))}
	for i, v := range x {
		a.Data[i] = float64(v)
	}
	return a
}

func triples[T int32 | float32 | float64](x [][3]T) *Array {
	a := &Array{Shape: []int{len(x), 3}, Data: make([]float64, 0, 3*len(x))}
	for _, v := range x {
		a.Data = append(a.Data, float64(v[0]), float64(v[1]), float64(v[2]))
	}
	return a
}

func readSurface(path, name string) (*Array, error) {
	s, err := freesurfer.ReadSurface(path)
	if err != nil {
		return nil, err
	}
	switch name {
	case "vertices":
		return triples(s.Vertices), nil
	case "faces":
		return triples(s.Faces), nil
	}
	return nil, noSuch(path, name, "vertices", "faces")
}

func readPatch(path, name string) (*Array, error) {
	p, err := freesurfer.ReadPatch(path)
	if err != nil {
		return nil, err
	}
	switch name {
	case "index":
		return vector(p.Index), nil
	case "vertices":
		return triples(p.XYZ), nil
	case "border":
		a := &Array{Shape: []int{len(p.Border)}, Data: make([]float64, len(p.Border))}
		for i, b := range p.Border {
			if b {
				a.Data[i] = 1
			}
		}
		return a, nil
	}
	return nil, noSuch(path, name, "index", "border", "vertices")
}

func readAnnot(path, name string) (*Array, error) {
	a, err := freesurfer.ReadAnnot(path)
	if err != nil {
		return nil, err
	}
	switch name {
	case "regions":
		return vector(a.Regions), nil
	case "table":
		out := &Array{Shape: []int{len(a.Table), 5}}
		for _, e := range a.Table {
			r, g, b := float64(e.R), float64(e.G), float64(e.B)
			out.Data = append(out.Data, r, g, b, 255-float64(e.A), r+256*g+65536*b)
		}
		return out, nil
	}
	return nil, noSuch(path, name, "regions", "table")
}

func readLabel(path, name string) (*Array, error) {
	l, err := freesurfer.ReadLabel(path)
	if err != nil {
		return nil, err
	}
	switch name {
	case "index":
		return vector(l.Index), nil
	case "vertices":
		return triples(l.XYZ), nil
	case "values":
		return vector(l.Values), nil
	}
	return nil, noSuch(path, name, "index", "vertices", "values")
}

func namesGIFTI(path string) ([]string, error) {
	f, err := gifti.Open(path)
	if err != nil {
		return nil, err
	}
	return intents(f), nil
}

// intents names a file's arrays.
func intents(f *gifti.File) []string {
	var names []string
	count := map[string]int{}
	for _, a := range f.Arrays {
		name := strings.ToLower(strings.TrimPrefix(a.Intent, "NIFTI_INTENT_"))
		if n := count[name]; n > 0 {
			names = append(names, fmt.Sprintf("%s.%d", name, n))
		} else {
			names = append(names, name)
		}
		count[name]++
	}
	return names
}

func readGIFTI(path, name string) (*Array, error) {
	f, err := gifti.Open(path)
	if err != nil {
		return nil, err
	}
	names := intents(f)
	for i, n := range names {
		if n == name {
			x, err := f.Arrays[i].Float64s()
			if err != nil {
				return nil, err
			}
			return &Array{Shape: f.Arrays[i].Shape, Data: x}, nil
		}
	}
	return nil, noSuch(path, name, names...)
}
