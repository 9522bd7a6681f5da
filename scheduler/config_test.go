package scheduler_test

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"percept/scheduler"
)

func parse(t *testing.T, text string) *scheduler.Config {
	t.Helper()
	c, err := scheduler.ParseConfig("the file", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// result is a run of ten steps with a formula for a model.
func result(t *testing.T, name string, steps int, c *scheduler.Config, model scheduler.Model) []float32 {
	t.Helper()
	s, err := scheduler.New(scheduler.Options{Name: name, Steps: steps, Config: c})
	if err != nil {
		t.Fatal(err)
	}
	x, err := s.Sample(t.Context(), model, s.Start(normal(3, 16)), scheduler.Run{Noise: scheduler.NewTorch(4).Randn})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestPublishedConfigIsTheDefault(t *testing.T) {
	for _, name := range scheduler.Names() {
		for _, steps := range []int{1, 7, 20, 50} {
			want := result(t, name, steps, nil, formula)
			for _, c := range []*scheduler.Config{parse(t, publishedSettings), parse(t, publishedSettings).InPipeline()} {
				if got := result(t, name, steps, c, formula); !slices.Equal(got, want) {
					t.Errorf("%s, %d steps: %v, want %v", name, steps, got, want)
				}
				if notes := c.Notes(name); notes != nil {
					t.Errorf("%s: %q", name, notes)
				}
			}
		}
	}
}

// Keys that a class has not change nothing, whatever their value; those that nobody knows neither.
func TestKeysOfOtherClasses(t *testing.T) {
	others := map[string]string{
		"ddim-diffusers": `"solver_order": 9, "use_karras_sigmas": true, "skip_prk_steps": "no", "algorithm_type": "sde-dpmsolver++"`,
		"pndm":           `"clip_sample": true, "thresholding": true, "rescale_betas_zero_snr": true, "final_sigmas_type": "none"`,
		"euler":          `"clip_sample": true, "solver_order": 3, "set_alpha_to_one": true, "lambda_min_clipped": NaN`,
		"euler-a":        `"use_karras_sigmas": true, "sigma_min": -1, "interpolation_type": "cubic"`,
		"dpmpp-2m":       `"clip_sample": true, "interpolation_type": "log_linear", "timestep_type": "continuous"`,
		"ddim":           `"use_karras_sigmas": true, "variance_type": "learned"`,
		"plms":           `"solver_order": 3`,
	}
	for name, more := range others {
		text := strings.Replace(publishedSettings, "{", "{"+more+`, "of_nobody": [1, {"x": -Infinity}], `, 1)
		c := parse(t, strings.Replace(text, `"clip_sample": false}`, `"Clip_Sample": true}`, 1))
		if strings.Contains(name, "ddim-diffusers") {
			c = parse(t, text)
		}
		if got, want := result(t, name, 10, c, formula), result(t, name, 10, nil, formula); !slices.Equal(got, want) {
			t.Errorf("%s follows a key of another class", name)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	for _, bad := range []struct{ text, want string }{
		{``, "unexpected end"}, {`[1]`, "expected an object"}, {`null`, "expected an object"}, {`{"a": Inf}`, "byte 7"},
		{`{"_class_name": ["a"]}`, "_class_name"},
	} {
		if _, err := scheduler.ParseConfig("the file", []byte(bad.text)); err == nil || !strings.Contains(err.Error(), bad.want) ||
			!strings.HasPrefix(err.Error(), "the file: ") {
			t.Errorf("%s: %v, want %s", bad.text, err, bad.want)
		}
	}
	for _, bad := range []struct{ name, keys, want string }{
		{"ddim-diffusers", `"steps_offset": 1.5`, "steps_offset is 1.5, expected a whole number"},
		{"ddim-diffusers", `"steps_offset": null`, "steps_offset is null, expected a whole number"},
		{"ddim-diffusers", `"steps_offset": -1`, "steps_offset is -1, expected 0 or more"},
		{"ddim-diffusers", `"steps_offset": 400`, "steps_offset 400"},
		{"ddim-diffusers", `"clip_sample": "yes"`, `clip_sample is "yes", expected true or false`},
		{"ddim-diffusers", `"clip_sample_range": NaN`, "clip_sample_range is NaN, expected 0 or more"},
		{"ddim-diffusers", `"timestep_spacing": 3`, "timestep_spacing is 3, expected a text"},
		{"ddim-diffusers", `"sample_max_value": 0`, "sample_max_value is 0, expected a positive number"},
		{"ddim-diffusers", `"num_train_timesteps": 1e9`, "num_train_timesteps is 1e9, expected a whole number"},
		{"ddim-diffusers", `"num_train_timesteps": 1000000000`, "num_train_timesteps is 1000000000, expected 2 to"},
		{"ddim-diffusers", `"beta_start": 0`, "beta_start 0"},
		{"ddim-diffusers", `"beta_end": Infinity`, "beta_end +Inf"},
		{"ddim-diffusers", `"trained_betas": [0.1, "x"]`, `trained_betas is [0.1,"x"], expected a list of numbers or null`},
		{"plms", `"trained_betas": [0.1, 0.2]`, "trained_betas has 2 values, expected 1000"},
		{"ddim", `"beta_schedule": "sigmoid"`, `beta_schedule is "sigmoid", expected "linear"`},
		{"ddim", `"prediction_type": "score"`, `prediction_type is "score", expected "epsilon"`},
		{"pndm", `"skip_prk_steps": false`, "at least 4"},
		{"euler", `"sigma_min": "low"`, `sigma_min is "low", expected a number or null`},
		{"euler", `"sigma_min": 20, "use_karras_sigmas": true`, "sigma_min"},
		{"dpmpp-2m", `"lambda_min_clipped": NaN`, "lambda_min_clipped is NaN, expected a number"},
		{"dpmpp-2m", `"lambda_min_clipped": Infinity`, "lambda_min_clipped is +Inf"},
		{"dpmpp-2m", `"solver_order": 4`, "solver_order is 4, expected 1 to 3"},
		{"dpmpp-2m", `"use_flow_sigmas": true, "use_lu_lambdas": true`, "use_lu_lambdas and use_flow_sigmas are true"},
		{"dpmpp-2m-karras", `"use_exponential_sigmas": true`, "use_karras_sigmas and use_exponential_sigmas are true"},
		{"dpmpp-2m", `"final_sigmas_type": "` + strings.Repeat("x", 10000) + `"`, "final_sigmas_type"},
	} {
		_, err := scheduler.New(scheduler.Options{Name: bad.name, Steps: 3, Config: parse(t, strings.Replace(publishedSettings, "{", "{"+
			bad.keys+", ", 1))})
		if strings.Contains(publishedSettings, `"`+strings.Split(bad.keys, `"`)[1]+`"`) { // the last of two counts
			_, err = scheduler.New(scheduler.Options{Name: bad.name, Steps: 3, Config: parse(t, strings.TrimSuffix(publishedSettings, "}")+
				", "+bad.keys+"}")})
		}
		if err == nil || !strings.Contains(err.Error(), bad.want) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 300 {
			t.Errorf("%s with %.60s: %v, want %s", bad.name, bad.keys, err, bad.want)
		}
	}
}

func TestSamplerNameOfAClass(t *testing.T) {
	for class, want := range map[string]string{
		"PNDMScheduler": "pndm", "DDIMScheduler": "ddim-diffusers", "EulerDiscreteScheduler": "euler",
		"EulerAncestralDiscreteScheduler": "euler-a", "DPMSolverMultistepScheduler": "dpmpp-2m",
	} {
		c := parse(t, `{"_class_name": "UniPCMultistepScheduler"}`)
		if got, err := c.SamplerName(); err == nil || !strings.Contains(err.Error(), `"UniPCMultistepScheduler"`) ||
			!strings.Contains(err.Error(), "expected one of DDIMScheduler") {
			t.Errorf("an unknown class: %s, %v", got, err)
		}
		if got, err := c.OfClass(class).SamplerName(); err != nil || got != want {
			t.Errorf("%s: %s, %v", class, got, err)
		}
	}
	if got, err := parse(t, `{}`).SamplerName(); err == nil || !strings.Contains(err.Error(), "_class_name") {
		t.Errorf("no class: %s, %v", got, err)
	}
}

// What a StableDiffusionPipeline overrides is told where it changes what the sampler does, and then alone.
func TestPipelineOverrides(t *testing.T) {
	outdated := strings.Replace(strings.Replace(publishedSettings, `"steps_offset": 1`, `"steps_offset": 0`, 1), `"clip_sample": false`,
		`"clip_sample": true`, 1)
	c := parse(t, outdated)
	for name, want := range map[string][]string{
		"ddim-diffusers": {"steps_offset is 0", "clip_sample is true"}, "pndm": {"steps_offset is 0"}, "euler": nil, "euler-a": nil,
		"dpmpp-2m": nil, "dpmpp-2m-karras": nil,
	} {
		notes := c.InPipeline().Notes(name)
		if len(notes) != len(want) || c.Notes(name) != nil {
			t.Errorf("%s: %q, want %q", name, notes, want)
			continue
		}
		for i, w := range want {
			if !strings.Contains(notes[i], w) || !strings.Contains(notes[i], "StableDiffusionPipeline") {
				t.Errorf("%s: %q, want %q in it", name, notes[i], w)
			}
		}
		same := slices.Equal(result(t, name, 10, c, formula), result(t, name, 10, nil, formula))
		if same != (want == nil) {
			t.Errorf("%s, from_config: as published is %t", name, same)
		}
		if !slices.Equal(result(t, name, 10, c.InPipeline(), formula), result(t, name, 10, nil, formula)) {
			t.Errorf("%s, in the pipeline: not as published", name)
		}
	}
	missing := parse(t, strings.Replace(publishedSettings, `"clip_sample": false`, `"other": 1`, 1)).InPipeline()
	if notes := missing.Notes("ddim-diffusers"); len(notes) != 1 ||
		!strings.Contains(notes[0], "clip_sample is missing, true to DDIMScheduler") {
		t.Errorf("missing clip_sample: %q", notes)
	}
	leading := parse(t, strings.Replace(outdated, "{", `{"timestep_spacing": "leading", `, 1)).InPipeline()
	for _, name := range []string{"euler", "euler-a", "dpmpp-2m"} {
		if notes := leading.Notes(name); len(notes) != 1 || !strings.Contains(notes[0], "steps_offset is 0") {
			t.Errorf("%s with leading: %q", name, notes)
		}
	}
}

// The samplers of the original code say what they leave aside.
func TestOriginalsKeepTheirSettings(t *testing.T) {
	c := parse(t, `{"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "timestep_spacing": "trailing",
		"set_alpha_to_one": true, "clip_sample": false, "steps_offset": 1, "skip_prk_steps": false}`)
	for name, want := range map[string][]string{
		"ddim": {"timestep_spacing", "set_alpha_to_one", "ddim-diffusers"},
		"plms": {"timestep_spacing", "set_alpha_to_one", "skip_prk_steps", "pndm"},
	} {
		notes := c.Notes(name)
		if len(notes) != 1 {
			t.Fatalf("%s: %q", name, notes)
		}
		for _, key := range want {
			if !strings.Contains(notes[0], key) {
				t.Errorf("%s: %q, want %s in it", name, notes[0], key)
			}
		}
		if strings.Contains(notes[0], "clip_sample") || strings.Contains(notes[0], "steps_offset") {
			t.Errorf("%s: %q names what it does", name, notes[0])
		}
		if !slices.Equal(result(t, name, 10, c, formula), result(t, name, 10, nil, formula)) {
			t.Errorf("%s follows the file", name)
		}
	}
}

// Samplers of the original code with a model of v or x_0: what it says of the same noise leads to the same result. And
// another noise schedule is another result.
func TestOriginalsFollowTheModel(t *testing.T) {
	bar := scheduler.StableDiffusion().Rounded().AlphaBar
	as := func(say func(x, eps, alpha, sigma float64) float64) scheduler.Model {
		return func(ctx context.Context, x []float32, at float64) ([]float32, error) {
			out, err := formula(ctx, x, at)
			alpha, sigma := math.Sqrt(bar[int(at)]), math.Sqrt(1-bar[int(at)])
			for i, v := range out {
				out[i] = float32(say(float64(x[i]), float64(v), alpha, sigma))
			}
			return out, err
		}
	}
	models := map[string]scheduler.Model{
		"v_prediction": as(func(x, eps, alpha, sigma float64) float64 { return (eps - sigma*x) / alpha }),
		"sample":       as(func(x, eps, alpha, sigma float64) float64 { return (x - sigma*eps) / alpha }),
	}
	for _, name := range []string{"ddim", "plms"} {
		want := result(t, name, 10, nil, formula)
		for kind, model := range models {
			c := parse(t, strings.Replace(publishedSettings, "{", `{"prediction_type": "`+kind+`", `, 1))
			near(t, name+" "+kind, result(t, name, 10, c, model), want, 2e-5)
		}
		for _, other := range []string{`"beta_schedule": "linear"`, `"beta_schedule": "squaredcos_cap_v2"`, `"beta_end": 0.014`,
			`"rescale_betas_zero_snr": true`} {
			c := parse(t, strings.TrimSuffix(publishedSettings, "}")+", "+other+"}")
			if slices.Equal(result(t, name, 10, c, formula), want) {
				t.Errorf("%s does not follow %s", name, other)
			}
		}
	}
}

// Runge-Kutta steps ask four times and count as one.
func TestRungeKuttaCalls(t *testing.T) {
	c := parse(t, strings.Replace(publishedSettings, `"skip_prk_steps": true`, `"skip_prk_steps": false`, 1))
	s, err := scheduler.New(scheduler.Options{Name: "pndm", Steps: 10, Config: c})
	if err != nil {
		t.Fatal(err)
	}
	for _, last := range []int{0, 3, 6, 10} {
		rec := record(formula)
		of := last
		if last == 0 {
			of = 10
		}
		if _, err := s.Sample(t.Context(), rec.ask, []float32{1}, scheduler.Run{Last: last, OnStep: rec.onStep(of)}); err != nil {
			t.Fatal(err)
		}
		if rec.calls != of+9 || rec.index != of {
			t.Errorf("the last %d steps: %d calls and %d steps, want %d and %d", last, rec.calls, rec.index, of+9, of)
		}
	}
	for _, last := range []int{1, 2} {
		if _, err := s.Noised([]float32{1}, []float32{1}, last); err == nil || !strings.Contains(err.Error(), "skip_prk_steps") {
			t.Errorf("the last %d steps: %v", last, err)
		}
		if _, err := s.Sample(t.Context(), formula, []float32{1}, scheduler.Run{Last: last}); err == nil {
			t.Errorf("the last %d steps were made", last)
		}
	}
}

// Thresholds are of each image, not of the batch.
func TestThresholdsAreOfEachImage(t *testing.T) {
	c := parse(t, strings.Replace(publishedSettings, "{",
		`{"thresholding": true, "sample_max_value": 9.0, "dynamic_thresholding_ratio": 0.8, `, 1))
	for _, name := range []string{"ddim-diffusers", "dpmpp-2m"} {
		s, err := scheduler.New(scheduler.Options{Name: name, Steps: 5, Config: c})
		if err != nil {
			t.Fatal(err)
		}
		both := append(normal(1, 6), normal(2, 6)...)
		got, err := s.Sample(t.Context(), formula, both, scheduler.Run{Images: 2})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			alone, err := s.Sample(t.Context(), formula, both[6*i:6*i+6], scheduler.Run{})
			if err != nil || !slices.Equal(alone, got[6*i:6*i+6]) {
				t.Errorf("%s: image %d is %v alone, %v among others (%v)", name, i, alone, got[6*i:6*i+6], err)
			}
		}
		if _, err := s.Sample(t.Context(), formula, both, scheduler.Run{Images: 5}); err == nil {
			t.Error("12 values of 5 images were accepted")
		}
	}
}

func TestKeysWhoseDefaultsCount(t *testing.T) {
	c := parse(t, strings.TrimSuffix(publishedSettings, "}")+`, "thresholding": true, "_use_default_values": ["thresholding"]}`)
	if !slices.Equal(result(t, "ddim-diffusers", 10, c, formula), result(t, "ddim-diffusers", 10, nil, formula)) {
		t.Error("a key of _use_default_values is followed")
	}
}

func TestUsedIsValidJSON(t *testing.T) {
	c := parse(t, `{"lambda_min_clipped": -Infinity, "sigma_min": 0.1, "use_karras_sigmas": true}`)
	for _, name := range scheduler.Names() {
		used, err := c.Used(name)
		if err != nil || !json.Valid(used) {
			t.Errorf("%s: %s, %v", name, used, err)
		}
	}
	used, err := c.Used("dpmpp-2m")
	if want := `{"sigma_min":0.1,"use_karras_sigmas":true}`; err != nil || string(used) != want {
		t.Errorf("%s, %v; want %s", used, err, want)
	}
}

// FuzzConfig makes samplers of any file: each is refused in one line or runs.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(publishedSettings), uint8(0), uint8(10), uint8(0))
	f.Add([]byte(`{"lambda_min_clipped": -5.1, "timestep_spacing": "trailing", "use_karras_sigmas": true}`), uint8(4), uint8(20), uint8(7))
	f.Add([]byte(`{"skip_prk_steps": false, "steps_offset": 3, "beta_schedule": "squaredcos_cap_v2"}`), uint8(3), uint8(4), uint8(3))
	f.Add([]byte(`{"interpolation_type": "log_linear", "sigma_min": 0.1, "use_beta_sigmas": true, "final_sigmas_type": "sigma_min"}`),
		uint8(6), uint8(61), uint8(0))
	f.Add([]byte(`{"algorithm_type": "sde-dpmsolver++", "solver_order": 3, "use_flow_sigmas": true, "flow_shift": 3, "thresholding": true}`),
		uint8(4), uint8(5), uint8(0))
	f.Add([]byte(`{"rescale_betas_zero_snr": true, "prediction_type": "v_prediction", "num_train_timesteps": 12}`),
		uint8(1), uint8(3), uint8(1))
	f.Fuzz(func(t *testing.T, text []byte, which, steps, last uint8) {
		c, err := scheduler.ParseConfig("the file", text)
		if err == nil {
			name := scheduler.Names()[int(which)%len(scheduler.Names())]
			c.Notes(name)
			var s scheduler.Sampler
			if s, err = scheduler.New(scheduler.Options{Name: name, Steps: int(steps), Config: c.InPipeline()}); err == nil {
				x := s.Start([]float32{0.5, 2})
				if last > 0 {
					x, err = s.Noised([]float32{1, -1}, []float32{0.5, 2}, int(last))
				}
				if err == nil {
					_, err = s.Sample(t.Context(), formula, x, scheduler.Run{Last: int(last), Images: 2, Noise: scheduler.NewTorch(1).Randn})
				}
				if _, err := c.Used(name); err != nil {
					t.Fatalf("%s is made of %q, but what it uses is not known: %v", name, text, err)
				}
			}
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Fatalf("not one line: %q", err)
		}
	})
}
