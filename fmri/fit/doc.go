// Package fit fits one table to another by ridge regression, in bounded memory, and keeps the model in one file.
//
//	x [rows, voxels]   ──┐
//	y [rows, features] ──┴─► Join by image ──► Fit ──► Model ──► Predict(x of new rows) ──► ŷ [rows, features]
//
// Decoding is Fit(responses, features), encoding is Fit(features, responses): the same options, the same file, the same
// refusal of other voxels or another feature. Rows meet by their images, columns by their coordinates. Targets that do not fit
// into Options.Ridge.MaxMemory together are fitted in slabs of columns, which are read one after the other, so that y may be
// larger than memory. Save leaves the model in a file, and leaves a file alone that is the very model already.
//
// Source: Takagi & Nishimoto, CVPR 2023, and the code released with it (utils/ridge.py), which Options.Takagi follows.
package fit
