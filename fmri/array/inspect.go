package array

import (
	"strconv"
	"strings"

	"percept/fmri/internal/freesurfer"
	"percept/fmri/internal/gifti"
	"percept/fmri/internal/matfile"
	"percept/fmri/internal/nifti"
	"percept/fmri/internal/npy"
	"percept/fmri/internal/source"
)

// Info is what a file says of itself; its values are not read.
type Info struct {
	Format      string // "NIfTI-1", "CIFTI-2 dscalar", "MATLAB 7.3", "FreeSurfer curv", ...
	Compression string // of the file as a whole: "gzip", "bzip2", "zstd"; "" for none
	Arrays      []ArrayInfo
	// Rows is the axis whose places are the samples when an array of the file is used as a table: 0 for npy, HDF5, MATLAB and
	// CIFTI, the frames' for NIfTI and MGH (where further axes follow, they count frames as well). It is -1 where each array is
	// one row: a single volume, and the arrays of a GIFTI or FreeSurfer file.
	Rows int
}

// ArrayInfo is what a file says of one of its arrays.
type ArrayInfo struct {
	Name  string
	Shape []int    // as Read gives it; nil where it is not known
	Axes  []string // what each axis counts: "x", "y", "z", "frame"; "vertex"; "map", "grayordinate"; nil where that is not known
	Type  string   // of the elements as stored: "int16 scaled by 0.5", "double"
	Bytes int64    // of all elements in that type, before compression
	Note  string   // why the array cannot be read; "" where it can
}

// Inspect reads what a file says of its arrays. One that cannot be read is listed with the reason; damage among the values
// shows only to Read.
func Inspect(path string) (Info, error) {
	f, err := sniff(path)
	if err != nil {
		return Info{}, err
	}
	info, err := f.inspect(path)
	if err != nil {
		return Info{}, err
	}
	src, err := source.Open(path, f.what)
	if err != nil {
		return Info{}, err
	}
	info.Compression = src.Compression
	return info, nil
}

// numbers describes an array of numbers of the given size each.
func numbers(name string, shape []int, axes []string, kind string, size int) ArrayInfo {
	n := int64(size)
	for _, d := range shape {
		n *= int64(d)
	}
	return ArrayInfo{Name: name, Shape: shape, Axes: axes, Type: kind, Bytes: n}
}

// note is an error as it is told beside the name of its file.
func note(path string, err error) string {
	if err == nil {
		return ""
	}
	return strings.TrimPrefix(err.Error(), path+": ")
}

var volumeAxes = []string{"x", "y", "z", "frame", "dim5", "dim6", "dim7"} // after the third NIfTI names none but time

// frames is the axis of rows of an image of volumes.
func frames(shape []int) int {
	if len(shape) > 3 {
		return 3
	}
	return -1
}

func inspectNIfTI(path string) (Info, error) {
	img, err := nifti.Open(path)
	if err != nil {
		return Info{}, err
	}
	kind := img.Type.String()
	if img.Slope != 0 && (img.Slope != 1 || img.Inter != 0) {
		kind += " scaled by " + shortest(img.Slope)
		if img.Inter != 0 {
			kind += " plus " + shortest(img.Inter)
		}
	}
	if img.IsCIFTI() {
		m, err := img.CIFTI()
		if err != nil {
			return Info{}, err
		}
		a := numbers("", m.Shape, m.Axes, kind, img.Type.Size())
		return Info{Format: strings.TrimSpace("CIFTI-2 " + m.Kind), Arrays: []ArrayInfo{a}}, nil
	}
	a := numbers("", img.Dims, volumeAxes[:len(img.Dims)], kind, img.Type.Size())
	return Info{Format: img.Format(), Arrays: []ArrayInfo{a}, Rows: frames(img.Dims)}, nil
}

// shortest writes a number that may have been a float32 in as few digits as tell it.
func shortest(x float64) string {
	bits := 64
	if float64(float32(x)) == x {
		bits = 32
	}
	return strconv.FormatFloat(x, 'g', -1, bits)
}

func inspectMGH(path string) (Info, error) {
	m, err := freesurfer.OpenMGH(path)
	if err != nil {
		return Info{}, err
	}
	shape := mghShape(m)
	a := numbers("", shape, volumeAxes[:len(shape)], m.Type.String(), m.Type.Size())
	return Info{Format: "MGH", Arrays: []ArrayInfo{a}, Rows: frames(shape)}, nil
}

func inspectGIFTI(path string) (Info, error) {
	f, err := gifti.Open(path)
	if err != nil {
		return Info{}, err
	}
	info := Info{Format: "GIFTI", Rows: -1}
	for i, name := range intents(f) {
		a := f.Arrays[i]
		kind, _, _ := strings.Cut(name, ".")
		axes := map[string][]string{"pointset": coordinates, "triangle": corners}[kind]
		if len(a.Shape) == 1 {
			axes = vertex
		}
		if len(axes) != len(a.Shape) {
			axes = nil
		}
		info.Arrays = append(info.Arrays,
			numbers(name, a.Shape, axes, strings.ToLower(strings.TrimPrefix(a.Type, "NIFTI_TYPE_")), a.Size()))
	}
	return info, nil
}

func inspectNPY(path string) (Info, error) {
	f, err := npy.Open(path)
	if err != nil {
		return Info{}, err
	}
	return Info{Format: "npy", Arrays: []ArrayInfo{npyArray("", &f.Header)}}, nil
}

func npyArray(name string, h *npy.Header) ArrayInfo {
	size, err := h.ElementSize()
	a := numbers(name, h.Shape, nil, h.TypeName(), size)
	a.Note = note("", err)
	return a
}

func inspectNPZ(path string) (Info, error) {
	members, err := npy.Members(path)
	if err != nil {
		return Info{}, err
	}
	info := Info{Format: "npz"}
	for _, m := range members {
		if m.Err != nil {
			info.Arrays = append(info.Arrays, ArrayInfo{Name: m.Name, Note: note(path, m.Err)})
			continue
		}
		info.Arrays = append(info.Arrays, npyArray(m.Name, m.Header))
	}
	return info, nil
}

func inspectMAT(path string) (Info, error) {
	version, vars, err := matfile.List(path)
	if err != nil {
		return Info{}, err
	}
	info := Info{Format: "MATLAB " + version}
	for _, v := range vars {
		a := numbers(v.Name, v.Dims, nil, v.Type, v.Size)
		a.Note = note(path, v.Err)
		info.Arrays = append(info.Arrays, a)
	}
	return info, nil
}

// described is one array of a file whose arrays are always the same.
type described struct {
	name, kind string
	size       int // bytes of an element
	axes       []string
}

// inspectFixed describes such a file by reading it: each is small.
func inspectFixed(format string, read func(path, name string) (*Array, error), parts ...described) func(path string) (Info, error) {
	return func(path string) (Info, error) {
		info := Info{Format: format, Rows: -1}
		for _, d := range parts {
			a, err := read(path, d.name)
			if err != nil {
				return Info{}, err
			}
			info.Arrays = append(info.Arrays, numbers(d.name, a.Shape, d.axes, d.kind, d.size))
		}
		return info, nil
	}
}

var (
	vertex      = []string{"vertex"}
	coordinates = []string{"vertex", "coordinate"}
	corners     = []string{"face", "corner"}
)
