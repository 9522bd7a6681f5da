package scheduler

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Notes are lines, without the file's name, on what a sampler does otherwise than the file says: the settings that a
// StableDiffusionPipeline overrides, and those that the samplers of the original code leave aside.
func (c *Config) Notes(sampler string) []string {
	of, s, err := c.of(sampler)
	if err != nil {
		return nil // who makes the sampler says so
	}
	if of.name == "" {
		return c.leftAside(sampler)
	}
	if !c.pipeline {
		return nil
	}
	file := *c
	file.pipeline = false
	raw, err := file.settings(of)
	if err != nil {
		return nil
	}
	var notes []string
	say := func(key, used string) {
		says := "is missing, " + text(fields[key](&of.defaults)) + " to " + of.name
		if v, ok := c.keys[key]; ok {
			says = "is " + shorten(v)
		}
		notes = append(notes, fmt.Sprintf("%s %s; %s samples with %s, as a loaded StableDiffusionPipeline does", key, says, sampler, used))
	}
	spaced := s.spacing == "leading" && !(of.name == solverClass && s.relevels())
	if spaced && raw.stepsOffset != 1 {
		say("steps_offset", "1")
	}
	if slices.Contains(of.keys, "clip_sample") && raw.clipSample && !raw.thresholding {
		say("clip_sample", "false")
	}
	return notes
}

// originals are what the samplers of the original code do where a file may say otherwise.
var originals = map[string]map[string]string{
	"ddim": {
		"timestep_spacing": `"leading"`, "steps_offset": "1", "set_alpha_to_one": "false", "clip_sample": "false", "thresholding": "false",
	},
	"plms": {"timestep_spacing": `"leading"`, "steps_offset": "1", "set_alpha_to_one": "false", "skip_prk_steps": "true"},
}

// leftAside is one line on the keys of the file that a sampler of the original code does not follow.
func (c *Config) leftAside(sampler string) []string {
	var left []string
	does := originals[sampler]
	for _, key := range slices.Sorted(maps.Keys(does)) {
		if raw, ok := c.keys[key]; ok && string(raw) != does[key] {
			left = append(left, fmt.Sprintf("%s %s (%s does %s)", key, shorten(raw), sampler, does[key]))
		}
	}
	if left == nil {
		return nil
	}
	follows := map[string]string{"ddim": "ddim-diffusers", "plms": "pndm"}[sampler]
	return []string{fmt.Sprintf("%s samples as the original code, and leaves aside %s; %s follows the file",
		sampler, strings.Join(left, ", "), follows)}
}
