package scheduler

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

const maxFloat = math.MaxFloat64

// optional is a number that may be none.
type optional struct {
	value float64
	given bool
}

// optionalText is a text that may be none, which is the empty one.
type optionalText string

// or is the number, or another where there is none.
func (o optional) or(other float64) float64 {
	if o.given {
		return o.value
	}
	return other
}

// settings are the arguments of diffusers' schedulers. Each class has some of them.
type settings struct {
	timesteps          int // num_train_timesteps
	betaStart, betaEnd float64
	betaSchedule       string
	trainedBetas       []float64
	zeroSNR            bool
	prediction         string

	spacing       string
	stepsOffset   int
	setAlphaToOne bool
	skipPRK       bool

	clipSample     bool
	clipRange      float64
	thresholding   bool
	thresholdRatio float64
	sampleMax      float64

	karras, exponential, beta bool
	lu, flow                  bool
	flowShift                 float64
	sigmaMin, sigmaMax        optional
	interpolation             string
	finalSigmas               string
	timestepType              string

	algorithm        string
	solverOrder      int
	solverType       string
	lowerOrderFinal  bool
	eulerAtFinal     bool
	lambdaMinClipped float64
	varianceType     optionalText
}

// fields find the place of a key's value.
var fields = map[string]func(s *settings) any{
	"num_train_timesteps":        func(s *settings) any { return &s.timesteps },
	"beta_start":                 func(s *settings) any { return &s.betaStart },
	"beta_end":                   func(s *settings) any { return &s.betaEnd },
	"beta_schedule":              func(s *settings) any { return &s.betaSchedule },
	"trained_betas":              func(s *settings) any { return &s.trainedBetas },
	"rescale_betas_zero_snr":     func(s *settings) any { return &s.zeroSNR },
	"prediction_type":            func(s *settings) any { return &s.prediction },
	"timestep_spacing":           func(s *settings) any { return &s.spacing },
	"steps_offset":               func(s *settings) any { return &s.stepsOffset },
	"set_alpha_to_one":           func(s *settings) any { return &s.setAlphaToOne },
	"skip_prk_steps":             func(s *settings) any { return &s.skipPRK },
	"clip_sample":                func(s *settings) any { return &s.clipSample },
	"clip_sample_range":          func(s *settings) any { return &s.clipRange },
	"thresholding":               func(s *settings) any { return &s.thresholding },
	"dynamic_thresholding_ratio": func(s *settings) any { return &s.thresholdRatio },
	"sample_max_value":           func(s *settings) any { return &s.sampleMax },
	"use_karras_sigmas":          func(s *settings) any { return &s.karras },
	"use_exponential_sigmas":     func(s *settings) any { return &s.exponential },
	"use_beta_sigmas":            func(s *settings) any { return &s.beta },
	"use_lu_lambdas":             func(s *settings) any { return &s.lu },
	"use_flow_sigmas":            func(s *settings) any { return &s.flow },
	"flow_shift":                 func(s *settings) any { return &s.flowShift },
	"sigma_min":                  func(s *settings) any { return &s.sigmaMin },
	"sigma_max":                  func(s *settings) any { return &s.sigmaMax },
	"interpolation_type":         func(s *settings) any { return &s.interpolation },
	"final_sigmas_type":          func(s *settings) any { return &s.finalSigmas },
	"timestep_type":              func(s *settings) any { return &s.timestepType },
	"algorithm_type":             func(s *settings) any { return &s.algorithm },
	"solver_order":               func(s *settings) any { return &s.solverOrder },
	"solver_type":                func(s *settings) any { return &s.solverType },
	"lower_order_final":          func(s *settings) any { return &s.lowerOrderFinal },
	"euler_at_final":             func(s *settings) any { return &s.eulerAtFinal },
	"lambda_min_clipped":         func(s *settings) any { return &s.lambdaMinClipped },
	"variance_type":              func(s *settings) any { return &s.varianceType },
}

// choices are the values that texts may have; those of prediction_type are the class's.
var choices = map[string][]string{
	"timestep_spacing":   {"linspace", "leading", "trailing"},
	"interpolation_type": {"linear", "log_linear"},
	"final_sigmas_type":  {"zero", "sigma_min"},
	"timestep_type":      {"discrete", "continuous"},
	"algorithm_type":     {"dpmsolver++", "dpmsolver", "sde-dpmsolver++", "sde-dpmsolver", "deis"},
	"solver_type":        {"midpoint", "heun", "logrho", "bh1", "bh2"},
}

