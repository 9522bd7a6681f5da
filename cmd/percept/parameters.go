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
		err = ask(config, unet.ConfigFromJSON, unet.New, a)
	case weights.VAE:
		err = ask(config, vae.ConfigFromJSON, vae.New, a)
	case weights.TextEncoder:
		err = ask(config, clip.TextConfigFromJSON, clip.NewText, a)
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

func ask[C, M any](config []byte, read func([]byte) (C, error), build func(C, nn.Params) (M, error), a asked) error {
	c, err := read(config)
	if err == nil {
		_, err = build(c, a)
	}
	return err
}
