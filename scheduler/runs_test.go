package scheduler_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"percept/scheduler"
)

func TestNamesAndNew(t *testing.T) {
	for _, name := range scheduler.Names() {
		if d := scheduler.Describe(name); d == "" || strings.Contains(d, "\n") {
			t.Errorf("%s is described as %q", name, d)
		}
		s, err := scheduler.New(scheduler.Options{Name: name})
		if err != nil || s.Name() != name || s.Steps() != 50 {
			t.Errorf("%s: %v", name, err)
		}
		_, err = scheduler.New(scheduler.Options{Name: name, Eta: 0.5})
		if ddim := strings.HasPrefix(name, "ddim"); (err == nil) != ddim {
			t.Errorf("%s with eta 0.5: %v", name, err)
		}
		for _, steps := range []int{-1, 1001, 1 << 40} {
			if s, err := scheduler.New(scheduler.Options{Name: name, Steps: steps}); err == nil || s != nil {
				t.Errorf("%s with %d steps was accepted", name, steps)
			}
		}
	}
	if scheduler.Describe("nothing") != "" {
		t.Error("an unknown name is described")
	}
	_, err := scheduler.New(scheduler.Options{Name: "ddmi"})
	if err == nil || !strings.Contains(err.Error(), strconv.Quote("ddmi")) || !strings.Contains(err.Error(), "dpmpp-2m-karras") {
		t.Errorf("unknown name: %v", err)
	}
	for _, bar := range [][]float64{{}, {0.5}, {0.9, 0.95}, {1, 0.5}, {0.5, 0}, {0.5, math.NaN()}} {
		for _, name := range scheduler.Names() {
			if _, err := scheduler.New(scheduler.Options{Name: name, Steps: 2, Schedule: &scheduler.Schedule{AlphaBar: bar}}); err == nil {
				t.Errorf("%s with the table %v was accepted", name, bar)
			}
		}
	}
	if s, err := scheduler.New(scheduler.Options{}); err != nil || s.Name() != "ddim" {
		t.Errorf("zero options: %v", err)
	}
}

// Every number of steps either is refused or gives finite results, from noise and from every last n.
func TestAnyNumberOfSteps(t *testing.T) {
	noise := normal(3, 4)
	fill := func(x []float32) { copy(x, noise) }
	small := func(_ context.Context, x []float32, _ float64) ([]float32, error) {
		eps := make([]float32, len(x))
		for i, v := range x {
			eps[i] = 0.5 * v
		}
		return eps, nil
	}
	for _, name := range scheduler.Names() {
		for steps := 1; steps <= 1000; steps += 1 + steps/12 {
			s, err := scheduler.New(scheduler.Options{Name: name, Steps: steps})
			if err != nil {
				continue
			}
			lasts := []int{0, 1, 2, s.Steps() - 1, s.Steps()}
			for _, last := range lasts {
				if last < 0 || last > s.Steps() {
					continue
				}
				x := s.Start(noise)
				if last > 0 {
					if x, err = s.Noised(noise, noise, last); err != nil {
						if name != "ddim" || last != s.Steps() {
							t.Errorf("%s %d, last %d: %v", name, steps, last, err)
						}
						continue
					}
				}
				x, err := s.Sample(t.Context(), small, x, scheduler.Run{Last: last, Noise: fill})
				if err != nil {
					t.Fatalf("%s %d, last %d: %v", name, steps, last, err)
				}
				for _, v := range x {
					if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
						t.Fatalf("%s %d, last %d: %v", name, steps, last, x)
					}
				}
			}
		}
	}
}

