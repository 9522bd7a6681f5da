package verify

import (
	"bufio"
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
	"percept/internal/golden"
	"percept/nn"
	"percept/unet"
	"percept/vae"
	"percept/weights/synth"
)

const fullFolder = "full_sd14/"

// fullCases are those of models of Stable Diffusion v1.4's size with generated weights. Each model is built
// once, by the first of its cases, and given back by the last.
func fullCases(s *set) []testCase {
	const unetFile = fullFolder + "unet.json"
	var v *vae.Model
	cases := []testCase{
		{"full: text encoder, hidden states", fullText},
		{"full: VAE, moments and every module of the encoder", func(c *check) { fullEncode(c, &v) }},
		{"full: VAE, image and every module of the decoder", func(c *check) {
			defer func() { v = nil; release() }()
			fullDecode(c, &v)
		}},
	}
	var runs map[string]fullUNetRun
	if err := s.json(unetFile, &runs); err != nil {
		s.lacks(unetFile, err)
	}
	var u *unet.Model
	for i, name := range slices.Sorted(maps.Keys(runs)) {
		cases = append(cases, testCase{"full: U-Net, run " + name + ", eps and every module", func(c *check) {
			if i == len(runs)-1 {
				defer func() { u = nil; release() }()
			}
			fullUNet(c, &u, fullFolder+"unet_"+name, runs[name])
		}})
	}
	return cases
}

// fullInput is a generated input.
type fullInput struct {
	Name  string `json:"name"`
	Shape []int  `json:"shape"`
	Scale any    `json:"scale"`
}

