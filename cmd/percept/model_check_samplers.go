package main

import (
	"strings"

	"percept"
	"percept/scheduler"
	"percept/weights"
)

// samplerCheck says what becomes of the model's scheduler_config.json with a sampler.
type samplerCheck struct{ name, state string }

// checkScheduler says whether the noise schedule is one that samplers have, and what each sampler follows.
func (c *modelCheck) checkScheduler(f *weights.Folder) {
	config, err := percept.SchedulerOf(f)
	if err != nil {
		c.schedule = strings.TrimPrefix(oneLine(err), f.Dir+"/")
		return
	}
	if config == nil {
		return // taken for Stable Diffusion v1's
	}
	const steps = 20 // any number that divides what models are trained with
	auto, err := config.SamplerName()
	if err == nil {
		_, err = scheduler.New(scheduler.Options{Name: auto, Steps: steps, Config: config})
	}
	if err != nil {
		auto = "no: " + strings.TrimPrefix(oneLine(err), config.File+": ")
	}
	c.samplers = append(c.samplers, samplerCheck{percept.SamplerAuto, auto})
	for _, name := range scheduler.Names() {
		state := "yes, follows scheduler_config.json"
		if scheduler.Original(name) {
			state = "yes, with its noise schedule and prediction"
		}
		if _, err := scheduler.New(scheduler.Options{Name: name, Steps: steps, Config: config}); err != nil {
			state = "no: " + strings.TrimPrefix(oneLine(err), config.File+": ")
		} else if notes := config.Notes(name); len(notes) > 0 {
			state = "yes, but " + strings.Join(notes, "; ")
		}
		c.samplers = append(c.samplers, samplerCheck{name, state})
	}
}
