// Package matfile reads MATLAB version 5 files (what save -v6 and -v7 write: numbers, logicals, text, cells, structs;
// compressed or not; either byte order) and writes matrices of doubles.
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
// Version 7.3 files are HDF5 and are refused with a message that says so. Objects, function handles and sparse
// matrices are kept as an Array of their class whose values cannot be read.
//
// Format: "MAT-File Format", The MathWorks, chapter 1 (level 5).
package matfile
