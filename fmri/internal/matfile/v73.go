package matfile

import (
	"bytes"
	"fmt"
	"slices"

	"percept/fmri/internal/hdf5"
	"percept/fmri/internal/source"
)

// openV73 reads the named variables of a version 7.3 file, or all if no name is given.
func openV73(name string, h *hdf5.File, names []string) (*File, error) {
	f := &File{name: name, version: "7.3"}
	all, err := namesV73(h)
	if err != nil {
		return nil, err
	}
	r := &v73{file: name, h: h, seen: make(map[uint64]*Array)}
	for _, n := range all {
		if len(names) > 0 && !slices.Contains(names, n) {
			continue
		}
		o, err := h.Object(n)
		if err != nil {
			return nil, err
		}
		a, err := r.array(o, n, 0)
		if err != nil {
			return nil, err
		}
		f.vars = append(f.vars, a)
	}
	return f, nil
}

// v73 reads arrays of one file. HDF5's last axis runs fastest and MATLAB's first: the values are in the same order and
// the dimensions are turned round.
type v73 struct {
	file string
	h    *hdf5.File
	seen map[uint64]*Array // by address; nil while it is being read
	list bool              // numbers and what is in cells are not wanted, only what they are
}

func (r *v73) errorf(name, format string, args ...any) error {
	return fmt.Errorf("%s: variable %s: %s", r.file, source.Printable(name), source.Printable(fmt.Sprintf(format, args...)))
}

// array reads the array at an object; one that several cells refer to is read once.
func (r *v73) array(o *hdf5.Object, name string, depth int) (*Array, error) {
	if a, ok := r.seen[o.Addr()]; ok {
		if a == nil {
			return nil, r.errorf(name, "cells or structs hold one another")
		}
		return a, nil
	}
	if depth > maxDepth {
		return nil, r.errorf(name, "cells and structs more than %d deep", maxDepth)
	}
	r.seen[o.Addr()] = nil
	a, err := r.read(o, name, depth)
	if err != nil {
		return nil, err
	}
	r.seen[o.Addr()] = a
	return a, nil
}

var classByName = map[string]Class{"cell": Cell, "struct": Struct, "char": Char, "double": Double, "single": Single, "int8": Int8,
	"uint8": Uint8, "int16": Int16, "uint16": Uint16, "int32": Int32, "uint32": Uint32, "int64": Int64, "uint64": Uint64,
	"logical": Uint8, "canonical empty": Double, "function_handle": Function}

func (r *v73) read(o *hdf5.Object, name string, depth int) (*Array, error) {
	a := &Array{file: r.file, Name: name}
	class, err := r.class(o, name)
	if err != nil {
		return nil, err
	}
	known := false
	a.Class, known = classByName[class]
	a.Logical = class == "logical"
	for attr, c := range map[string]Class{"MATLAB_sparse": Sparse, "MATLAB_object_decode": Opaque} {
		if _, ok, err := o.Attribute(attr); err != nil {
			return nil, err
		} else if ok && a.Class != Function {
			a.Class, known = c, true
		}
	}
	if class != "" && !known { // an object of a class of its own
		a.Class = Opaque
	}
	switch {
	case a.Class == Sparse || a.Class == Opaque || a.Class == Function: // kept without values
		a.Text = class
		return a, nil
	case !o.IsDataset():
		if class != "struct" && class != "" {
			return nil, r.errorf(name, "a group of class %s, expected struct", class)
		}
		a.Class = Struct
		return a, r.group(a, o, depth)
	}
	d, err := o.Dataset()
	if err != nil {
		return nil, err
	}
	empty, err := r.flag(o, "MATLAB_empty")
	if err != nil {
		return nil, err
	}
	if empty {
		return a, r.empty(a, o, d)
	}
	shape := d.Shape()
	slices.Reverse(shape)
	for len(shape) < 2 { // MATLAB itself writes two axes at least
		shape = append(shape, 1)
	}
	a.Dims = shape
	switch a.Class {
	case Cell:
		if r.list {
			return a, nil
		}
		return a, r.cells(a, d, depth)
	case Struct:
		return nil, r.errorf(name, "a dataset of class struct that is not empty")
	}
	return a, r.numbers(a, d, class)
}

// class is the attribute MATLAB_class, "" if there is none.
func (r *v73) class(o *hdf5.Object, name string) (string, error) {
	d, ok, err := o.Attribute("MATLAB_class")
	if err != nil || !ok {
		return "", err
	}
	s, err := hdf5.Strings(d)
	if err != nil {
		return "", err
	}
	if len(s) != 1 || s[0] == "" {
		return "", r.errorf(name, "attribute MATLAB_class is %q", s)
	}
	return s[0], nil
}

