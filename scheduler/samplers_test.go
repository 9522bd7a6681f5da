package scheduler_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"percept/internal/golden"
	"percept/scheduler"
)

// diffusersRun is a run of samplers.json. The distance of diffusers' float32 from its float64 makes the tolerance.
type diffusersRun struct {
	Sampler   string
	Steps     int
	Strength  *float64
	Eta       float64
	Timesteps []float64
	measured
}

// formula is the model of samplers.py.
func formula(_ context.Context, x []float32, t float64) ([]float32, error) {
	eps := make([]float32, len(x))
	for i, v := range x {
		eps[i] = mock(v, t, 1)
	}
	return eps, nil
}

// recorder keeps what a model is asked and what a run shows.
type recorder struct {
	timesteps    []float64
	asked        []float32
	states       []float32
	model        scheduler.Model
	index, calls int
}

func record(model scheduler.Model) *recorder { return &recorder{model: model} }

func (r *recorder) ask(ctx context.Context, x []float32, t float64) ([]float32, error) {
	r.calls++
	r.timesteps = append(r.timesteps, t)
	r.asked = append(r.asked, x...)
	return r.model(ctx, x, t)
}

func (r *recorder) onStep(of int) func(scheduler.Step) error {
	return func(s scheduler.Step) error {
		if s.Index != r.index || s.Of != of {
			return fmt.Errorf("step %d of %d, want %d of %d", s.Index, s.Of, r.index, of)
		}
		r.index++
		r.states = append(r.states, s.X...)
		return nil
	}
}

func TestSamplersFollowDiffusers(t *testing.T) {
	var file struct{ Runs map[string]diffusersRun }
	readJSON(t, "samplers.json", &file)
	g := golden.Open(t, "testdata/samplers.safetensors").Float32
	noise, x0 := g("noise"), g("x0")
	stepNoise := g("step_noise")
	for key, want := range file.Runs {
		t.Run(key, func(t *testing.T) {
			tol := want.tolerance()
			rec := record(formula)
			drawn := 0
			run := scheduler.Run{Noise: func(z []float32) { drawn += copy(z, stepNoise[drawn:]) }}
			var x, out []float32
			if want.Sampler == "inverse" {
				d, err := scheduler.NewDDIM(scheduler.DDIMOptions{Steps: want.Steps, Convention: scheduler.Diffusers})
				if err != nil {
					t.Fatal(err)
				}
				run.OnStep = rec.onStep(want.Steps)
				x = x0
				if out, err = d.Invert(t.Context(), rec.ask, x, run); err != nil {
					t.Fatal(err)
				}
			} else {
				s, err := scheduler.New(scheduler.Options{Name: want.Sampler, Steps: want.Steps, Eta: want.Eta})
				if err != nil {
					t.Fatal(err)
				}
				if s.Name() != want.Sampler || s.Steps() != want.Steps {
					t.Errorf("%s with %d steps", s.Name(), s.Steps())
				}
				x = s.Start(noise)
				of := want.Steps
				if want.Strength != nil {
					if run.Last, err = scheduler.StepsFor(*want.Strength, want.Steps); err != nil {
						t.Fatal(err)
					}
					if x, err = s.Noised(x0, noise, run.Last); err != nil {
						t.Fatal(err)
					}
					of = run.Last
				}
				run.OnStep = rec.onStep(of)
				if out, err = s.Sample(t.Context(), rec.ask, x, run); err != nil {
					t.Fatal(err)
				}
				if rec.index != of {
					t.Errorf("showed %d steps, want %d", rec.index, of)
				}
			}
			if !slices.Equal(rec.timesteps, want.Timesteps) {
				t.Fatalf("asked at %v, want %v", rec.timesteps, want.Timesteps)
			}
			states := g(key)
			n := len(x)
			asked := states[:len(states)-n]
			if strings.HasPrefix(want.Sampler, "euler") {
				asked = g(key + ".asked")
			}
			near(t, "what the model was asked", rec.asked, asked, tol)
			near(t, "start", x, states[:n], tol)
			states = states[n:]
			if want.Sampler == "pndm" && rec.calls > 1 {
				states = states[n:] // the first two of diffusers' steps are one: the first is made again
			}
			near(t, "states", rec.states, states, tol)
			near(t, "result", out, states[len(states)-n:], tol)
		})
	}
}

