// Package decode turns brain responses into pictures, as Takagi & Nishimoto (CVPR 2023) do: ridge
// regression from early visual cortex to the image latent z and from higher visual cortex to the
// text conditioning c, then image-to-image diffusion from ẑ under ĉ.
//
//	early  [images, voxels] ──► ridge ──► ẑ [images, 4·h·w] ──► decode, encode ──► noise ──┐
//	higher [images, voxels] ──► ridge ──► ĉ [images, T·D] ────────────────────────► denoise ──► pictures
//
// Source: the authors' released code, diffusion_sd1/diffusion_decoding.py and utils/ridge.py.
package decode
