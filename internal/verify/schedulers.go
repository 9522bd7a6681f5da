package verify

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"percept/scheduler"
)

const (
	schedulerInfo   = "schedulers/info.json"
	schedulerReport = "schedulers/report.json"
	mockFile        = "schedulers/ddim_mock.safetensors"
	plmsFile        = "schedulers/plms_pndm_mock.safetensors"
	tinyUNetFile    = "schedulers/ddim_tiny_unet.safetensors"
)

// schedulerCases are those of noise schedules and samplers.
func schedulerCases(s *set) []Case {
	ok := true
	for _, f := range []string{
		schedulerInfo, schedulerReport, mockFile, tinyUNetFile, "schedulers/schedule_f32.safetensors",
		"schedulers/betas_f64.npy", "schedulers/alphas_cumprod_f64.npy", plmsFile,
	} {
		ok = s.want(f) && ok
	}
	if !ok {
		return nil
	}
	cases := []Case{
		{Name: "schedulers: tables in float64", run: scheduleTables64},
		{Name: "schedulers: tables in float32", run: scheduleTables32},
		{Name: "schedulers: keys of info.json and report.json", run: schedulerKeys},
		{Name: "schedulers: timesteps, both conventions", run: timestepRules},
		{Name: "schedulers: DDIM coefficients", run: ddimCoefficients},
		{Name: "schedulers: img2img encoding, both conventions", run: imageEncoding},
		{Name: "schedulers: tiny U-Net, DDIM text to image", run: func(ctx context.Context, c *check) { tinySampling(ctx, c, "txt2img") }},
		{Name: "schedulers: tiny U-Net, DDIM image to image", run: func(ctx context.Context, c *check) { tinySampling(ctx, c, "img2img") }},
	}
	runs, err := s.mockRuns()
	if err != nil {
		s.broken = append(s.broken, unknown{schedulerInfo, err.Error()})
	}
	for _, r := range runs {
		cases = append(cases, Case{Name: "schedulers: DDIM with a formula, " + r.key(), run: func(ctx context.Context, c *check) {
			for _, rule := range []scheduler.Convention{scheduler.CompVis, scheduler.Diffusers} {
				r.run(ctx, c, rule)
			}
		}})
	}
	return append(cases,
		Case{Name: "schedulers: PLMS (CompVis)", run: plmsRun},
		Case{Name: "schedulers: PNDM (diffusers)", run: pndmRun})
}

// mockRun is a run with the formula in place of a model; eta is written as in the keys.
type mockRun struct{ kind, eta string }

func (r mockRun) key() string { return r.kind + ".eta" + r.eta }

// mockRuns lists the runs of info.json: those whose timesteps it gives.
func (s *set) mockRuns() ([]mockRun, error) {
	var info map[string]json.RawMessage
	if err := s.json(schedulerInfo, &info); err != nil {
		return nil, err
	}
	var runs []mockRun
	for _, key := range slices.Sorted(maps.Keys(info)) {
		run, ok := strings.CutSuffix(key, ".timesteps")
		kind, eta, found := strings.Cut(run, ".eta")
		if ok && found && (kind == "txt2img" || kind == "img2img") {
			runs = append(runs, mockRun{kind, eta})
		}
	}
	return runs, nil
}

// samplerInfo holds the parts of info.json that are the same for all runs.
type samplerInfo struct {
	shape              []int
	steps, tEnc        int
	scale              float32
	strength           float64
	cond, uncond       float64
	stochasticTimestep int
	firstDecode        int
	addNoiseTimestep   int
	plms               struct {
		Steps     int   `json:"steps"`
		LDM       []int `json:"ldm_timesteps_descending"`
		Diffusers []int `json:"diffusers_pndm_timesteps"`
	}
	tiny struct {
		Scale     float32 `json:"cfg_scale"`
		Steps     int     `json:"steps"`
		Ascending []int   `json:"timesteps_ascending"`
		Strength  float64 `json:"strength"`
		TEnc      int     `json:"t_enc"`
		Channels  []int   `json:"block_out_channels"`
		Context   int     `json:"context_dim"`
	}
}

// mockFormula is the model of the mock runs; a set with another formula needs another mock.
const mockFormula = "eps(x,t,c) = 0.3*x + 0.4*sin(2*x + 0.01*t) + 0.1*c*cos(x); e = e_u + s*(e_c - e_u)"

