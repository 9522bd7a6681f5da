// Package golden reads reference values and compares results with them.
//
//	torch, diffusers, numpy, … ──► x.safetensors ──► OpenFile ──► File.Float32, Read ──► Distance, Error.Tolerance
//	                                             └─► Open(t) ──► the same for tests, which end where something is wrong
//
// Values of models were made in float64 and rounded once to float32; their weights come from package synth, so that none
// are stored. sample.py makes the files in the models' testdata. Package testing is not part of a program that compares.
package golden

// Seed is the one of package synth in the reference runs.
const Seed = 0x53445f31
