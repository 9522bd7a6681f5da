package freesurfer

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
)

const (
	triangleMagic = 0xfffffe
	quadMagic     = 0xffffff // also that of curv files, which have one value a vertex in the same place
	newQuadMagic  = 0xfffffd
)

// Surface is a triangle mesh.
type Surface struct {
	Comment  string
	Vertices [][3]float64 // millimetres: right, anterior, superior of the volume's centre ("surface RAS")
	Faces    [][3]int32   // vertex numbers, counter-clockwise seen from outside
}

// ReadSurface reads a surface of triangles (lh.white, lh.pial, lh.inflated, lh.sphere ...) or of quadrangles, each of which
// becomes two triangles as in FreeSurfer and nibabel.
func ReadSurface(path string) (*Surface, error) {
	return parseSurface(openFields(path, "FreeSurfer surface"))
}

func parseSurface(r *fields) (*Surface, error) {
	s := &Surface{}
	switch magic := r.int24("the magic number"); {
	case r.err != nil:
		return nil, r.err
	case magic == quadMagic, magic == newQuadMagic:
		s.quadrangles(r, magic)
	case magic == triangleMagic:
		s.Comment = r.comment()
		s.triangles(r)
	default:
		r.failf(0, "magic number %#06x, expected %#06x (triangles), %#06x or %#06x (quadrangles)", magic, triangleMagic, quadMagic, newQuadMagic)
	}
	if at := r.i; r.left() > 0 {
		if tag := r.int32("a tag"); r.err == nil && !isTag(tag) {
			r.failf(at, "after the faces comes %d, expected a tag from 1 to %d or the end", tag, maxTag)
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	return s, nil
}

// maxTag is beyond the tags of FreeSurfer's tags.h.
const maxTag = 1000

func isTag(n int) bool { return n >= 1 && n <= maxTag }

func (s *Surface) triangles(r *fields) {
	at := r.i
	nv, nf := r.int32("the number of vertices"), r.int32("the number of faces")
	if r.err == nil && !hold(nv, nf, 12, 12, r.left()) {
		r.failf(at, "%d vertices and %d faces of 12 bytes each, the file has %d more bytes", nv, nf, r.left())
	}
	s.vertices(r, nv)
	at = r.i
	b := r.take(12*nf, "the faces")
	if r.err != nil {
		return
	}
	s.Faces = make([][3]int32, nf)
	for i := range s.Faces {
		for k := range 3 {
			v := int32(binary.BigEndian.Uint32(b[12*i+4*k:]))
			if v < 0 || int(v) >= nv {
				r.failf(at+12*i+4*k, "face %d has vertex %d, there are %d", i, v, nv)
				return
			}
			s.Faces[i][k] = v
		}
	}
}

// hold says whether vertices and faces of the given sizes fit into n bytes.
func hold(vertices, faces, vertexBytes, faceBytes, n int) bool {
	return vertices >= 0 && faces >= 0 && vertices <= n/vertexBytes && faces <= (n-vertexBytes*vertices)/faceBytes
}

// vertices reads coordinates of 32 bits.
func (s *Surface) vertices(r *fields, n int) {
	b := r.take(12*n, "the vertices")
	if r.err != nil {
		return
	}
	s.Vertices = make([][3]float64, n)
	for i := range s.Vertices {
		for k := range 3 {
			s.Vertices[i][k] = float64(math.Float32frombits(binary.BigEndian.Uint32(b[12*i+4*k:])))
		}
	}
}

// quadrangles reads the format before triangles: counts and faces in numbers of three bytes, no comment, and coordinates as
// floats or, in the oldest, as hundredths of a millimetre.
func (s *Surface) quadrangles(r *fields, magic int) {
	at := r.i
	nv, nq := r.int24("the number of vertices"), r.int24("the number of quadrangles")
	size := quadVertexBytes(magic)
	if r.err == nil && !hold(nv, nq, size, 12, r.left()) {
		r.failf(at, "%d vertices of %d bytes and %d quadrangles of 12, the file has %d more bytes", nv, size, nq, r.left())
	}
	if magic == newQuadMagic {
		s.vertices(r, nv)
	} else if b := r.take(6*nv, "the vertices"); r.err == nil {
		s.Vertices = make([][3]float64, nv)
		for i := range s.Vertices {
			for k := range 3 {
				s.Vertices[i][k] = float64(int16(binary.BigEndian.Uint16(b[6*i+2*k:]))) / 100
			}
		}
	}
	at = r.i
	if r.err != nil {
		return
	}
	s.Faces = make([][3]int32, 0, 2*nq)
	for i := range nq {
		var q [4]int32
		for k := range q {
			q[k] = int32(r.int24("the quadrangles"))
			if int(q[k]) >= nv {
				r.failf(at+12*i+3*k, "quadrangle %d has vertex %d, there are %d", i, q[k], nv)
				return
			}
		}
		if q[0]%2 == 0 { // the diagonal is FreeSurfer's choice, by the first vertex
			s.Faces = append(s.Faces, [3]int32{q[0], q[1], q[3]}, [3]int32{q[2], q[3], q[1]})
		} else {
			s.Faces = append(s.Faces, [3]int32{q[0], q[1], q[2]}, [3]int32{q[0], q[2], q[3]})
		}
	}
}

func quadVertexBytes(magic int) int { return map[int]int{quadMagic: 6, newQuadMagic: 12}[magic] }

// IsOldQuadrangles says whether a file of size bytes that begins with head is a surface of quadrangles in hundredths. Their
// magic number is that of curv files as well: the counts decide, which have to give the size.
func IsOldQuadrangles(head []byte, size int64) bool {
	if len(head) < 9 {
		return false
	}
	n := func(at int) int { return int(head[at])<<16 | int(head[at+1])<<8 | int(head[at+2]) }
	return n(0) == quadMagic && int64(9+quadVertexBytes(quadMagic)*n(3)+12*n(6)) == size && !isCurv(head, size)
}

// isCurv says whether the counts of a curv file give the size.
func isCurv(head []byte, size int64) bool {
	return len(head) >= 15 && 15+4*int64(int32(binary.BigEndian.Uint32(head[3:]))) == size
}

// comment reads the text before a surface's numbers. FreeSurfer's programs end it with one newline or with two, and some
// comments have a second line: the numbers are right behind the first line, behind all white space there, or behind the second
// line, where they fit the file. Where none do it is damaged, and the smallest ones are those that are told.
func (r *fields) comment() string {
	first := r.line()
	if r.err != nil {
		return ""
	}
	rest := r.b[r.i:]
	blank := len(rest) - len(bytes.TrimLeft(rest, " \t\r\n\v\f"))
	second := bytes.IndexByte(rest[:min(len(rest), longestLine)], '\n') + 1
	best, least := 0, math.MaxInt
	for _, skip := range []int{0, blank, second} {
		fit, n := r.counts(r.i + skip)
		if fit {
			best = skip
			break
		}
		if n < least {
			best, least = skip, n
		}
	}
	text := string(r.take(best, "the comment"))
	if text = strings.TrimSuffix(text, "\n"); strings.TrimSpace(text) != "" {
		first += "\n" + text
	}
	return first
}

// counts says whether the numbers of vertices and faces at a place are those of the rest of the file, and their sum.
func (r *fields) counts(at int) (fit bool, n int) {
	if len(r.b)-at < 8 {
		return false, math.MaxInt
	}
	nv, nf := int(int32(binary.BigEndian.Uint32(r.b[at:]))), int(int32(binary.BigEndian.Uint32(r.b[at+4:])))
	if nv < 0 || nf < 0 {
		return false, math.MaxInt
	}
	left := len(r.b) - at - 8
	if !hold(nv, nf, 12, 12, left) {
		return false, nv + nf
	}
	end := len(r.b) - (left - 12*(nv+nf))
	return end == len(r.b) || end+4 <= len(r.b) && isTag(int(int32(binary.BigEndian.Uint32(r.b[end:])))), nv + nf
}

const longestLine = 4096 // bytes of a comment

// line is text up to the next newline.
func (r *fields) line() string {
	if r.err != nil {
		return ""
	}
	n := bytes.IndexByte(r.b[r.i:min(len(r.b), r.i+longestLine)], '\n')
	if n < 0 {
		r.failf(r.i, "no end of the comment's line within %d bytes", longestLine)
		return ""
	}
	return string(r.take(n+1, "the comment")[:n])
}
