package scheduler

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"percept/internal/cause"
	"percept/internal/pyjson"
)

// A Config is a scheduler_config.json. A sampler that is named after a class of diffusers follows it as that class's
// from_config does: keys that the class has not are passed over, a key that the file lacks has the class's default (which
// seldom is Stable Diffusion's). It is not changed after it was made and may be shared.
type Config struct {
	// File is the name that errors begin with.
	File string
	// Class is the class that the file was saved by, such as "PNDMScheduler"; "" where it names none.
	Class string

	keys     map[string]json.RawMessage // as in the file
	pipeline bool                       // a StableDiffusionPipeline holds it
}

// ParseConfig reads a scheduler_config.json, called file in errors. What its keys say is looked at when a sampler is made
// of it: a class cares for its own keys alone.
func ParseConfig(file string, data []byte) (*Config, error) {
	keys, err := pyjson.Members(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, cause.OfJSON(err))
	}
	var defaults []string // keys that diffusers has written down defaults of, and passes over again
	if raw, ok := keys["_use_default_values"]; ok && json.Unmarshal(raw, &defaults) == nil {
		for _, key := range defaults {
			delete(keys, key)
		}
	}
	c := &Config{File: file, keys: keys}
	if raw, ok := keys["_class_name"]; ok {
		if err := json.Unmarshal(raw, &c.Class); err != nil {
			return nil, fmt.Errorf("%s: _class_name is %s, expected the name of a class", file, shorten(raw))
		}
	}
	return c, nil
}

// published is scheduler/scheduler_config.json of Stable Diffusion v1.4, which samplers follow where no other is given.
var published = func() *Config {
	c, err := ParseConfig("scheduler_config.json of Stable Diffusion v1", []byte(`{"_class_name": "PNDMScheduler", "beta_end": 0.012,
		"beta_schedule": "scaled_linear", "beta_start": 0.00085, "clip_sample": false, "num_train_timesteps": 1000,
		"set_alpha_to_one": false, "skip_prk_steps": true, "steps_offset": 1, "trained_betas": null}`))
	if err != nil {
		panic(err) // the text above is valid
	}
	return c
}()

// orPublished is a configuration, or that of Stable Diffusion v1 where there is none.
func orPublished(c *Config) *Config {
	if c == nil {
		return published
	}
	return c
}

// named puts the file's name before an error about what it says.
func (c *Config) named(err error) error {
	if strings.HasPrefix(err.Error(), "scheduler: ") {
		return err
	}
	return fmt.Errorf("%s: %w", c.File, err)
}

// OfClass is the configuration as that of another class: model_index.json names the one that a pipeline loads.
func (c *Config) OfClass(class string) *Config {
	other := *c
	other.Class = class
	return &other
}

// InPipeline is the configuration that a loaded StableDiffusionPipeline samples with. Its constructor sets steps_offset to 1
// and clip_sample to false, whatever the file says, and warns that the file is outdated.
// Source: diffusers/pipelines/stable_diffusion/pipeline_stable_diffusion.py.
func (c *Config) InPipeline() *Config {
	other := *c
	other.pipeline = true
	return &other
}

// with is the configuration with another value of a key.
func (c *Config) with(key, value string) *Config {
	other := *c
	other.keys = maps.Clone(c.keys)
	other.keys[key] = json.RawMessage(value)
	return &other
}

// override sets what the pipeline's constructor sets.
func (c *Config) override(s *settings) {
	if c.pipeline {
		s.stepsOffset, s.clipSample = 1, false
	}
}

// SamplerName is the name of the sampler that is made like the file's class.
func (c *Config) SamplerName() (string, error) {
	var have []string
	for i := range classes {
		if classes[i].name == c.Class && c.Class != "" {
			return classes[i].sampler, nil
		}
		if classes[i].name != "" {
			have = append(have, classes[i].name)
		}
	}
	found := "it names no class (_class_name)"
	if c.Class != "" {
		found = fmt.Sprintf("the class is %.80q, which Percept does not have", c.Class)
	}
	return "", fmt.Errorf("%s: %s, expected one of %s", c.File, found, strings.Join(have, ", "))
}

// Check says what is wrong with the noise schedule, which every sampler takes from the file.
func (c *Config) Check() error {
	model := classes[0] // that has what is the model's, but for what it predicts: other samplers may know more
	model.predictions = nil
	s, err := c.settings(&model)
	if err != nil {
		return err
	}
	if _, err := s.schedule(CompVis, false); err != nil {
		return c.named(err)
	}
	return nil
}

// settings reads what a class takes from the file.
func (c *Config) settings(of *class) (settings, error) {
	s := of.defaults
	for _, key := range of.keys {
		raw, ok := c.keys[key]
		if !ok {
			continue
		}
		if err := read(key, raw, fields[key](&s)); err != nil {
			return s, c.named(err)
		}
	}
	c.override(&s)
	if err := s.check(of); err != nil {
		return s, c.named(err)
	}
	return s, nil
}

// read sets a field to the value of a key. null is false, or none where there may be none.
func read(key string, raw json.RawMessage, field any) error {
	null := string(raw) == "null"
	var err error
	var expected string
	switch v := field.(type) {
	case *bool:
		expected = "true or false"
		err = json.Unmarshal(raw, v)
		*v = *v && !null
	case *int:
		expected = "a whole number"
		if null {
			break
		}
		err = json.Unmarshal(raw, v)
	case *string:
		expected = "a text"
		if null {
			break
		}
		err = json.Unmarshal(raw, v)
	case *float64:
		expected = "a number"
		if null {
			break
		}
		*v, err = pyjson.Float(raw)
	case *optional:
		if null {
			*v = optional{}
			return nil
		}
		expected = "a number or null"
		v.value, err = pyjson.Float(raw)
		v.given = true
	case *optionalText:
		if null {
			*v = ""
			return nil
		}
		expected = "a text or null"
		err = json.Unmarshal(raw, v)
	case *[]float64:
		if null {
			*v = nil
			return nil
		}
		expected = "a list of numbers or null"
		err = json.Unmarshal(pyjson.Standard(raw), v)
	}
	if _, mayBe := field.(*bool); err != nil || null && !mayBe {
		return fmt.Errorf("%s is %s, expected %s", key, shorten(raw), expected)
	}
	return nil
}

// shorten is the beginning of a value, in one line.
func shorten(raw []byte) string {
	var line bytes.Buffer
	if json.Compact(&line, pyjson.Standard(raw)) == nil && line.Len() == len(raw) {
		line.Reset()
		line.Write(raw) // with Python's names of numbers
	}
	text := line.String()
	const longest = 40
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	return text
}

// of returns the class behind a sampler's name and what it takes from the configuration.
func (c *Config) of(sampler string) (*class, settings, error) {
	for i := range classes {
		of := &classes[i]
		if of.sampler != sampler && of.also != sampler {
			continue
		}
		if sampler == "dpmpp-2m-karras" {
			c = c.with("use_karras_sigmas", "true")
		}
		s, err := c.settings(of)
		return of, s, err
	}
	return nil, settings{}, fmt.Errorf("scheduler: sampler %q is unknown", sampler) // New lists those that there are
}
