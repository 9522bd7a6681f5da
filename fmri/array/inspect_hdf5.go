package array

import (
	"percept/fmri/internal/hdf5"
)

// mostGroups bounds the groups that are looked into: a damaged file's may hold one another without end.
const mostGroups = 1 << 16

func inspectHDF5(path string) (Info, error) {
	h, err := hdf5.Open(path)
	if err != nil {
		return Info{}, err
	}
	defer h.Close()
	w := &walk{path: path, h: h, seen: make(map[uint64]bool)}
	if root, err := h.Object(""); err == nil {
		w.seen[root.Addr()] = true
	}
	if err := w.group(""); err != nil {
		return Info{}, err
	}
	return Info{Format: "HDF5", Arrays: w.arrays}, nil
}

// walk lists the datasets of a file; a group that is there under several names is listed under the first.
type walk struct {
	path   string
	h      *hdf5.File
	seen   map[uint64]bool // groups by address
	arrays []ArrayInfo
}

func (w *walk) group(at string) error {
	names, err := w.h.List(at)
	if err != nil {
		return err
	}
	for _, n := range names {
		name := n
		if at != "" {
			name = at + "/" + n
		}
		w.object(name)
	}
	return nil
}

func (w *walk) object(name string) {
	o, err := w.h.Object(name)
	switch {
	case err != nil:
	case o.IsDataset():
		var d *hdf5.Dataset
		if d, err = o.Dataset(); err == nil {
			a := numbers(name, d.Shape(), nil, d.Type().String(), d.Type().Size)
			a.Note = note(w.path, d.Readable())
			w.arrays = append(w.arrays, a)
			return
		}
	case w.seen[o.Addr()] || len(w.seen) == mostGroups:
		return
	default:
		w.seen[o.Addr()] = true
		if err = w.group(name); err == nil {
			return
		}
	}
	w.arrays = append(w.arrays, ArrayInfo{Name: name, Note: note(w.path, err)})
}
