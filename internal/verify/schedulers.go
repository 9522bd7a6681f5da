package verify

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"percept/fmri/array"
	"percept/scheduler"
)

const (
	schedulerInfo   = "schedulers/info.json"
	schedulerReport = "schedulers/report.json"
	mockFile        = "schedulers/ddim_mock.safetensors"
	plmsFile        = "schedulers/plms_pndm_mock.safetensors"
	tinyUNetFile    = "schedulers/ddim_tiny_unet.safetensors"

	tablesReported = "alphas_cumprod diffusers f32 vs ldm f64-rounded" // a key of report.json
)

// schedulerCases are those of noise schedules and samplers.
func schedulerCases(s *set) []testCase {
	cases := []testCase{
		{"schedulers: tables in float64", scheduleTables64},
		{"schedulers: tables in float32", scheduleTables32},
		{"schedulers: keys of info.json and report.json", schedulerKeys},
		{"schedulers: timesteps, both conventions", timestepRules},
		{"schedulers: DDIM coefficients", ddimCoefficients},
		{"schedulers: img2img encoding, both conventions", imageEncoding},
		{"schedulers: tiny U-Net, DDIM text to image", func(c *check) { tinySampling(c, "txt2img") }},
		{"schedulers: tiny U-Net, DDIM image to image", func(c *check) { tinySampling(c, "img2img") }},
	}
	runs, err := s.mockRuns()
	if err != nil {
		s.lacks(schedulerInfo, err)
	}
	for _, r := range runs {
		cases = append(cases, testCase{"schedulers: DDIM with a formula, " + r.key(), func(c *check) {
			r.run(c, scheduler.CompVis)
			r.run(c, scheduler.Diffusers)
		}})
	}
	return append(cases, testCase{"schedulers: PLMS (CompVis)", plmsRun}, testCase{"schedulers: PNDM (diffusers)", pndmRun})
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

// samplerInfo is info.json.
type samplerInfo struct {
	Shape              []int   `json:"shape"`
	Steps              int     `json:"steps"`
	Scale              float32 `json:"cfg_scale"`
	Strength           float64 `json:"strength"`
	Cond               float64 `json:"cond"`
	Uncond             float64 `json:"uncond"`
	Mock               string  `json:"mock"`
	TEnc               int     `json:"t_enc"`
	StochasticTimestep int     `json:"stochastic_encode_timestep"`
	FirstDecode        int     `json:"first_decode_timestep"`
	AddNoiseTimestep   int     `json:"diffusers_add_noise_timestep"`

	LDMBySteps       map[string][]int `json:"ldm_timesteps_by_steps"`
	DiffusersBySteps map[string][]int `json:"diffusers_leading_timesteps_by_steps"`

	PLMS struct {
		Steps     int   `json:"steps"`
		LDM       []int `json:"ldm_timesteps_descending"`
		Diffusers []int `json:"diffusers_pndm_timesteps"`
	} `json:"plms"`
	Tiny struct {
		Scale     float32 `json:"cfg_scale"`
		Steps     int     `json:"steps"`
		Ascending []int   `json:"timesteps_ascending"`
		Strength  float64 `json:"strength"`
		TEnc      int     `json:"t_enc"`
		Channels  []int   `json:"block_out_channels"`
		Context   int     `json:"context_dim"`
	} `json:"tiny_unet"`

	rest *keyed // the keys whose names depend on the set
}

// mockFormula is the model of the mock runs; a set with another formula needs another mock.
const mockFormula = "eps(x,t,c) = 0.3*x + 0.4*sin(2*x + 0.01*t) + 0.1*c*cos(x); e = e_u + s*(e_c - e_u)"

func (c *check) samplerInfo() (info samplerInfo) {
	info.rest = c.keyed(schedulerInfo)
	info.rest.fill(&info)
	if info.Mock != mockFormula {
		c.problem("%s: mock model %q is unknown", schedulerInfo, info.Mock)
	}
	return info
}

// schedulerKeys looks for cases in the two JSON files that no function above runs.
func schedulerKeys(c *check) {
	info := c.samplerInfo()
	known := []string{fmt.Sprintf("diffusers_timesteps_%d", info.Steps), fmt.Sprintf("ldm_timesteps_%d_ascending", info.Steps)}
	reported := []string{tablesReported, "stochastic_encode", "diffusers add_noise", "tiny_unet.txt2img", "tiny_unet.img2img", "plms"}
	for _, run := range must(c.set.mockRuns()) {
		known, reported = append(known, run.key()+".timesteps"), append(reported, run.key())
	}
	info.rest.end(known...)
	c.keyed(schedulerReport).end(reported...)
	c.comparisons++
}

func scheduleTables64(c *check) {
	s := scheduler.StableDiffusion()
	for name, got := range map[string][]float64{"betas": s.Beta, "alphas_cumprod": s.AlphaBar} {
		near(c, name, got, must(array.Read(c.set.path("schedulers/"+name+"_f64.npy"), "")).Data, 1e-15)
	}
}

func scheduleTables32(c *check) {
	const file = "schedulers/schedule_f32.safetensors"
	ldm := scheduler.StableDiffusion().Rounded()
	d := must(scheduler.ScaledLinearDiffusers(0.00085, 0.012, len(ldm.Beta)))
	between := take[measured](c.keyed(schedulerReport), tablesReported).tolerance()
	for _, t := range []struct {
		name string
		got  []float64
		tol  float64
	}{
		{"ldm.betas", ldm.Beta, 0}, {"ldm.alphas_cumprod", ldm.AlphaBar, 0}, {"ldm.alphas_cumprod_prev", shifted(ldm.AlphaBar), 0},
		{"diffusers.betas", d.Beta, between}, {"diffusers.alphas_cumprod", d.AlphaBar, between},
	} {
		near(c, t.name, converted[float32](t.got), c.float32s(file, t.name), t.tol)
	}
}

// shifted is ᾱ of the step before, which is 1 before the first.
func shifted(alphaBar []float64) []float64 {
	return append([]float64{1}, alphaBar[:len(alphaBar)-1]...)
}

func timestepRules(c *check) {
	info := c.samplerInfo()
	compare := func(rule scheduler.Convention, steps int, want []int) {
		if rule == scheduler.CompVis { // its lists ascend
			want = slices.Clone(want)
			slices.Reverse(want)
		}
		got, err := rule.Timesteps(steps, 1000)
		c.that(err == nil && slices.Equal(got, want), "%v, %d steps: %v (%v), the reference has %v", rule, steps, got, err, want)
	}
	for rule, lists := range map[scheduler.Convention]map[string][]int{scheduler.CompVis: info.LDMBySteps,
		scheduler.Diffusers: info.DiffusersBySteps} {
		for steps, want := range lists {
			compare(rule, must(strconv.Atoi(steps)), want)
		}
	}
	compare(scheduler.Diffusers, info.Steps, take[[]int](info.rest, fmt.Sprintf("diffusers_timesteps_%d", info.Steps)))
	compare(scheduler.CompVis, info.Steps, take[[]int](info.rest, fmt.Sprintf("ldm_timesteps_%d_ascending", info.Steps)))
	compare(scheduler.CompVis, info.Tiny.Steps, info.Tiny.Ascending)
	_, err := scheduler.CompVis.Timesteps(3, 1000)
	c.that(err != nil, "3 steps, which reach timestep 1000, are not refused")
}

// ddim makes the sampler of a run.
func (c *check) ddim(steps int, eta string, rule scheduler.Convention) *scheduler.DDIM {
	return must(scheduler.NewDDIM(scheduler.DDIMOptions{
		Steps: steps, Eta: must(strconv.ParseFloat(eta, 64)), Convention: rule,
		Schedule: scheduler.StableDiffusion().Rounded(), // the reference has one table for both
	}))
}

func ddimCoefficients(c *check) {
	steps := c.samplerInfo().Steps
	for _, run := range must(c.set.mockRuns()) {
		d := c.ddim(steps, run.eta, scheduler.CompVis)
		for _, t := range []struct {
			name string
			got  []float64
			tol  float64
		}{
			{"alphas", d.AlphaBar, 0}, {"alphas_prev", d.AlphaPrev, 0},
			// The reference is float64 with the float32 table; its float32 form is off by some 1e-8.
			{"sigmas_eta" + run.eta, d.Sigma, 1e-6},
		} {
			ascending := converted[float32](t.got)
			slices.Reverse(ascending)
			near(c, t.name, ascending, c.float32s(mockFile, fmt.Sprintf("ddim%d.%s", steps, t.name)), t.tol)
		}
	}
}

func imageEncoding(c *check) {
	info, report := c.samplerInfo(), c.keyed(schedulerReport)
	n := must(scheduler.StepsFor(info.Strength, info.Steps))
	c.that(n == info.TEnc, "strength %g makes %d steps, the reference has %d", info.Strength, n, info.TEnc)
	x0, noise := c.float32s(mockFile, "x0"), c.float32s(mockFile, "enc_noise")
	ldm, diffusers := c.ddim(info.Steps, "0", scheduler.CompVis), c.ddim(info.Steps, "0", scheduler.Diffusers)
	near(c, "stochastic_encode", must(ldm.StochasticEncode(x0, noise, n)), c.float32s(mockFile, "img2img.z_enc"),
		take[measured](report, "stochastic_encode").tolerance())
	near(c, "add_noise", must(diffusers.AddNoise(x0, noise, n)), c.float32s(mockFile, "img2img.diffusers_add_noise"),
		take[measured](report, "diffusers add_noise").tolerance())
	first := diffusers.Timesteps[len(diffusers.Timesteps)-n]
	c.that(first == info.AddNoiseTimestep && first == info.FirstDecode,
		"first timestep %d, the reference has %d and %d", first, info.AddNoiseTimestep, info.FirstDecode)
	at := ldm.Timesteps[len(ldm.Timesteps)-1-n]
	c.that(at == info.StochasticTimestep, "encoded at timestep %d, the reference at %d", at, info.StochasticTimestep)
}
