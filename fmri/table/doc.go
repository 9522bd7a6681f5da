// Package features keeps one feature of many images in one file: rows of numbers, the images that they are of, and a sum of
// every few rows. Files are larger than memory: they are written part by part, go on where a killed process stopped, and are
// read in slabs.
//
//	Create ──► Writer.Put, chunk by chunk ──► c.safetensors.part ──► Finish ──► c.safetensors ──► Open, File.Rows
//
// # The file
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
