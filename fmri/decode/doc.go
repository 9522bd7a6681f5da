// Package decode turns brain responses into pictures, as Takagi & Nishimoto (CVPR 2023) do: ridge
// regression from early visual cortex to the image latent z and from higher visual cortex to the
// text conditioning c, then image-to-image diffusion from ẑ under ĉ.
//
//	early  [images, voxels] ──► ridge ──► ẑ [images, 4·h·w] ──► decode, encode ──► noise ──┐
//	higher [images, voxels] ──► ridge ──► ĉ [images, T·D] ────────────────────────► denoise ──► pictures
//
// FitTargets fits one feature, whatever it is, in bounded memory; a Model is what a fit leaves in a file, with the voxels and
// everything else that it was made of; Diagnose says what decoded features are worth: how well they correlate with the true
// ones, how much of the variance and of the dimensions is left, and whether they are more like a training image.
//
// Source: the authors' released code, diffusion_sd1/diffusion_decoding.py and utils/ridge.py.
package decode
