package verify

import (
	"context"
	"fmt"
	"math"
	"slices"

	"percept/scheduler"
)

// run compares every step of a run.
func (r mockRun) run(c *check, rule scheduler.Convention) {
	key, info := r.key(), c.samplerInfo()
	timesteps := take[[]int](info.rest, key+".timesteps")
	tol := take[map[string]measured](c.keyed(schedulerReport), key)["ldm_f32_vs_ref_whole"].tolerance()

	d := c.ddim(info.Steps, r.eta, rule)
	start, last := "xT", 0
	if r.kind == "img2img" {
		start, last = "img2img.z_enc", info.TEnc
	}
	x := c.float32s(mockFile, start)
	run := c.sample(d, info.model(len(x)), x, last, c.float32s(mockFile, "step_noise"))
	label := fmt.Sprintf("%v ", rule)
	c.that(slices.Equal(run.timesteps, timesteps), "%stimesteps %v, the reference has %v", label, run.timesteps, timesteps)
	near(c, label+"trajectory", run.trajectory, c.float32s(mockFile, key+".trajectory"), tol)
	c.ifStored(label+"guided eps", run.eps, mockFile, key+".guided_eps", tol)
	// x̂_0 = (x - √(1-ᾱ)·eps)/√ᾱ carries the errors of x and eps, multiplied by 1/√ᾱ of the first step.
	gain := 1 / math.Sqrt(d.AlphaBar[len(d.AlphaBar)-len(timesteps)])
	c.ifStored(label+"predicted x0", run.pred, mockFile, key+".pred_x0", gain*tol)
}

// model is the formula in place of a model, guided, for latents of n values.
func (info samplerInfo) model(n int) scheduler.Model {
	return scheduler.Guided(func(_ context.Context, x []float32, t float64) ([]float32, error) {
		eps := make([]float32, len(x))
		for i, v := range x {
			cond := info.Uncond
			if i >= n {
				cond = info.Cond
			}
			v := float64(v)
			eps[i] = float32(0.3*v + 0.4*math.Sin(2*v+0.01*t) + 0.1*cond*math.Cos(v))
		}
		return eps, nil
	}, info.Scale)
}

// sampled is what a run has shown.
type sampled struct {
	timesteps             []int
	trajectory, pred, eps []float32
}

// sample runs a sampler; noise holds the noise of each executed step.
func (c *check) sample(s scheduler.Sampler, model scheduler.Model, x []float32, last int, noise []float32) sampled {
	r := sampled{trajectory: slices.Clone(x)}
	drawn := 0
	must(s.Sample(c.ctx, model, x, scheduler.Run{
		Last:  last,
		Noise: func(z []float32) { drawn += copy(z, noise[drawn:]) },
		OnStep: func(st scheduler.Step) error {
			r.timesteps = append(r.timesteps, int(st.Timestep))
			r.trajectory = append(r.trajectory, st.X...)
			r.pred = append(r.pred, st.PredX0...)
			r.eps = append(r.eps, st.Eps...)
			return nil
		},
	}))
	return r
}

// multistep runs PLMS or PNDM from the set's noise. It returns what the run has shown, and the timesteps and
// latents that the model was asked about.
func (c *check) multistep(name string, info samplerInfo) (run sampled, timesteps []int, asked []float32) {
	s := must(scheduler.New(scheduler.Options{Name: name, Steps: info.PLMS.Steps}))
	x := c.float32s(plmsFile, "xT")
	formula := info.model(len(x))
	model := func(ctx context.Context, x []float32, t float64) ([]float32, error) {
		timesteps = append(timesteps, int(t))
		asked = append(asked, x...)
		return formula(ctx, x, t)
	}
	run = c.sample(s, model, s.Start(x), 0, nil)
	return run, timesteps, asked
}

func (c *check) plmsReport() map[string]measured {
	return take[map[string]measured](c.keyed(schedulerReport), "plms")
}

func plmsRun(c *check) {
	info := c.samplerInfo()
	run, _, _ := c.multistep("plms", info)
	c.that(slices.Equal(run.timesteps, info.PLMS.LDM), "timesteps %v, the reference has %v", run.timesteps, info.PLMS.LDM)
	near(c, "trajectory", run.trajectory, c.float32s(plmsFile, "plms.trajectory"), c.plmsReport()["ldm_f32_vs_ref"].tolerance())
}

func pndmRun(c *check) {
	info := c.samplerInfo()
	run, timesteps, asked := c.multistep("pndm", info)
	c.that(slices.Equal(timesteps, info.PLMS.Diffusers), "the model is asked at %v, the reference asks at %v", timesteps,
		info.PLMS.Diffusers)
	// diffusers counts the first step, which is made twice, as two: the latent between them is the second that the
	// model is asked about.
	n := len(asked) / len(timesteps)
	trajectory := slices.Clone(run.trajectory)
	if len(timesteps) > 1 {
		trajectory = slices.Insert(trajectory, n, asked[n:2*n]...)
	}
	report := c.plmsReport()
	near(c, "trajectory", trajectory, c.float32s(plmsFile, "pndm.trajectory"), report["diffusers_f32_vs_f64"].tolerance())
	plms := c.float32s(plmsFile, "plms.trajectory")
	near(c, "result beside PLMS", trajectory[len(trajectory)-n:], plms[len(plms)-n:],
		report["diffusers_pndm_f64_final_vs_ldm_ref_final"].tolerance())
}
