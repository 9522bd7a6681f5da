// Package table has the noun of the brain side: a row for each image (or trial), a column for each voxel or each value of a
// feature.
//
//	features file ──┐                                           ┌──► Slab, Matrix, Open: values
//	prepared folder ┼──► Table{Rows, Cols, Sum} ──► views ──────┤
//	array, memory ──┘      Take, Shuffled, ByImage,             └──► Join: two tables with the same rows
//	                       Region, Select, Beside
//
// A Table knows its rows (image, trials behind a mean, session, name), its columns (a feature with its tensor shape, or voxels
// with subject, space, scale, coordinates and regions) and where it came from (a sum that manifests and models cite). Its
// values are float32 and are read when they are asked for, by rows and by slabs of columns: a table may be larger than memory.
// Views hold no values of their own.
//
// # The file of a feature
//
// One feature of many images in one file: rows of numbers, the images that they are of, and a sum of every few rows. It is
// written part by part, goes on where a killed process stopped, may be made in shards, and is read in slabs.
//
//	Create ──► Writer.Put, chunk by chunk ──► c.safetensors.part ──► Finish ──► c.safetensors ──► OpenFile, OpenFeatures
//
// It is a safetensors file, which its Python library maps and reads in slabs as well:
//
//	images  I32 [n]             0-based image of each row (NSD's 73k id - 1), in the order asked for
//	values  F32 or F16 [n, …]   the feature of each image
//	sums    U8 [chunks, 32]     sha256 of the bytes of each ChunkRows rows of values
//	names   U8 [bytes]          for pictures of a folder: their file names, one a line
//
// The header's metadata says what the numbers were made of and how: the keys of Spec.Meta, and
//
//	feature         its name, such as z or c
//	format          the version of this description, 1
//	rows_per_chunk  ChunkRows
//	request         sha256 of all images that were asked for, as int32: the same for all shards of a feature
//	shard           k/n, only in a part of a feature that n processes make
//
// The same spec and values give the same bytes, also if they were made in shards and merged.
package table