// samplerInfo reads info.json; rest gets the keys that it does not hold.
func (c *check) samplerInfo() (info samplerInfo, rest *keyed) {
	k := c.keyed(schedulerInfo)
	k.take("shape", &info.shape)
	k.take("steps", &info.steps)
	k.take("cfg_scale", &info.scale)
	k.take("strength", &info.strength)
	k.take("cond", &info.cond)
	k.take("uncond", &info.uncond)
	k.take("t_enc", &info.tEnc)
	k.take("stochastic_encode_timestep", &info.stochasticTimestep)
	k.take("first_decode_timestep", &info.firstDecode)
	k.take("diffusers_add_noise_timestep", &info.addNoiseTimestep)
	k.take("tiny_unet", &info.tiny)
	k.take("plms", &info.plms)
	var formula string
	k.take("mock", &formula)
	if formula != mockFormula {
		c.problem("%s: mock model %q is unknown", schedulerInfo, formula)
	}
	return info, k
}

// schedulerKeys looks for cases in the two JSON files that no function above runs.
func schedulerKeys(_ context.Context, c *check) {
	info, k := c.samplerInfo()
	runs, err := c.set.mockRuns()
	c.must(err)
	r := c.keyed(schedulerReport)
	for _, run := range runs {
		k.skip(run.key() + ".timesteps")
		r.skip(run.key())
	}
	k.skip(fmt.Sprintf("diffusers_timesteps_%d", info.steps), fmt.Sprintf("ldm_timesteps_%d_ascending", info.steps),
		"ldm_timesteps_by_steps", "diffusers_leading_timesteps_by_steps")
	k.end()
	r.skip("alphas_cumprod diffusers f32 vs ldm f64-rounded", "stochastic_encode", "diffusers add_noise",
		"tiny_unet.txt2img", "tiny_unet.img2img", "plms")
	r.end()
	c.comparisons++
}

