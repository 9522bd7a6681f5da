package verify

import (
	"slices"
	"strings"

	"percept/clip"
	"percept/internal/half"
	"percept/scheduler"
	"percept/unet"
	"percept/vae"
	"percept/weights"
	"percept/weights/synth"
)

const (
	nanoFolder = "tiny/weights"
	nanoLDM    = "tiny/weights/ldm_fp16.safetensors"
	nanoLegacy = "tiny/weights/vae_legacy_names/diffusion_pytorch_model.fp16.safetensors"
	nanoIO     = "tiny/nano_io.safetensors"

	nanoManifest = nanoFolder + "/checkpoint_manifest.json"
	nanoOldTorch = nanoFolder + "/legacy_nonzip.ckpt"
)

// nanoCheckpoints are the files of torch that the manifest describes; the first holds the three models.
var nanoCheckpoints = []string{"ldm_f16.ckpt", "ldm_f32.ckpt", "ldm_lightning_text_vae.ckpt"}

var threeComponents = []weights.Component{weights.UNet, weights.VAE, weights.TextEncoder}

// nanoCases are those of the models whose weights come as files.
func nanoCases() []testCase {
	models := func(title, file string) testCase {
		return testCase{"nano: models from " + title, func(c *check) { nanoModels(c, file) }}
	}
	cases := []testCase{
		{"nano: every tensor under CompVis names, and generated", nanoTensors},
		{"nano: legacy VAE names", nanoLegacyNames},
		models("the diffusers folder", ""),
		models("the CompVis file", nanoLDM),
	}
	for _, f := range nanoCheckpoints {
		cases = append(cases, testCase{"nano: " + f, func(c *check) { nanoTorchFile(c, f) }})
	}
	return append(cases, testCase{"nano: legacy_nonzip.ckpt", nanoOldTorchFile},
		models(nanoCheckpoints[0], nanoFolder+"/"+nanoCheckpoints[0]))
}

// nanoModelFolder opens the models in diffusers' layout.
func (c *check) nanoModelFolder() *weights.Folder {
	for _, f := range []string{
		"unet/config.json", "unet/diffusion_pytorch_model.safetensors", "vae/config.json", "vae/diffusion_pytorch_model.safetensors",
		"text_encoder/config.json", "text_encoder/model.safetensors",
	} {
		c.set.path(nanoFolder + "/" + f)
	}
	folder := must(weights.OpenFolder(c.set.path(nanoFolder)))
	c.atEnd(folder.Close)
	return folder
}

// checkpoint opens a file of weights.
func (c *check) checkpoint(file string) *weights.Store {
	s := must(weights.Open(c.set.path(file)))
	c.atEnd(s.Close)
	return s
}

// dialect compares a component in a file under other names with the diffusers folder, bit for bit, and each tensor with
// others that also returns. It lists the names in the file.
func (c *check) dialect(folder *weights.Folder, file *weights.Store, part weights.Component, also ...*synth.Weights) (sources []string) {
	diffusers, view := folder.Parts[part].Store, must(file.Component(part))
	want := map[string][]int{}
	for _, name := range diffusers.Names() {
		_, shape, _ := diffusers.Info(name)
		want[name] = shape
		ref := must(diffusers.Float32(name))
		c.bits(name+", "+view.Source(name)+" in "+file.File(), must(view.Float32(name, shape...)), ref)
		for _, other := range also {
			c.bits(name+", generated", must(other.Float32(name, shape...)), ref)
		}
		sources = append(sources, view.Source(name))
	}
	c.must(view.CheckAgainst(want))
	return sources
}

// nanoTensors compares both dialects with one another and with the generator, tensor by tensor.
func nanoTensors(c *check) {
	folder, ldm := c.nanoModelFolder(), c.checkpoint(nanoLDM)
	var claimed []string
	for _, part := range threeComponents {
		made := &synth.Weights{Component: "nano." + string(part), Seed: c.seed(), Half: true}
		claimed = append(claimed, c.dialect(folder, ldm, part, made)...)
	}
	s := scheduler.StableDiffusion()
	tables := map[string][]float64{"betas": s.Beta, "alphas_cumprod": s.AlphaBar, "alphas_cumprod_prev": shifted(s.AlphaBar)}
	for _, name := range ldm.Names() {
		if table, ok := tables[name]; ok {
			stored := converted[float32](table)
			for i, v := range stored {
				stored[i] = half.FromF16(half.ToF16(v))
			}
			c.bits(name, must(ldm.Float32(name)), stored)
		} else if !slices.Contains(claimed, name) && !weights.Buffer(name) {
			c.problem("%s: unknown tensor %s", nanoLDM, name)
		}
	}
}

func nanoLegacyNames(c *check) {
	legacy := c.checkpoint(nanoLegacy)
	renamed := slices.ContainsFunc(legacy.Names(), func(n string) bool { return strings.Contains(n, ".query.") })
	c.that(renamed, "the file has no legacy names")
	c.dialect(c.nanoModelFolder(), legacy, weights.VAE)
}

// nanoModels runs the three models with weights from the diffusers folder, or from a file under CompVis names.
func nanoModels(c *check, file string) {
	folder := c.nanoModelFolder()
	source, config := map[weights.Component]*weights.Store{}, map[weights.Component][]byte{}
	for _, part := range threeComponents {
		source[part], config[part] = folder.Parts[part].Store, folder.Parts[part].Config
	}
	if file != "" {
		checkpoint := c.checkpoint(file)
		for _, part := range threeComponents {
			source[part] = must(checkpoint.Component(part))
		}
	}
	u := must(unet.New(must(unet.ConfigFromJSON(config[weights.UNet])), source[weights.UNet]))
	v := must(vae.New(must(vae.ConfigFromJSON(config[weights.VAE])), source[weights.VAE]))
	t := must(clip.NewText(must(clip.TextConfigFromJSON(config[weights.TextEncoder])), source[weights.TextEncoder]))
	for _, part := range threeComponents {
		c.must(source[part].Check())
	}
	for _, run := range c.unetRuns(nanoIO, "unet.") {
		c.runUNet(u, nanoIO, "unet."+run, "unet."+run, c.tinyTolerance("nano.unet."+run))
	}
	c.runVAE(v, nanoIO, "vae.", c.tinyTolerance("nano.vae.moments"), c.tinyTolerance("nano.vae.decode"))
	text := must(t.Encode(c.ctx, c.rows(nanoIO, "text.input_ids")))
	near(c, "text.last_hidden_state", text, c.float32s(nanoIO, "text.last_hidden_state"), c.tinyTolerance("nano.text"))
}
