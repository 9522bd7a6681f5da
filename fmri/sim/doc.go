// Package sim writes experiments with a known brain, in the folders and formats of the Natural
// Scenes Dataset.
//
//	seed ── scene.Random ──> pictures ──┬── receptive fields ──> early voxels ──┐
//	                                    └── labels ── tuning ──> higher voxels ─┤ + noise, sessions
//	                                                                            └──> betas, int16 HDF5
//
// Write makes the whole tree: pictures, captions, design, behaviour, regions and betas of a few
// subjects, so that everything that reads NSD can be run, and judged, where NSD is not at hand. What
// the brains are made of goes into the folder truth, which no decoder may read.
//
// # The model
//
// It is the standard model of the field in its plainest form, not a model of anybody's cortex.
//
// Early voxels (label 1 of streams; V1v to hV4 in prf-visualrois) weigh luminance, colour opponency,
// contrast and the energy of oriented Gabor filters (Kay et al. 2008, doi:10.1038/nature06713) by a
// Gaussian receptive field (Dumoulin and Wandell 2008, doi:10.1016/j.neuroimage.2007.09.034), then
// compress (Kay et al. 2013, doi:10.1152/jn.00105.2013). Each hemisphere sees the opposite half of
// the picture, ventral cortex the upper half; fields grow with eccentricity and from V1 to hV4. The
// picture spans 8.4 degrees.
//
// Higher voxels (labels 5 ventral, 6 lateral, 7 parietal) weigh what is in the scene: kinds of
// things, colours, numbers, light and ground, by sparse random weights which neighbours partly
// share, as category-selective patches do. Where things are is nothing to them.
//
// Voxels of the middle stages (labels 2 to 4) add both in equal parts, through large fields.
//
// A beta is, in percent signal change,
//
//	offset(voxel, session) + gain(session)·(a·s + noise),  noise of standard deviation a/ncsnr
//
// with s the noise-free response, of mean 0 and variance 1 over the subject's pictures. A quarter
// of the noise variance is shared over the brain, smooth in space and slow in time. Betas are stored
// times 300, rounded, clipped; they are 0 outside the brain and, in all sessions, in one voxel of
// early cortex, such as NSD has too. Voxels of the brain without a streams label hold noise.
//
// The ncsnr.nii.gz of the tree is estimated from the betas that were written, as NSD's is; the
// stated one is in truth.
//
// # What can be decoded
//
// Ridge regression on 240 pictures, tested on 40: how often a decoded picture is more like the seen
// one than like another (chance 0.5). Where is the luminance along each row, what is the kinds of
// things. TestWhatAndWhereCanBeDecoded computes it.
//
//	                 where   what
//	early voxels      0.90   0.82
//	higher voxels     0.66   0.97
//
// Higher voxels know a little of where, because the sun stands high and boats lie low; early ones
// know a good deal of what, because water is blue.
//
// # Differences from NSD
//
// Pictures are 96×96 and drawn (package scene), sessions and volumes are small, only the subjects
// that exist have rows in subjectim, and there are no surfaces.
package sim
