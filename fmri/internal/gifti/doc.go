// Package gifti reads GIFTI files (.gii, .gii.gz): surfaces, maps of values on a surface, label maps.
//
//	f, err := gifti.Open("white_left.gii.gz")
//	x, err := f.Arrays[0].Float64s()             // in C order
//
// Data as text, as base64 and as base64 of a zlib stream are read, in either byte and axis order. Data in other files are
// refused.
//
// Format: "GIFTI Surface Data Format", version 1.0, NITRC.
package gifti
