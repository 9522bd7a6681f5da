package hdf5

import (
	"fmt"

	"percept/fmri/internal/source"
)

// Object is a group or a dataset.
type Object struct {
	f    *File
	addr uint64
	path string
	msgs []headerMessage
}

// Object finds an object by its path from the root.
func (f *File) Object(path string) (*Object, error) {
	addr, err := f.lookup(path, 0)
	if err != nil {
		return nil, err
	}
	return f.object(addr, path)
}

// ObjectAt finds an object by reference; name is used in errors.
func (f *File) ObjectAt(r Ref, name string) (*Object, error) {
	if r == 0 {
		return nil, fmt.Errorf("%s: %s: a reference to nothing", f.name, name)
	}
	return f.object(uint64(r), name)
}

func (f *File) object(addr uint64, path string) (*Object, error) {
	msgs, err := f.readObject(addr)
	if err != nil {
		return nil, err
	}
	return &Object{f: f, addr: addr, path: path, msgs: msgs}, nil
}

// Addr is the address of the object's header, by which it is known.
func (o *Object) Addr() uint64 { return o.addr }

// IsDataset says whether the object is a dataset; else it is a group or a type.
func (o *Object) IsDataset() bool {
	for _, m := range o.msgs {
		if m.kind == msgLayout {
			return true
		}
	}
	return false
}

// Dataset is the object as a dataset.
func (o *Object) Dataset() (*Dataset, error) { return o.f.dataset(o.addr, o.path) }

// Members is what a group holds, in the order of the file; links that lead elsewhere are an error.
func (o *Object) Members() (names []string, members []*Object, err error) {
	links, err := o.f.links(o.addr)
	if err != nil {
		return nil, nil, err
	}
	for _, l := range links {
		if l.what != "" || l.soft != "" {
			return nil, nil, fmt.Errorf("%s: %s/%s: is a link, expected an object", o.f.name, o.path, source.Printable(l.name))
		}
		m, err := o.f.object(l.addr, o.path+"/"+source.Printable(l.name))
		if err != nil {
			return nil, nil, err
		}
		names, members = append(names, l.name), append(members, m)
	}
	return names, members, nil
}
