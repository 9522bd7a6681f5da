// Package embedded holds the small latent diffusion model that the project trained on scenes
// drawn by fmri/sim/scene. It has the architecture of Stable Diffusion at 96 by 96 pixels, in
// the folder layout and with the parameter names of diffusers:
//
//	unet/           UNet2DConditionModel, three levels, latents 4 x 12 x 12
//	vae/            AutoencoderKL, reduction by eight
//	text_encoder/   CLIPTextModel, 32 tokens of width 128
//	tokenizer/      byte-level BPE in CLIP's format; each word of the captions is one token
//	scheduler/      DDIM, Stable Diffusion's schedule
//	scenenet/       a small classifier of scenes, trained apart, whose features judge pictures
//
// Weights are float16 safetensors. tools/train/README.md says how they were made.
package embedded

import (
	"embed"
	"io/fs"
)

//go:embed all:model
var files embed.FS

// FS is the model's folder.
func FS() fs.FS {
	model, err := fs.Sub(files, "model")
	if err != nil {
		panic(err) // "model" is a valid path: fs.Sub has no other reason to fail
	}
	return model
}
