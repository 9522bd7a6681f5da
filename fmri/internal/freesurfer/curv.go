package freesurfer

import (
	"encoding/binary"
	"math"

	"percept/internal/atomicfile"
)

// Curv is one value for each vertex of a surface (curv, sulc, thickness, area).
type Curv struct {
	Faces  int // of the surface it belongs to
	Values []float32
}

// ReadCurv reads a file of the new format, which begins with 0xFFFFFF.
func ReadCurv(path string) (*Curv, error) {
	r, err := openFields(path, "FreeSurfer curv")
	if err != nil {
		return nil, err
	}
	return parseCurv(r)
}

func parseCurv(r *fields) (*Curv, error) {
	if magic := r.int24("the magic number"); r.err == nil && magic != quadMagic {
		r.failf(0, "magic number %#06x, expected %#06x; files of the old format, with 16-bit values, are not read", magic, quadMagic)
	}
	at := r.i
	nv, nf, per := r.int32("the number of vertices"), r.int32("the number of faces"), r.int32("the number of values a vertex")
	if r.err == nil && (nv < 0 || nf < 0 || per != 1) {
		r.failf(at, "%d vertices, %d faces, %d values a vertex; expected one value a vertex", nv, nf, per)
	}
	c := &Curv{Faces: nf, Values: r.float32s(nv, "the values")}
	if err := r.end("the values"); err != nil {
		return nil, err
	}
	return c, nil
}

// WriteCurv writes a file that appears at path when it is complete.
func WriteCurv(path string, c *Curv) error {
	w, err := atomicfile.CreateStream(path, false)
	if err != nil {
		return err
	}
	defer w.Abort()
	be := binary.BigEndian
	b := []byte{0xff, 0xff, 0xff}
	b = be.AppendUint32(b, uint32(len(c.Values)))
	b = be.AppendUint32(b, uint32(c.Faces))
	b = be.AppendUint32(b, 1)
	for _, v := range c.Values {
		b = be.AppendUint32(b, math.Float32bits(v))
	}
	if _, err := w.Write(b); err != nil {
		return err
	}
	return w.Close()
}
