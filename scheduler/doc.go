// Package scheduler holds the noise schedules and samplers of diffusion models as plain mathematics on
// slices: no tensors, no model, no random state of its own.
//
//	noise ──► x_T ──► [ eps = model(x, t) ──► one DDIM step ]×S ──► x_0
//	                       ▲
//	           Guided: both halves in one batch
//
// A model is a function from (x, t) to the predicted noise. Every step can be watched, and stopped, by
// a callback or a context. Where the original code (CompVis latent diffusion) and diffusers differ,
// both ways exist under the name of whose way it is.
//
// Letters are those of the papers: x_t = √ᾱ_t·x_0 + √(1-ᾱ_t)·ε. The DDIM paper writes α for ᾱ.
package scheduler
