package verify

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"percept/clip"
	"percept/internal/golden"
	"percept/nn"
	"percept/scheduler"
	"percept/unet"
	"percept/vae"
	"percept/weights/synth"
)

const (
	tinyReportFile  = "tiny/report.json"
	tinyUNetIO      = "tiny/unet_io.safetensors"
	tinyActivations = "tiny/unet_activations"
	tinyTextIO      = "tiny/text_io"
)

// tinyCases are those of small models with the structure of Stable Diffusion v1.
func tinyCases(*set) []testCase {
	return append([]testCase{
		{"tiny: keys of report.json", tinyKeys},
		{"tiny: U-Net, batches with unequal timesteps", tinyUNet},
		{"tiny: U-Net, every module", tinyUNetModules},
		{"tiny: U-Net, text attention maps", tinyProbs},
		{"tiny: VAE, encode, posterior and decode", tinyVAE},
		{"tiny: VAE, every module of the encoder", func(c *check) {
			tinyVAEModules(c, "encode", "image", "moments", "vae.moments", (*vae.Model).EncodeProgram)
		}},
		{"tiny: VAE, every module of the decoder", func(c *check) {
			tinyVAEModules(c, "decode", "latent", "image", "vae.decode", (*vae.Model).DecodeProgram)
		}},
		{"tiny: text encoder, hidden states", tinyText},
		{"tiny: text encoder, every module", tinyTextModules},
	}, nanoCases()...)
}

// tinyReport is report.json.
type tinyReport struct {
	Config tinyConfig                 `json:"config"`
	Errors map[string]json.RawMessage `json:"errors"`
}

type tinyConfig struct {
	UNet     []int `json:"unet"`
	Context  int   `json:"ctx"`
	NanoUNet []int `json:"nano_unet"`
	VAE      []int `json:"vae"`
	NanoVAE  []int `json:"nano_vae"`
	Text     struct {
		Hidden int `json:"hidden"`
		Inter  int `json:"inter"`
		Layers int `json:"layers"`
		Heads  int `json:"heads"`
		Vocab  int `json:"vocab"`
	} `json:"text"`
}

func (c *check) tinyReport() tinyReport { return fromJSON[tinyReport](c, tinyReportFile) }

// tinyTolerance is that of a named result: the error of its float32 run is the entry itself or its "f32".
func (c *check) tinyTolerance(name string) float64 {
	raw, ok := c.tinyReport().Errors[name]
	if !ok {
		c.must(fmt.Errorf("%s: no error given for %s", c.set.path(tinyReportFile), name))
	}
	var runs struct {
		measured
		F32 *measured `json:"f32"`
	}
	c.must(json.Unmarshal(raw, &runs))
	if runs.F32 != nil {
		return runs.F32.tolerance()
	}
	return runs.tolerance()
}

func tinyKeys(c *check) {
	known := []string{"unet.act", "vae.moments", "vae.decode", "text.last_hidden_state", "nano.vae.moments", "nano.vae.decode", "nano.text"}
	for _, name := range c.unetRuns(tinyUNetIO, "") {
		known = append(known, "unet."+name)
	}
	for _, name := range c.unetRuns(nanoIO, "unet.") {
		known = append(known, "nano.unet."+name)
	}
	for name := range c.tinyReport().Errors {
		c.that(slices.Contains(known, name), "%s: unknown key %q: no case uses it", tinyReportFile, name)
	}
}

// unetRuns lists the names of the runs in a file: those with a latent.
func (c *check) unetRuns(file, prefix string) []string {
	var runs []string
	for _, name := range c.open(file).Names() {
		if run, ok := strings.CutSuffix(name, ".latent"); ok && strings.HasPrefix(run, prefix) && !strings.Contains(run, "vae.") {
			runs = append(runs, strings.TrimPrefix(run, prefix))
		}
	}
	return runs
}

// tinyUNet is a model with generated weights.
func (c *check) tinyUNet(channels []int, context int) *unet.Model {
	cfg := unet.SD14()
	cfg.BlockOutChannels, cfg.CrossAttentionDim = channels, context
	return must(unet.New(cfg, synth.New("unet", c.seed())))
}

// runUNet compares eps of one run of a file.
func (c *check) runUNet(m *unet.Model, file, run, label string, tol float64) {
	shape := c.shape(file, run+".latent", 4)
	want := c.float32s(file, run+".eps")
	got := make([]float32, len(want))
	c.must(m.Predict(c.ctx, got, c.float32s(file, run+".latent"), c.float32s(file, run+".timesteps"), c.float32s(file, run+".context"),
		shape[0], shape[2], shape[3]))
	near(c, label, got, want, tol)
}

func tinyUNet(c *check) {
	r := c.tinyReport()
	m := c.tinyUNet(r.Config.UNet, r.Config.Context)
	for _, run := range c.unetRuns(tinyUNetIO, "") {
		c.runUNet(m, tinyUNetIO, run, run+".eps", c.tinyTolerance("unet."+run))
	}
}

