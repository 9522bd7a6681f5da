package verify

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"percept/clip"
	"percept/nn"
	"percept/unet"
	"percept/vae"
	"percept/weights/synth"
)

const fullFolder = "full_sd14/"

// fullCases are those of models of Stable Diffusion v1.4's size with generated weights. Each model is built
// once, by the first of its cases, and given back by the last.
func fullCases(s *set) []Case {
	var cases []Case
	if s.want(fullFolder+"text_encoder.json") && s.want(fullFolder+"text_encoder.safetensors") {
		cases = append(cases, Case{Name: "full: text encoder, hidden states", run: fullText})
	}
	cases = append(cases, fullVAECases(s)...)
	return append(cases, fullUNetCases(s)...)
}

// fullInput is a generated input.
type fullInput struct {
	Name  string `json:"name"`
	Shape []int  `json:"shape"`
	Scale any    `json:"scale"`
}

// generate makes the values of an input that has four dimensions, or as many as given.
func (c *check) generate(in fullInput, dims int) []float32 {
	if len(in.Shape) != dims {
		c.must(fmt.Errorf("input %s has shape %v, want %d dimensions", in.Name, in.Shape, dims))
	}
	scale, err := inputScale(in.Scale)
	c.must(err)
	n := 1
	for _, d := range in.Shape {
		n *= d
	}
	return synth.Input(strings.TrimPrefix(in.Name, "input."), c.seed(), scale, n)
}

// memoryFor ends the case as "not yet" where the machine has not the memory for a model; only Linux tells.
func (c *check) memoryFor(model string, gib float64) {
	free, ok := availableGiB()
	if ok && free < gib {
		c.notYet = fmt.Sprintf("%s needs %.1f GiB of memory, %.1f are free", model, gib, free)
		panic(abort{})
	}
}

func availableGiB() (float64, bool) {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0, false
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) >= 2 && fields[0] == "MemAvailable:" {
			kib, err := strconv.ParseFloat(fields[1], 64)
			return kib / (1 << 20), err == nil
		}
	}
	return 0, false
}

// frugal makes the collector run more often while a large model is built and run; it returns what ends that.
func frugal() (restore func()) {
	old := debug.SetGCPercent(20)
	return func() { debug.SetGCPercent(old) }
}

// release gives the memory of a model back to the system.
func release() {
	runtime.GC()
	debug.FreeOSMemory()
}

func fullText(ctx context.Context, c *check) {
	const file = fullFolder + "text_encoder.safetensors"
	var info struct {
		Prompts []string            `json:"prompts"`
		Errors  map[string]measured `json:"f32_error"`
	}
	c.json(fullFolder+"text_encoder.json", &info)
	c.memoryFor("the text encoder", 1)
	defer release()
	defer frugal()()

	ids := c.rows(file, "input_ids")
	if c.set.has(vocabFile) {
		t := c.tokenizer()
		for i, prompt := range info.Prompts {
			padded, _ := t.Pad(t.Encode(prompt), len(ids[i]))
			c.that(slices.Equal(padded, ids[i]), "%q: ids %v, the reference has %v", prompt, padded, ids[i])
		}
	}
	cfg := clip.SD14()
	width := c.shape(file, "last_hidden_state", 3)[2]
	cfg.HiddenSize, cfg.IntermediateSize, cfg.Heads, cfg.Layers = width, 4*width, width/64, len(info.Errors)-2
	m, err := clip.NewText(cfg, synth.New("text_encoder", c.seed()))
	c.must(err)
	p, err := m.Program(len(ids))
	c.must(err)
	got := map[string]summary{}
	c.activations(ctx, p, map[string][]float32{"input_ids": float32ids(ids)}, slices.Collect(maps.Keys(info.Errors)), summaries(got))
	for name, e := range info.Errors {
		if name == "last_hidden_state" {
			c.near(name, p.Output(name), c.float32s(file, name), e.tolerance())
			continue
		}
		c.near(name, got[name].sample, untilNaN(c.float32s(file, name+".sample256")), e.tolerance())
	}
}

