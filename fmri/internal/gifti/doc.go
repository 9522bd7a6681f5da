// Package gifti reads GIFTI files (.gii, .gii.gz): surfaces, maps of values on a surface, label maps; and writes maps.
//
//	f, err := gifti.Open("white_left.gii.gz")
//	vertices, faces, err := f.Surface()          // of a surface
//	x, err := f.Arrays[0].Float64s()             // of any array, in C order
//
//	err = gifti.WriteMaps("lh.r.func.gii", gifti.CortexLeft, gifti.Map{Name: "r", Values: r})
//
// Data as text, as base64 and as base64 of a zlib stream are read, in either byte and axis order. Data in other files are
// refused.
//
// Format: "GIFTI Surface Data Format", version 1.0, NITRC.
package gifti
