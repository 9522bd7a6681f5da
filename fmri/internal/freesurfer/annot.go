package freesurfer

import (
	"encoding/binary"
	"slices"
)

// Annot assigns a region to each vertex of a surface.
type Annot struct {
	Regions []int32 // for each vertex, the place of its region in Table; -1 where it has none
	Codes   []int32 // for each vertex the code in the file: the region's colour, red + green·2⁸ + blue·2¹⁶
	Table   []ColorEntry
	Source  string // name of the table that it was made with
}

// ColorEntry is one region of a table of colours.
type ColorEntry struct {
	Number     int
	Name       string
	R, G, B, A uint8 // A is 255 where the region is opaque
}

// code is how an annot file names the region.
func (e ColorEntry) code() int32 { return int32(e.R) | int32(e.G)<<8 | int32(e.B)<<16 }

// ReadAnnot reads an annotation with its table of colours, of the present format (version 2) or the one before.
func ReadAnnot(path string) (*Annot, error) { return parseAnnot(openFields(path, "FreeSurfer annot")) }

func parseAnnot(r *fields) (*Annot, error) {
	n := r.count("vertices", 8)
	at := r.i
	b := r.take(8*n, "the vertices")
	if r.err != nil {
		return nil, r.err
	}
	a := &Annot{Regions: make([]int32, n), Codes: make([]int32, n)}
	seen := make([]bool, n)
	for i := range n {
		v := int32(binary.BigEndian.Uint32(b[8*i:]))
		if v < 0 || int(v) >= n || seen[v] {
			r.failf(at+8*i, "vertex %d is listed, expected each of 0 to %d once", v, n-1)
			return nil, r.err
		}
		seen[v] = true
		a.Codes[v] = int32(binary.BigEndian.Uint32(b[8*i+4:]))
	}
	at = r.i
	if r.left() == 0 {
		r.failf(at, "has no colour table: the file ends after its %d vertices; expected the table, without which their codes name no regions", n)
		return nil, r.err
	}
	if has := r.int32("the mark of a colour table"); r.err == nil && has != 1 {
		r.failf(at, "colour table mark %d, expected 1: an annot file without a table says nothing about its regions", has)
	}
	if err := a.readTable(r); err != nil {
		return nil, err
	}
	if err := r.end("the colour table"); err != nil {
		return nil, err
	}
	place := make(map[int32]int32, len(a.Table))
	for i := len(a.Table) - 1; i >= 0; i-- { // of two with the same colour the first counts
		place[a.Table[i].code()] = int32(i)
	}
	for v, code := range a.Codes {
		if i, ok := place[code]; ok {
			a.Regions[v] = i
		} else {
			a.Regions[v] = -1
		}
	}
	return a, nil
}

func (a *Annot) readTable(r *fields) error {
	const least = 20 // bytes of an entry with an empty name
	at := r.i
	first := r.int32("the colour table")
	n, numbered := first, false
	if first < 0 {
		if r.err == nil && first != -2 {
			r.failf(at, "colour table version %d, known is 2", -int64(first))
		}
		r.int32("the largest number of an entry")
		numbered = true
	}
	a.Source = r.text("the colour table's name")
	if numbered {
		n = r.count("entries", least+4)
	} else if r.err == nil && n > r.left()/least {
		r.failf(at, "%d entries of at least %d bytes, the file has %d more", n, least, r.left())
	}
	if r.err != nil {
		return r.err
	}
	a.Table = make([]ColorEntry, 0, n)
	for i := range n {
		e := ColorEntry{Number: i}
		at := r.i
		if numbered {
			e.Number = r.int32("an entry's number")
		}
		e.Name = r.text("an entry's name")
		var rgbt [4]int
		for k := range rgbt {
			rgbt[k] = r.int32("an entry's colour")
		}
		if r.err != nil {
			return r.err
		}
		if e.Number < 0 || slices.Min(rgbt[:]) < 0 || slices.Max(rgbt[:]) > 255 {
			r.failf(at, "entry %d (%.40q) has number %d and colour %v, expected 0 to 255 each", i, e.Name, e.Number, rgbt)
			return r.err
		}
		e.R, e.G, e.B, e.A = uint8(rgbt[0]), uint8(rgbt[1]), uint8(rgbt[2]), uint8(255-rgbt[3])
		a.Table = append(a.Table, e)
	}
	return nil
}