// levels reads the channels of each level off the module table of a full-size model: those of
// "<prefix>0", "<prefix>1", …
func (c *check) levels(file, prefix string) []int {
	var table moduleTable
	c.json(file, &table)
	var channels []int
	for _, m := range table.Modules {
		if m.Path == prefix+strconv.Itoa(len(channels)) && len(m.Shape) == 4 {
			channels = append(channels, m.Shape[1])
		}
	}
	if len(channels) == 0 {
		c.must(fmt.Errorf("%s: no module %s0", c.set.path(file), prefix))
	}
	return channels
}

// fullVAE is vae.json.
type fullVAE struct {
	Encode fullInput           `json:"encode_input"`
	Decode fullInput           `json:"decode_input"`
	Errors map[string]measured `json:"f32_error"`
	LDM    map[string]measured `json:"ldm_code_f32_error"`
}

func fullVAECases(s *set) []Case {
	ok := true
	for _, f := range []string{"vae.json", "vae_encode.safetensors", "vae_decode.safetensors", "vae_encode_modules.json", "vae_encode_modules.safetensors", "vae_decode_modules.json", "vae_decode_modules.safetensors"} {
		ok = s.want(fullFolder+f) && ok
	}
	if !ok {
		return nil
	}
	var m *vae.Model
	model := func(c *check) *vae.Model {
		if m == nil {
			c.memoryFor("the VAE", 3)
			cfg := vae.SD14()
			cfg.BlockOutChannels = c.levels(fullFolder+"vae_encode_modules.json", "encoder.down_blocks.")
			var err error
			m, err = vae.New(cfg, synth.New("vae", c.seed()))
			c.must(err)
		}
		return m
	}
	return []Case{
		{Name: "full: VAE, moments and every module of the encoder", run: func(ctx context.Context, c *check) {
			defer frugal()()
			fullEncode(ctx, c, model(c))
		}},
		{Name: "full: VAE, image and every module of the decoder", run: func(ctx context.Context, c *check) {
			defer func() { m = nil; release() }()
			defer frugal()()
			fullDecode(ctx, c, model(c))
		}},
	}
}

func fullEncode(ctx context.Context, c *check, m *vae.Model) {
	var info fullVAE
	c.json(fullFolder+"vae.json", &info)
	in := info.Encode
	image := c.generate(in, 4)
	p, err := nnProgram(m.EncodeGraph(in.Shape[0], in.Shape[2], in.Shape[3]))
	c.must(err)
	var table moduleTable
	c.json(fullFolder+"vae_encode_modules.json", &table)
	got := map[string]summary{}
	c.activations(ctx, p, map[string][]float32{"image": image}, table.paths(), summaries(got))
	c.near("moments", p.Output("moments"), c.float32s(fullFolder+"vae_encode.safetensors", "moments"), info.Errors["encode"].tolerance())
	c.sampledModules(fullFolder+"vae_encode_modules", table, got)
}

func fullDecode(ctx context.Context, c *check, m *vae.Model) {
	const file = fullFolder + "vae_decode.safetensors"
	var info fullVAE
	c.json(fullFolder+"vae.json", &info)
	in := info.Decode
	latent := c.generate(in, 4)
	p, err := nnProgram(m.DecodeGraph(in.Shape[0], in.Shape[2], in.Shape[3]))
	c.must(err)
	var table moduleTable
	c.json(fullFolder+"vae_decode_modules.json", &table)
	got := map[string]summary{}
	c.activations(ctx, p, map[string][]float32{"latent": latent}, table.paths(), summaries(got))
	image, tol := p.Output("image"), info.Errors["decode"].tolerance()
	h, w := in.Shape[2]*m.Config.Downscale(), in.Shape[3]*m.Config.Downscale()
	c.near("centre of the image", window(image, h, w, (h-64)/2, (w-64)/2, 64, 64, 1), c.float32s(file, "image_center_crop64"), tol)
	c.near("every 8th pixel", window(image, h, w, 0, 0, (h+7)/8, (w+7)/8, 8), c.float32s(file, "image_stride8"), tol)
	c.near("mean, deviation, least, greatest", summarise(image).stats, c.float32s(file, "image_stats"), tol)
	c.sampledModules(fullFolder+"vae_decode_modules", table, got)
}

