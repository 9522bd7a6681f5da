package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/cmd/percept/internal/recipe"
	"percept/weights/safetensors"
)

const publishedScheduler = `{"_class_name": "PNDMScheduler", "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
	"num_train_timesteps": 1000, "set_alpha_to_one": false, "skip_prk_steps": true, "steps_offset": 1, "trained_betas": null,
	"clip_sample": false}`

// schedulerFile writes the published scheduler_config.json with more keys.
func schedulerFile(t *testing.T, keys string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "scheduler_config.json")
	text := publishedScheduler
	if keys != "" {
		text = strings.TrimSuffix(text, "}") + ", " + keys + "}"
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// withScheduler is the embedded model in a folder, with the published scheduler_config.json and more keys.
func withScheduler(t *testing.T, keys string) string {
	t.Helper()
	dir := editedModel(t, "scheduler/scheduler_config.json", "{", "{")
	if err := os.Rename(schedulerFile(t, keys), filepath.Join(dir, "scheduler", "scheduler_config.json")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// latentsOf makes a picture and returns its latents and what was said.
func latentsOf(t *testing.T, args ...string) ([]float32, string) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "l.safetensors")
	_, stderr := must(t, append([]string{"generate", "--prompt", "a red house", "--steps", "4", "--size", "32x32",
		"--save-latents", path, "--out",
		filepath.Join(dir, "p.png")}, args...)...)
	st, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	x, err := st.Float32("latents", 1, 4, 4, 4)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Clone(x), stderr
}

// Settings of another file change what the samplers of the class do, and no others.
func TestGenerateFollowsAnotherSchedulerConfig(t *testing.T) {
	published := map[string][]float32{}
	for _, c := range []struct{ sampler, keys string }{
		{"ddim-diffusers", `"clip_sample": true, "clip_sample_range": 0.2`},
		{"ddim-diffusers", `"thresholding": true, "sample_max_value": 0.5`}, {"ddim-diffusers", `"set_alpha_to_one": true`},
		{"ddim-diffusers", `"steps_offset": 0`}, {"ddim-diffusers", `"timestep_spacing": "trailing"`},
		{"pndm", `"timestep_spacing": "linspace"`}, {"pndm", `"skip_prk_steps": false`},
		{"euler", `"timestep_spacing": "trailing"`}, {"euler", `"use_karras_sigmas": true`}, {"euler", `"use_exponential_sigmas": true`},
		{"euler", `"interpolation_type": "log_linear"`}, {"euler-a", `"timestep_spacing": "leading"`},
		{"euler-a", `"timestep_spacing": "trailing"`},
		{"dpmpp-2m", `"solver_order": 3, "lower_order_final": false`}, {"dpmpp-2m", `"use_karras_sigmas": true`},
		{"dpmpp-2m", `"algorithm_type": "sde-dpmsolver++"`}, {"dpmpp-2m", `"use_lu_lambdas": true`},
		{"dpmpp-2m", `"lambda_min_clipped": -2.0`}, {"dpmpp-2m", `"thresholding": true, "sample_max_value": 0.5`},
	} {
		as, ok := published[c.sampler]
		if !ok {
			as, _ = latentsOf(t, "--sampler", c.sampler, "--scheduler-config", schedulerFile(t, ""))
			published[c.sampler] = as
		}
		other, stderr := latentsOf(t, "--sampler", c.sampler, "--scheduler-config", schedulerFile(t, c.keys))
		if slices.Equal(as, other) || strings.Contains(stderr, "percept:") {
			t.Errorf("%s does not follow %s; %s", c.sampler, c.keys, stderr)
		}
	}
	a, _ := latentsOf(t, "--sampler", "dpmpp-2m", "--scheduler-config",
		schedulerFile(t, `"use_karras_sigmas": true, "lambda_min_clipped": -Infinity`))
	if b, _ := latentsOf(t, "--sampler", "dpmpp-2m-karras", "--scheduler-config", schedulerFile(t, "")); !slices.Equal(a, b) {
		t.Error("dpmpp-2m-karras and dpmpp-2m with use_karras_sigmas differ")
	}
}

// A model's folder is followed as a loaded pipeline does, and what that overrides is told.
func TestGenerateFollowsTheFolder(t *testing.T) {
	published, said := latentsOf(t, "--model", withScheduler(t, ""), "--sampler", "ddim-diffusers")
	if strings.Contains(said, "percept:") {
		t.Errorf("the published file: %s", said)
	}
	got, said := latentsOf(t, "--model", withScheduler(t, `"clip_sample": true, "steps_offset": 0`), "--sampler", "ddim-diffusers")
	for _, want := range []string{"clip_sample is true", "steps_offset is 0", "scheduler/scheduler_config.json"} {
		if !strings.Contains(said, want) {
			t.Errorf("said %q, want %q", said, want)
		}
	}
	if !slices.Equal(got, published) {
		t.Error("what the pipeline overrides is followed")
	}
	_, said = latentsOf(t, "--model", withScheduler(t, `"timestep_spacing": "trailing"`), "--sampler", "ddim")
	if strings.Count(said, "percept:") != 1 || !strings.Contains(said, `timestep_spacing "trailing"`) {
		t.Errorf("ddim said %q", said)
	}
}

func TestGenerateAuto(t *testing.T) {
	for class, sampler := range map[string]string{
		"PNDMScheduler": "pndm", "DDIMScheduler": "ddim-diffusers", "EulerDiscreteScheduler": "euler",
		"EulerAncestralDiscreteScheduler": "euler-a", "DPMSolverMultistepScheduler": "dpmpp-2m",
	} {
		model := withScheduler(t, `"timestep_spacing": "trailing", "_class_name": "`+class+`"`)
		dir := t.TempDir()
		auto, named := filepath.Join(dir, "auto.png"), filepath.Join(dir, "named.png")
		must(t, "generate", "--model", model, "--prompt", "a house", "--steps", "4", "--sampler", "auto", "--out", auto)
		must(t, "generate", "--model", model, "--prompt", "a house", "--steps", "4", "--sampler", sampler, "--out", named)
		recipes, err := recipe.Read(auto)
		if err != nil || recipes[0].Sampler != sampler || !strings.Contains(string(recipes[0].Scheduler), `"timestep_spacing":"trailing"`) {
			t.Errorf("%s: recipe %+v, %v", class, recipes, err)
		}
		if !bytes.Equal(read(t, auto), read(t, named)) {
			t.Errorf("%s is not %s", class, sampler)
		}
	}
	// model_index.json says which class a pipeline loads.
	model := withScheduler(t, "")
	index := filepath.Join(model, "model_index.json")
	if err := os.WriteFile(index, []byte(`{"scheduler": ["diffusers", "EulerDiscreteScheduler"], "other": NaN}`), 0o666); err != nil {
		t.Fatal(err)
	}
	if stdout, _ := must(t, "model", "check", model); !strings.Contains(stdout, "--sampler auto                      euler\n") {
		t.Errorf("model check said %s", stdout)
	}
	if err := os.Remove(index); err != nil {
		t.Fatal(err)
	}
	a, _ := latentsOf(t, "--sampler", "auto")
	if b, _ := latentsOf(t, "--sampler", "ddim-diffusers"); !slices.Equal(a, b) {
		t.Error("the embedded model's auto is not ddim-diffusers")
	}
	for keys, want := range map[string]string{
		`"_class_name": "UniPCMultistepScheduler"`: "UniPCMultistepScheduler", `"_class_name": null`: "names no class",
	} {
		code, _, stderr := command(t, "generate", "--model", withScheduler(t, keys), "--prompt", "a", "--sampler", "auto", "--out",
			filepath.Join(t.TempDir(), "x.png"))
		if code != 1 || !strings.Contains(stderr, want) || !strings.Contains(stderr, "PNDMScheduler") {
			t.Errorf("%s: %d, %s", keys, code, stderr)
		}
	}
}

// A picture is made again with the settings that it was made with.
func TestGenerateLikeKeepsTheSettings(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.png"), filepath.Join(dir, "b.png")
	must(t, "generate", "--prompt", "a house", "--steps", "4", "--sampler", "dpmpp-2m", "--scheduler-config",
		schedulerFile(t, `"use_lu_lambdas": true, "lambda_min_clipped": -5.1, "solver_type": "heun"`), "--out", a)
	must(t, "generate", "--like", a, "--out", b)
	if !bytes.Equal(read(t, a), read(t, b)) {
		t.Error("the picture made like another is another")
	}
	must(t, "generate", "--like", a, "--scheduler-config", schedulerFile(t, ""), "--out", b)
	if bytes.Equal(read(t, a), read(t, b)) {
		t.Error("another scheduler-config makes the same picture")
	}
}

func TestGenerateTellsWhatItDoesOtherwise(t *testing.T) {
	out := filepath.Join(t.TempDir(), "x.png")
	if _, stderr := must(t, "generate", "--prompt", "a house", "--steps", "30", "--out", out); !strings.Contains(stderr, "31 steps") {
		t.Errorf("ddim of 30 steps: %s", stderr)
	}
	if _, stderr := must(t, "generate", "--prompt", "a house", "--steps", "4", "--out", out); strings.Contains(stderr, "percept:") {
		t.Errorf("ddim of 4 steps: %s", stderr)
	}
	for size, want := range map[string]bool{"96x96": false, "832x832": true} {
		_, stderr := must(t, "generate", "--prompt", "a house", "--steps", "1", "--noise", "cuda", "--size", size, "--out", out)
		if strings.Contains(stderr, "T4") != want {
			t.Errorf("noise of %s: %s", size, stderr)
		}
	}
}

func TestModelCheckNamesWhatIsNotFollowed(t *testing.T) {
	stdout, _ := must(t, "model", "check", withScheduler(t,
		`"algorithm_type": "dpmsolver", "timestep_spacing": "trailing", "clip_sample": true`))
	for _, want := range []string{
		"--sampler auto                      pndm\n",
		`leaves aside clip_sample true (ddim does false), timestep_spacing "trailing"`,
		`no: final_sigmas_type is "zero" with algorithm_type "dpmsolver", expected "sigma_min"`,
		"--sampler euler                     yes, follows scheduler_config.json\n",
		"clip_sample is true; ddim-diffusers samples with false",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%s\nwant %s", stdout, want)
		}
	}
}
