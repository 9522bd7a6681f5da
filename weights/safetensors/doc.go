// Package safetensors reads and writes the container of that name: named tensors behind a header of JSON.
//
//	Write, Stream ──► x.safetensors ──► Open ──► File ──► Info, Metadata   the header
//	                                              ├─────► Bytes            the mapped file, for reading rows in place
//	                                              └─────► Float32, …       a tensor, converted
//
// A file that is not as the specification says is refused: tensors cover the data without a gap, and no name occurs twice.
// One that is written appears complete or not at all, and the same tensors give the same bytes, which are those of the
// reference library. Source: https://github.com/huggingface/safetensors#format.
//
// Errors begin with "weights: " and the file's name, as those of package weights, which reads checkpoints in this format.
package safetensors