// tinyActivations runs the U-Net on the input of unet_activations and keeps the nodes that names lists.
func (c *check) tinyActivations(names []string) (*nn.Program, map[string]golden.Value) {
	const file = tinyActivations + ".safetensors"
	r := c.tinyReport()
	latent, text := c.shape(file, "latent", 4), c.shape(file, "context", 3)
	p := must(c.tinyUNet(r.Config.UNet, r.Config.Context).Compile(unet.Shape{N: latent[0], H: latent[2], W: latent[3], Tokens: text[1]},
		nn.Options{}))
	inputs := map[string][]float32{}
	for _, in := range []string{"latent", "timesteps", "context"} {
		inputs[in] = c.float32s(file, in)
	}
	return p, activations(c, p, inputs, names, published)
}

func tinyUNetModules(c *check) {
	const file = tinyActivations + ".safetensors"
	table := fromJSON[moduleTable](c, tinyActivations+".json")
	p, got := c.tinyActivations(table.paths())
	c.modules(table, file, got)
	near(c, "eps", p.Output("eps"), c.float32s(file, "eps"), c.tinyTolerance("unet.act"))
}

func tinyProbs(c *check) {
	const file = "tiny/unet_attn2_probs.safetensors"
	probs := fromJSON[moduleTable](c, tinyActivations+".json").Probs
	var names []string
	for path := range probs {
		names = append(names, path+".probs")
	}
	_, got := c.tinyActivations(names)
	for path, raw := range probs {
		var m golden.Module
		c.must(json.Unmarshal(raw, &m))
		want := c.float32s(file, path+".probs")
		if a, ok := kept(c, got, path+".probs"); ok {
			c.activation(path, a, m.Shape, want, tolerance(m.F32MaxAbs, rms(want)))
		}
	}
}

// tinyVAE is the model of vae_io; its weights are generated.
func (c *check) tinyVAE() *vae.Model {
	cfg := vae.SD14()
	cfg.BlockOutChannels = c.tinyReport().Config.VAE
	return must(vae.New(cfg, synth.New("vae", c.seed())))
}

// runVAE compares the moments and images of a file whose keys begin with prefix.
func (c *check) runVAE(m *vae.Model, file, prefix string, momentsTol, decodeTol float64) (moments []float32) {
	run := func(from, to, label string, tol float64, f func(m *vae.Model, dst, src []float32, n, h, w int) error) []float32 {
		shape, want := c.shape(file, prefix+from, 4), c.float32s(file, prefix+to)
		got := make([]float32, len(want))
		c.must(f(m, got, c.float32s(file, prefix+from), shape[0], shape[2], shape[3]))
		near(c, label, got, want, tol)
		return got
	}
	moments = run("encode.image", "encode.moments", "moments", momentsTol, func(m *vae.Model, dst, src []float32, n, h, w int) error {
		return m.Encode(c.ctx, dst, src, n, h, w)
	})
	run("decode.latent", "decode.image", "decoded image", decodeTol, func(m *vae.Model, dst, src []float32, n, h, w int) error {
		return m.Decode(c.ctx, dst, src, n, h, w)
	})
	return moments
}

func tinyVAE(c *check) {
	const file = "tiny/vae_io.safetensors"
	m, tol := c.tinyVAE(), c.tinyTolerance("vae.moments")
	moments := c.runVAE(m, file, "", tol, c.tinyTolerance("vae.decode"))

	// The rest follows from the moments; so do the tolerances, by the derivative of each step.
	mean, logVar, err := vae.Moments(moments, c.shape(file, "encode.image", 4)[0])
	c.must(err)
	near(c, "mean", mean, c.float32s(file, "encode.mean"), tol)
	near(c, "log-variance", logVar, c.float32s(file, "encode.logvar_clamped"), tol)
	want := c.float32s(file, "encode.std")
	stdTol := tol / 2 * float64(slices.Max(want))
	near(c, "standard deviation", vae.Std(logVar), want, stdTol)
	noise := c.float32s(file, "encode.noise")
	z := make([]float32, len(mean))
	scale := m.Config.ScalingFactor
	c.must(vae.Sample(z, mean, logVar, noise, scale))
	largest := math.Max(float64(slices.Max(noise)), -float64(slices.Min(noise)))
	near(c, "sample", z, c.float32s(file, "encode.sample_scaled"), float64(scale)*(tol+largest*stdTol))
}

// tinyVAEModules compares every module of one side of the VAE, whose graph has these inputs and outputs.
func tinyVAEModules(c *check, side, in, out, result string, program func(m *vae.Model, n, h, w int) (*nn.Program, error)) {
	base := "tiny/vae_" + side + "_activations"
	file, table := base+".safetensors", fromJSON[moduleTable](c, base+".json")
	shape := c.shape(file, "input", 4)
	p := must(program(c.tinyVAE(), shape[0], shape[2], shape[3]))
	c.modules(table, file, activations(c, p, map[string][]float32{in: c.float32s(file, "input")}, table.paths(), published))
	near(c, out, p.Output(out), c.float32s(file, "output"), c.tinyTolerance(result))
}

