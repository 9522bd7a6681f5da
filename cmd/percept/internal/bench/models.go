package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"percept/clip"
	"percept/nn"
	"percept/unet"
	"percept/vae"
	"percept/weights/synth"
)

// seed is that of the generated weights and inputs; programs that compare themselves with this one use it as well.
const seed = 0x0000000053445f31

// Models are the networks of one pipeline. It keeps the weights of the one that was used last.
type Models struct {
	UNet unet.Config
	VAE  vae.Config
	Text clip.TextConfig

	Latents string // sizes of the U-Net's input, "NxCxHxW", separated by commas
	Picture int    // width and height of what the VAE encodes and decodes
	Texts   []int  // how many texts are encoded at a time

	Options

	unet *unet.Model
	vae  *vae.Model
	text *clip.Text
}

// NewModels returns the networks of Stable Diffusion v1.4.
func NewModels(o Options) *Models {
	return &Models{UNet: unet.SD14(), VAE: vae.SD14(), Text: clip.SD14(),
		Latents: DefaultLatents, Picture: 512, Texts: []int{1, 32}, Options: o}
}

// DefaultLatents are those of pictures of 512 pixels, alone and with guidance, and of 320 pixels.
const DefaultLatents = "1x4x64x64,2x4x64x64,1x4x40x40"

// Cases returns the cases of the U-Net, the VAE and the text encoder.
func (m *Models) Cases() ([]Case, error) {
	var cases []Case
	add := func(name string, build func(ctx context.Context, o nn.Options) (*job, error)) {
		cases = append(cases, Case{name, true, build})
	}
	for _, size := range strings.Split(m.Latents, ",") {
		s, err := m.size(size)
		if err != nil {
			return nil, err
		}
		add("unet-"+size, func(ctx context.Context, o nn.Options) (*job, error) { return m.unetJob(ctx, s, o) })
	}
	picture, latent := m.Picture, m.Picture/m.VAE.Downscale()
	add(fmt.Sprintf("vae-encode-1x%dx%dx%d", m.VAE.InChannels, picture, picture), func(ctx context.Context, o nn.Options) (*job, error) {
		return m.vaeJob(ctx, true, picture, o)
	})
	add(fmt.Sprintf("vae-decode-1x%dx%dx%d", m.VAE.LatentChannels, latent, latent), func(ctx context.Context, o nn.Options) (*job, error) {
		return m.vaeJob(ctx, false, latent, o)
	})
	for _, n := range m.Texts {
		add(fmt.Sprintf("text-%dx%d", n, m.Text.MaxPositionEmbeddings), func(ctx context.Context, o nn.Options) (*job, error) {
			return m.textJob(ctx, n, o)
		})
	}
	return cases, nil
}

// size reads "NxCxHxW".
func (m *Models) size(text string) (unet.Shape, error) {
	s := unet.Shape{Tokens: m.Text.MaxPositionEmbeddings}
	parts := strings.Split(text, "x")
	var n [4]int
	for i := range n {
		var err error
		if len(parts) == len(n) {
			n[i], err = strconv.Atoi(parts[i])
		}
		if len(parts) != len(n) || err != nil || n[i] < 1 || n[i] > 1024 {
			return s, fmt.Errorf("size %q, expected batch, channels, height and width as in 1x%dx64x64", text, m.UNet.InChannels)
		}
	}
	s.N, s.H, s.W = n[0], n[2], n[3]
	if n[1] != m.UNet.InChannels {
		return s, fmt.Errorf("size %q has %d channels, expected %d", text, n[1], m.UNet.InChannels)
	}
	if k := m.UNet.SizeMultiple(); s.H%k != 0 || s.W%k != 0 {
		return s, fmt.Errorf("size %q, expected a height and width that are multiples of %d", text, k)
	}
	return s, nil
}