// Timesteps and σ of other numbers of steps, as the model and image to image show them.
func TestSigmaTablesFollowDiffusers(t *testing.T) {
	file := golden.Open(t, "testdata/samplers.safetensors")
	seen := 0
	for _, name := range []string{"dpmpp-2m", "dpmpp-2m-karras", "euler", "euler-a"} {
		for _, steps := range []int{1, 3, 7, 15, 25, 30, 40, 100, 250} {
			key := fmt.Sprintf("table.%s.%d", name, steps)
			want := file.Float32(key, 2, steps)
			seen++
			s, err := scheduler.New(scheduler.Options{Name: name, Steps: steps})
			if err != nil {
				t.Fatal(err)
			}
			rec := record(formula)
			if _, err := s.Sample(t.Context(), rec.ask, []float32{1}, scheduler.Run{Noise: func([]float32) {}}); err != nil {
				t.Fatal(err)
			}
			for i, got := range rec.timesteps {
				if got != float64(want[i]) {
					t.Errorf("%s: timestep %d is %v, want %v", key, i, got, want[i])
				}
				// x_0 = 0 and noise 1: σ, or σ/√(σ²+1).
				x, err := s.Noised([]float32{0}, []float32{1}, steps-i)
				if err != nil {
					t.Fatal(err)
				}
				sigma := float64(want[steps+i])
				if strings.HasPrefix(name, "dpm") {
					sigma /= math.Sqrt(sigma*sigma + 1)
				}
				// torch's power of 1/2 is one unit in the last place off a rounded square root now and then.
				if d := math.Abs(float64(x[0]) - sigma); d > 0x1p-23*1.5*sigma {
					t.Errorf("%s: noise %d is %v, want %v", key, i, x[0], float32(sigma))
				}
			}
		}
	}
	if seen != 36 {
		t.Errorf("%d tables", seen)
	}
}

// PLMS against the original code's run, and PNDM against diffusers' of the same latent.
func TestPLMSFollowsTheOriginal(t *testing.T) {
	var info struct {
		Cond, Uncond float64
		CFGScale     float32 `json:"cfg_scale"`
		PLMS         struct {
			Steps     int
			LDM       []float64 `json:"ldm_timesteps_descending"`
			Diffusers []float64 `json:"diffusers_pndm_timesteps"`
		}
	}
	readJSON(t, "info.json", &info)
	var report struct{ PLMS map[string]measured }
	readJSON(t, "report.json", &report)
	g := golden.Open(t, "testdata/plms_pndm_mock.safetensors").Float32
	for _, tt := range []struct {
		name, key, error string
		timesteps        []float64
	}{
		{"plms", "plms.trajectory", "ldm_f32_vs_ref", info.PLMS.LDM},
		{"pndm", "pndm.trajectory", "diffusers_f32_vs_f64", info.PLMS.Diffusers},
	} {
		tol := report.PLMS[tt.error].tolerance()
		s, err := scheduler.New(scheduler.Options{Name: tt.name, Steps: info.PLMS.Steps})
		if err != nil {
			t.Fatal(err)
		}
		want := g(tt.key)
		calls := len(tt.timesteps)
		n := len(want) / (calls + 1)
		model := scheduler.Guided(func(_ context.Context, x []float32, t float64) ([]float32, error) {
			eps := make([]float32, len(x))
			for i, v := range x {
				c := info.Uncond
				if i >= n {
					c = info.Cond
				}
				eps[i] = mock(v, t, c)
			}
			return eps, nil
		}, info.CFGScale)
		rec := record(model)
		if _, err := s.Sample(t.Context(), rec.ask, want[:n], scheduler.Run{OnStep: rec.onStep(info.PLMS.Steps)}); err != nil {
			t.Fatal(err)
		}
		asked := tt.timesteps
		states := want[n:]
		if tt.name == "pndm" {
			near(t, "pndm, first of its two first steps", rec.asked[n:2*n], states[:n], tol)
			states = states[n:]
		} else {
			asked = slices.Insert(slices.Clone(asked), 1, asked[1]) // the second call of the first step
		}
		if !slices.Equal(rec.timesteps, asked) {
			t.Errorf("%s: asked at %v, want %v", tt.name, rec.timesteps, asked)
		}
		near(t, tt.name, rec.states, states, tol)
	}
}
