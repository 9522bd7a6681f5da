// Package unet is the denoising network of Stable Diffusion v1: UNet2DConditionModel.
//
// It predicts the noise eps in a latent z_t from the latent, the timestep t and the text context c:
//
//	timesteps ── time_proj ── time_embedding ──────────────┐ (added in every resnet)
//	latent ── conv_in ── down_blocks ── mid_block ── up_blocks ── conv_norm_out ── conv_act ── conv_out ── eps
//	                          └────── skip connections ──────┘
//	context ─────────── keys and values of every attn2 ──────┘
//
// Every module's output is a named node of the graph; names are the diffusers module paths, such as
// "up_blocks.1.attentions.0.transformer_blocks.0.attn2". The attention probabilities of a cross-attention
// are the node "<attn2 path>.probs", which costs nothing unless it is kept. These have no module of their own in diffusers:
//
//	<transformer block>.residual.0   what enters the block [N, H·W, C]
//	<transformer block>.residual.1   after attn1 has been added to it
//	<transformer block>.residual.2   after attn2 as well; with ff it is the block's output
//	<attn>.heads                     what the heads give to to_out [N, H·W, C]: head i of k has the channels from i·C/k on
//
// Sources: Rombach et al. 2022, arXiv:2112.10752; configuration keys and weight names of Hugging Face diffusers.
package unet
