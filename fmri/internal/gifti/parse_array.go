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
	var ok bool
	if a.kind, ok = kinds[a.Type]; !ok {
		return p.failf("data type %.40q cannot be read; known are integers of 8 to 64 bits, float32 and float64", a.Type)
	}
	rank, err := strconv.Atoi(attribute(e, "Dimensionality"))
	if err != nil || rank < 1 || rank > 6 {
		return p.failf("dimensionality %.20q, expected 1 to 6", attribute(e, "Dimensionality"))
	}
	total := 1
	for i := range rank {
		word := attribute(e, fmt.Sprintf("Dim%d", i))
		d, err := strconv.Atoi(word)
		if err != nil || d < 0 || d > 0 && total > (1<<40)/d {
			return p.failf("Dim%d is %.20q", i, word)
		}
		total *= d
		a.Shape = append(a.Shape, d)
	}
	switch endian := attribute(e, "Endian"); endian {
	case "LittleEndian":
		a.order = binary.LittleEndian
	case "BigEndian":
		a.order = binary.BigEndian
	default:
		if attribute(e, "Encoding") != "ASCII" {
			return p.failf("endian %.20q, expected LittleEndian or BigEndian", endian)
		}
		a.order = binary.LittleEndian
	}
	columns := false
	switch order := attribute(e, "ArrayIndexingOrder"); order {
	case "RowMajorOrder":
	case "ColumnMajorOrder":
		columns = true
	default:
		if rank > 1 {
			return p.failf("array order %.20q, expected RowMajorOrder or ColumnMajorOrder", order)
		}
	}
	if columns && rank > 1 && attribute(e, "Encoding") == "ASCII" {
		return p.failf("text in ColumnMajorOrder, which programs read in different ways; expected RowMajorOrder")
	}
	found := false
	err = p.children(func(c xml.StartElement) (err error) {
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
			err = p.data(a, attribute(e, "Encoding"))
		default:
			err = p.skip(c)
		}
		return err
	}, nil)
	if err != nil {
		return err
	}
	if !found {
		return p.failf("an array without data")
	}
	if columns {
		a.toRows()
	}
	p.Arrays = append(p.Arrays, a)
	return nil
}
