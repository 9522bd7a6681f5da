package freesurfer

// Curv is one value for each vertex of a surface (curv, sulc, thickness, area).
type Curv struct {
	Faces  int // of the surface it belongs to
	Values []float32
}

// ReadCurv reads a file of the new format, which begins with 0xFFFFFF.
func ReadCurv(path string) (*Curv, error) { return parseCurv(openFields(path, "FreeSurfer curv")) }

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
