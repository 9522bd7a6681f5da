// Package features computes features of pictures and their captions and puts them into files of package table.
//
//	pictures ──► Lanczos to Size ──► vae.Encode ──► mean or sample, scaled ──► z [4, h, w]
//	captions ──► tokens ──► clip.Encode ──► mean over captions, the first, or aligned ──► c [tokens, width]
//
//	Source (NSD, Folder) ┐
//	                     ├──► Write, chunk by chunk ──► z.safetensors, c.safetensors
//	Extractor (Z, C)     ┘
//
// An Extractor is one feature: its name, its shape, what it is made with, and the function from images to values. Whatever can be
// computed of a picture or its captions is one more Extractor; Write does the rest.
package features
