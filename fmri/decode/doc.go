// Package decode turns decoded features into pictures, as Takagi & Nishimoto (CVPR 2023) do: image-to-image diffusion from ẑ,
// which ridge regression predicts from early visual cortex, under ĉ, which it predicts from higher visual cortex.
//
//	ẑ [images, 4, h, w] ──► decode, encode ──► noise ──┐
//	ĉ [images, tokens, width] ──────────────────► denoise ──► pictures
//
// Package fit predicts, package diagnose says what predictions are worth; this one alone drives a network.
//
// Source: the authors' released code, diffusion_sd1/diffusion_decoding.py.
package decode