// A class is a scheduler of diffusers: its arguments and their defaults. That of the samplers of the original code has no
// name; it takes from a configuration what is the model's.
type class struct {
	name          string
	sampler, also string // what samplers that are made like it are called
	keys          []string
	predictions   []string
	defaults      settings
}

var (
	modelKeys = []string{"num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas", "prediction_type"}
	stepKeys  = append(modelKeys[:len(modelKeys):len(modelKeys)], "timestep_spacing", "steps_offset")
	zeroSNR   = "rescale_betas_zero_snr"
)

// with adds keys.
func with(keys []string, more ...string) []string { return append(keys[:len(keys):len(keys)], more...) }

// common are the defaults that all classes share, so far as they have the key, with their own spacing.
func common(spacing string) settings {
	return settings{
		timesteps: 1000, betaStart: 0.0001, betaEnd: 0.02, betaSchedule: "linear", prediction: "epsilon", spacing: spacing,
		clipRange: 1, thresholdRatio: 0.995, sampleMax: 1, flowShift: 1, interpolation: "linear", finalSigmas: "zero",
		timestepType: "discrete", algorithm: "dpmsolver++", solverOrder: 2, solverType: "midpoint", lowerOrderFinal: true,
		lambdaMinClipped: math.Inf(-1),
	}
}

// solverClass has settings that exclude one another.
const solverClass = "DPMSolverMultistepScheduler"

// classes are those of diffusers 0.42.1.
var classes = []class{
	{
		sampler: "ddim", also: "plms", keys: with(modelKeys, zeroSNR), predictions: []string{"epsilon", "sample", "v_prediction"},
		defaults: common("leading"),
	},
	{
		name: "DDIMScheduler", sampler: "ddim-diffusers", predictions: []string{"epsilon", "sample", "v_prediction"},
		keys: with(stepKeys, zeroSNR, "clip_sample", "clip_sample_range", "set_alpha_to_one", "thresholding",
			"dynamic_thresholding_ratio", "sample_max_value"),
		defaults: func() settings {
			s := common("leading")
			s.clipSample, s.setAlphaToOne = true, true
			return s
		}(),
	},
	{
		name: "PNDMScheduler", sampler: "pndm", predictions: []string{"epsilon", "v_prediction"},
		keys: with(stepKeys, "skip_prk_steps", "set_alpha_to_one"), defaults: common("leading"),
	},
	{
		name: solverClass, sampler: "dpmpp-2m", also: "dpmpp-2m-karras",
		predictions: []string{"epsilon", "sample", "v_prediction", "flow_prediction"},
		keys: with(stepKeys, zeroSNR, "solver_order", "thresholding", "dynamic_thresholding_ratio", "sample_max_value", "algorithm_type",
			"solver_type", "lower_order_final", "euler_at_final", "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas",
			"use_lu_lambdas", "use_flow_sigmas", "flow_shift", "final_sigmas_type", "lambda_min_clipped", "variance_type",
			// They are no arguments of the class, but its spacings of σ look for them among those of other classes that a file has.
			"sigma_min", "sigma_max"),
		defaults: common("linspace"),
	},
	{
		name: "EulerDiscreteScheduler", sampler: "euler", predictions: []string{"epsilon", "sample", "v_prediction", "original_sample"},
		keys: with(stepKeys, zeroSNR, "interpolation_type", "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "sigma_min",
			"sigma_max", "timestep_type", "final_sigmas_type"),
		defaults: common("linspace"),
	},
	{
		name: "EulerAncestralDiscreteScheduler", sampler: "euler-a", predictions: []string{"epsilon", "v_prediction"},
		keys: with(stepKeys, zeroSNR), defaults: common("linspace"),
	},
}

// relevels reports whether timesteps are those of σ that do not come from a spacing of timesteps.
func (s *settings) relevels() bool { return s.karras || s.exponential || s.beta || s.lu || s.flow }

