package percept_test

import (
	"context"
	"fmt"
	"image"
	"log"

	"percept"
	"percept/nn"
	"percept/unet"
)

// A picture from a caption, with the small model that is part of the program.
func ExamplePipeline_Generate() {
	ctx := context.Background()
	p, err := percept.Embedded(ctx)
	if err != nil {
		log.Fatal(err)
	}
	pictures, err := p.Generate(ctx, percept.Request{
		Prompts:  []string{"a red house under a blue sky"},
		Sampling: percept.Sampling{Steps: 10, Guidance: 3, Seed: 42},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(pictures[0].Image.Bounds().Size(), "seed", pictures[0].Seed)
	// Output: (96,96) seed 42
}

// A picture that starts from another one, and every step of its making.
func ExamplePipeline_Generate_imageToImage() {
	ctx := context.Background()
	p, err := percept.Embedded(ctx)
	if err != nil {
		log.Fatal(err)
	}
	start := image.NewRGBA(image.Rect(0, 0, p.Size, p.Size))
	for i := range start.Pix {
		start.Pix[i] = 160
	}
	_, err = p.Generate(ctx, percept.Request{
		Prompts:  []string{"a snowy mountain"},
		Init:     []image.Image{start},
		Strength: 0.5,
		Sampling: percept.Sampling{Steps: 10, Watch: func(s percept.Step) error {
			fmt.Printf("step %d of %d at timestep %g\n", s.Index+1, s.Of, s.Timestep)
			return nil
		}},
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// step 1 of 5 at timestep 401
	// step 2 of 5 at timestep 301
	// step 3 of 5 at timestep 201
	// step 4 of 5 at timestep 101
	// step 5 of 5 at timestep 1
}

// The two features that brains are compared with: z of a picture and c of its caption.
func ExamplePipeline_Encode() {
	ctx := context.Background()
	p, err := percept.Embedded(ctx)
	if err != nil {
		log.Fatal(err)
	}
	z, err := p.Encode(ctx, []image.Image{image.NewRGBA(image.Rect(0, 0, p.Size, p.Size))})
	if err != nil {
		log.Fatal(err)
	}
	c, err := p.TextEmbed(ctx, []string{"a black night"})
	if err != nil {
		log.Fatal(err)
	}
	pictures, err := p.Decode(ctx, z)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("z %d×%d×%d×%d, c %d×%d, picture %v\n", z.N, percept.LatentChannels, z.H, z.W, p.Tokens, len(c)/p.Tokens,
		pictures[0].Bounds().Size())
	// Output: z 1×4×12×12, c 32×128, picture (96,96)
}

// Any model of the architecture of Stable Diffusion v1, and a layer of it by its name.
func ExampleLoad() {
	ctx := context.Background()
	p, err := percept.Load(ctx, "sd-v1-4.ckpt", percept.Options{Tokenizer: "bpe_simple_vocab_16e6.txt.gz"})
	if err != nil {
		log.Fatal(err)
	}
	prog, err := p.UNet.Compile(unet.Shape{N: 2, H: 64, W: 64, Tokens: p.Tokens}, nn.Options{})
	if err != nil {
		log.Fatal(err)
	}
	err = prog.OnNode("mid_block.attentions.0", func(path string, v nn.Value) {
		fmt.Println(path, v.Shape)
	})
	if err != nil {
		log.Fatal(err)
	}
}
