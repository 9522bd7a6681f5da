package matfile

import (
	"percept/fmri/internal/hdf5"
)

// storedClass is the MATLAB class of a stored number type, 0 if there is none.
func storedClass(t hdf5.Type) Class {
	switch t.Class {
	case hdf5.Float:
		return map[int]Class{4: Single, 8: Double}[t.Size]
	case hdf5.Fixed:
		if t.Signed {
			return map[int]Class{1: Int8, 2: Int16, 4: Int32, 8: Int64}[t.Size]
		}
		return map[int]Class{1: Uint8, 2: Uint16, 4: Uint32, 8: Uint64}[t.Size]
	case hdf5.Enum:
		return storedClass(*t.Base)
	}
	return 0
}

// numbers reads values, real or complex.
func (r *v73) numbers(a *Array, d *hdf5.Dataset, class string) error {
	t := d.Type()
	part := t
	if t.Class == hdf5.Compound {
		if len(t.Fields) != 2 || t.Fields[0].Name != "real" || t.Fields[1].Name != "imag" ||
			t.Fields[0].Type.Class != t.Fields[1].Type.Class ||
			t.Fields[0].Type.Size != t.Fields[1].Type.Size {
			return r.errorf(a.Name, "elements are %s, expected numbers or pairs of real and imag", t)
		}
		a.Complex, part = true, t.Fields[0].Type
	}
	stored := storedClass(part)
	switch {
	case stored == 0:
		return r.errorf(a.Name, "class %q stored as %s, expected numbers", class, t)
	case class == "": // not MATLAB's; the numbers say what they are
		a.Class = stored
	case a.Class == Char:
		if stored != Uint16 && stored != Uint8 && stored != Uint32 {
			return r.errorf(a.Name, "text stored as %s", t)
		}
	case a.Class != stored:
		return r.errorf(a.Name, "class %s stored as %s", class, t)
	}
	if r.list {
		return nil
	}
	var err error
	if a.re, err = r.part(d, stored, a.Complex, "real"); err != nil {
		return err
	}
	if a.Complex {
		a.im, err = r.part(d, stored, true, "imag")
	}
	if err == nil && a.Class == Char {
		a.re.kind = map[Class]uint32{Uint8: miUTF8, Uint16: miUTF16, Uint32: miUTF32}[stored]
		a.Text = a.text()
	}
	return err
}

// part reads the values, or one field of them.
func (r *v73) part(d *hdf5.Dataset, stored Class, complex bool, field string) (v values, err error) {
	switch {
	case stored == Double || stored == Single:
		v.kind = miDouble
		v.floats, err = readPart[float64](d, complex, field)
	case stored == Uint64:
		v.kind = miUint64
		v.uints, err = readPart[uint64](d, complex, field)
	default:
		v.kind = miInt64
		v.ints, err = readPart[int64](d, complex, field)
	}
	return v, err
}

func readPart[T hdf5.Number](d *hdf5.Dataset, complex bool, field string) ([]T, error) {
	if complex {
		return hdf5.ReadField[T](d, field)
	}
	return hdf5.Read[T](d)
}