// flag says whether an attribute is there and not zero.
func (r *v73) flag(o *hdf5.Object, name string) (bool, error) {
	d, ok, err := o.Attribute(name)
	if err != nil || !ok {
		return false, err
	}
	x, err := hdf5.Read[float64](d)
	return err == nil && len(x) == 1 && x[0] != 0, err
}

// empty reads the dimensions of an empty array, which are stored in place of its values.
func (r *v73) empty(a *Array, o *hdf5.Object, d *hdf5.Dataset) error {
	dims, err := hdf5.Read[uint64](d)
	if err != nil {
		return err
	}
	n := uint64(1)
	for _, v := range dims {
		if v > 1<<40 || v > 0 && n > (1<<40)/v {
			return r.errorf(a.Name, "empty array of dimensions %v", dims)
		}
		n *= v
		a.Dims = append(a.Dims, int(v))
	}
	if len(dims) < 2 || n != 0 {
		return r.errorf(a.Name, "empty array of dimensions %v", dims)
	}
	a.re.kind = miUTF16
	if a.Class == Struct {
		a.Fields, err = r.fieldNames(o)
	}
	return err
}

// fieldNames is the attribute MATLAB_fields, nil if there is none.
func (r *v73) fieldNames(o *hdf5.Object) ([]string, error) {
	d, ok, err := o.Attribute("MATLAB_fields")
	if err != nil || !ok {
		return nil, err
	}
	parts, err := hdf5.Sequences(d)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, p := range parts {
		p, _, _ = bytes.Cut(p, []byte{0})
		names = append(names, string(p))
	}
	return names, nil
}

// group reads a struct: each member is a field's value, or, of a struct array, a dataset of references to its values.
func (r *v73) group(a *Array, o *hdf5.Object, depth int) error {
	names, members, err := o.Members()
	if err != nil {
		return err
	}
	order, err := r.fieldNames(o)
	if err != nil {
		return err
	}
	for _, n := range names { // a list is left out where there is one field
		if !slices.Contains(order, n) {
			order = append(order, n)
		}
	}
	a.Dims = []int{1, 1}
	var columns [][]*Array // by field, the values of all elements
	for _, field := range order {
		k := slices.Index(names, field)
		if k < 0 { // listed, and deleted from the file
			continue
		}
		if slices.Contains(a.Fields, field) {
			return r.errorf(a.Name, "field %q is listed twice", field)
		}
		a.Fields = append(a.Fields, field)
		values, dims, err := r.field(members[k], a.Name+"."+field, depth)
		if err != nil {
			return err
		}
		if len(columns) > 0 && !slices.Equal(dims, a.Dims) {
			return r.errorf(a.Name, "field %s is of %v structs, field %s of %v", field, dims, a.Fields[0], a.Dims)
		}
		a.Dims = dims
		columns = append(columns, values)
	}
	for e := range a.Len() {
		for _, c := range columns {
			if e < len(c) {
				a.Cells = append(a.Cells, c[e])
			}
		}
	}
	return nil
}

// field reads what a struct's group holds under a field's name.
func (r *v73) field(m *hdf5.Object, name string, depth int) (values []*Array, dims []int, err error) {
	class, err := r.class(m, name)
	if err != nil {
		return nil, nil, err
	}
	if class == "" && m.IsDataset() {
		d, err := m.Dataset()
		if err != nil {
			return nil, nil, err
		}
		if d.Type().Class == hdf5.Reference {
			list := &Array{Name: name, Dims: d.Shape()}
			slices.Reverse(list.Dims)
			err := r.cells(list, d, depth)
			return list.Cells, list.Dims, err
		}
	}
	v, err := r.array(m, name, depth+1)
	return []*Array{v}, []int{1, 1}, err
}

// cells follows the references of a cell array.
func (r *v73) cells(a *Array, d *hdf5.Dataset, depth int) error {
	refs, err := hdf5.Refs(d)
	if err != nil {
		return err
	}
	a.Cells = make([]*Array, 0, len(refs))
	for i, ref := range refs {
		name := fmt.Sprintf("%s{%d}", a.Name, i+1)
		o, err := r.h.ObjectAt(ref, name)
		if err != nil {
			return err
		}
		c, err := r.array(o, name, depth+1)
		if err != nil {
			return err
		}
		a.Cells = append(a.Cells, c)
	}
	return nil
}
