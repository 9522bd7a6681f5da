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
	"percept/nn"
	"percept/scheduler"
	"percept/unet"
	"percept/vae"
	"percept/weights/synth"
)

// tinyCases are those of small models with the structure of Stable Diffusion v1.
func tinyCases(s *set) []Case {
	ok := true
	for _, f := range []string{"report.json", "unet_io.safetensors", "unet_activations.json", "unet_activations.safetensors", "unet_attn2_probs.safetensors",
		"vae_io.safetensors", "vae_encode_activations.json", "vae_encode_activations.safetensors", "vae_decode_activations.json", "vae_decode_activations.safetensors",
		"text_io.json", "text_io.safetensors", "nano_io.safetensors"} {
		ok = s.want("tiny/"+f) && ok
	}
	if !ok {
		return nil
	}
	cases := []Case{
		{Name: "tiny: keys of report.json", run: tinyKeys},
		{Name: "tiny: U-Net, batches with unequal timesteps", run: tinyUNet},
		{Name: "tiny: U-Net, every module", run: tinyUNetModules},
		{Name: "tiny: U-Net, text attention maps", run: tinyProbs},
		{Name: "tiny: VAE, encode, posterior and decode", run: tinyVAE},
		{Name: "tiny: VAE, every module of the encoder", run: func(ctx context.Context, c *check) { tinyVAEModules(ctx, c, "encode") }},
		{Name: "tiny: VAE, every module of the decoder", run: func(ctx context.Context, c *check) { tinyVAEModules(ctx, c, "decode") }},
		{Name: "tiny: text encoder, hidden states", run: tinyText},
		{Name: "tiny: text encoder, every module", run: tinyTextModules},
	}
	return append(cases, nanoCases(s)...)
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

func (c *check) tinyReport() tinyReport {
	var r tinyReport
	c.json("tiny/report.json", &r)
	return r
}

// tolerance is that of a named result: the error of its float32 run is the entry itself or its "f32".
func (r tinyReport) tolerance(c *check, name string) float64 {
	raw, ok := r.Errors[name]
	if !ok {
		c.must(fmt.Errorf("%s: no error given for %s", c.set.path("tiny/report.json"), name))
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

func tinyKeys(_ context.Context, c *check) {
	r := c.tinyReport()
	known := []string{"unet.act", "vae.moments", "vae.decode", "text.last_hidden_state", "nano.vae.moments", "nano.vae.decode", "nano.text"}
	for _, p := range [][2]string{{"unet", ""}, {"nano.unet", "unet."}} {
		file := "tiny/unet_io.safetensors"
		if p[1] != "" {
			file = "tiny/nano_io.safetensors"
		}
		for _, name := range c.unetRuns(file, p[1]) {
			known = append(known, p[0]+"."+name)
		}
	}
	for name := range r.Errors {
		c.that(slices.Contains(known, name), "tiny/report.json: unknown key %q: no case uses it", name)
	}
}

// unetRuns lists the names of the runs in a file: those with a latent.
func (c *check) unetRuns(file, prefix string) []string {
	st, err := c.set.open(file)
	c.must(err)
	var runs []string
	for _, name := range st.Names() {
		if run, ok := strings.CutSuffix(name, ".latent"); ok && strings.HasPrefix(run, prefix) && !strings.Contains(run, "vae.") {
			runs = append(runs, strings.TrimPrefix(run, prefix))
		}
	}
	return runs
}

// tinyUNet is the model of unet_io; its weights are generated.
func (c *check) tinyUNet(channels []int, context int) *unet.Model {
	cfg := unet.SD14()
	cfg.BlockOutChannels, cfg.CrossAttentionDim = channels, context
	m, err := unet.New(cfg, synth.New("unet", c.seed()))
	c.must(err)
	return m
}

// runUNet compares eps of one run of a file.
func (c *check) runUNet(ctx context.Context, m *unet.Model, file, run, label string, tol float64) {
	shape := c.shape(file, run+".latent", 4)
	want := c.float32s(file, run+".eps")
	got := make([]float32, len(want))
	c.must(m.Predict(ctx, got, c.float32s(file, run+".latent"), c.float32s(file, run+".timesteps"), c.float32s(file, run+".context"), shape[0], shape[2], shape[3]))
	c.near(label, got, want, tol)
}

func tinyUNet(ctx context.Context, c *check) {
	const file = "tiny/unet_io.safetensors"
	r := c.tinyReport()
	m := c.tinyUNet(r.Config.UNet, r.Config.Context)
	for _, run := range c.unetRuns(file, "") {
		c.runUNet(ctx, m, file, run, run+".eps", r.tolerance(c, "unet."+run))
	}
}

// tinyActivations runs the U-Net on the input of unet_activations.
func (c *check) tinyActivations(ctx context.Context, table moduleTable) map[string]activation {
	const file = "tiny/unet_activations.safetensors"
	r := c.tinyReport()
	m := c.tinyUNet(r.Config.UNet, r.Config.Context)
	latent, text := c.shape(file, "latent", 4), c.shape(file, "context", 3)
	p, err := m.Compile(unet.Shape{N: latent[0], H: latent[2], W: latent[3], Tokens: text[1]}, nn.Options{})
	c.must(err)
	names := table.paths()
	for path := range table.Probs {
		names = append(names, path+".probs")
	}
	got := map[string]activation{}
	c.activations(ctx, p, map[string][]float32{
		"latent": c.float32s(file, "latent"), "timesteps": c.float32s(file, "timesteps"), "context": c.float32s(file, "context"),
	}, names, wholes(got))
	got["eps"] = activation{data: slices.Clone(p.Output("eps"))}
	return got
}

func tinyUNetModules(ctx context.Context, c *check) {
	const file = "tiny/unet_activations.safetensors"
	var table moduleTable
	c.json("tiny/unet_activations.json", &table)
	got := c.tinyActivations(ctx, table)
	c.modules(table, file, got)
	c.near("eps", got["eps"].data, c.float32s(file, "eps"), c.tinyReport().tolerance(c, "unet.act"))
}

func tinyProbs(ctx context.Context, c *check) {
	const file = "tiny/unet_attn2_probs.safetensors"
	var table moduleTable
	c.json("tiny/unet_activations.json", &table)
	got := c.tinyActivations(ctx, table)
	for path, raw := range table.Probs {
		var entry struct {
			Shape  []int   `json:"shape"`
			MaxAbs float64 `json:"f32_max_abs"`
		}
		c.must(json.Unmarshal(raw, &entry))
		want := c.float32s(file, path+".probs")
		a, ok := got[path+".probs"]
		if !ok || !sameElements(a.shape, entry.Shape) {
			c.comparisons++
			c.problem("%s.probs: shape %v, the reference has %v", path, a.shape, entry.Shape)
			continue
		}
		c.near(path, a.data, want, tolerance(entry.MaxAbs, rms(want)))
	}
}

// tinyVAE is the model of vae_io; its weights are generated.
func (c *check) tinyVAE() *vae.Model {
	cfg := vae.SD14()
	cfg.BlockOutChannels = c.tinyReport().Config.VAE
	m, err := vae.New(cfg, synth.New("vae", c.seed()))
	c.must(err)
	return m
}

// runVAE compares the moments and images of a file whose keys begin with prefix.
func (c *check) runVAE(ctx context.Context, m *vae.Model, file, prefix string, momentsTol, decodeTol float64) (moments []float32) {
	image := c.shape(file, prefix+"encode.image", 4)
	want := c.float32s(file, prefix+"encode.moments")
	moments = make([]float32, len(want))
	c.must(m.Encode(ctx, moments, c.float32s(file, prefix+"encode.image"), image[0], image[2], image[3]))
	c.near("moments", moments, want, momentsTol)

	latent := c.shape(file, prefix+"decode.latent", 4)
	want = c.float32s(file, prefix+"decode.image")
	got := make([]float32, len(want))
	c.must(m.Decode(ctx, got, c.float32s(file, prefix+"decode.latent"), latent[0], latent[2], latent[3]))
	c.near("decoded image", got, want, decodeTol)
	return moments
}

func tinyVAE(ctx context.Context, c *check) {
	const file = "tiny/vae_io.safetensors"
	r, m := c.tinyReport(), c.tinyVAE()
	tol := r.tolerance(c, "vae.moments")
	moments := c.runVAE(ctx, m, file, "", tol, r.tolerance(c, "vae.decode"))

	// The rest follows from the moments; so do the tolerances, by the derivative of each step.
	mean, logVar, err := vae.Moments(moments, c.shape(file, "encode.image", 4)[0])
	c.must(err)
	c.near("mean", mean, c.float32s(file, "encode.mean"), tol)
	c.near("log-variance", logVar, c.float32s(file, "encode.logvar_clamped"), tol)
	want := c.float32s(file, "encode.std")
	stdTol := tol / 2 * float64(slices.Max(want))
	c.near("standard deviation", vae.Std(logVar), want, stdTol)
	noise := c.float32s(file, "encode.noise")
	z := make([]float32, len(mean))
	scale := m.Config.ScalingFactor
	c.must(vae.Sample(z, mean, logVar, noise, scale))
	largest := math.Max(float64(slices.Max(noise)), -float64(slices.Min(noise)))
	c.near("sample", z, c.float32s(file, "encode.sample_scaled"), float64(scale)*(tol+largest*stdTol))
}

func tinyVAEModules(ctx context.Context, c *check, side string) {
	base := "tiny/vae_" + side + "_activations"
	var table moduleTable
	c.json(base+".json", &table)
	m, r := c.tinyVAE(), c.tinyReport()
	shape := c.shape(base+".safetensors", "input", 4)
	var p *nn.Program
	var err error
	in, out, tol := "image", "moments", r.tolerance(c, "vae.moments")
	if side == "decode" {
		in, out, tol = "latent", "image", r.tolerance(c, "vae.decode")
		p, err = m.DecodeProgram(shape[0], shape[2], shape[3])
	} else {
		p, err = m.EncodeProgram(shape[0], shape[2], shape[3])
	}
	c.must(err)
	got := map[string]activation{}
	c.activations(ctx, p, map[string][]float32{in: c.float32s(base+".safetensors", "input")}, table.paths(), wholes(got))
	c.modules(table, base+".safetensors", got)
	c.near(out, p.Output(out), c.float32s(base+".safetensors", "output"), tol)
}

// tinyText is the model of text_io; its weights are generated.
func (c *check) tinyText() *clip.Text {
	t := c.tinyReport().Config.Text
	cfg := clip.SD14()
	cfg.HiddenSize, cfg.IntermediateSize, cfg.Layers, cfg.Heads, cfg.VocabSize = t.Hidden, t.Inter, t.Layers, t.Heads, t.Vocab
	cfg.EndToken = t.Vocab - 1
	cfg.MaxPositionEmbeddings = c.shape("tiny/text_io.safetensors", "input_ids", 2)[1]
	m, err := clip.NewText(cfg, synth.New("text_encoder", c.seed()))
	c.must(err)
	return m
}

func (c *check) tinyTextRun(ctx context.Context, m *clip.Text, ids [][]int32, names []string) map[string]activation {
	p, err := m.Program(len(ids))
	c.must(err)
	got := map[string]activation{}
	c.activations(ctx, p, map[string][]float32{"input_ids": float32ids(ids)}, names, wholes(got))
	got["last_hidden_state"] = activation{data: slices.Clone(p.Output("last_hidden_state"))}
	return got
}

func tinyText(ctx context.Context, c *check) {
	const file = "tiny/text_io.safetensors"
	var table moduleTable
	c.json("tiny/text_io.json", &table)
	tols := map[string]float64{}
	for _, m := range table.Modules {
		tols[m.Path] = tolerance(m.MaxAbs, m.RMS)
	}
	m := c.tinyText()
	ids := c.rows(file, "input_ids")
	var names []string
	for k := range m.Config.Layers + 1 {
		names = append(names, "hidden_states."+strconv.Itoa(k))
	}
	got := c.tinyTextRun(ctx, m, ids, names)
	// A hidden state is the output of the module before it.
	for k := range m.Config.Layers + 1 {
		name, module := "hidden_states."+strconv.Itoa(k), "text_model.embeddings"
		if k > 0 {
			module = "text_model.encoder.layers." + strconv.Itoa(k-1)
		}
		tol, ok := tols[module]
		if !ok {
			c.must(fmt.Errorf("%s: no module %s", c.set.path("tiny/text_io.json"), module))
		}
		c.near(name, got[name].data, c.float32s(file, name), tol)
	}
	tol := c.tinyReport().tolerance(c, "text.last_hidden_state")
	last := got["last_hidden_state"].data
	c.near("last_hidden_state", last, c.float32s(file, "last_hidden_state"), tol)
	pooled, err := m.Pooled(last, ids)
	c.must(err)
	c.near("pooler_output", pooled, c.float32s(file, "pooler_output"), tol)
}

func tinyTextModules(ctx context.Context, c *check) {
	const file = "tiny/text_io.safetensors"
	var table moduleTable
	c.json("tiny/text_io.json", &table)
	c.modules(table, file, c.tinyTextRun(ctx, c.tinyText(), c.rows(file, "input_ids"), table.paths()))
}

// tinySampling runs DDIM with the tiny U-Net, guided, both halves in one batch.
func tinySampling(ctx context.Context, c *check, kind string) {
	info, _ := c.samplerInfo()
	var report map[string]measured
	c.keyed(schedulerReport).take("tiny_unet."+kind, &report)
	f32, ok := report["f32_whole"]
	if !ok {
		f32 = report["f32_final"]
	}
	m := c.tinyUNet(info.tiny.Channels, info.tiny.Context)
	d := c.ddim(info.tiny.Steps, "0", scheduler.CompVis)
	ascending := slices.Clone(d.Timesteps)
	slices.Reverse(ascending)
	c.that(slices.Equal(ascending, info.tiny.Ascending), "timesteps %v, the reference has %v", ascending, info.tiny.Ascending)

	start, last := "txt2img.xT", 0
	if kind == "img2img" {
		start = "img2img.z_enc"
		n, err := scheduler.StepsFor(info.tiny.Strength, info.tiny.Steps)
		c.must(err)
		c.that(n == info.tiny.TEnc, "strength %g makes %d steps, the reference has %d", info.tiny.Strength, n, info.tiny.TEnc)
		last = n
		z, err := d.StochasticEncode(c.float32s(tinyUNetFile, "img2img.x0"), c.float32s(tinyUNetFile, "img2img.noise"), n)
		c.must(err)
		var encode measured
		c.keyed(schedulerReport).take("stochastic_encode", &encode)
		c.near("z_enc", z, c.float32s(tinyUNetFile, "img2img.z_enc"), encode.tolerance())
	}
	shape := c.shape(tinyUNetFile, start, 4)
	text := append(c.float32s(tinyUNetFile, "uncond"), c.float32s(tinyUNetFile, "cond")...)
	eps := make([]float32, 2*len(c.float32s(tinyUNetFile, start)))
	model := scheduler.Guided(func(ctx context.Context, x []float32, t float64) ([]float32, error) {
		at := slices.Repeat([]float32{float32(t)}, 2*shape[0])
		return eps, m.Predict(ctx, eps, x, at, text, 2*shape[0], shape[2], shape[3])
	}, info.tiny.Scale)
	run := c.sample(ctx, d, model, c.float32s(tinyUNetFile, start), last, nil)
	c.near("trajectory", run.trajectory, c.float32s(tinyUNetFile, kind+".trajectory"), f32.tolerance())
	// The report measures the latents alone; an error of x reaches eps through the model, guidance multiplies it.
	c.near("guided eps", run.eps, c.float32s(tinyUNetFile, kind+".guided_eps"), float64(info.tiny.Scale)*f32.tolerance())
}
