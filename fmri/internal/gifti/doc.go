// Package gifti reads GIFTI files (.gii, .gii.gz): surfaces, maps of values on a surface, label maps.
//
//	f, err := gifti.Open("white_left.gii.gz")
//	x, err := f.Arrays[0].Float64s()             // in C order
//
// Data as text, as base64, as base64 of a zlib stream and in files beside this one are read, in either byte and axis order.
// Text in ColumnMajorOrder with more than one axis is refused: programs disagree about it.
//
// Format: "GIFTI Surface Data Format", version 1.0, NITRC.
package gifti
