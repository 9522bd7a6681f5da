package freesurfer

import "encoding/binary"

// Curv is one value for each vertex of a surface (curv, sulc, thickness, area).
type Curv struct {
	Faces  int // of the surface it belongs to
	Values []float64
	Old    bool // of the format before, which has values of 16 bits in hundredths
}

// ReadCurv reads a file of the new format, which begins with 0xFFFFFF, or of the old one, which begins with the number of
// vertices.
func ReadCurv(path string) (*Curv, error) { return parseCurv(openFields(path, "FreeSurfer curv")) }

func parseCurv(r *fields) (*Curv, error) {
	first := r.int24("the magic number")
	if r.err == nil && first != quadMagic {
		return parseOldCurv(r, first)
	}
	at := r.i
	nv, nf, per := r.int32("the number of vertices"), r.int32("the number of faces"), r.int32("the number of values a vertex")
	if r.err == nil && (nv < 0 || nf < 0 || per != 1) {
		r.failf(at, "%d vertices, %d faces, %d values a vertex; expected one value a vertex", nv, nf, per)
	}
	c := &Curv{Faces: nf}
	for _, v := range r.float32s(nv, "the values") {
		c.Values = append(c.Values, float64(v))
	}
	if err := r.end("the values"); err != nil {
		return nil, err
	}
	return c, nil
}

func parseOldCurv(r *fields, nv int) (*Curv, error) {
	c := &Curv{Faces: r.int24("the number of faces"), Old: true}
	if r.err == nil && !IsOldCurv(r.b, int64(len(r.b))) {
		r.failf(0, "magic number %#06x, expected %#06x, or in the old format the number of vertices, of which %d bytes hold %d",
			nv, quadMagic, len(r.b), max(len(r.b)-6, 0)/2)
	}
	b := r.take(2*nv, "the values")
	if r.err != nil {
		return nil, r.err
	}
	c.Values = make([]float64, nv)
	for i := range c.Values {
		c.Values[i] = float64(int16(binary.BigEndian.Uint16(b[2*i:]))) / 100
	}
	return c, nil
}

// IsOldCurv says whether a file of size bytes that begins with head is a curv file of the old format: it has no mark, but the
// number of vertices in its first three bytes has to give its size.
func IsOldCurv(head []byte, size int64) bool {
	if len(head) < 6 {
		return false
	}
	n := int64(head[0])<<16 | int64(head[1])<<8 | int64(head[2])
	return n > 0 && size == 6+2*n
}
