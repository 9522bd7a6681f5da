package weights

import (
	"strings"
	"testing"
)

func TestCheckScheduler(t *testing.T) {
	for _, c := range []struct{ name, config, want string }{
		{"as written", schedulerConfig, ""},
		{"published with Stable Diffusion v1.4",
			`{"_class_name": "PNDMScheduler", "beta_end": 0.012, "beta_schedule": "scaled_linear", "beta_start": 0.00085,
			"num_train_timesteps": 1000, "set_alpha_to_one": false, "skip_prk_steps": true, "steps_offset": 1, "trained_betas": null,
				"clip_sample": false}`, ""},
		{"another prediction", `{"prediction_type": "v_prediction"}`, "v_prediction"},
		{"another end", `{"beta_end": 0.02}`, "0.02"},
		{"betas of its own", `{"trained_betas": [0.1, 0.2]}`, "trained_betas has 2"},
		{"no signal at the end", `{"rescale_betas_zero_snr": true}`, "rescale_betas_zero_snr"},
		{"no JSON", `{`, "JSON"},
	} {
		err := CheckScheduler([]byte(c.config))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	// diffusers would make Euler and DPM-Solver of it otherwise than of the published file.
	if strings.Contains(schedulerConfig, "timestep_spacing") {
		t.Error("the schedule that is written fixes the spacing of timesteps")
	}
}
