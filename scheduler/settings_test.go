package scheduler_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"percept/scheduler"
)

// settingsRun is a run of testdata/settings_*.json, made by tools/schedulers/goldens.py: the published file with changes.
type settingsRun struct {
	Set       map[string]any
	Steps     int
	Strength  *float64
	Eta       float64
	Timesteps []float64 `json:"t"`
	X         []float32
	Off, Size float64 // distance of diffusers' float32 from its float64, and largest value on the way
}

// settingsInputs are what the runs begin with.
type settingsInputs struct {
	X0, Noise []float32
	StepNoise []float32 `json:"step_noise"`
	Refused   [][]any
}

// publishedSettings is scheduler_config.json of Stable Diffusion v1.4.
const publishedSettings = `{"_class_name": "PNDMScheduler", "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
	"num_train_timesteps": 1000, "set_alpha_to_one": false, "skip_prk_steps": true, "steps_offset": 1, "trained_betas": null,
	"clip_sample": false}`

// changed is the published configuration with changes, written as Python writes it.
func changed(t *testing.T, set map[string]any) *scheduler.Config {
	t.Helper()
	var keys map[string]any
	if err := json.Unmarshal([]byte(publishedSettings), &keys); err != nil {
		t.Fatal(err)
	}
	for key, value := range set {
		switch value {
		case "without":
			delete(keys, key)
		case "ramp":
			betas := make([]float64, 1000)
			for i := range betas {
				betas[i] = 0.0004 + 0.00001*float64(i)
			}
			keys[key] = betas
		default:
			keys[key] = value
		}
	}
	b, err := json.Marshal(keys)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(b), `"-Infinity"`, "-Infinity")
	c, err := scheduler.ParseConfig("scheduler_config.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func readSettings[T any](t *testing.T, name string) T {
	t.Helper()
	b, err := os.ReadFile("testdata/settings_" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var v T
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(b), "-Infinity", `"-Infinity"`)), &v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

// describe is the name of a run.
func (r settingsRun) describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d steps", r.Steps)
	if r.Strength != nil {
		fmt.Fprintf(&b, " strength %g", *r.Strength)
	}
	for _, key := range slices.Sorted(maps.Keys(r.Set)) {
		fmt.Fprintf(&b, ", %s %v", key, r.Set[key])
	}
	return b.String()
}

// make runs a sampler as the reference ran it.
func (r settingsRun) make(t *testing.T, name string, c *scheduler.Config, in settingsInputs) (x []float32, asked []float64) {
	t.Helper()
	s, err := scheduler.New(scheduler.Options{Name: name, Steps: r.Steps, Eta: r.Eta, Config: c})
	if err != nil {
		t.Fatal(err)
	}
	drawn := 0
	run := scheduler.Run{Images: 2, Noise: func(z []float32) { drawn = (drawn + copy(z, in.StepNoise[drawn:])) % len(in.StepNoise) }}
	x = s.Start(in.Noise)
	if r.Strength != nil {
		if run.Last, err = scheduler.LastFor(s, *r.Strength, r.Steps); err != nil {
			t.Fatal(err)
		}
		if x, err = s.Noised(in.X0, in.Noise, run.Last); err != nil {
			t.Fatal(err)
		}
	}
	rec := record(formula)
	if x, err = s.Sample(t.Context(), rec.ask, x, run); err != nil {
		t.Fatal(err)
	}
	return x, rec.timesteps
}

func TestSettingsFollowDiffusers(t *testing.T) {
	in := readSettings[settingsInputs](t, "inputs")
	total := 0
	for _, name := range []string{"ddim-diffusers", "pndm", "euler", "euler-a", "dpmpp-2m"} {
		for _, r := range readSettings[[]settingsRun](t, name) {
			total++
			t.Run(name+" "+r.describe(), func(t *testing.T) {
				c := changed(t, r.Set)
				x, asked := r.make(t, name, c, in)
				if len(asked) != len(r.Timesteps) {
					t.Fatalf("asked at %v, want %v", asked, r.Timesteps)
				}
				for i, want := range r.Timesteps {
					// Fractions come from logarithms that numpy does not round correctly.
					tol := 0.0
					if want != math.Trunc(want) {
						tol = 2e-4
					}
					if math.Abs(asked[i]-want) > tol {
						t.Fatalf("asked at %v, want %v", asked, r.Timesteps)
					}
				}
				near(t, "result", x, r.X, 10*r.Off+1e-6*r.Size)

				// What a picture keeps of the configuration makes the same again.
				used, err := c.Used(name)
				if err != nil {
					t.Fatal(err)
				}
				again, err := scheduler.ParseConfig("used", used)
				if err != nil {
					t.Fatal(err)
				}
				if got, _ := r.make(t, name, again, in); !slices.Equal(got, x) {
					t.Errorf("%s makes other results", used)
				}
			})
		}
	}
	if total < 200 {
		t.Errorf("%d runs", total)
	}
}

func TestSettingsThatThereAreNot(t *testing.T) {
	in := readSettings[settingsInputs](t, "inputs")
	for _, r := range in.Refused {
		name, set, key := r[0].(string), r[1].(map[string]any), r[2].(string)
		_, err := scheduler.New(scheduler.Options{Name: name, Steps: 10, Config: changed(t, set)})
		if err == nil || !strings.Contains(err.Error(), key) || !strings.Contains(err.Error(), "expected") ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("%s with %v: %v, want a line that names %s", name, set, err, key)
		}
	}
}
