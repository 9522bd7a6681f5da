// Package vae is the image autoencoder of Stable Diffusion v1: AutoencoderKL.
//
// The encoder turns an image into the mean and log-variance of a Gaussian over latents of an eighth of its size, the
// decoder turns a latent back:
//
//	image ── encoder ── quant_conv ── moments [mean, logvar] ── Sample ── latent z (times the scaling factor: what the U-Net sees)
//	latent ── post_quant_conv ── decoder ── image
//
// Every module's output is a named node of the graph, by its diffusers module path such as
// "decoder.mid_block.attentions.0", whose "heads" are what attention gives to to_out.
//
// Sources: Rombach et al. 2022, arXiv:2112.10752; configuration keys and weight names of Hugging Face diffusers.
package vae
