package gifti

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"percept/fmri/internal/source"
)

const (
	format   = "GIFTI"
	maxFile  = 1 << 32 // bytes of XML
	maxDepth = 16      // of elements in one another; GIFTI has 5
)

// Open reads a file; whether it is compressed shows in its first bytes, not in its name.
func Open(path string) (*File, error) {
	f, err := source.Open(path, format)
	if err != nil {
		return nil, err
	}
	return read(f, filepath.Dir(path))
}

// Parse is Open on the bytes of a file; name is used in errors.
func Parse(name string, b []byte) (*File, error) {
	f, err := source.Bytes(name, format, b)
	if err != nil {
		return nil, err
	}
	return read(f, "")
}

// read parses a file; folder is where the files are that it names, "" for none.
func read(src *source.File, folder string) (*File, error) {
	s, err := src.Stream()
	if err != nil {
		return nil, err
	}
	defer s.Close()
	in := &io.LimitedReader{R: s.Reader(), N: maxFile}
	p := &parser{File: &File{name: src.Name}, folder: folder, dec: xml.NewDecoder(in)}
	p.dec.CharsetReader = charset
	if err := p.document(); err != nil {
		return nil, err
	}
	if err := s.Drain("the XML"); err != nil {
		return nil, err
	}
	return p.File, nil
}

// charset passes text through whose other letters do not matter: numbers and names of tags are ASCII.
func charset(label string, in io.Reader) (io.Reader, error) {
	switch strings.ToLower(label) {
	case "us-ascii", "ascii", "iso-8859-1", "latin1":
		return in, nil
	}
	return nil, fmt.Errorf("character set %q, expected UTF-8", label)
}

type parser struct {
	*File
	folder string // of the file
	dec    *xml.Decoder
	depth  int
}

func (p *parser) failf(format string, args ...any) error {
	return &FormatError{File: p.name, Format: "GIFTI", Offset: p.dec.InputOffset(), Msg: fmt.Sprintf(format, args...)}
}

// token is the next start, end or text; nil at the end of the file.
func (p *parser) token() (xml.Token, error) {
	for {
		t, err := p.dec.Token()
		switch {
		case errors.Is(err, io.EOF):
			return nil, nil
		case err != nil && strings.HasSuffix(err.Error(), "unexpected EOF"): // from the reader or as a syntax error
			return nil, p.failf("the file ends inside the XML")
		case err != nil:
			return nil, p.failf("XML: %s", strings.ReplaceAll(err.Error(), "\n", " "))
		}
		switch t.(type) {
		case xml.StartElement:
			if p.depth++; p.depth > maxDepth {
				return nil, p.failf("elements more than %d deep", maxDepth)
			}
			return t, nil
		case xml.EndElement:
			p.depth--
			return t, nil
		case xml.CharData:
			return t, nil
		}
	}
}

// children calls start for every element inside the present one and text for the text in it.
func (p *parser) children(start func(e xml.StartElement) error, text func(b []byte)) error {
	for {
		t, err := p.token()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case nil:
			return p.failf("the file ends inside the XML")
		case xml.EndElement:
			return nil
		case xml.CharData:
			if text != nil {
				text(t)
			}
		case xml.StartElement:
			if err := start(t); err != nil {
				return err
			}
		}
	}
}

// skip passes over the present element.
func (p *parser) skip(xml.StartElement) error { return p.children(p.skip, nil) }

// text is the text of the present element.
func (p *parser) text() (string, error) {
	var b strings.Builder
	err := p.children(p.skip, func(t []byte) { b.Write(t) })
	return strings.TrimSpace(b.String()), err
}

func (p *parser) document() error {
	for {
		t, err := p.token()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case nil:
			return p.failf("no element GIFTI: not a GIFTI file")
		case xml.CharData:
			if strings.TrimSpace(strings.TrimPrefix(string(t), "\ufeff")) != "" {
				return p.failf("text before the first element: not a GIFTI file")
			}
		case xml.StartElement:
			if t.Name.Local != "GIFTI" {
				return p.failf("element %.40q, expected GIFTI", t.Name.Local)
			}
			return p.gifti(t)
		}
	}
}

// attribute is an attribute's value, "" where it is missing.
func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return strings.TrimSpace(a.Value)
		}
	}
	return ""
}

func (p *parser) gifti(e xml.StartElement) error {
	arrays := attribute(e, "NumberOfDataArrays")
	err := p.children(func(e xml.StartElement) (err error) {
		switch e.Name.Local {
		case "MetaData":
			p.Meta, err = p.metaData()
		case "LabelTable":
			err = p.labelTable()
		case "DataArray":
			err = p.dataArray(e)
		default:
			err = p.skip(e)
		}
		return err
	}, nil)
	if err != nil {
		return err
	}
	if n, err := strconv.Atoi(arrays); arrays != "" && (err != nil || n != len(p.Arrays)) {
		return p.failf("%d arrays, the file says %.20s", len(p.Arrays), arrays)
	}
	for { // nothing but white space may follow
		t, err := p.token()
		if t == nil || err != nil {
			return err
		}
		if text, ok := t.(xml.CharData); !ok || strings.TrimSpace(string(text)) != "" {
			return p.failf("more after the end of GIFTI")
		}
	}
}

func (p *parser) metaData() (map[string]string, error) {
	meta := map[string]string{}
	err := p.children(func(e xml.StartElement) error {
		if e.Name.Local != "MD" {
			return p.skip(e)
		}
		var name, value string
		err := p.children(func(e xml.StartElement) (err error) {
			switch e.Name.Local {
			case "Name":
				name, err = p.text()
			case "Value":
				value, err = p.text()
			default:
				err = p.skip(e)
			}
			return err
		}, nil)
		meta[name] = value
		return err
	}, nil)
	return meta, err
}

func (p *parser) labelTable() error {
	return p.children(func(e xml.StartElement) error {
		if e.Name.Local != "Label" {
			return p.skip(e)
		}
		var l Label
		var err error
		key := attribute(e, "Key")
		if key == "" {
			key = attribute(e, "Index") // of early files
		}
		if l.Key, err = strconv.Atoi(key); err != nil {
			return p.failf("label with key %.20q", key)
		}
		for _, c := range []struct {
			name string
			to   *float64
		}{{"Red", &l.R}, {"Green", &l.G}, {"Blue", &l.B}, {"Alpha", &l.A}} {
			v := attribute(e, c.name)
			if v == "" {
				continue
			}
			if *c.to, err = strconv.ParseFloat(v, 64); err != nil || !(*c.to >= 0 && *c.to <= 1) {
				return p.failf("label %d: %s is %.20q, expected 0 to 1", l.Key, c.name, v)
			}
		}
		l.Name, err = p.text()
		p.Labels = append(p.Labels, l)
		return err
	}, nil)
}
