package freesurfer

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
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
	Vertices [][3]float32 // millimetres: right, anterior, superior of the volume's centre ("surface RAS")
	Faces    [][3]int32   // vertex numbers, counter-clockwise seen from outside
	// Tail is the tags after the faces as they are in the file, among them the geometry of the volume; may be empty.
	Tail []byte
}

// ReadSurface reads a triangle surface (lh.white, lh.pial, lh.inflated, lh.sphere ...).
func ReadSurface(path string) (*Surface, error) {
	r, err := openFields(path, "FreeSurfer surface")
	if err != nil {
		return nil, err
	}
	return parseSurface(r)
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
	s.Tail = bytes.Clone(r.b[r.i:])
	if len(s.Tail) > 0 {
		at := r.i
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

// Geometry is the volume that a surface was made from, as its file's tail says.
type Geometry struct {
	Volume    [3]int
	VoxelSize [3]float64    // millimetres
	Axes      [3][3]float64 // right, anterior, superior of each voxel axis
	Center    [3]float64    // scanner coordinates of the volume's centre: add it to a vertex to get its own
}

// Geometry reads the tail; ok is false if it has no valid volume geometry.
func (s *Surface) Geometry() (g Geometry, ok bool, err error) {
	tail := s.Tail
	switch {
	case bytes.HasPrefix(tail, []byte{0, 0, 0, 20}):
		tail = tail[4:]
	case bytes.HasPrefix(tail, []byte{0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 20}): // vertices in scanner coordinates or not, then it
		tail = tail[12:]
	default:
		return g, false, nil
	}
	values := map[string][3]float64{}
	valid := false
	for _, line := range strings.Split(string(tail), "\n") {
		key, value, found := strings.Cut(line, "=")
		if !found || len(values) == 6 { // other tags follow
			break
		}
		value, _, _ = strings.Cut(value, "#")
		switch key = strings.TrimSpace(key); key {
		case "valid":
			valid = strings.TrimSpace(value) == "1"
		case "volume", "voxelsize", "xras", "yras", "zras", "cras":
			var x [3]float64
			words := strings.Fields(value)
			if len(words) != 3 {
				return g, false, fmt.Errorf("volume geometry: %s is %q, expected three numbers", key, value)
			}
			for i, w := range words {
				if x[i], err = strconv.ParseFloat(w, 64); err != nil {
					return g, false, fmt.Errorf("volume geometry: %s is %q, expected three numbers", key, value)
				}
			}
			values[key] = x
		}
	}
	if !valid || len(values) != 6 {
		return g, false, nil
	}
	for i, v := range values["volume"] {
		g.Volume[i] = int(v)
	}
	g.VoxelSize, g.Center = values["voxelsize"], values["cras"]
	g.Axes = [3][3]float64{values["xras"], values["yras"], values["zras"]}
	return g, true, nil
}
