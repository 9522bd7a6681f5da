package scheduler_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"percept/scheduler"
)

// gaussian is the exact model of data x_0 ~ N(0, s²): ε̂ = √(1-ᾱ)·x/(ᾱ·s² + 1-ᾱ). Its probability flow is
// known: x/√ᾱ keeps its ratio to √(s² + σ²), with σ² = (1-ᾱ)/ᾱ.
type gaussian struct {
	s        float64
	schedule *scheduler.Schedule
}

// sigma is σ at a timestep, linear between the entries.
func (g gaussian) sigma(t float64) float64 {
	at := func(i int) float64 { return math.Sqrt((1 - g.schedule.AlphaBar[i]) / g.schedule.AlphaBar[i]) }
	i := int(t)
	if t == float64(i) {
		return at(i)
	}
	return at(i) + (t-float64(i))*(at(i+1)-at(i))
}

func (g gaussian) model(_ context.Context, x []float32, t float64) ([]float32, error) {
	sigma := g.sigma(t)
	gain := sigma * math.Sqrt(sigma*sigma+1) / (g.s*g.s + sigma*sigma)
	eps := make([]float32, len(x))
	for i, v := range x {
		eps[i] = float32(gain * float64(v))
	}
	return eps, nil
}

// flowError is the relative distance of a run from the exact flow, at its end and after half of its steps.
func flowError(t *testing.T, name string, steps int, s float64) (end, middle float64) {
	t.Helper()
	sampler, err := scheduler.New(scheduler.Options{Name: name, Steps: steps})
	if err != nil {
		t.Fatal(err)
	}
	schedule := scheduler.Diffusers.Schedule()
	if name == "ddim" || name == "plms" {
		schedule = scheduler.CompVis.Schedule()
	}
	g := gaussian{s, schedule}
	var states, timesteps []float64
	x := sampler.Start([]float32{1})
	_, err = sampler.Sample(t.Context(), g.model, x, scheduler.Run{OnStep: func(st scheduler.Step) error {
		states = append(states, float64(st.X[0]))
		timesteps = append(timesteps, st.Timestep)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	// Euler's latent is x/√ᾱ; the others' is x.
	variance := func(x, sigma float64) float64 {
		if name != "euler" {
			x *= math.Sqrt(sigma*sigma + 1)
		}
		return x / math.Sqrt(s*s+sigma*sigma)
	}
	// The samplers that follow the timesteps end at ᾱ_0, the others at σ = 0.
	last := 0.0
	switch name {
	case "ddim", "ddim-diffusers", "plms", "pndm":
		last = g.sigma(0)
	}
	want := variance(float64(x[0]), g.sigma(timesteps[0]))
	n := len(states)
	end = math.Abs(variance(states[n-1], last)/want - 1)
	middle = math.Abs(variance(states[n/2-1], g.sigma(timesteps[n/2]))/want - 1)
	return end, middle
}

func TestSamplersConvergeToTheFlow(t *testing.T) {
	for _, name := range scheduler.Names() {
		if name == "euler-a" {
			continue
		}
		for _, s := range []float64{0.5, 1, 2} {
			coarse, _ := flowError(t, name, 20, s)
			fine, _ := flowError(t, name, 500, s)
			if !(fine < 0.01 && fine < coarse/3) {
				t.Errorf("%s, deviation %g: off the flow by %.2g with 20 steps, by %.2g with 500", name, s, coarse, fine)
			}
		}
	}
}

// Twice the steps halve the error of a method of first order and quarter that of the second. The error is
// taken in the middle: towards the end the steps do not shrink on the scale of log σ, and the last one, to
// σ = 0, is of first order in all of diffusers' samplers. Karras's levels shrink throughout.
func TestOrderOfConvergence(t *testing.T) {
	for _, tt := range []struct {
		name     string
		lo, hi   float64 // of the ratio
		from, to int
	}{
		{"ddim", 1.6, 2.6, 40, 80},
		{"euler", 1.6, 2.6, 40, 80},
		{"dpmpp-2m", 3.2, 5, 20, 40},
		{"dpmpp-2m-karras", 3.2, 6, 10, 20}, // beyond, the rounding of its timesteps is the larger error
	} {
		coarseEnd, coarse := flowError(t, tt.name, tt.from, 1)
		fineEnd, fine := flowError(t, tt.name, tt.to, 1)
		if tt.name == "dpmpp-2m-karras" {
			coarse, fine = coarseEnd, fineEnd
		}
		if ratio := coarse / fine; !(ratio > tt.lo && ratio < tt.hi) {
			t.Errorf("%s: error %.3g with %d steps, %.3g with %d: ratio %.2f", tt.name, coarse, tt.from, fine, tt.to, ratio)
		}
	}
	for _, s := range []float64{0.5, 1, 2} {
		ddim, _ := flowError(t, "ddim-diffusers", 20, s)
		for _, name := range []string{"dpmpp-2m", "dpmpp-2m-karras", "plms", "pndm"} {
			if e, _ := flowError(t, name, 20, s); !(e < ddim) {
				t.Errorf("%s with 20 steps is off by %.3g, DDIM by %.3g", name, e, ddim)
			}
		}
	}
}

// Samplers that add noise keep the distribution: the variance at the end is that of the data.
func TestNoisySamplersKeepTheVariance(t *testing.T) {
	const n = 4000
	for _, tt := range []struct {
		name string
		eta  float64
	}{{"euler-a", 0}, {"ddim", 1}, {"ddim-diffusers", 0.5}} {
		for _, s := range []float64{0.5, 2} {
			sampler, err := scheduler.New(scheduler.Options{Name: tt.name, Steps: 200, Eta: tt.eta})
			if err != nil {
				t.Fatal(err)
			}
			source := scheduler.NewTorch(11)
			noise := make([]float32, n)
			source.Randn(noise)
			g := gaussian{s, scheduler.Diffusers.Schedule()}
			x, err := sampler.Sample(t.Context(), g.model, sampler.Start(noise), scheduler.Run{Noise: source.Randn})
			if err != nil {
				t.Fatal(err)
			}
			sum := 0.0
			for _, v := range x {
				sum += float64(v) * float64(v)
			}
			// Five standard errors of a variance, and the steps' own error, which is of first order in 1/200.
			if v := sum / n / (s * s); math.Abs(v-1) > 5*math.Sqrt(2.0/n)+0.02 {
				t.Errorf("%s, eta %g: variance %.4f of the data's", tt.name, tt.eta, v)
			}
		}
	}
}

// linear is the factor by which one deterministic step from ᾱ a to ᾱ b multiplies x where ε̂ = k·x, and how
// much of the rounding of ε̂ it carries.
func linear(a, b, k float64) (factor, rounding float64) {
	slope := math.Sqrt(1-b) - math.Sqrt(b/a)*math.Sqrt(1-a)
	factor = math.Sqrt(b/a) + slope*k
	return factor, math.Abs(slope * k / factor)
}

func TestInvertThenSample(t *testing.T) {
	const k = 0.7
	model := func(_ context.Context, x []float32, _ float64) ([]float32, error) {
		eps := make([]float32, len(x))
		for i, v := range x {
			eps[i] = k * v
		}
		return eps, nil
	}
	x0 := normal(5, 32)
	missed := map[int]float64{}
	for _, convention := range []scheduler.Convention{scheduler.CompVis, scheduler.Diffusers} {
		for _, run := range []struct{ steps, last int }{{1, 0}, {10, 0}, {10, 4}, {50, 0}, {50, 40}, {250, 0}} {
			d, err := scheduler.NewDDIM(scheduler.DDIMOptions{Steps: run.steps, Convention: convention})
			if err != nil {
				t.Fatal(err)
			}
			kept := slices.Clone(x0)
			up, err := d.Invert(t.Context(), model, x0, scheduler.Run{Last: run.last})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(kept, x0) {
				t.Fatal("Invert changed its input")
			}
			back, err := d.Sample(t.Context(), model, up, scheduler.Run{Last: run.last})
			if err != nil {
				t.Fatal(err)
			}
			// Both ways are products of known factors; each step rounds x and ε̂ once, by 2⁻²⁴ of themselves.
			first := 0
			if run.last > 0 {
				first = run.steps - run.last
			}
			product, rounding := 1.0, 0.0
			for i := first; i < len(d.Timesteps); i++ {
				f, r := linear(d.AlphaPrev[i], d.AlphaBar[i], k)
				b, q := linear(d.AlphaBar[i], d.AlphaPrev[i], k)
				product *= f * b
				rounding += (2 + r + q) * 0x1p-24
			}
			for i, v := range back {
				want := product * float64(x0[i])
				if math.Abs(float64(v)-want) > rounding*math.Abs(want) {
					t.Fatalf("%v, last %d of %d: %g came back as %g, want %g", convention, run.last, run.steps, x0[i], v, want)
				}
			}
			if run.last == 0 {
				missed[run.steps] = math.Abs(product - 1)
			}
		}
		if !(missed[50] < missed[10]/3 && missed[250] < missed[50]/3 && missed[250] < 0.02) {
			t.Errorf("%v: there and back misses by %v", convention, missed)
		}
	}
	d, err := scheduler.NewDDIM(scheduler.DDIMOptions{Steps: 10, Eta: 0.1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Invert(t.Context(), model, x0, scheduler.Run{Noise: func([]float32) {}}); err == nil {
		t.Error("inversion with eta was accepted")
	}
	if _, err := d.Invert(t.Context(), model, x0, scheduler.Run{Last: 11}); err == nil {
		t.Error("inversion through 11 of 10 steps was accepted")
	}
}
