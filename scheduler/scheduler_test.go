package scheduler_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"percept/internal/golden"
	"percept/scheduler"
)

// The files of testdata were made with the original code and with diffusers (report.json has the
// distance of their float32 runs from the float64 reference).

func readJSON(t *testing.T, file string, v any) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file)
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// measured is an entry of report.json; tolerance is 10 times the float32 error plus 1e-6 of the RMS.
type measured struct {
	MaxAbs float64 `json:"max_abs"`
	RMS    float64 `json:"rms_ref"`
}

func (m measured) tolerance() float64 { return 10*m.MaxAbs + 1e-6*m.RMS }

func near(t *testing.T, what string, got, want []float32, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	worst := 0.0
	for i := range want {
		if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= worst) {
			worst = d
		}
	}
	if !(worst <= tol) {
		t.Errorf("%s: off by %.3g, tolerance %.3g", what, worst, tol)
	}
}

// readNPY reads a one-dimensional float64 array; the header is one line of text.
func readNPY(t *testing.T, file string) []float64 {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	b = b[10+int(binary.LittleEndian.Uint16(b[8:])):]
	x := make([]float64, len(b)/8)
	for i := range x {
		x[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
	}
	return x
}

func TestSchedulesAreExact(t *testing.T) {
	s := scheduler.StableDiffusion()
	if !slices.Equal(s.Beta, readNPY(t, "betas_f64.npy")) {
		t.Error("betas differ from float64 torch")
	}
	if !slices.Equal(s.AlphaBar, readNPY(t, "alphas_cumprod_f64.npy")) {
		t.Error("alphas_cumprod differ from float64 numpy")
	}
	d, err := scheduler.ScaledLinearDiffusers(0.00085, 0.012, 1000)
	if err != nil {
		t.Fatal(err)
	}
	r := s.Rounded()
	tables := golden.Open(t, "testdata/schedule_f32.safetensors").Float32
	for name, got := range map[string][]float64{
		"ldm.betas": r.Beta, "ldm.alphas_cumprod": r.AlphaBar,
		"diffusers.betas": d.Beta, "diffusers.alphas_cumprod": d.AlphaBar,
		"ldm.alphas_cumprod_prev": append([]float64{1}, r.AlphaBar[:999]...),
	} {
		for i, want := range tables(name, 1000) {
			if got[i] != float64(want) {
				t.Errorf("%s[%d] = %g, want %g", name, i, got[i], want)
				break
			}
		}
	}
}

func TestScheduleRejects(t *testing.T) {
	for _, c := range []struct {
		start, end float64
		n          int
	}{{0, 0.1, 10}, {0.2, 0.1, 10}, {0.1, 1, 10}, {0.1, 0.2, 1}, {math.NaN(), 0.2, 10}} {
		if _, err := scheduler.ScaledLinear(c.start, c.end, c.n); err == nil {
			t.Errorf("ScaledLinear(%v) accepted", c)
		}
		if _, err := scheduler.ScaledLinearDiffusers(c.start, c.end, c.n); err == nil {
			t.Errorf("ScaledLinearDiffusers(%v) accepted", c)
		}
	}
}

type mockInfo struct {
	Shape               []int
	Steps               int
	CFGScale            float32 `json:"cfg_scale"`
	Strength            float64
	Cond, Uncond        float64
	TEnc                int              `json:"t_enc"`
	LDM                 map[string][]int `json:"ldm_timesteps_by_steps"`
	Diffusers           map[string][]int `json:"diffusers_leading_timesteps_by_steps"`
	StochasticTimestep  int              `json:"stochastic_encode_timestep"`
	FirstDecodeTimestep int              `json:"first_decode_timestep"`
}

func TestTimesteps(t *testing.T) {
	var info mockInfo
	readJSON(t, "info.json", &info)
	check := func(c scheduler.Convention, want map[string][]int, descending bool) {
		for steps, list := range want {
			n, err := strconv.Atoi(steps)
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Timesteps(n, 1000)
			if err != nil {
				t.Errorf("%v %d: %v", c, n, err)
				continue
			}
			list = slices.Clone(list)
			if !descending {
				slices.Reverse(list)
			}
			if !slices.Equal(got, list) {
				t.Errorf("%v %d: %v, want %v", c, n, got, list)
			}
		}
	}
	check(scheduler.CompVis, info.LDM, false)
	check(scheduler.Diffusers, info.Diffusers, true)
}

func TestTimestepsRejects(t *testing.T) {
	tests := []struct {
		c     scheduler.Convention
		steps int
	}{
		{scheduler.CompVis, 3},    // 1, 334, 667, 1000
		{scheduler.CompVis, 1000}, // 1 … 1000
		{scheduler.Diffusers, 1000},
		{scheduler.CompVis, 0}, {scheduler.Diffusers, 0}, {scheduler.CompVis, -5}, {scheduler.CompVis, 1001},
		{scheduler.Convention(9), 50},
	}
	for _, tt := range tests {
		if ts, err := tt.c.Timesteps(tt.steps, 1000); err == nil {
			t.Errorf("%v with %d steps gives %v", tt.c, tt.steps, ts)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("error is not one line: %q", err)
		}
	}
	// Every number of steps that is accepted stays inside the table, and the hint of a refusal is accepted.
	for _, c := range []scheduler.Convention{scheduler.CompVis, scheduler.Diffusers} {
		for steps := 1; steps <= 1000; steps++ {
			ts, err := c.Timesteps(steps, 1000)
			if err != nil {
				var s, last, end, hint int
				text := strings.ReplaceAll(err.Error(), ";", " ")
				format := "scheduler: %d steps by the " + c.String() + " rule reach timestep %d, the schedule ends at %d  " +
					"use a number of steps like %d"
				if _, serr := fmt.Sscanf(text, format, &s, &last, &end, &hint); serr != nil {
					t.Fatalf("%v: %v", err, serr)
				}
				if _, err := c.Timesteps(hint, 1000); err != nil {
					t.Errorf("hint for %d: %v", steps, err)
				}
				continue
			}
			if ts[0] > 999 || ts[len(ts)-1] != 1 {
				t.Errorf("%v %d: from %d to %d", c, steps, ts[0], ts[len(ts)-1])
			}
		}
	}
}

// mock is the formula of info.json: eps(x,t,c) = 0.3x + 0.4 sin(2x + 0.01t) + 0.1 c cos(x).
func mock(x float32, t float64, c float64) float32 {
	v := float64(x)
	return float32(0.3*v + 0.4*math.Sin(2*v+0.01*t) + 0.1*c*math.Cos(v))
}

func TestDDIMFollowsTheOriginal(t *testing.T) {
	var info mockInfo
	readJSON(t, "info.json", &info)
	var raw map[string]json.RawMessage
	readJSON(t, "report.json", &raw)
	g := golden.Open(t, "testdata/ddim_mock.safetensors").Float32
	n := info.Shape[0] * info.Shape[1] * info.Shape[2] * info.Shape[3]
	stepNoise := g("step_noise")
	for _, eta := range []string{"0.0", "0.5"} {
		for _, convention := range []scheduler.Convention{scheduler.CompVis, scheduler.Diffusers} {
			etaValue, err := strconv.ParseFloat(eta, 64)
			if err != nil {
				t.Fatal(err)
			}
			d, err := scheduler.NewDDIM(scheduler.DDIMOptions{
				Steps: info.Steps, Eta: etaValue, Convention: convention,
				Schedule: scheduler.StableDiffusion().Rounded(), // the reference has one table for both
			})
			if err != nil {
				t.Fatal(err)
			}
			checkTables(t, d, g, eta)
			for _, kind := range []string{"txt2img", "img2img"} {
				key := kind + ".eta" + eta
				var report map[string]measured
				if err := json.Unmarshal(raw[key], &report); err != nil {
					t.Fatal(err)
				}
				tol := report["ldm_f32_vs_ref_whole"].tolerance()
				x, last := g("xT"), 0
				if kind == "img2img" {
					if last, err = scheduler.StepsFor(info.Strength, info.Steps); err != nil || last != info.TEnc {
						t.Fatalf("StepsFor = %d, %v, want %d", last, err, info.TEnc)
					}
					if x, err = d.StochasticEncode(g("x0"), g("enc_noise"), last); err != nil {
						t.Fatal(err)
					}
					var encode measured
					if err := json.Unmarshal(raw["stochastic_encode"], &encode); err != nil {
						t.Fatal(err)
					}
					near(t, "z_enc", x, g("img2img.z_enc"), encode.tolerance())
				}
				model := scheduler.Guided(func(_ context.Context, x []float32, t float64) ([]float32, error) {
					out := make([]float32, len(x))
					for i, v := range x {
						c := info.Uncond
						if i >= n {
							c = info.Cond
						}
						out[i] = mock(v, t, c)
					}
					return out, nil
				}, info.CFGScale)
				trajectory := slices.Clone(x)
				var preds, eps []float32
				drawn := 0
				out, err := d.Sample(t.Context(), model, x, scheduler.Run{
					Last:  last,
					Noise: func(z []float32) { drawn += copy(z, stepNoise[drawn:]) },
					OnStep: func(s scheduler.Step) error {
						if s.Index == 0 && kind == "img2img" && s.Timestep != float64(info.FirstDecodeTimestep) {
							t.Errorf("first timestep %g, want %d", s.Timestep, info.FirstDecodeTimestep)
						}
						trajectory = append(trajectory, s.X...)
						preds = append(preds, s.PredX0...)
						eps = append(eps, s.Eps...)
						return nil
					},
				})
				if err != nil {
					t.Fatal(err)
				}
				name := fmt.Sprintf("%v %s", convention, key)
				near(t, name+" trajectory", trajectory, g(key+".trajectory"), tol)
				near(t, name+" final", out, trajectory[len(trajectory)-n:], 0)
				// README of the reference data gives no error of their own for these: x̂_0 divides the error of x and
				// eps by √ᾱ (14 at most here), the guided eps multiplies it by the slope of the formula, about 1.
				near(t, name+" guided eps", eps, g(key+".guided_eps"), tol)
				near(t, name+" predicted x0", preds, g(key+".pred_x0"), 15*tol)
			}
		}
	}
}

// checkTables compares with the ascending tables of the original sampler.
func checkTables(t *testing.T, d *scheduler.DDIM, g func(string, ...int) []float32, eta string) {
	t.Helper()
	n := len(d.Timesteps)
	alphas, prev, sigmas := g("ddim50.alphas", n), g("ddim50.alphas_prev", n), g("ddim50.sigmas_eta"+eta, n)
	for i := range n {
		j := n - 1 - i
		if float32(d.AlphaBar[j]) != alphas[i] || float32(d.AlphaPrev[j]) != prev[i] {
			t.Errorf("entry %d: alpha %g, %g, want %g, %g", i, d.AlphaBar[j], d.AlphaPrev[j], alphas[i], prev[i])
		}
		if diff := math.Abs(d.Sigma[j] - float64(sigmas[i])); diff > 1e-6 {
			t.Errorf("sigma %d off by %g", i, diff)
		}
	}
}

func TestAddNoiseTheDiffusersWay(t *testing.T) {
	var info mockInfo
	readJSON(t, "info.json", &info)
	var report map[string]json.RawMessage
	readJSON(t, "report.json", &report)
	var m measured
	if err := json.Unmarshal(report["diffusers add_noise"], &m); err != nil {
		t.Fatal(err)
	}
	d, err := scheduler.NewDDIM(scheduler.DDIMOptions{Steps: info.Steps, Convention: scheduler.Diffusers})
	if err != nil {
		t.Fatal(err)
	}
	g := golden.Open(t, "testdata/ddim_mock.safetensors").Float32
	x, err := d.AddNoise(g("x0"), g("enc_noise"), info.TEnc)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "add_noise", x, g("img2img.diffusers_add_noise"), m.tolerance())
}

