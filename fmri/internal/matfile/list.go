package matfile

import (
	"fmt"
	"slices"
	"strings"

	"percept/fmri/internal/hdf5"
)

// Info is what a file says of a variable, or of a field of a struct of one element.
type Info struct {
	Name string // of a field: "stim.responses"
	Dims []int  // nil where they are not known
	Type string // "double", "logical", "complex single", "cell", ...
	Size int    // bytes of an element, 0 where they are not numbers
	Err  error  // why its values cannot be read as real numbers
}

// List describes the variables of a file in their order, and the fields of structs; version is "4", "5" or "7.3". A variable that
// cannot be read is listed with the reason.
func List(path string) (version string, all []Info, err error) {
	v73, err := isV73(path)
	if err != nil {
		return "", nil, err
	}
	if !v73 {
		f, err := Open(path)
		if err != nil {
			return "", nil, err
		}
		for _, a := range f.vars {
			all = append(all, describe(a)...)
		}
		return f.version, all, nil
	}
	h, err := hdf5.Open(path)
	if err != nil {
		return "", nil, err
	}
	defer h.Close()
	names, err := namesV73(h)
	if err != nil {
		return "", nil, err
	}
	for _, n := range names {
		a, err := listV73(path, h, n)
		if err != nil {
			all = append(all, Info{Name: n, Err: err})
			continue
		}
		all = append(all, describe(a)...)
	}
	return "7.3", all, nil
}

// Names lists the variables of a file in their order. Those of version 7.3 are not read for it.
func Names(path string) ([]string, error) {
	v73, err := isV73(path)
	if err != nil {
		return nil, err
	}
	if !v73 {
		f, err := Open(path)
		if err != nil {
			return nil, err
		}
		return f.Names(), nil
	}
	h, err := hdf5.Open(path)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	return namesV73(h)
}

// namesV73 lists variables: not #refs#, which holds what cells refer to, and #subsystem#, what objects do.
func namesV73(h *hdf5.File) ([]string, error) {
	names, err := h.List("")
	return slices.DeleteFunc(names, func(n string) bool { return strings.HasPrefix(n, "#") }), err
}

// listV73 reads a variable without its numbers.
func listV73(path string, h *hdf5.File, name string) (*Array, error) {
	o, err := h.Object(name)
	if err != nil {
		return nil, err
	}
	r := &v73{file: path, h: h, seen: make(map[uint64]*Array), list: true}
	return r.array(o, name, 0)
}

// describe is a variable and, of a struct of one element, its fields.
func describe(a *Array) []Info {
	if a.Class == Struct && a.Len() == 1 {
		var all []Info
		for _, name := range a.Fields {
			if field, err := a.Field(name); err == nil {
				all = append(all, describe(field)...)
			}
		}
		return all
	}
	i := Info{Name: a.Name, Dims: slices.Clone(a.Dims), Type: a.Class.String(), Size: classSizes[a.Class], Err: a.numeric()}
	switch {
	case a.Logical:
		i.Type = "logical"
	case a.Complex:
		i.Type, i.Size = fmt.Sprintf("complex %s", a.Class), 2*i.Size
	}
	return []Info{i}
}

// classSizes is the bytes of an element in MATLAB's memory.
var classSizes = map[Class]int{Double: 8, Single: 4, Int8: 1, Uint8: 1, Int16: 2, Uint16: 2, Int32: 4, Uint32: 4, Int64: 8, Uint64: 8,
	Char: 2}
