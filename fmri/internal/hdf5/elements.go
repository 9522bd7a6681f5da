package hdf5

import "strings"

// Raw reads the whole dataset as it is stored, Type().Size bytes an element, in C order.
func Raw(d *Dataset) ([]byte, error) {
	if err := d.plausible(); err != nil {
		return nil, err
	}
	dst := make([]byte, d.Len()*d.elem.Size)
	r, err := newRawReader(d, dst)
	if err != nil {
		return nil, err
	}
	return dst, r.slab(make([]int, len(d.shape)), d.shape)
}

// ReadColumns reads, for a dataset of shape (n, ...), all n elements of the given columns as they are stored, in the byte order
// of the file, into dst [n, len(columns)], Type().Size bytes each. A column is the C-order index into the axes after the
// first: for betas (trials, Z, Y, X), column (z·Y+y)·X+x is the voxel's response in each trial. Columns may come in any order
// and more than once.
//
// The chunk index is read once; then only the chunks that hold a column are read, in file order, neighbours together.
func ReadColumns(d *Dataset, dst []byte, columns []int) error {
	if n := d.elem.number(); n.bits != nil { // the bytes alone do not say what number it is
		return d.errorf("elements are %s, expected numbers that fill their bytes", d.elem)
	}
	r, err := newRawReader(d, dst)
	if err != nil {
		return err
	}
	return r.columns(columns)
}

// Strings reads a dataset or attribute of strings, of fixed or variable length.
func Strings(d *Dataset) ([]string, error) {
	if d.elem.Class == VarLen && d.elem.Text {
		parts, err := Sequences(d)
		out := make([]string, len(parts))
		for i, p := range parts {
			out[i], _, _ = strings.Cut(string(p), "\x00")
		}
		return out, err
	}
	if d.elem.Class != String {
		return nil, d.errorf("elements are %s, expected strings", d.elem)
	}
	b, err := Raw(d)
	if err != nil {
		return nil, err
	}
	out := make([]string, d.Len())
	for i := range out {
		s := string(b[i*d.elem.Size : (i+1)*d.elem.Size])
		if d.elem.Padding == 2 {
			s = strings.TrimRight(s, " ")
		}
		out[i], _, _ = strings.Cut(s, "\x00")
	}
	return out, nil
}

// Sequences reads a dataset or attribute of variable-length elements: the bytes of each, Type().Base says of what.
func Sequences(d *Dataset) ([][]byte, error) {
	if d.elem.Class != VarLen || d.elem.Base == nil || d.elem.Base.Size < 1 {
		return nil, d.errorf("elements are %s, expected ones of variable length", d.elem)
	}
	if d.elem.Size != 8+d.f.offsetSize {
		return nil, d.errorf("elements of variable length in %d bytes, expected %d", d.elem.Size, 8+d.f.offsetSize)
	}
	b, err := Raw(d)
	if err != nil {
		return nil, err
	}
	heaps := make(map[uint64]*globalHeap)
	out := make([][]byte, d.Len())
	for i := range out {
		c := &cursor{f: d.f, b: b[i*d.elem.Size : (i+1)*d.elem.Size], addr: d.header}
		n, addr, index := uint64(c.u32()), c.offset(), c.u32()
		if n == 0 || addr == 0 {
			continue
		}
		h := heaps[addr]
		if h == nil {
			if h, err = d.f.globalHeap(addr); err != nil {
				return nil, err
			}
			heaps[addr] = h
		}
		object, ok := h.objects[index]
		if size := n * uint64(d.elem.Base.Size); !ok || uint64(len(object)) < size {
			return nil, d.f.errorf(addr, "%s: element %d needs %d bytes of object %d of a global heap, which has %d", d.name, i, size,
				index, len(object))
		} else {
			out[i] = object[:size]
		}
	}
	return out, nil
}

// Ref is a reference to an object of the same file; 0 refers to nothing.
type Ref uint64

// Refs reads a dataset or attribute of object references.
func Refs(d *Dataset) ([]Ref, error) {
	if d.elem.Class != Reference || d.elem.Region || d.elem.Size != d.f.offsetSize {
		return nil, d.errorf("elements are %s, expected references to objects", d.elem)
	}
	b, err := Raw(d)
	if err != nil {
		return nil, err
	}
	out := make([]Ref, d.Len())
	for i := range out {
		c := &cursor{f: d.f, b: b[i*d.elem.Size : (i+1)*d.elem.Size], addr: d.header}
		if v := c.offset(); v != undefined {
			out[i] = Ref(v)
		}
	}
	return out, nil
}

// ReadField reads a number out of every element of a dataset of compounds.
func ReadField[T Number](d *Dataset, name string) ([]T, error) {
	for _, f := range d.elem.Fields {
		if f.Name != name {
			continue
		}
		// A field is read as if it were the type of the elements.
		decode, err := newDecoder[T](f.Type)
		if err != nil {
			return nil, d.errorf("field %s: %v", name, err)
		}
		b, err := Raw(d)
		if err != nil {
			return nil, err
		}
		out := make([]T, d.Len())
		for i := range out {
			decode(out[i:], 1, b[i*d.elem.Size+f.Offset:], 1)
		}
		return out, nil
	}
	return nil, d.errorf("elements are %s without a field %s", d.elem, name)
}