// tinyTextRun runs the model of text_io, whose weights are generated, on the ids there, and keeps the nodes that names
// lists.
func (c *check) tinyTextRun(names ...string) (m *clip.Text, last []float32, got map[string]golden.Value) {
	t := c.tinyReport().Config.Text
	const file = tinyTextIO + ".safetensors"
	ids := c.rows(file, "input_ids")
	cfg := clip.SD14()
	cfg.HiddenSize, cfg.IntermediateSize, cfg.Layers, cfg.Heads, cfg.VocabSize = t.Hidden, t.Inter, t.Layers, t.Heads, t.Vocab
	cfg.EndToken, cfg.MaxPositionEmbeddings = t.Vocab-1, c.shape(file, "input_ids", 2)[1]
	m = must(clip.NewText(cfg, synth.New("text_encoder", c.seed())))
	p := must(m.Program(len(ids)))
	got = activations(c, p, map[string][]float32{"input_ids": float32ids(ids)}, names, published)
	return m, p.Output("last_hidden_state"), got
}

func tinyText(c *check) {
	const file = tinyTextIO + ".safetensors"
	tols := map[string]float64{}
	for _, m := range fromJSON[moduleTable](c, tinyTextIO+".json").Modules {
		tols[m.Path] = m.Tolerance()
	}
	var names []string
	for k := range c.tinyReport().Config.Text.Layers + 1 {
		names = append(names, "hidden_states."+strconv.Itoa(k))
	}
	m, last, got := c.tinyTextRun(names...)
	// A hidden state is the output of the module before it.
	for k, name := range names {
		module := "text_model.embeddings"
		if k > 0 {
			module = "text_model.encoder.layers." + strconv.Itoa(k-1)
		}
		tol, ok := tols[module]
		if !ok {
			c.must(fmt.Errorf("%s: no module %s", c.set.path(tinyTextIO+".json"), module))
		}
		near(c, name, got[name].Data, c.float32s(file, name), tol)
	}
	tol := c.tinyTolerance("text.last_hidden_state")
	near(c, "last_hidden_state", last, c.float32s(file, "last_hidden_state"), tol)
	near(c, "pooler_output", must(m.Pooled(last, c.rows(file, "input_ids"))), c.float32s(file, "pooler_output"), tol)
}

func tinyTextModules(c *check) {
	table := fromJSON[moduleTable](c, tinyTextIO+".json")
	_, _, got := c.tinyTextRun(table.paths()...)
	c.modules(table, tinyTextIO+".safetensors", got)
}

// tinySampling runs DDIM with the tiny U-Net, guided, both halves in one batch.
func tinySampling(c *check, kind string) {
	tiny, report := c.samplerInfo().Tiny, c.keyed(schedulerReport)
	errors := take[map[string]measured](report, "tiny_unet."+kind)
	f32, ok := errors["f32_whole"]
	if !ok {
		f32 = errors["f32_final"]
	}
	m := c.tinyUNet(tiny.Channels, tiny.Context)
	d := c.ddim(tiny.Steps, "0", scheduler.CompVis)
	ascending := slices.Clone(d.Timesteps)
	slices.Reverse(ascending)
	c.that(slices.Equal(ascending, tiny.Ascending), "timesteps %v, the reference has %v", ascending, tiny.Ascending)

	start, last := "txt2img.xT", 0
	if kind == "img2img" {
		start = "img2img.z_enc"
		last = must(scheduler.StepsFor(tiny.Strength, tiny.Steps))
		c.that(last == tiny.TEnc, "strength %g makes %d steps, the reference has %d", tiny.Strength, last, tiny.TEnc)
		z := must(d.StochasticEncode(c.float32s(tinyUNetFile, "img2img.x0"), c.float32s(tinyUNetFile, "img2img.noise"), last))
		near(c, "z_enc", z, c.float32s(tinyUNetFile, start), take[measured](report, "stochastic_encode").tolerance())
	}
	shape, x := c.shape(tinyUNetFile, start, 4), c.float32s(tinyUNetFile, start)
	text := append(c.float32s(tinyUNetFile, "uncond"), c.float32s(tinyUNetFile, "cond")...)
	eps := make([]float32, 2*len(x))
	model := scheduler.Guided(func(ctx context.Context, x []float32, t float64) ([]float32, error) {
		at := slices.Repeat([]float32{float32(t)}, 2*shape[0])
		return eps, m.Predict(ctx, eps, x, at, text, 2*shape[0], shape[2], shape[3])
	}, tiny.Scale)
	run := c.sample(d, model, x, last, nil)
	near(c, "trajectory", run.trajectory, c.float32s(tinyUNetFile, kind+".trajectory"), f32.tolerance())
	// The report measures the latents alone; an error of x reaches eps through the model, guidance multiplies it.
	c.ifStored("guided eps", run.eps, tinyUNetFile, kind+".guided_eps", float64(tiny.Scale)*f32.tolerance())
}
