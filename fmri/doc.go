// Package fmri has the nouns that every part of the brain side shares: subjects, voxel masks, ROIs, responses, and
// splits into training and test rows.
//
//	betas on disk ──► nsd ──► Responses [trials, voxels] ──► Average ──► Responses [images, voxels] ──► Split
//
// Everything is 0-based. Responses are in percent signal change unless they were z-scored.
package fmri
