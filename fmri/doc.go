// Package fmri has the nouns that every part of the brain side shares: subjects, images, voxel masks and regions.
//
//	Region{Mask} ──► nsd/prepare ──► table.Table [images, voxels] ──► fit
//
// Everything is 0-based.
package fmri
