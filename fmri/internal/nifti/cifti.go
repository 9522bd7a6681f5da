package nifti

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"percept/fmri/internal/source"
)

// ciftiCode is the code of the extension that makes a NIfTI-2 file one of CIFTI.
const ciftiCode = 32

// extensions looks among what stands between the header and the voxels of a NIfTI-2 file for CIFTI's.
func (img *Image) extensions(s *source.Stream, fail failer) error {
	at := int64(header2Size + 4)
	for have := !img.pair && img.offset >= at; have && at+8 <= img.offset; {
		b := make([]byte, 4)
		if at == header2Size+4 {
			if err := s.Read(b, "the mark of extensions"); err != nil {
				return err
			}
			if b[0] == 0 {
				break
			}
		}
		b = make([]byte, 8)
		if err := s.Read(b, "an extension"); err != nil {
			return err
		}
		size, code := int64(int32(img.order.Uint32(b))), img.order.Uint32(b[4:])
		if size < 8 || size > img.offset-at {
			return fail(at, "extension of %d bytes, expected 8 to %d", size, img.offset-at)
		}
		if code == ciftiCode {
			var xml bytes.Buffer // grows with what is there
			if n, err := io.CopyN(&xml, s.Reader(), size-8); err != nil {
				return fail(at+8+n, "the file ends inside the CIFTI extension")
			}
			img.cifti = bytes.TrimRight(xml.Bytes(), "\x00")
			break
		}
		if err := s.Skip(size-8, "the voxels"); err != nil {
			return err
		}
		at += size
	}
	if img.cifti == nil && img.intent >= 3000 && img.intent < 3100 {
		return fail(504, "intent %d is one of CIFTI-2, expected an extension of code %d that describes its axes", img.intent, ciftiCode)
	}
	return nil
}

// Matrix is what a CIFTI-2 file says of its matrix, whose first index runs fastest in the file.
type Matrix struct {
	Kind  string   // "dscalar", "dtseries", ...; "" for one that the format does not name
	Shape []int    // the image's dimensions after the four of length 1
	Axes  []string // what each counts: "grayordinate", "parcel", "frame", "map"; nil where the file does not say
}

var ciftiKinds = map[int]string{3001: "dconn", 3002: "dtseries", 3003: "pconn", 3004: "ptseries", 3006: "dscalar", 3007: "dlabel",
	3008: "pscalar", 3009: "pdconn", 3010: "dpconn", 3011: "pconnseries", 3012: "pconnscalar"}

// ciftiAxes are the kinds of axes, and what each counts.
var ciftiAxes = map[string]string{"BRAIN_MODELS": "grayordinate", "PARCELS": "parcel", "SERIES": "frame", "SCALARS": "map", "LABELS": "map"}

// kindsByAxes are the kinds of files by the kinds of their axes, where the intent is not told, as nibabel leaves it.
var kindsByAxes = map[string]string{"BRAIN_MODELS BRAIN_MODELS": "dconn", "SERIES BRAIN_MODELS": "dtseries", "PARCELS PARCELS": "pconn",
	"SERIES PARCELS": "ptseries", "SCALARS BRAIN_MODELS": "dscalar", "LABELS BRAIN_MODELS": "dlabel", "SCALARS PARCELS": "pscalar",
	"PARCELS BRAIN_MODELS": "pdconn", "BRAIN_MODELS PARCELS": "dpconn", "PARCELS PARCELS SERIES": "pconnseries",
	"PARCELS PARCELS SCALARS": "pconnscalar"}

// IsCIFTI says whether the image is a matrix of CIFTI.
func (img *Image) IsCIFTI() bool { return img.cifti != nil }

// CIFTI is the matrix of a CIFTI-2 file. What its axes count is told, which grayordinates or parcels they are is not.
func (img *Image) CIFTI() (*Matrix, error) {
	fail := func(at int64, format string, args ...any) (*Matrix, error) {
		return nil, &FormatError{File: img.name, Format: "CIFTI", Offset: at, Msg: fmt.Sprintf(format, args...)}
	}
	m := &Matrix{Kind: ciftiKinds[img.intent]}
	if len(img.Dims) < 6 || slices.Max(img.Dims[:4]) > 1 {
		return fail(16, "dimensions %v, expected four of 1 and then those of a matrix", img.Dims)
	}
	m.Shape = img.Dims[4:]
	kinds := make([]string, len(m.Shape))
	d := xml.NewDecoder(bytes.NewReader(img.cifti))
	for version := ""; ; {
		t, err := d.Token()
		if err == io.EOF && version != "" {
			break
		}
		if err != nil {
			return fail(header2Size+12+d.InputOffset(), "extension: %v", err)
		}
		e, ok := t.(xml.StartElement)
		switch {
		case !ok:
		case e.Name.Local == "CIFTI":
			version = xmlAttribute(e, "Version")
			if version != "2" && !strings.HasPrefix(version, "2.") {
				return fail(header2Size+12, "version %.20q, expected 2", version)
			}
		case e.Name.Local == "MatrixIndicesMap":
			kind := strings.TrimPrefix(xmlAttribute(e, "IndicesMapToDataType"), "CIFTI_INDEX_TYPE_")
			for word := range strings.SplitSeq(xmlAttribute(e, "AppliesToMatrixDimension"), ",") {
				if i, err := strconv.Atoi(strings.TrimSpace(word)); err == nil && i >= 0 && i < len(kinds) {
					kinds[i] = kind
				}
			}
			if err := d.Skip(); err != nil {
				return fail(header2Size+12+d.InputOffset(), "extension: %v", err)
			}
		}
	}
	if m.Kind == "" {
		m.Kind = kindsByAxes[strings.Join(kinds, " ")]
	}
	for _, kind := range kinds {
		if ciftiAxes[kind] == "" {
			m.Axes = nil
			break
		}
		m.Axes = append(m.Axes, ciftiAxes[kind])
	}
	return m, nil
}

func xmlAttribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