// check says which key has a value that the class does not have.
func (s *settings) check(of *class) error {
	for _, key := range of.keys {
		v, ok := fields[key](s).(*string)
		if !ok {
			continue
		}
		known := choices[key]
		if key == "prediction_type" {
			known = of.predictions
		}
		if known != nil && !slices.Contains(known, *v) {
			return fmt.Errorf("%s is %.60q, expected %s", key, *v, either(known))
		}
	}
	one := func(bad bool, key string, value any, expected string) error {
		if !bad || !slices.Contains(of.keys, key) {
			return nil
		}
		return fmt.Errorf("%s is %v, expected %s", key, value, expected)
	}
	for _, err := range []error{
		one(s.timesteps < 2 || s.timesteps > maxTimesteps, "num_train_timesteps", s.timesteps, fmt.Sprintf("2 to %d", maxTimesteps)),
		one(s.stepsOffset < 0 || s.stepsOffset > maxTimesteps, "steps_offset", s.stepsOffset, "0 or more"),
		one(!(s.clipRange >= 0), "clip_sample_range", s.clipRange, "0 or more"),
		one(!(s.thresholdRatio >= 0 && s.thresholdRatio <= 1), "dynamic_thresholding_ratio", s.thresholdRatio, "0 to 1"),
		one(!(s.sampleMax > 0), "sample_max_value", s.sampleMax, "a positive number"),
		one(!(s.flowShift > 0 && s.flowShift <= maxFloat), "flow_shift", s.flowShift, "a positive number"),
		one(math.IsNaN(s.lambdaMinClipped), "lambda_min_clipped", s.lambdaMinClipped, "a number"),
		one(s.solverOrder < 1 || s.solverOrder > 3, "solver_order", s.solverOrder, "1 to 3"),
		one(s.sigmaMin.given && !(s.sigmaMin.value > 0 && s.sigmaMin.value <= maxFloat), "sigma_min", s.sigmaMin.value, "a positive number"),
		one(s.sigmaMax.given && !(s.sigmaMax.value > 0 && s.sigmaMax.value <= maxFloat), "sigma_max", s.sigmaMax.value, "a positive number"),
		s.checkSpacings(),
	} {
		if err != nil {
			return err
		}
	}
	if of.name == solverClass {
		return s.checkSolver()
	}
	return nil
}

// checkSpacings says which spacings of σ exclude one another.
func (s *settings) checkSpacings() error {
	var on []string
	for _, one := range []struct {
		key string
		is  bool
	}{
		{"use_karras_sigmas", s.karras}, {"use_exponential_sigmas", s.exponential}, {"use_beta_sigmas", s.beta},
		{"use_lu_lambdas", s.lu && s.flow}, {"use_flow_sigmas", s.flow},
	} {
		if one.is {
			on = append(on, one.key)
		}
	}
	if len(on) > 1 {
		return fmt.Errorf("%s are true, expected one of them", strings.Join(on, " and "))
	}
	return nil
}

// checkSolver says which settings DPMSolverMultistepScheduler refuses, or fails with.
func (s *settings) checkSolver() error {
	switch {
	case !strings.HasSuffix(s.algorithm, "++") && s.finalSigmas == "zero":
		return fmt.Errorf(`final_sigmas_type is "zero" with algorithm_type %q, expected "sigma_min"`, s.algorithm)
	case s.algorithm == "sde-dpmsolver" && s.solverOrder == 3:
		return fmt.Errorf("solver_order is 3 with algorithm_type %q, expected 1 or 2", s.algorithm)
	case s.prediction == "flow_prediction" && !strings.HasSuffix(s.algorithm, "++") && s.algorithm != "deis":
		return fmt.Errorf(`prediction_type is %q with algorithm_type %q, expected "dpmsolver++" or "sde-dpmsolver++"`, s.prediction, s.algorithm)
	case strings.HasPrefix(string(s.varianceType), "learned") && s.prediction == "epsilon":
		return fmt.Errorf("variance_type is %q, expected null: Stable Diffusion's networks predict no variance", s.varianceType)
	}
	return nil
}

// either lists values for a message.
func either(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = strconv.Quote(v)
	}
	if len(quoted) == 1 {
		return quoted[0]
	}
	last := len(quoted) - 1
	return strings.Join(quoted[:last], ", ") + " or " + quoted[last]
}
