// Package series prepares volumes in order of time: what is done to fMRI series between the scanner and a linear model.
//
//	volumes [rows, voxels] ──► Detrend ──► ZScore ──┬──► Average over the volumes of a block ──► decoding
//	labels  [rows] ──► Blocks ──► Indicators ───────┴──► Delay ──► encoding
//
// Rows are volumes, row after row without gaps, and run says which run of the scanner each belongs to. No function here
// mixes rows of two runs, and none looks at labels and volumes together, so that a whole series may be prepared before it is
// split into training and test runs.
package series
