// Package percept loads a latent diffusion model of the Stable Diffusion v1 architecture and puts
// its parts together: pictures to latents, captions to conditioning, and both back to pictures.
//
//	picture ──► Encode ──► z ──┐
//	caption ──► TextEmbed ──► c ──► Denoise (DDIM, guidance) ──► Decode ──► picture
//
// The models themselves are packages unet, vae and clip; every layer in them can be watched by name
// through package nn. What the brain has to do with any of it is under fmri.
package percept