// Every sampler can be shared, leaves its input alone, looks at the context before each call of the model, and
// stops where a callback or the model says so.
func TestRunsOfEverySampler(t *testing.T) {
	for _, name := range scheduler.Names() {
		t.Run(name, func(t *testing.T) {
			s, err := scheduler.New(scheduler.Options{Name: name, Steps: 10})
			if err != nil {
				t.Fatal(err)
			}
			noise := normal(9, 8)
			x := s.Start(noise)
			kept := slices.Clone(x)
			sample := func(ctx context.Context, model scheduler.Model, onStep func(scheduler.Step) error) ([]float32, error) {
				return s.Sample(ctx, model, x, scheduler.Run{Noise: scheduler.NewTorch(4).Randn, OnStep: onStep})
			}
			want, err := sample(t.Context(), formula, nil)
			if err != nil {
				t.Fatal(err)
			}

			// A run inside of a run.
			inner := 0
			got, err := sample(t.Context(), formula, func(st scheduler.Step) error {
				if len(st.PredX0) != len(x) || len(st.Eps) != len(x) {
					t.Errorf("step %d shows %d and %d values", st.Index, len(st.PredX0), len(st.Eps))
				}
				inner++
				again, err := sample(t.Context(), formula, nil)
				if err == nil && !slices.Equal(again, want) {
					t.Error("two runs at the same time give different results")
				}
				return err
			})
			if err != nil || inner != 10 || !slices.Equal(got, want) {
				t.Errorf("a second run: %v, %d steps", err, inner)
			}
			if !slices.Equal(x, kept) {
				t.Error("Sample changed its input")
			}
			if fresh := s.Start(noise); &fresh[0] == &noise[0] {
				t.Error("Start returned its argument")
			}

			ctx, cancel := context.WithCancel(t.Context())
			calls := 0
			_, err = sample(ctx, func(ctx context.Context, x []float32, at float64) ([]float32, error) {
				if calls++; calls == 3 {
					cancel()
				}
				return formula(ctx, x, at)
			}, nil)
			if !errors.Is(err, context.Canceled) || calls != 3 {
				t.Errorf("cancelled in call 3: %v after %d calls", err, calls)
			}
			_, err = sample(ctx, formula, nil)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("begun after cancelling: %v", err)
			}

			enough := errors.New("seen enough")
			steps := 0
			if _, err := sample(t.Context(), formula, func(scheduler.Step) error {
				if steps++; steps == 2 {
					return enough
				}
				return nil
			}); !errors.Is(err, enough) || steps != 2 {
				t.Errorf("stopped by the callback: %v after %d steps", err, steps)
			}
			for fail := 1; fail <= 4; fail++ {
				calls = 0
				if _, err := sample(t.Context(), func(ctx context.Context, x []float32, at float64) ([]float32, error) {
					if calls++; calls == fail {
						return nil, enough
					}
					return formula(ctx, x, at)
				}, nil); !errors.Is(err, enough) || calls != fail {
					t.Errorf("the model fails in call %d: %v after %d calls", fail, err, calls)
				}
			}
			short := func(context.Context, []float32, float64) ([]float32, error) { return noise[:3], nil }
			if _, err := sample(t.Context(), short, nil); err == nil {
				t.Error("a model that returns another length was accepted")
			}
			if out, err := s.Sample(t.Context(), formula, nil, scheduler.Run{Noise: func([]float32) {}}); err != nil || len(out) != 0 {
				t.Errorf("an empty latent: %v", err)
			}
			for _, last := range []int{-1, 11} {
				if _, err := s.Sample(t.Context(), formula, x, scheduler.Run{Last: last, Noise: func([]float32) {}}); err == nil {
					t.Errorf("the last %d of 10 steps were accepted", last)
				}
			}
			for _, last := range []int{-1, 0, 11} {
				if _, err := s.Noised(noise, noise, last); err == nil {
					t.Errorf("noise for the last %d of 10 steps was accepted", last)
				}
			}
			if _, err := s.Noised(noise, noise[:2], 5); err == nil {
				t.Error("noise of another length was accepted")
			}
			if name == "euler-a" {
				if _, err := s.Sample(t.Context(), formula, x, scheduler.Run{}); err == nil {
					t.Error("a run without a source of noise was accepted")
				}
			}
		})
	}
}

// The calls of the model that a run of ten steps makes.
func TestModelCalls(t *testing.T) {
	for _, name := range scheduler.Names() {
		s, err := scheduler.New(scheduler.Options{Name: name, Steps: 10})
		if err != nil {
			t.Fatal(err)
		}
		rec := record(formula)
		if _, err := s.Sample(t.Context(), rec.ask, []float32{1}, scheduler.Run{Noise: func([]float32) {}}); err != nil {
			t.Fatal(err)
		}
		want := 10
		if name == "plms" || name == "pndm" {
			want = 11
		}
		if rec.calls != want {
			t.Errorf("%s: %d calls, want %d", name, rec.calls, want)
		}
	}
}

// FuzzSampler makes runs of any kind: each is refused in one line or ends in finite values.
func FuzzSampler(f *testing.F) {
	f.Add(uint8(0), 50, 40, 0.5, true)
	f.Add(uint8(3), 1, 1, 0.0, true)
	f.Add(uint8(5), 999, 998, 0.0, true)
	f.Add(uint8(7), 1000, 0, math.NaN(), false)
	half := func(_ context.Context, x []float32, t float64) ([]float32, error) {
		eps := make([]float32, len(x))
		for i, v := range x {
			eps[i] = v * float32(t/2000)
		}
		return eps, nil
	}
	f.Fuzz(func(t *testing.T, which uint8, steps, last int, eta float64, image bool) {
		names := scheduler.Names()
		s, err := scheduler.New(scheduler.Options{Name: names[int(which)%len(names)], Steps: steps, Eta: eta})
		var x []float32
		if err == nil && image {
			x, err = s.Noised([]float32{1, -1}, []float32{0.5, 2}, last)
		} else if err == nil {
			x = s.Start([]float32{0.5, 2})
		}
		if err == nil {
			x, err = s.Sample(t.Context(), half, x, scheduler.Run{Last: last, Noise: scheduler.NewTorch(1).Randn})
		}
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("not one line: %q", err)
			}
			return
		}
		for _, v := range x {
			if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
				t.Fatalf("%s, %d steps, last %d: %v", s.Name(), steps, last, x)
			}
		}
	})
}

// Where the schedule is one and the number of steps divides it, the two codes make the same whole run.
func TestPLMSAndPNDMAreOneMethod(t *testing.T) {
	for _, steps := range []int{2, 5, 10, 50} {
		var results [2][]float32
		for i, name := range []string{"plms", "pndm"} {
			s, err := scheduler.New(scheduler.Options{Name: name, Steps: steps, Schedule: scheduler.StableDiffusion()})
			if err != nil {
				t.Fatal(err)
			}
			if results[i], err = s.Sample(t.Context(), formula, normal(2, 16), scheduler.Run{}); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(results[0], results[1]) {
			t.Errorf("%d steps: %v and %v", steps, results[0], results[1])
		}
	}
}
