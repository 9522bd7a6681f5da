// Package matfile reads MATLAB files and writes matrices of doubles. It reads version 5 (what save -v6 and -v7 write:
// numbers, logicals, text, cells, structs; compressed or not; either byte order), version 4 (numbers and text in either byte
// order) and version 7.3, which is HDF5: a variable is the same Array whichever version it comes from.
//
// # Writing
//
//	err := matfile.Write("nsd_expdesign.mat",
//		matfile.Matrix{Name: "masterordering", Dims: []int{1, n}, Data: ordering}, // column-major
//		matfile.Matrix{Name: "subjectim", Dims: []int{8, k}, Data: ids})
//
// # Reading
//
//	f, err := matfile.Open("nsd_expdesign.mat", "subjectim", "sharedix") // no names: everything
//	ids, err := f.Var("subjectim")                                     // *Array, or an error that names the file
//	ints, err := ids.Ints()                                            // exact or an error
//
// Objects, function handles and sparse matrices are kept as an Array of their class whose values cannot be read.
//
// Format: "MAT-File Format", The MathWorks, chapter 1 (levels 5 and 4). Version 7.3 has no published description: what its HDF5
// objects and attributes mean was seen in files.
package matfile
