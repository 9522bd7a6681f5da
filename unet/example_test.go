package unet_test

import (
	"context"
	"fmt"

	"percept/nn"
	"percept/unet"
	"percept/weights/synth"
)

// A small network of the same architecture, with weights out of a generator, and a look inside.
func Example() {
	config := unet.SD14()
	config.BlockOutChannels = []int{32, 64}
	config.DownBlockTypes = []string{unet.CrossAttnDownBlock, unet.DownBlock}
	config.UpBlockTypes = []string{unet.UpBlock, unet.CrossAttnUpBlock}
	config.CrossAttentionDim = 16
	model, err := unet.New(config, synth.New("unet", 1))
	if err != nil {
		fmt.Println(err)
		return
	}

	const n, h, w, tokens = 2, 6, 4, 5 // both halves of guidance in one batch
	program, err := model.Program(unet.Shape{N: n, H: h, W: w, Tokens: tokens})
	if err != nil {
		fmt.Println(err)
		return
	}
	program.OnNode("**.attentions.0.**.attn2.probs", func(path string, v nn.Value) { fmt.Println(path, v.Shape) })

	latent := make([]float32, n*config.InChannels*h*w)
	text := make([]float32, n*tokens*config.CrossAttentionDim)
	eps := make([]float32, len(latent))
	if err := model.Predict(context.Background(), eps, latent, []float32{981, 981}, text, n, h, w); err != nil {
		fmt.Println(err)
	}
	fmt.Println(model.Predict(context.Background(), eps, latent, []float32{981, 981}, text, n, 8, 3))
	// Output:
	// down_blocks.0.attentions.0.transformer_blocks.0.attn2.probs [2 8 24 5]
	// mid_block.attentions.0.transformer_blocks.0.attn2.probs [2 8 6 5]
	// up_blocks.1.attentions.0.transformer_blocks.0.attn2.probs [2 8 24 5]
	// unet: latent of 8×3 (height × width), expected positive multiples of 2
}
