package gifti

import (
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
)

func (p *parser) transform(a *Array) error {
	var t Transform
	err := p.children(func(e xml.StartElement) (err error) {
		switch e.Name.Local {
		case "DataSpace":
			t.DataSpace, err = p.text()
		case "TransformedSpace":
			t.Space, err = p.text()
		case "MatrixData":
			var text string
			if text, err = p.text(); err != nil {
				return err
			}
			words := strings.Fields(text)
			if len(words) != 16 {
				return p.failf("transform of %d numbers, expected 16", len(words))
			}
			for i, w := range words {
				if t.Matrix[i/4][i%4], err = strconv.ParseFloat(w, 64); err != nil {
					return p.failf("transform: %.20q is not a number", w)
				}
			}
		default:
			err = p.skip(e)
		}
		return err
	}, nil)
	a.Transforms = append(a.Transforms, t)
	return err
}

func (p *parser) dataArray(e xml.StartElement) error {
	a := &Array{Intent: attribute(e, "Intent"), Type: attribute(e, "DataType"), file: p.name}
	if a.Intent == "" {
		a.Intent = "NIFTI_INTENT_NONE"
	}
	var ok bool
	if a.kind, ok = kindOf(a.Type); !ok {
		return p.failf("data type %.40q cannot be read; known are integers of 8 to 64 bits, float32 and float64", a.Type)
	}
	if err := p.shape(e, a); err != nil {
		return err
	}
	long := 0 // axes along which there is more than one value
	for _, d := range a.Shape {
		if d != 1 {
			long++
		}
	}
	s := storage{encoding: encodings[attribute(e, "Encoding")], file: attribute(e, "ExternalFileName"),
		offset: attribute(e, "ExternalFileOffset")}
	if s.encoding == "" {
		return p.failf("encoding %.40q, expected ASCII, Base64Binary, GZipBase64Binary or ExternalFileBinary", attribute(e, "Encoding"))
	}
	if a.order, ok = endians[strings.ToLower(attribute(e, "Endian"))]; !ok {
		if s.encoding != ascii && a.kind.size > 1 {
			return p.failf("endian %.20q, expected LittleEndian or BigEndian", attribute(e, "Endian"))
		}
		a.order = binary.LittleEndian
	}
	columns := false
	switch order := attribute(e, "ArrayIndexingOrder"); order {
	case "RowMajorOrder", "C", "": // what nibabel takes it for where it is missing
	case "ColumnMajorOrder", "F":
		columns = long > 1
	default:
		if long > 1 {
			return p.failf("array order %.20q, expected RowMajorOrder or ColumnMajorOrder", order)
		}
	}
	if columns && s.encoding == ascii {
		return p.failf("text in ColumnMajorOrder, which programs read in different ways; expected RowMajorOrder")
	}
	found := false
	err := p.children(func(c xml.StartElement) (err error) {
		switch c.Name.Local {
		case "MetaData":
			a.Meta, err = p.metaData()
		case "CoordinateSystemTransformMatrix":
			err = p.transform(a)
		case "Data":
			if found {
				return p.failf("two elements Data in one array")
			}
			found = true
			err = p.data(a, s)
		default:
			err = p.skip(c)
		}
		return err
	}, nil)
	if err != nil {
		return err
	}
	if !found && a.Len() > 0 {
		return p.failf("an array without data")
	}
	if columns {
		a.toRows()
	}
	p.Arrays = append(p.Arrays, a)
	return nil
}

// shape reads the dimensions. No dimensions are those of one value.
func (p *parser) shape(e xml.StartElement, a *Array) error {
	word := attribute(e, "Dimensionality")
	rank, err := strconv.Atoi(word)
	if word == "" {
		rank, err = 0, nil
	}
	if err != nil || rank < 0 || rank > 6 {
		return p.failf("dimensionality %.20q, expected 0 to 6", word)
	}
	total := 1
	a.Shape = make([]int, 0, rank)
	for i := range rank {
		word := attribute(e, fmt.Sprintf("Dim%d", i))
		d, err := strconv.Atoi(word)
		if err != nil || d < 0 || d > 0 && total > (1<<40)/d {
			return p.failf("Dim%d is %.20q, expected a number from 0 on, and no more values in all than a file can hold", i, word)
		}
		total *= d
		a.Shape = append(a.Shape, d)
	}
	return nil
}