func TestStochasticEncodeRejects(t *testing.T) {
	d, err := scheduler.NewDDIM(scheduler.DDIMOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{-1, 50, 51} { // strength 1 is outside of the original's list
		if _, err := d.StochasticEncode([]float32{1}, []float32{1}, n); err == nil {
			t.Errorf("encoded for %d of 50 steps", n)
		}
	}
	if _, err := d.StochasticEncode([]float32{1, 2}, []float32{1}, 10); err == nil {
		t.Error("noise of another length accepted")
	}
	if _, err := d.AddNoise([]float32{1}, []float32{1}, 50); err != nil {
		t.Errorf("diffusers' way at strength 1: %v", err)
	}
}

func TestSampleStops(t *testing.T) {
	d, err := scheduler.NewDDIM(scheduler.DDIMOptions{Steps: 10})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	model := func(_ context.Context, x []float32, _ float64) ([]float32, error) {
		calls++
		if calls == 3 {
			cancel()
		}
		return make([]float32, len(x)), nil
	}
	if _, err := d.Sample(ctx, model, make([]float32, 4), scheduler.Run{}); !errors.Is(err, context.Canceled) || calls != 3 {
		t.Errorf("cancelled in call 3: %v after %d calls", err, calls)
	}
	enough := errors.New("seen enough")
	calls = 10
	stop := func(s scheduler.Step) error {
		if s.Index == 1 {
			return enough
		}
		return nil
	}
	if _, err := d.Sample(t.Context(), model, make([]float32, 4), scheduler.Run{OnStep: stop}); !errors.Is(err, enough) || calls != 12 {
		t.Errorf("stopped by the callback: %v after %d calls", err, calls-10)
	}
}

func TestSampleRejects(t *testing.T) {
	short := func(context.Context, []float32, float64) ([]float32, error) { return []float32{1}, nil }
	d, err := scheduler.NewDDIM(scheduler.DDIMOptions{Steps: 10, Eta: 1})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		run  scheduler.Run
	}{
		{"no noise", scheduler.Run{}},
		{"too many steps", scheduler.Run{Last: 11, Noise: func([]float32) {}}},
		{"model of another length", scheduler.Run{Noise: func([]float32) {}}},
	}
	for _, tt := range tests {
		if _, err := d.Sample(t.Context(), short, make([]float32, 4), tt.run); err == nil {
			t.Errorf("%s: accepted", tt.name)
		}
	}
	for _, eta := range []float64{-1, 2, math.NaN()} {
		if _, err := scheduler.NewDDIM(scheduler.DDIMOptions{Eta: eta}); err == nil {
			t.Errorf("eta %g accepted", eta)
		}
	}
	for _, s := range []float64{-0.1, 0, 1.1, math.NaN()} {
		if _, err := scheduler.StepsFor(s, 50); err == nil {
			t.Errorf("strength %g accepted", s)
		}
	}
	odd := scheduler.Guided(short, 2)
	if _, err := odd(t.Context(), make([]float32, 4), 1); err == nil {
		t.Error("a batch model that returns one half was accepted")
	}
}

// A model that knows the noise exactly is inverted exactly: one step or fifty lead back to x_0.
func TestPerfectModelIsInverted(t *testing.T) {
	x0, noise := normal(1, 64), normal(2, 64)
	for _, steps := range []int{1, 7, 50} {
		d, err := scheduler.NewDDIM(scheduler.DDIMOptions{Steps: steps})
		if err != nil {
			t.Fatal(err)
		}
		x, err := d.AddNoise(x0, noise, len(d.Timesteps))
		if err != nil {
			t.Fatal(err)
		}
		perfect := func(context.Context, []float32, float64) ([]float32, error) { return noise, nil }
		var pred []float32
		_, err = d.Sample(t.Context(), perfect, x, scheduler.Run{OnStep: func(s scheduler.Step) error {
			pred = slices.Clone(s.PredX0)
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		near(t, fmt.Sprint(steps, " steps"), pred, x0, 1e-4)
	}
}