// window takes rows×cols pixels of planes of h×w, from (top, left) on, every stride-th.
func window(x []float32, h, w, top, left, rows, cols, stride int) []float32 {
	var out []float32
	for plane := range slices.Chunk(x, h*w) {
		for r := range rows {
			for k := range cols {
				out = append(out, plane[(top+r*stride)*w+left+k*stride])
			}
		}
	}
	return out
}

// nnProgram compiles a graph for one use.
func nnProgram(g *nn.Graph, err error) (*nn.Program, error) {
	if err != nil {
		return nil, err
	}
	return nn.Compile(g, nn.Options{})
}

// fullUNetRun is one entry of unet.json.
type fullUNetRun struct {
	Latent   fullInput `json:"latent"`
	Context  fullInput `json:"context"`
	Timestep float32   `json:"timestep"`
	F32      measured  `json:"f32_error"`
	Stats    []float32 `json:"out_stats"`
	LDM      measured  `json:"ldm_code_f32_error"`
}

func fullUNetCases(s *set) []Case {
	const file = fullFolder + "unet.json"
	if !s.want(file) {
		return nil
	}
	var runs map[string]fullUNetRun
	if err := s.json(file, &runs); err != nil {
		s.broken = append(s.broken, unknown{file, err.Error()})
		return nil
	}
	names := make([]string, 0, len(runs))
	for name := range runs {
		names = append(names, name)
	}
	slices.Sort(names)
	var m *unet.Model
	var cases []Case
	for i, name := range names {
		base, run := fullFolder+"unet_"+name, runs[name]
		ok := s.want(base + ".safetensors")
		ok = s.want(base+"_modules.json") && ok
		ok = s.want(base+"_modules.safetensors") && ok
		if !ok {
			continue
		}
		cases = append(cases, Case{Name: "full: U-Net, run " + name + ", eps and every module", run: func(ctx context.Context, c *check) {
			if i == len(names)-1 {
				defer func() { m = nil; release() }()
			}
			defer frugal()()
			if m == nil {
				m = c.fullUNet(base, run)
			}
			fullUNet(ctx, c, m, base, run)
		}})
	}
	return cases
}

func (c *check) fullUNet(base string, run fullUNetRun) *unet.Model {
	cfg := unet.SD14()
	cfg.BlockOutChannels = c.levels(base+"_modules.json", "down_blocks.")
	if len(run.Context.Shape) == 3 {
		cfg.CrossAttentionDim = run.Context.Shape[2]
	}
	// Weights packed, one tensor being generated, activations: 6.0 GiB resident with 1280 channels.
	widest := float64(slices.Max(cfg.BlockOutChannels)) / 1280
	c.memoryFor("the U-Net", 0.5+6.5*math.Min(1, widest*widest))
	m, err := unet.New(cfg, synth.New("unet", c.seed()))
	c.must(err)
	return m
}

func fullUNet(ctx context.Context, c *check, m *unet.Model, base string, run fullUNetRun) {
	latent, text := c.generate(run.Latent, 4), c.generate(run.Context, 3)
	steps := make([]float32, run.Latent.Shape[0])
	for i := range steps {
		steps[i] = run.Timestep
	}
	p, err := m.Compile(unet.Shape{N: run.Latent.Shape[0], H: run.Latent.Shape[2], W: run.Latent.Shape[3], Tokens: run.Context.Shape[1]}, nn.Options{})
	c.must(err)
	var table moduleTable
	c.json(base+"_modules.json", &table)
	got := map[string]summary{}
	c.activations(ctx, p, map[string][]float32{"latent": latent, "timesteps": steps, "context": text}, table.paths(), summaries(got))
	eps := p.Output("eps")
	c.near("eps", eps, c.float32s(base+".safetensors", "eps"), run.F32.tolerance())
	c.near("eps: mean, deviation, least, greatest", summarise(eps).stats, run.Stats, run.F32.tolerance())
	c.sampledModules(base+"_modules", table, got)
}
