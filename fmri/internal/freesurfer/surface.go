package freesurfer

import (
	"bytes"
	"encoding/binary"
	"math"
)

const (
	triangleMagic = 0xfffffe
	quadMagic     = 0xffffff // also that of curv files, which have one value a vertex in the same place
	newQuadMagic  = 0xfffffd
)

// Surface is a triangle mesh.
type Surface struct {
	Comment  string
	Vertices [][3]float32 // millimetres: right, anterior, superior of the volume's centre ("surface RAS")
	Faces    [][3]int32   // vertex numbers, counter-clockwise seen from outside
}

// ReadSurface reads a triangle surface (lh.white, lh.pial, lh.inflated, lh.sphere ...).
func ReadSurface(path string) (*Surface, error) {
	return parseSurface(openFields(path, "FreeSurfer surface"))
}

func parseSurface(r *fields) (*Surface, error) {
	switch magic := r.int24("the magic number"); {
	case r.err != nil:
		return nil, r.err
	case magic == quadMagic, magic == newQuadMagic:
		r.failf(0, "magic number %#06x is of quadrangles or of a curv file, expected a triangle surface (%#06x)", magic, triangleMagic)
	case magic != triangleMagic:
		r.failf(0, "magic number %#06x, expected %#06x (triangle surface)", magic, triangleMagic)
	}
	s := &Surface{}
	s.Comment = r.line()
	if second := r.line(); second != "" {
		s.Comment += "\n" + second
	}
	at := r.i
	nv, nf := r.int32("the number of vertices"), r.int32("the number of faces")
	if r.err == nil && (nv < 0 || nf < 0 || nv > r.left()/12 || nf > r.left()/12 || 12*(nv+nf) > r.left()) {
		r.failf(at, "%d vertices and %d faces of 12 bytes each, the file has %d more bytes", nv, nf, r.left())
	}
	if r.err != nil {
		return nil, r.err
	}
	s.Vertices = make([][3]float32, nv)
	b := r.take(12*nv, "the vertices")
	for i := range s.Vertices {
		for k := range 3 {
			s.Vertices[i][k] = math.Float32frombits(binary.BigEndian.Uint32(b[12*i+4*k:]))
		}
	}
	s.Faces = make([][3]int32, nf)
	at = r.i
	b = r.take(12*nf, "the faces")
	for i := range s.Faces {
		for k := range 3 {
			v := int32(binary.BigEndian.Uint32(b[12*i+4*k:]))
			if v < 0 || int(v) >= nv {
				r.failf(at+12*i+4*k, "face %d has vertex %d, there are %d", i, v, nv)
				return nil, r.err
			}
			s.Faces[i][k] = v
		}
	}
	if at := r.i; r.left() > 0 {
		if tag := r.int32("a tag"); r.err == nil && (tag < 1 || tag > maxTag) {
			r.failf(at, "after the faces comes %d, expected a tag from 1 to %d or the end", tag, maxTag)
		}
	}
	return s, r.err
}

// maxTag is beyond the tags of FreeSurfer's tags.h.
const maxTag = 1000

// line is text up to the next newline, as two of them stand before a surface's numbers.
func (r *fields) line() string {
	const longest = 4096
	if r.err != nil {
		return ""
	}
	n := bytes.IndexByte(r.b[r.i:min(len(r.b), r.i+longest)], '\n')
	if n < 0 {
		r.failf(r.i, "no end of the comment's line within %d bytes", longest)
		return ""
	}
	return string(r.take(n+1, "the comment")[:n])
}
