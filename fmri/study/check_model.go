package study

import (
	"cmp"
	"os"
	"slices"

	"percept"
	"percept/fmri/study/stage"
)

// Check loads the model of a file's experiment and tells everything that is wrong with the experiment: values, what the data lack,
// what the model cannot do. The error is *Faults. Nothing is made.
func (f *File) Check(load func() (*percept.Pipeline, error)) (*percept.Pipeline, error) {
	faults := f.Config.faults()
	f.Config.checkData(faults)
	f.Config.checkLoad(faults)
	var model *percept.Pipeline
	unloadable := []string{"model", "load"}
	if f.Config.Model == "" { // the embedded model does without most of what else is wrong
		unloadable = []string{"model", "load.weights_dtype", "load.memory", "load.text_cleaning"}
	}
	if !faults.about(unloadable...) && !f.faults.about(unloadable...) {
		var err error
		if model, err = load(); err != nil {
			faults.say("model", "model: %v, expected a model that can be loaded", err)
		} else {
			f.Config.checkModel(faults, model)
		}
	}
	return model, f.check(faults)
}

// ready tells everything that is wrong with an experiment, which need not be of a file.
func (c Config) ready(model *percept.Pipeline) error {
	faults := c.faults()
	c.checkData(faults)
	c.checkModel(faults, model)
	return faults.err()
}

// checkLoad tells what no model can be loaded from.
func (c Config) checkLoad(f *Faults) {
	l := c.Load
	if c.Model == "" {
		for _, p := range []struct {
			key, value string
		}{{"load.tokenizer", l.Tokenizer}, {"load.config", l.Config}, {"load.variant", l.Variant}} {
			if p.value != "" {
				f.add(p.key, p.value, "none: the embedded model has its own; model = \"…\" names another")
			}
		}
		if l.EMA {
			f.add("load.ema", true, "false: the embedded model has one set of weights")
		}
	}
	if _, err := os.Stat(c.Model); c.Model != "" && err != nil {
		f.add("model", c.Model, "a folder or file of a model that is there")
	}
	for _, p := range []struct {
		key, path, expected string
	}{
		{"load.tokenizer", l.Tokenizer, "a folder with vocab.json and merges.txt, or bpe_simple_vocab_16e6.txt.gz, that is there"},
		{"load.config", l.Config, "a folder with config.json files that is there"},
	} {
		if _, err := os.Stat(p.path); p.path != "" && c.Model != "" && err != nil {
			f.add(p.key, p.path, "%s", p.expected)
		}
	}
	if _, err := (percept.Options{WeightsDType: l.WeightsDType}).Packing(""); err != nil {
		f.add("load.weights_dtype", l.WeightsDType, "float32, float16 or bfloat16")
	}
	if _, err := (percept.Options{Memory: l.Memory}).Packing(""); err != nil {
		f.add("load.memory", l.Memory, "%s or %s", percept.MemoryFull, percept.MemoryLow)
	}
}

// checkModel tells what the model cannot do.
func (c Config) checkModel(f *Faults, model *percept.Pipeline) {
	multiple := func(key string, size, of int) {
		if size%of != 0 && !f.about(key) {
			f.add(key, size, "a multiple of %d, as %d, or 0 for the model's own %d", of, max(of, size/of*of), model.Size)
		}
	}
	_, names := c.sides()
	if c.Features.From == "" && slices.Contains(names, "z") {
		multiple("features.size", c.Features.Size, model.VAE.Config.Downscale())
		if side := cmp.Or(c.Features.Size, model.Size); !f.about("features.size") {
			if err := model.FitsToEncode(side, side); err != nil {
				f.say("features.size", "[features] size = %d: %v", c.Features.Size, err)
			}
		}
	}
	if c.pictures() {
		multiple("render.size", c.Render.Size, model.Granularity())
		if side := cmp.Or(c.Render.Size, model.Size); !f.about("render.size") {
			if err := model.FitsToGenerate(0, side, side, c.Render.Guidance != 1, true); err != nil {
				f.say("render.size", "[render] size = %d: %v", c.Render.Size, err)
			}
		}
	}
	if c.Features.From == "" {
		return
	}
	if _, err := os.Stat(c.Features.From); err != nil {
		f.add("features.from", c.Features.From, "a folder of features that is there")
		return
	}
	r := &Run{Config: c, Model: model, runner: stage.Look("", "")}
	for _, name := range names {
		t, err := r.openFeature(name)
		if err == nil && name == "z" && c.pictures() {
			_, _, err = r.pictureSize(t)
		}
		if err != nil {
			f.say("features.from", "[features] from: %v, expected features of this model", err)
		}
	}
}
