package matfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"percept/fmri/internal/hdf5"
	"percept/fmri/internal/source"
)

// File is the variables read from a file.
type File struct {
	name    string
	version string // "4", "5" or "7.3"
	vars    []*Array
}

// FormatError says what in a file is not as it has to be, and where.
type FormatError struct {
	File   string
	Offset int64 // bytes from the start of the file, of the variable where it is compressed
	Msg    string
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s: MATLAB v5, offset %d: %s", e.File, e.Offset, source.Printable(e.Msg))
}

const (
	headerSize = 128
	maxDepth   = 64 // of cells and structs in one another
)

// Open reads the named variables of a file, or all if no name is given. Variables that are not asked for are
// not decoded, and it is no error if one is missing: Var says so.
func Open(path string, names ...string) (*File, error) {
	v73, err := isV73(path)
	if err != nil {
		return nil, err
	}
	if v73 {
		h, err := hdf5.Open(path)
		if err != nil {
			return nil, err
		}
		defer h.Close()
		return openV73(path, h, names)
	}
	b, err := source.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, b, names...)
}

// isV73 reads a file's header. HDF5 without MATLAB's in front of it, as other programs write it, is read in the same way.
func isV73(path string) (bool, error) {
	f, err := source.Open(path, "MATLAB")
	if err != nil {
		return false, err
	}
	s, err := f.Stream()
	if err != nil {
		return false, err
	}
	defer s.Close()
	b, err := s.Head(v4HeaderSize + v4LongestName)
	if err != nil || versionOf(b) != 0 || IsV4(b, f.Size) {
		return versionOf(b) == 0x0200, err
	}
	h, err := hdf5.Open(path)
	if err == nil {
		h.Close()
	}
	return err == nil || bytes.HasPrefix(b, []byte(hdf5Signature)), nil // where it is damaged, its reader says how
}

const hdf5Signature = "\x89HDF\r\n\x1a\n"

// IsMarked says whether an HDF5 file without MATLAB's header has a variable, or a field of one, with MATLAB's class.
func IsMarked(path string) (bool, error) {
	h, err := hdf5.Open(path)
	if err != nil {
		return false, err
	}
	defer h.Close()
	const most = 1 << 12 // objects: a file of MATLAB's has the mark on its first
	left := most
	return marked(h, "", &left), nil
}

// marked says whether an object or one of those in it has MATLAB's class; what cannot be read has none.
func marked(h *hdf5.File, path string, left *int) bool {
	o, err := h.Object(path)
	if *left--; err != nil || *left < 0 || strings.Count(path, "/") > maxDepth {
		return false
	}
	if _, ok, err := o.Attribute("MATLAB_class"); err == nil && ok {
		return true
	}
	if o.IsDataset() {
		return false
	}
	names, err := h.List(path)
	return err == nil && slices.ContainsFunc(names, func(n string) bool { return marked(h, path+"/"+n, left) })
}

// versionOf is the version in a header, 0 if it is none.
func versionOf(b []byte) uint16 {
	if len(b) < headerSize {
		return 0
	}
	switch string(b[126:128]) {
	case "IM":
		return binary.LittleEndian.Uint16(b[124:])
	case "MI":
		return binary.BigEndian.Uint16(b[124:])
	}
	return 0
}

// Parse is Open on the bytes of a file; name is used in errors.
func Parse(name string, b []byte, names ...string) (*File, error) {
	f := &File{name: name, version: "5"}
	if IsV4(b, int64(len(b))) {
		return parseV4(name, b, names)
	}
	if len(b) < headerSize {
		return nil, &FormatError{name, 0, fmt.Sprintf("file of %d bytes is too short for the header of %d", len(b), headerSize)}
	}
	var order binary.ByteOrder
	switch string(b[126:128]) {
	case "IM":
		order = binary.LittleEndian
	case "MI":
		order = binary.BigEndian
	default:
		return nil, &FormatError{name, 126,
			fmt.Sprintf("byte order mark %q, expected \"IM\" or \"MI\": not a MATLAB file of version 4 or later", b[126:128])}
	}
	switch v := versionOf(b); v {
	case 0x0100:
	case 0x0200:
		h, err := hdf5.NewFile(name, bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return nil, err
		}
		return openV73(name, h, names)
	default:
		return nil, &FormatError{name, 124, fmt.Sprintf("version %#x, expected 0x100 or 0x200", v)}
	}
	p := &parser{file: name, order: order, names: names}
	rest := b[headerSize:]
	for at := int64(headerSize); len(rest) > 0; {
		el, n, err := p.element(rest, at)
		if err != nil {
			return nil, err
		}
		a, err := p.variable(el)
		if err != nil {
			return nil, err
		}
		if a != nil && a.Name != "" { // what objects and functions need has no name
			if slices.ContainsFunc(f.vars, func(o *Array) bool { return o.Name == a.Name }) {
				return nil, &FormatError{name, at, "variable " + a.Name + " is there twice"}
			}
			f.vars = append(f.vars, a)
		}
		rest, at = rest[n:], at+int64(n)
	}
	return f, nil
}

// Names lists the variables that were read, in file order.
func (f *File) Names() []string {
	var n []string
	for _, a := range f.vars {
		n = append(n, a.Name)
	}
	return n
}

// Var returns a variable.
func (f *File) Var(name string) (*Array, error) {
	for _, a := range f.vars {
		if a.Name == name {
			return a, nil
		}
	}
	return nil, fmt.Errorf("%s: no variable %s; there is %s", f.name, name, source.Printable(strings.Join(f.Names(), ", ")))
}