// npyFloat64 reads a one-dimensional little-endian float64 .npy of version 1: all that this folder has.
func (c *check) npyFloat64(file string) []float64 {
	b, err := os.ReadFile(c.set.path(file))
	c.must(err)
	if len(b) < 10 || string(b[:8]) != "\x93NUMPY\x01\x00" || len(b) < 10+int(binary.LittleEndian.Uint16(b[8:])) {
		c.must(fmt.Errorf("%s: not a .npy file of version 1", c.set.path(file)))
	}
	header := string(b[10 : 10+int(binary.LittleEndian.Uint16(b[8:]))])
	if !strings.Contains(header, "'<f8'") || !strings.Contains(header, "'fortran_order': False") {
		c.must(fmt.Errorf("%s: header %q, want float64", c.set.path(file), header))
	}
	b = b[10+len(header):]
	x := make([]float64, len(b)/8)
	for i := range x {
		x[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
	}
	return x
}

func scheduleTables64(_ context.Context, c *check) {
	s := scheduler.StableDiffusion()
	c.near64("betas", s.Beta, c.npyFloat64("schedulers/betas_f64.npy"), 1e-15)
	c.near64("alphas_cumprod", s.AlphaBar, c.npyFloat64("schedulers/alphas_cumprod_f64.npy"), 1e-15)
}

func scheduleTables32(_ context.Context, c *check) {
	const file = "schedulers/schedule_f32.safetensors"
	r := c.keyed(schedulerReport)
	var between measured
	r.take("alphas_cumprod diffusers f32 vs ldm f64-rounded", &between)
	table := func(name string, x []float64, tol float64) {
		got := make([]float32, len(x))
		for i, v := range x {
			got[i] = float32(v)
		}
		c.near(name, got, c.float32s(file, name), tol)
	}
	ldm := scheduler.StableDiffusion().Rounded()
	table("ldm.betas", ldm.Beta, 0)
	table("ldm.alphas_cumprod", ldm.AlphaBar, 0)
	table("ldm.alphas_cumprod_prev", append([]float64{1}, ldm.AlphaBar[:len(ldm.AlphaBar)-1]...), 0)
	d, err := scheduler.ScaledLinearDiffusers(0.00085, 0.012, len(ldm.Beta))
	c.must(err)
	table("diffusers.betas", d.Beta, between.tolerance())
	table("diffusers.alphas_cumprod", d.AlphaBar, between.tolerance())
}

func timestepRules(_ context.Context, c *check) {
	info, k := c.samplerInfo()
	compare := func(rule scheduler.Convention, steps int, want []int, ascending bool) {
		got, err := rule.Timesteps(steps, 1000)
		want = slices.Clone(want)
		if ascending {
			slices.Reverse(want)
		}
		c.that(err == nil && slices.Equal(got, want), "%v, %d steps: %v (%v), the reference has %v", rule, steps, got, err, want)
	}
	for key, rule := range map[string]scheduler.Convention{"ldm_timesteps_by_steps": scheduler.CompVis, "diffusers_leading_timesteps_by_steps": scheduler.Diffusers} {
		var lists map[string][]int
		k.take(key, &lists)
		for steps, want := range lists {
			n, err := strconv.Atoi(steps)
			c.must(err)
			compare(rule, n, want, rule == scheduler.CompVis)
		}
	}
	var list []int
	k.take(fmt.Sprintf("diffusers_timesteps_%d", info.steps), &list)
	compare(scheduler.Diffusers, info.steps, list, false)
	k.take(fmt.Sprintf("ldm_timesteps_%d_ascending", info.steps), &list)
	compare(scheduler.CompVis, info.steps, list, true)
	compare(scheduler.CompVis, info.tiny.Steps, info.tiny.Ascending, true)
	_, err := scheduler.CompVis.Timesteps(3, 1000)
	c.that(err != nil, "3 steps, which reach timestep 1000, are not refused")
}

// ddim makes the sampler of a run.
func (c *check) ddim(steps int, eta string, rule scheduler.Convention) *scheduler.DDIM {
	e, err := strconv.ParseFloat(eta, 64)
	c.must(err)
	d, err := scheduler.NewDDIM(scheduler.DDIMOptions{
		Steps: steps, Eta: e, Convention: rule,
		Schedule: scheduler.StableDiffusion().Rounded(), // the reference has one table for both
	})
	c.must(err)
	return d
}

func ddimCoefficients(_ context.Context, c *check) {
	info, _ := c.samplerInfo()
	prefix := fmt.Sprintf("ddim%d.", info.steps)
	ascending := func(x []float64) []float32 {
		y := make([]float32, len(x))
		for i, v := range x {
			y[len(x)-1-i] = float32(v)
		}
		return y
	}
	runs, err := c.set.mockRuns()
	c.must(err)
	for _, run := range runs {
		eta := run.eta
		d := c.ddim(info.steps, eta, scheduler.CompVis)
		c.near("alphas", ascending(d.AlphaBar), c.float32s(mockFile, prefix+"alphas"), 0)
		c.near("alphas_prev", ascending(d.AlphaPrev), c.float32s(mockFile, prefix+"alphas_prev"), 0)
		// The reference is float64 with the float32 table; its float32 form is off by some 1e-8.
		c.near("sigmas, eta "+eta, ascending(d.Sigma), c.float32s(mockFile, prefix+"sigmas_eta"+eta), 1e-6)
	}
}

func imageEncoding(_ context.Context, c *check) {
	info, _ := c.samplerInfo()
	r := c.keyed(schedulerReport)
	var encode, add measured
	r.take("stochastic_encode", &encode)
	r.take("diffusers add_noise", &add)
	n, err := scheduler.StepsFor(info.strength, info.steps)
	c.must(err)
	c.that(n == info.tEnc, "strength %g makes %d steps, the reference has %d", info.strength, n, info.tEnc)
	x0, noise := c.float32s(mockFile, "x0"), c.float32s(mockFile, "enc_noise")
	ldm := c.ddim(info.steps, "0", scheduler.CompVis)
	z, err := ldm.StochasticEncode(x0, noise, n)
	c.must(err)
	c.near("stochastic_encode", z, c.float32s(mockFile, "img2img.z_enc"), encode.tolerance())
	diffusers := c.ddim(info.steps, "0", scheduler.Diffusers)
	z, err = diffusers.AddNoise(x0, noise, n)
	c.must(err)
	c.near("add_noise", z, c.float32s(mockFile, "img2img.diffusers_add_noise"), add.tolerance())
	first := diffusers.Timesteps[len(diffusers.Timesteps)-n]
	c.that(first == info.addNoiseTimestep && first == info.firstDecode, "first timestep %d, the reference has %d and %d", first, info.addNoiseTimestep, info.firstDecode)
	at := ldm.Timesteps[len(ldm.Timesteps)-1-n]
	c.that(at == info.stochasticTimestep, "encoded at timestep %d, the reference at %d", at, info.stochasticTimestep)
}
