package main

import (
	"errors"
	"fmt"
	"slices"

	"percept/clip"
	"percept/nn"
	"percept/unet"
	"percept/vae"
	"percept/weights"
)

// asked notes which weights a model asks for, and has none: a model can so be asked for its parameters without
// the memory for them.
type asked map[string][]int

var errOnlyAsked = errors.New("only asked for")

// Float32 is part of nn.Params.
func (a asked) Float32(name string, shape ...int) ([]float32, error) {
	a[name] = slices.Clone(shape)
	return nil, errOnlyAsked
}

// parameters returns names and shapes of the weights of a component with this config.json: the model's own list.
func parameters(c weights.Component, config []byte) (map[string][]int, error) {
	a := asked{}
	var err error
	switch c {
	case weights.UNet:
		var cfg unet.Config
		if cfg, err = unet.ConfigFromJSON(config); err == nil {
			_, err = unet.New(cfg, a)
		}
	case weights.VAE:
		var cfg vae.Config
		if cfg, err = vae.ConfigFromJSON(config); err == nil {
			_, err = vae.New(cfg, a)
		}
	case weights.TextEncoder:
		var cfg clip.TextConfig
		if cfg, err = clip.TextConfigFromJSON(config); err == nil {
			_, err = clip.NewText(cfg, a)
		}
	default:
		return nil, fmt.Errorf("unknown component %q", c)
	}
	// The model's complaints are all about weights that it was not given, or it is not to be had with any.
	var complaints *nn.ParamsError
	if !errors.As(err, &complaints) {
		return nil, err
	}
	for _, err := range complaints.Errs {
		if !errors.Is(err, errOnlyAsked) {
			return nil, err
		}
	}
	return a, nil
}

// allParameters is parameters for each part of a folder. The error names the configuration.
func allParameters(f *weights.Folder) (map[weights.Component]map[string][]int, error) {
	all := map[weights.Component]map[string][]int{}
	for _, c := range weights.Components() {
		p := f.Parts[c]
		if p == nil {
			continue
		}
		var err error
		if all[c], err = parameters(c, p.Config); err != nil {
			return nil, fmt.Errorf("%s: %w", p.ConfigFile, err)
		}
	}
	return all, nil
}