func (m *Models) unetJob(ctx context.Context, s unet.Shape, o nn.Options) (*job, error) {
	if err := generate(ctx, m, &m.unet, "unet", func(p nn.Params) (*unet.Model, error) { return unet.New(m.UNet, p) }); err != nil {
		return nil, err
	}
	p, err := m.unet.Compile(s, o)
	if err != nil {
		return nil, err
	}
	steps := make([]float32, s.N)
	for i := range steps {
		steps[i] = 501
	}
	err = errors.Join(
		p.Set("latent", normal("latent", s.N*m.UNet.InChannels*s.H*s.W)),
		p.Set("timesteps", steps),
		p.Set("context", normal("context", s.N*s.Tokens*m.UNet.CrossAttentionDim)))
	return &job{program: p, target: "eps", whole: true}, err
}

func (m *Models) vaeJob(ctx context.Context, encode bool, size int, o nn.Options) (*job, error) {
	if err := generate(ctx, m, &m.vae, "vae", func(p nn.Params) (*vae.Model, error) { return vae.New(m.VAE, p) }); err != nil {
		return nil, err
	}
	graph, input, output := m.vae.DecodeGraph, "latent", "image"
	x := normal("latent", m.VAE.LatentChannels*size*size)
	if encode {
		graph, input, output = m.vae.EncodeGraph, "image", "moments"
		x = synth.Input("bench.pixels", seed, 1, m.VAE.InChannels*size*size)
	}
	g, err := graph(1, size, size)
	if err != nil {
		return nil, err
	}
	p, err := nn.Compile(g, o)
	if err != nil {
		return nil, err
	}
	return &job{program: p, target: output, whole: true}, p.Set(input, x)
}

func (m *Models) textJob(ctx context.Context, n int, o nn.Options) (*job, error) {
	err := generate(ctx, m, &m.text, "text_encoder", func(p nn.Params) (*clip.Text, error) { return clip.NewText(m.Text, p) })
	if err != nil {
		return nil, err
	}
	length := m.Text.MaxPositionEmbeddings
	g, err := m.text.Graph(n, length)
	if err != nil {
		return nil, err
	}
	p, err := nn.Compile(g, o)
	if err != nil {
		return nil, err
	}
	// Rows of arbitrary tokens between the two marks, the last of the vocabulary.
	ids := make([]float32, n*length)
	for i := range ids {
		ids[i] = float32(i * 7919 % (m.Text.VocabSize - 408))
		switch i % length {
		case 0:
			ids[i] = float32(m.Text.VocabSize - 2)
		case length - 1:
			ids[i] = float32(m.Text.VocabSize - 1)
		}
	}
	return &job{program: p, target: "last_hidden_state", whole: true}, p.Set("input_ids", ids)
}

// normal is an input of variance 1.
func normal(name string, n int) []float32 {
	return synth.Input("bench."+name, seed, float32(math.Sqrt(3)), n)
}

// Release gives the memory of the weights back.
func (m *Models) Release() {
	m.unet, m.vae, m.text = nil, nil, nil
	runtime.GC()
	debug.FreeOSMemory()
}

// generate builds one of the models with generated weights, in place of the others, unless it is there.
func generate[M any](ctx context.Context, m *Models, model **M, component string, build func(nn.Params) (*M, error)) (err error) {
	if *model != nil {
		return nil
	}
	m.Release()
	var all counter
	_, _ = build(&all) // fails for lack of weights, and knows then how many they are
	progress, end := m.progress("weights of " + component)
	defer end()
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	*model, err = build(&generator{ctx: ctx, Weights: synth.New(component, seed), progress: func(done int) { progress(done, all.n) }})
	runtime.GC()
	debug.FreeOSMemory()
	return cmp.Or(ctx.Err(), err)
}

// counter has no weights, and adds up how many are asked for.
type counter struct{ n int }

func (c *counter) Float32(name string, shape ...int) ([]float32, error) {
	c.n += product(shape)
	return nil, errors.New(name)
}

// generator makes weights until ctx ends.
type generator struct {
	*synth.Weights
	ctx      context.Context
	n        int
	progress func(done int)
}

func (g *generator) Float32(name string, shape ...int) ([]float32, error) {
	if err := g.ctx.Err(); err != nil {
		return nil, err
	}
	g.n += product(shape)
	g.progress(g.n)
	return g.Weights.Float32(name, shape...)
}

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
