// Package array reads one array of numbers out of a file of any format that brain data come in. It is for data that are not
// laid out as NSD's; package nsd reads those itself.
//
//	names, err := array.Names("roi.mat")
//	a, err := array.Read("roi.mat", "responses")
//
// What the arrays of a file are called:
//
//	HDF5                     a path of groups and a dataset: "g/x"
//	MATLAB                   a variable, or a field of a struct: "stim.responses"
//	npz                      a member
//	npy, NIfTI, MGH, curv    "": there is one
//	CIFTI-2                  "": its matrix, maps or frames by grayordinates or parcels ("dscalar": [maps, grayordinates]); which
//	                         place of the brain each of these is, is not told yet
//	GIFTI                    its intent: "pointset", "triangle", "shape"; the second of a kind is "shape.1"
//	FreeSurfer surface       "vertices" [n, 3], "faces" [n, 3]
//	FreeSurfer patch         "index" [n], "border" [n], "vertices" [n, 3]
//	FreeSurfer annot         "regions" [vertices], rows of the table or -1; "table" [regions, 5]: red, green, blue,
//	                         transparency and the code of that colour
//	FreeSurfer label         "index" [n], "vertices" [n, 3], "values" [n]
//
// What a file is shows in its first bytes, not in its name; only annot files, which have no mark, are known by it, and HDF5 is
// MATLAB's without MATLAB's header where its name ends in .mat and a variable has MATLAB's class. NIfTI, MGH and GIFTI may be
// compressed with gzip, bzip2 or zstd. Values come as float64 in C order, last index fastest; a number that float64 cannot hold exactly is an error, and so is
// anything in a file that is not understood.
package array

import (
	"slices"
)

// Array is numbers in C order.
type Array struct {
	// Shape is slowest first; empty for a scalar. MATLAB's [rows, columns, ...], NIfTI's and MGH's [x, y, z, ...], CIFTI's
	// [map, grayordinate].
	Shape  []int
	Data   []float64      // NIfTI: scaled
	Affine *[4][4]float64 // NIfTI, MGH: voxel index to millimetres; nil otherwise
}

// format is how files of one kind are read.
type format struct {
	what    string
	names   func(path string) ([]string, error)
	read    func(path, name string) (*Array, error)
	inspect func(path string) (Info, error)
}

var (
	isHDF5  = &format{"HDF5", namesHDF5, readHDF5, inspectHDF5}
	isMAT   = &format{"MATLAB", namesMAT, readMAT, inspectMAT}
	isNIfTI = &format{"NIfTI", one, readNIfTI, inspectNIfTI}
	isNPY   = &format{"npy", one, readNPY, inspectNPY}
	isNPZ   = &format{"npz", namesNPZ, readNPZ, inspectNPZ}
	isMGH   = &format{"MGH", one, readMGH, inspectMGH}
	isGIFTI = &format{"GIFTI", namesGIFTI, readGIFTI, inspectGIFTI}
	isCurv  = &format{"curv", one, readCurv, inspectFixed("FreeSurfer curv", readCurv,
		described{"", "float32", 4, vertex})}
	isOldCurv = &format{"curv", one, readCurv, inspectFixed("FreeSurfer curv (old)", readCurv,
		described{"", "int16 scaled by 0.01", 2, vertex})}
	isSurface = &format{"surface", fixed("vertices", "faces"), readSurface, inspectFixed("FreeSurfer surface", readSurface,
		described{"vertices", "float32", 4, coordinates}, described{"faces", "int32", 4, corners})}
	isQuads = &format{"surface", fixed("vertices", "faces"), readSurface, inspectFixed("FreeSurfer surface of quadrangles", readSurface,
		described{"vertices", "float32", 4, coordinates}, halfQuads)}
	isOldQuads = &format{"surface", fixed("vertices", "faces"), readSurface, inspectFixed("FreeSurfer surface of quadrangles (old)",
		readSurface, described{"vertices", "int16 scaled by 0.01", 2, coordinates}, halfQuads)}
	isPatch = &format{"patch", fixed("index", "border", "vertices"), readPatch, inspectFixed("FreeSurfer patch", readPatch,
		described{"index", "int32", 4, vertex}, described{"border", "sign of the index", 0, vertex},
		described{"vertices", "float32", 4, coordinates})}
	isAnnot = &format{"annot", fixed("regions", "table"), readAnnot, inspectFixed("FreeSurfer annot", readAnnot,
		described{"regions", "int32", 4, vertex}, described{"table", "int32", 4, []string{"region", "colour"}})}
	isLabel = &format{"label", fixed("index", "vertices", "values"), readLabel, inspectFixed("FreeSurfer label", readLabel,
		described{"index", "text", 4, vertex}, described{"vertices", "text", 4, coordinates}, described{"values", "text", 4, vertex})}
)

// halfQuads are triangles made of quadrangles: two of four numbers of three bytes.
var halfQuads = described{"faces", "quadrangles of uint24", 2, corners}

func fixed(names ...string) func(string) ([]string, error) {
	return func(string) ([]string, error) { return slices.Clone(names), nil }
}

var one = fixed("")

// Names lists the arrays at the top of a file.
func Names(path string) ([]string, error) {
	f, err := sniff(path)
	if err != nil {
		return nil, err
	}
	return f.names(path)
}

// Read reads an array. The name is ignored where a file holds one without a name.
func Read(path, name string) (*Array, error) {
	f, err := sniff(path)
	if err != nil {
		return nil, err
	}
	return f.read(path, name)
}

// Format is the kind of a file: "HDF5", "MATLAB", "NIfTI", "npy", "npz", "MGH", "GIFTI", "surface", "curv", "patch", "annot"
// or "label".
func Format(path string) (string, error) {
	f, err := sniff(path)
	if err != nil {
		return "", err
	}
	return f.what, nil
}

// known lists the formats for an error.
const known = "HDF5, MATLAB, NIfTI, CIFTI-2, MGH, GIFTI, FreeSurfer's surface, curv, patch, annot and label, npy, npz"
