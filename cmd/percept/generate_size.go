package main

import (
	"fmt"

	"percept/unet"
	"percept/vae"
	"percept/weights"
	"percept/weights/embedded"
)

// checkSize says before the model is loaded whether it can make pictures of --size, from the configurations of its parts.
// What is wrong with a model is for loading it to say.
func (g *generateFlags) checkSize() error {
	if g.size == "" {
		return nil
	}
	step, err := g.model.granularity()
	if err != nil {
		return nil
	}
	if g.Width%step != 0 || g.Height%step != 0 {
		return usageError{fmt.Errorf("--size %s: pictures of %d×%d, expected sides that are multiples of %d", g.size, g.Width, g.Height, step)}
	}
	return nil
}

// granularity is what the sides of a model's pictures have to be multiples of, as Pipeline.Granularity.
func (m *modelFlags) granularity() (int, error) {
	var f *weights.Folder
	var err error
	if m.dir == "" {
		f, err = weights.OpenFolderFS(embedded.FS(), "embedded model")
	} else {
		f, err = weights.OpenModel(m.dir, weights.ModelOptions{Components: []weights.Component{weights.UNet, weights.VAE},
			EMA: m.EMA, Variant: m.Variant, Config: m.Config})
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	u, err := unet.ConfigFromJSON(f.Parts[weights.UNet].Config)
	if err != nil {
		return 0, err
	}
	v, err := vae.ConfigFromJSON(f.Parts[weights.VAE].Config)
	if err != nil {
		return 0, err
	}
	return v.Downscale() * u.SizeMultiple(), nil
}
