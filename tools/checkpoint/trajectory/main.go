// Command trajectory runs a model from a caption to a picture and writes every step to a safetensors file, for
// compare.py to hold against diffusers.
//
//	go run ./tools/checkpoint/trajectory -model sd-v1-4.ckpt -tokenizer bpe_simple_vocab_16e6.txt.gz -out trajectory.safetensors
//
// Guidance g combines both halves as eps = uncond + g·(cond - uncond); the noise is what torch.manual_seed and
// torch.randn give on the processor. The file holds
//
//	ids        [2, tokens]          of the empty caption and of the caption
//	context    [2, tokens, width]   what the text encoder makes of them
//	timesteps  [steps]              descending
//	eps        [steps, 2, 4, h, w]  what the U-Net predicts for both
//	latents    [steps+1, 4, h, w]   from the noise to the result
//	image      [1, 3, 8h, 8w]       the decoded result, about -1 to 1
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"

	"percept/clip"
	"percept/scheduler"
	"percept/unet"
	"percept/vae"
	"percept/weights"
	"percept/weights/packed"
	"percept/weights/safetensors"
)

type options struct {
	model, prompt, out string
	open               weights.ModelOptions
	steps, size        int
	guidance           float64
	seed               uint64
	diffusers          bool
}

func main() {
	var o options
	flag.StringVar(&o.model, "model", "", "checkpoint or model `folder`")
	flag.StringVar(&o.open.Tokenizer, "tokenizer", "", "tokenizer of a checkpoint")
	flag.StringVar(&o.open.Config, "config", "", "folder with the configurations of a checkpoint")
	flag.StringVar(&o.open.Variant, "variant", "", "take the files of a folder with this word in their names")
	flag.BoolVar(&o.open.EMA, "ema", false, "averaged weights")
	flag.StringVar(&o.prompt, "prompt", "a photograph of an astronaut riding a horse", "caption")
	flag.StringVar(&o.out, "out", "trajectory.safetensors", "`file` to write")
	flag.IntVar(&o.steps, "steps", 10, "DDIM steps")
	flag.IntVar(&o.size, "size", 0, "height and width of the picture (0: that of the model)")
	flag.Float64Var(&o.guidance, "guidance", 7.5, "guidance")
	flag.Uint64Var(&o.seed, "seed", 42, "torch's seed")
	flag.BoolVar(&o.diffusers, "diffusers", false, "timesteps and tables of diffusers instead of the original code")
	flag.Parse()
	if err := run(context.Background(), o); err != nil {
		fmt.Fprintln(os.Stderr, "trajectory:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	if o.model == "" || flag.NArg() > 0 {
		return errors.New("expected -model, and no other arguments")
	}
	o.open.Vocabulary = clip.FilesFromOpenAI
	f, err := weights.OpenModel(o.model, o.open)
	if err != nil {
		return err
	}
	defer f.Close()
	text, ids, err := embed(ctx, f, o.prompt)
	if err != nil {
		return err
	}
	cfg, err := unet.ConfigFromJSON(f.Parts[weights.UNet].Config)
	if err != nil {
		return err
	}
	net, err := unet.New(cfg, pack(f, weights.UNet))
	if err != nil {
		return err
	}
	ae, err := vae.ConfigFromJSON(f.Parts[weights.VAE].Config)
	if err != nil {
		return err
	}
	scale := ae.Downscale()
	if o.size == 0 {
		o.size = cfg.SampleSize * scale
	}
	h := o.size / scale
	if h < 1 || o.size%scale != 0 || h%cfg.SizeMultiple() != 0 {
		return fmt.Errorf("-size %d, expected a multiple of %d", o.size, scale*cfg.SizeMultiple())
	}
	convention := scheduler.CompVis
	if o.diffusers {
		convention = scheduler.Diffusers
	}
	ddim, err := scheduler.NewDDIM(scheduler.DDIMOptions{Steps: o.steps, Convention: convention})
	if err != nil {
		return err
	}
	n := cfg.InChannels * h * h
	x := make([]float32, n)
	scheduler.NewTorch(o.seed).Randn(x)
	latents, eps := append([]float32{}, x...), []float32{}
	var timesteps []int32
	model := func(ctx context.Context, x []float32, t float64) ([]float32, error) {
		both := append(append(make([]float32, 0, 2*n), x...), x...)
		out := make([]float32, 2*n)
		if err := net.Predict(ctx, out, both, []float32{float32(t), float32(t)}, text, 2, h, h); err != nil {
			return nil, err
		}
		eps, timesteps = append(eps, out...), append(timesteps, int32(t))
		guided := make([]float32, n)
		scheduler.Guide(guided, out[:n], out[n:], float32(o.guidance))
		fmt.Fprintf(os.Stderr, "step %d\n", len(timesteps))
		return guided, nil
	}
	x, err = ddim.Sample(ctx, model, x, scheduler.Run{OnStep: func(s scheduler.Step) error {
		latents = append(latents, s.X...)
		return nil
	}})
	if err != nil {
		return err
	}
	net = nil // its memory may go before the decoder needs it
	image, err := decode(ctx, f, ae, x, h)
	if err != nil {
		return err
	}
	steps, c := len(timesteps), cfg.InChannels
	return safetensors.Write(o.out, []safetensors.Named{
		safetensors.NamedI32("ids", ids, 2, len(ids)/2),
		safetensors.NamedF32("context", text, 2, len(ids)/2, cfg.CrossAttentionDim),
		safetensors.NamedI32("timesteps", timesteps, steps),
		safetensors.NamedF32("eps", eps, steps, 2, c, h, h),
		safetensors.NamedF32("latents", latents, steps+1, c, h, h),
		safetensors.NamedF32("image", image, 1, ae.OutChannels, o.size, o.size),
	}, map[string]string{
		"prompt": o.prompt, "guidance": strconv.FormatFloat(o.guidance, 'g', -1, 64), "seed": strconv.FormatUint(o.seed, 10),
		"steps": strconv.Itoa(o.steps), "convention": convention.String(),
	})
}

func pack(f *weights.Folder, c weights.Component) *packed.Pack {
	return packed.New(f.Parts[c].Store, packed.Options{Name: string(c), NoCache: true})
}

// embed returns the conditioning of the empty caption and of the prompt.
func embed(ctx context.Context, f *weights.Folder, prompt string) (text []float32, ids []int32, err error) {
	cfg, err := clip.TextConfigFromJSON(f.Parts[weights.TextEncoder].Config)
	if err != nil {
		return nil, nil, err
	}
	files, err := f.TokenizerFiles()
	if err != nil {
		return nil, nil, err
	}
	t, err := clip.NewTokenizerFolder(files)
	if err != nil {
		return nil, nil, err
	}
	m, err := clip.NewText(cfg, pack(f, weights.TextEncoder))
	if err != nil {
		return nil, nil, err
	}
	var both [][]int32
	tokens := cfg.MaxPositionEmbeddings
	if n := t.Length(); n > 0 {
		tokens = min(n, tokens)
	}
	for _, caption := range []string{"", prompt} {
		padded, _ := t.Pad(t.Encode(caption), tokens)
		both, ids = append(both, padded), append(ids, padded...)
	}
	text, err = m.Encode(ctx, both)
	return text, ids, err
}

// decode makes the picture of a latent.
func decode(ctx context.Context, f *weights.Folder, cfg vae.Config, x []float32, h int) ([]float32, error) {
	m, err := vae.New(cfg, pack(f, weights.VAE))
	if err != nil {
		return nil, err
	}
	z := make([]float32, len(x))
	for i, v := range x {
		z[i] = v / cfg.ScalingFactor
	}
	side := h * cfg.Downscale()
	image := make([]float32, cfg.OutChannels*side*side)
	return image, m.Decode(ctx, image, z, 1, h, h)
}