// generate makes the values of an input that has as many dimensions as given.
func (c *check) generate(in fullInput, dims int) []float32 {
	if len(in.Shape) != dims {
		c.must(fmt.Errorf("input %s has shape %v, expected %d dimensions", in.Name, in.Shape, dims))
	}
	return synth.Input(strings.TrimPrefix(in.Name, "input."), c.seed(), must(inputScale(in.Scale)), size(in.Shape))
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// inputScale reads the scale of a generated input: a number or "sqrt(3)".
func inputScale(v any) (float32, error) {
	switch v := v.(type) {
	case float64:
		return float32(v), nil
	case string:
		if v == "sqrt(3)" {
			return float32(math.Sqrt(3)), nil
		}
		f, err := strconv.ParseFloat(v, 32)
		return float32(f), err
	}
	return 0, fmt.Errorf("scale %v, expected a number or sqrt(3)", v)
}

// memoryFor ends the case as "not yet" where the machine has not the memory for a model; only Linux tells.
func (c *check) memoryFor(model, files string, gib float64) {
	free, ok := availableGiB()
	if ok && free < gib {
		c.later(fullFolder+files, "%s needs %.1f GiB of memory, %.1f are free", model, gib, free)
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

func fullText(c *check) {
	const file = fullFolder + "text_encoder.safetensors"
	c.memoryFor("the text encoder", "text_encoder.", 1)
	defer release()
	defer frugal()()
	info := fromJSON[struct {
		Prompts []string            `json:"prompts"`
		Errors  map[string]measured `json:"f32_error"`
	}](c, fullFolder+"text_encoder.json")

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
	p := must(must(clip.NewText(cfg, synth.New("text_encoder", c.seed()))).Program(len(ids)))
	got := activations(c, p, map[string][]float32{"input_ids": float32ids(ids)}, slices.Collect(maps.Keys(info.Errors)),
		func(v nn.Value) []float32 { return golden.Sample(v.Data()) })
	for name, e := range info.Errors {
		if name == "last_hidden_state" {
			near(c, name, p.Output(name), c.float32s(file, name), e.tolerance())
			continue
		}
		near(c, name, got[name], untilNaN(c.float32s(file, name+".sample256")), e.tolerance())
	}
}

// levels reads the channels of each level off the module table of a full-size model: those of
// "<prefix>0", "<prefix>1", …
func (c *check) levels(file, prefix string) []int {
	var channels []int
	for _, m := range fromJSON[moduleTable](c, file).Modules {
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

// fullVAE reads vae.json, and builds the model where that has not been done.
func (c *check) fullVAE(m **vae.Model) fullVAE {
	if *m == nil {
		c.memoryFor("the VAE", "vae", 3)
		cfg := vae.SD14()
		cfg.BlockOutChannels = c.levels(fullFolder+"vae_encode_modules.json", "encoder.down_blocks.")
		*m = must(vae.New(cfg, synth.New("vae", c.seed())))
	}
	return fromJSON[fullVAE](c, fullFolder+"vae.json")
}

func fullEncode(c *check, m **vae.Model) {
	defer frugal()()
	info := c.fullVAE(m)
	in := info.Encode
	image := c.generate(in, 4)
	p := must(nn.Compile(must((*m).EncodeGraph(in.Shape[0], in.Shape[2], in.Shape[3])), nn.Options{}))
	c.sampledModules(fullFolder+"vae_encode_modules", p, map[string][]float32{"image": image})
	near(c, "moments", p.Output("moments"), c.float32s(fullFolder+"vae_encode.safetensors", "moments"), info.Errors["encode"].tolerance())
}

func fullDecode(c *check, m **vae.Model) {
	defer frugal()()
	const file = fullFolder + "vae_decode.safetensors"
	info := c.fullVAE(m)
	in := info.Decode
	latent := c.generate(in, 4)
	p := must(nn.Compile(must((*m).DecodeGraph(in.Shape[0], in.Shape[2], in.Shape[3])), nn.Options{}))
	c.sampledModules(fullFolder+"vae_decode_modules", p, map[string][]float32{"latent": latent})
	image, tol := p.Output("image"), info.Errors["decode"].tolerance()
	h, w := in.Shape[2]*(*m).Config.Downscale(), in.Shape[3]*(*m).Config.Downscale()
	near(c, "centre of the image", window(image, h, w, (h-64)/2, (w-64)/2, 64, 64, 1), c.float32s(file, "image_center_crop64"), tol)
	near(c, "every 8th pixel", window(image, h, w, 0, 0, (h+7)/8, (w+7)/8, 8), c.float32s(file, "image_stride8"), tol)
	near(c, "mean, deviation, least, greatest", summarise(image).stats, c.float32s(file, "image_stats"), tol)
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

// fullUNetRun is one entry of unet.json.
type fullUNetRun struct {
	Latent   fullInput `json:"latent"`
	Context  fullInput `json:"context"`
	Timestep float32   `json:"timestep"`
	F32      measured  `json:"f32_error"`
	Stats    []float32 `json:"out_stats"`
	LDM      measured  `json:"ldm_code_f32_error"`
}

func (c *check) fullUNet(base string, run fullUNetRun) *unet.Model {
	cfg := unet.SD14()
	cfg.BlockOutChannels = c.levels(base+"_modules.json", "down_blocks.")
	if len(run.Context.Shape) == 3 {
		cfg.CrossAttentionDim = run.Context.Shape[2]
	}
	// Weights packed, one tensor being generated, activations: 6.0 GiB resident with 1280 channels.
	widest := float64(slices.Max(cfg.BlockOutChannels)) / 1280
	c.memoryFor("the U-Net", "unet", 0.5+6.5*math.Min(1, widest*widest))
	return must(unet.New(cfg, synth.New("unet", c.seed())))
}

// fullUNet compares a run of the U-Net, which it builds where that has not been done.
func fullUNet(c *check, m **unet.Model, base string, run fullUNetRun) {
	defer frugal()()
	if *m == nil {
		*m = c.fullUNet(base, run)
	}
	latent, text := c.generate(run.Latent, 4), c.generate(run.Context, 3)
	steps := slices.Repeat([]float32{run.Timestep}, run.Latent.Shape[0])
	p := must((*m).Compile(unet.Shape{N: run.Latent.Shape[0], H: run.Latent.Shape[2], W: run.Latent.Shape[3], Tokens: run.Context.Shape[1]},
		nn.Options{}))
	c.sampledModules(base+"_modules", p, map[string][]float32{"latent": latent, "timesteps": steps, "context": text})
	eps := p.Output("eps")
	near(c, "eps", eps, c.float32s(base+".safetensors", "eps"), run.F32.tolerance())
	near(c, "eps: mean, deviation, least, greatest", summarise(eps).stats, run.Stats, run.F32.tolerance())
}
