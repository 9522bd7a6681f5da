// Package nsd reads a tree of the Natural Scenes Dataset (Allen et al. 2022, doi:10.1038/s41593-021-00962-x). It is
// the only place that knows the dataset's paths, 1-based ids and recording sessions.
//
//	responses.tsv ──► Trials ◄── checked ── nsd_expdesign.mat ──► Design: shared images
//	                    │
//	roi/*.nii.gz ──► ROIs, Region ──► SessionFile.Read ◄── betas_sessionNN.hdf5, .nii.gz, lh. and rh. .mgh
//	nsd_stimuli.hdf5 ──► Stimulus        nsd_stim_info_merged.csv, captions_*.json ──► Captions
//
// Nothing is assumed that the dataset does not promise: any number of sessions, with gaps; any number of trials in a
// session; any image and volume size; any number of images, repeats and shared images.
//
// A SessionFile has the betas of one session as they are stored. Package prepare scales, averages and splits those of all
// sessions, of any size, and package doctor says what a tree has.
package nsd

import "percept/fmri"

// ImageID is the 0-based number of one of the dataset's images (73,000 in the original).
type ImageID = fmri.ImageID

// ImageIDFrom73k turns the dataset's 1-based "73k id", which responses.tsv and nsd_expdesign.mat use, into an ImageID.
// It is the one place where this conversion is made.
func ImageIDFrom73k(id int) ImageID { return ImageID(id - 1) }

// To73k is the way back, for files that want the dataset's own id.
func To73k(id ImageID) int { return int(id) + 1 }
