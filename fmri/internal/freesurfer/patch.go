package freesurfer

import (
	"encoding/binary"
	"math"
)

// Patch is a part of a surface whose vertices were moved: a flat map has z 0 everywhere.
type Patch struct {
	Index  []int32      // vertex numbers in the whole surface
	Border []bool       // whether the vertex lies on the patch's border
	XYZ    [][3]float32 // millimetres
}

// ReadPatch reads a binary patch (lh.full.flat.patch.3d).
func ReadPatch(path string) (*Patch, error) { return parsePatch(openFields(path, "FreeSurfer patch")) }

func parsePatch(r *fields) (*Patch, error) {
	if magic := r.int32("the magic number"); r.err == nil && magic != -1 {
		r.failf(0, "begins with %d, expected -1; patches of the old format are not read", magic)
	}
	n := r.count("vertices", 16)
	at := r.i
	b := r.take(16*n, "the vertices")
	if r.err != nil {
		return nil, r.err
	}
	p := &Patch{Index: make([]int32, n), Border: make([]bool, n), XYZ: make([][3]float32, n)}
	seen := make(map[int32]bool, n)
	for i := range n {
		v := int32(binary.BigEndian.Uint32(b[16*i:]))
		p.Border[i] = v < 0
		if v < 0 {
			v = -v
		}
		if v <= 0 { // also the most negative number, which has no opposite
			r.failf(at+16*i, "vertex %d of the patch has number %d, numbers count from 1", i, v)
			return nil, r.err
		}
		if v--; seen[v] {
			r.failf(at+16*i, "vertex %d is in the patch twice", v)
			return nil, r.err
		}
		seen[v] = true
		p.Index[i] = v
		for k := range 3 {
			p.XYZ[i][k] = math.Float32frombits(binary.BigEndian.Uint32(b[16*i+4+4*k:]))
		}
	}
	return p, r.end("the vertices")
}
