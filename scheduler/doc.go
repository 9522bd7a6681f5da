// Package scheduler holds the noise schedules and samplers of diffusion models, and torch's random numbers, as
// plain mathematics on slices: no tensors, no model, no random state of its own.
//
//	Torch.Randn ──► Start ──► [ eps = model(x, t) ──► one step ]×S ──► x_0
//	                               ▲
//	                   Guided: both halves in one batch
//
// A model is a function from (x, t) to the predicted noise. Every step can be watched, and stopped, by
// a callback or a context. Each sampler follows one published code to float32 rounding, that code's timesteps,
// tables and image to image included:
//
//	name             whose code                                    model calls  begins with  image to image
//	ddim             CompVis DDIMSampler                           n            noise        one timestep noisier
//	ddim-diffusers   diffusers DDIMScheduler                       n            noise        at the first step made
//	plms             CompVis PLMSSampler                           n + 1        noise        at the first step made
//	pndm             diffusers PNDMScheduler                       n + 1        noise        one timestep noisier
//	dpmpp-2m         diffusers DPMSolverMultistepScheduler         n            noise        at the first step made
//	dpmpp-2m-karras  the same, use_karras_sigmas                   n            noise        at the first step made
//	euler            diffusers EulerDiscreteScheduler              n            σ·noise      at the first step made
//	euler-a          diffusers EulerAncestralDiscreteScheduler     n            σ·noise      at the first step made
//
// "diffusers" means its schedulers (version 0.42) made from a scheduler_config.json by from_config: see Config, which holds what
// settings there are and which of them a class has. Without one it is the published file of Stable Diffusion v1. That file names
// no spacing, so the DPM-Solver and Euler schedulers take their own, "linspace", and Euler's timesteps are fractions; DDIM and
// PNDM take "leading" with the offset 1. The samplers of CompVis take from a file what is the model's: noise schedule and
// prediction. The first step of plms and pndm asks the model twice and counts as one. What "ddim", "plms"
// and "pndm" do that looks wrong is what their originals do: see DDIM.StochasticEncode and Convention. A run of
// pndm's last n steps begins one timestep earlier than its n steps, and after the first step passes over one.
// CompVis has no image to image with PLMS; diffusers' rule stands in.
//
// Letters are those of the papers: x_t = √ᾱ_t·x_0 + √(1-ᾱ_t)·ε, σ = √((1-ᾱ)/ᾱ). The DDIM paper writes α for ᾱ.
package scheduler
